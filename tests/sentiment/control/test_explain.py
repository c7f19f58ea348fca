import hashlib

import numpy as np
import pytest

from generation.traits.parameters import uniform
from sentiment.control.allocate import propose
from sentiment.control.explain import informative_votes, input_hash, rows
from sentiment.preference.bradley_terry import Belief, Votes
from sentiment.preference.features import encode, options

SCHEMA = {"hat": ["red", "blue"], "coat": ["none", "long", "fur"]}
NAMES = options(SCHEMA)
BELIEF = Belief(np.array([1, -1, 0.1, 0, -0.1, 0.0]), np.diag([0.01] * 5 + [1.0]))


def test_every_option_has_a_row_in_order() -> None:
    changes = propose(uniform(SCHEMA), NAMES, BELIEF)

    found = rows(changes, np.arange(5), {})

    assert [(row.attribute, row.value) for row in found] == NAMES
    assert [row.n_votes for row in found] == [0, 1, 2, 3, 4]
    assert [row.mean for row in found] == [1, -1, 0.1, 0, -0.1]
    assert [row.sd for row in found] == pytest.approx([0.1] * 5)


def test_a_row_says_what_stopped_or_clipped_its_attribute() -> None:
    found = rows(propose(uniform(SCHEMA), NAMES, BELIEF), np.zeros(5, np.int64), {})

    assert found[0].stopped_by == ""
    assert found[0].clipped_by == ["step", "entropy"]
    assert found[2].stopped_by == "no_evidence"


def test_a_row_says_in_a_sentence_why() -> None:
    found = rows(propose(uniform(SCHEMA), NAMES, BELIEF), np.array([40, 40, 7, 7, 7]), {})

    assert found[0].why == (
        "40 votes tell; 100.0% likely an improvement; limited by the largest step, diversity"
    )
    assert found[2].why == "7 votes tell; the differences are within noise, so nothing changes"


def test_leaving_out_the_only_source_takes_back_the_whole_change() -> None:
    changes = propose(uniform(SCHEMA), NAMES, BELIEF)
    without = {"votes": propose(uniform(SCHEMA), NAMES, Belief.prior(5))}

    found = rows(changes, np.zeros(5, np.int64), without)

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

    assert informative_votes(votes).tolist() == [2, 2, 2, 2, 0]


def test_the_input_hash_is_that_of_canonical_json() -> None:
    written_by_hand = b'{"a":[1,0.5],"b":"\xc3\xa9"}'

    assert input_hash({"b": "\u00e9", "a": [1, 0.5]}) == hashlib.sha256(written_by_hand).hexdigest()


def test_another_vote_is_another_hash() -> None:
    assert input_hash({"votes": [[1, 2, 1]]}) != input_hash({"votes": [[1, 2, 2]]})
