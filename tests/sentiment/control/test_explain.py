import hashlib

import numpy as np
import pytest

from generation.traits.parameters import uniform
from sentiment.control.allocate import propose
from sentiment.control.explain import Counts, counts, input_hash, rows
from sentiment.preference.bradley_terry import Belief, Votes
from sentiment.preference.features import encode, options

SCHEMA = {"hat": ["red", "blue"], "coat": ["none", "long", "fur"]}
NAMES = options(SCHEMA)
BELIEF = Belief(np.array([1, -1, 0.1, 0, -0.1, 0.0]), np.diag([0.01] * 5 + [1.0]))


def test_every_option_has_a_row_in_order() -> None:
    changes = propose(uniform(SCHEMA), NAMES, BELIEF)

    found = rows(changes, [Counts(n) for n in range(5)], {})

    assert [(row.attribute, row.value) for row in found] == NAMES
    assert [row.n_votes for row in found] == [0, 1, 2, 3, 4]
    assert [row.mean for row in found] == [1, -1, 0.1, 0, -0.1]
    assert [row.sd for row in found] == pytest.approx([0.1] * 5)


def test_a_row_says_what_stopped_or_clipped_its_attribute() -> None:
    found = rows(propose(uniform(SCHEMA), NAMES, BELIEF), [Counts(0)] * 5, {})

    assert found[0].stopped_by == ""
    assert found[0].clipped_by == ["step", "entropy"]
    nothing = rows(propose(uniform(SCHEMA), NAMES, Belief.prior(5)), [Counts(0)] * 5, {})
    assert {row.stopped_by for row in nothing} == {"no_evidence"}


def test_a_row_says_in_a_sentence_why() -> None:
    found = rows(
        propose(uniform(SCHEMA), NAMES, BELIEF), [Counts(n) for n in (40, 40, 7, 7, 7)], {}
    )

    assert found[0].why == (
        "40 votes tell; over 99.9% likely an improvement by itself, over 99.9% with all that is "
        "proposed beside it; limited by the largest step, diversity"
    )
    nothing = rows(propose(uniform(SCHEMA), NAMES, Belief.prior(5)), [Counts(7)] * 5, {})
    assert nothing[0].why == "7 votes tell; the differences are within noise, so nothing changes"


def test_a_direction_has_a_row_after_all_options() -> None:
    names = options(SCHEMA, ["age"])
    belief = Belief(np.array([1, -1, 0.1, 0, -0.1, 0.6, -0.5, 0]), np.diag([0.01] * 7 + [1.0]))

    found = rows(propose(uniform(SCHEMA), names, belief), [Counts(n) for n in range(7)], {})[-1]

    assert (found.kind, found.attribute, found.value) == ("strength", "direction", "age")
    assert found.target == pytest.approx(0.6)
    assert found.old == 0
    assert found.proposed == pytest.approx(0.3)
    assert found.n_votes == 6
    assert found.why.startswith("6 votes tell; over 99.9% likely")


def test_leaving_out_the_only_source_takes_back_the_whole_change() -> None:
    changes = propose(uniform(SCHEMA), NAMES, BELIEF)
    without = {"votes": propose(uniform(SCHEMA), NAMES, Belief.prior(5))}

    found = rows(changes, [Counts(0)] * 5, without)

    for row in found:
        assert row.without["votes"] == pytest.approx(row.proposed - row.old, abs=1e-15)
    assert found[0].without["votes"] == pytest.approx(0.25)


def test_only_votes_between_different_values_inform_about_an_option() -> None:
    works = [
        {"hat": "red", "coat": "none"},
        {"hat": "red", "coat": "long"},
        {"hat": "blue", "coat": "long"},
    ]
    votes = Votes(
        encode(works, NAMES),
        np.array([0, 0, 1]),
        np.array([1, 2, 2]),
        np.array([True, False, True]),
        np.ones(3),
    )

    assert counts(votes) == [Counts(n) for n in (2, 2, 2, 2, 0)]


def test_the_input_hash_is_that_of_canonical_json() -> None:
    written_by_hand = b'{"a":[1,0.5],"b":"\xc3\xa9"}'

    assert input_hash({"b": "\u00e9", "a": [1, 0.5]}) == hashlib.sha256(written_by_hand).hexdigest()


def test_another_vote_is_another_hash() -> None:
    assert input_hash({"votes": [[1, 2, 1]]}) != input_hash({"votes": [[1, 2, 2]]})
