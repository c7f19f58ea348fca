"""The one path from a document to a proposal."""

import copy
import os
import subprocess
import sys
from itertools import product
from math import fsum
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from generation.traits.parameters import Parameters
from minting.provenance.canonical import canonicalize
from sentiment.control import allocate
from sentiment.derivation.derive import DECIMALS, Derived, ballots, derive
from sentiment.derivation.document import read
from sentiment.preference import bradley_terry, features
from sentiment.preference.bradley_terry import Belief, Votes
from tests.sentiment.derivation.documents import SCHEMA, make_document

ROOT = Path(__file__).parents[3]


def published(derived: Derived) -> bytes:
    return canonicalize(
        [derived.posterior, derived.market, derived.proposed, derived.rows],
    )


def told(document: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """The same document with one constant changed."""
    made = copy.deepcopy(document)
    made["constants"][name] = value
    return made


def test_what_follows_is_what_the_parts_say_one_after_the_other() -> None:
    document = make_document()
    names = features.options({name: sorted(SCHEMA[name]) for name in sorted(SCHEMA)})
    rows = document["votes"]["rows"]
    place = {name: i for i, name in enumerate(document["works"])}
    weights = []
    for _, _, _, voter, age, *_ in rows:
        own = [0.8 ** row[4] for row in rows if row[3] == voter]
        weights.append(0.8**age * min(1, 30 / sum(own)))
    votes = Votes(
        features=features.encode(list(document["works"].values()), names),
        left=np.array([place[row[0]] for row in rows]),
        right=np.array([place[row[1]] for row in rows]),
        left_won=np.array([row[0] == row[2] for row in rows]),
        weights=np.array(weights),
    )
    belief = bradley_terry.fit(votes, Belief.prior(len(names)))
    current = Parameters.from_json(document["parameters"])

    derived = derive(document)

    assert derived.posterior["names"] == [list(option) for option in names]
    assert derived.posterior["mean"] == pytest.approx(belief.mean, abs=1e-9)
    assert derived.posterior["sd"] == pytest.approx(np.sqrt(np.diag(belief.covariance)), abs=1e-9)
    expected = allocate.apply(current, allocate.propose(current, names, belief)).to_json()
    for attribute, value in product(SCHEMA, ["none", "red", "long", "open"]):
        if value in SCHEMA[attribute]:
            share = derived.proposed["distributions"][attribute][value]
            assert share == pytest.approx(expected["distributions"][attribute][value], abs=1e-8)


def test_what_people_like_is_proposed_more_often() -> None:
    derived = derive(make_document(n_sales=80))

    assert derived.proposed["distributions"]["hat"]["red"] > 0.3
    assert derived.market["kappa"] > 0


def test_shares_are_short_and_sum_to_one() -> None:
    proposed = derive(make_document()).proposed["distributions"]

    for shares in proposed.values():
        assert fsum(shares.values()) == pytest.approx(1, abs=1e-12)
        assert all(round(share, DECIMALS) == share for share in shares.values())


def test_shares_that_stay_are_the_very_same() -> None:
    document = make_document(n_votes=0)
    document["parameters"]["distributions"]["eyes"] = {"open": 1 / 3, "shut": 2 / 3}

    derived = derive(document)

    assert derived.proposed == document["parameters"]
    kept = {row["value"]: row["proposed"] for row in derived.rows if row["attribute"] == "eyes"}
    assert kept == {"open": 1 / 3, "shut": 2 / 3}


def test_a_vote_that_weighs_nothing_is_as_good_as_none() -> None:
    document = make_document()
    silenced = copy.deepcopy(document)
    silenced["votes"]["rows"][7][5] = 0
    without = copy.deepcopy(document)
    del without["votes"]["rows"][7]

    found, expected = derive(silenced), derive(without)

    assert found.posterior == expected.posterior
    assert found.proposed == expected.proposed


def test_half_the_weight_is_half_a_vote() -> None:
    document = make_document()
    whole = ballots(read(document)).votes.weights
    for row in document["votes"]["rows"]:
        row[5] = 0.5

    assert ballots(read(document)).votes.weights == pytest.approx(whole / 2)


def aged(document: dict[str, Any]) -> dict[str, Any]:
    """The same voters, who like works best of which the age is .8; it is steered, and 0 so far."""
    chance = np.random.default_rng(3)
    told = copy.deepcopy(document)
    told["parameters"]["directions"] = {"age": 0.0}
    told["latents"] = {name: {"age": float(chance.normal())} for name in sorted(told["works"])}
    off = {name: 4 * (one["age"] - 0.8) ** 2 for name, one in told["latents"].items()}
    for row in told["votes"]["rows"]:
        row[2] = min(row[0], row[1], key=off.__getitem__)
    told["votes"]["rows"].sort()
    return told


def test_the_strength_of_a_direction_moves_to_what_is_liked() -> None:
    derived = derive(aged(make_document()))

    assert ["~age", "curve"] in derived.posterior["names"]
    assert derived.proposed["directions"] == {"age": 0.3}
    row = derived.rows[-1]
    assert (row["kind"], row["value"]) == ("strength", "age")
    assert row["target"] == pytest.approx(0.8, abs=0.15)


def test_works_whose_latents_are_unknown_tell_nothing_of_a_direction() -> None:
    document = aged(make_document())
    document["latents"] = {}

    assert derive(document).proposed["directions"] == {"age": 0.0}


def push(document: dict[str, Any], n_members: int) -> list[str]:
    """Of each round's voters the first few choose blue hats wherever they can; who they are."""
    rows = document["votes"]["rows"]
    members = sorted({row[3] for row in rows})[:n_members]
    for row in rows:
        shown = [document["works"][name]["hat"] == "blue" for name in row[:2]]
        if row[3] in members and shown[0] != shown[1]:
            row[2] = row[0] if shown[0] else row[1]
    rows.sort()
    return [member.lower() for member in members]


def test_voters_who_act_as_one_count_less_and_are_named_with_the_reason() -> None:
    document = make_document(n_votes=600)
    members = push(document, 8)

    derived = derive(document)

    discounted = derived.posterior["discounted"]
    listed = {one["voter"] for one in discounted if one["factor"] < 0.5}
    assert len(listed & set(members)) >= 6
    for one in discounted:
        assert (one["rule"], one["attribute"], one["value"]) == ("team", "hat", "blue")
        assert 0 <= one["for_it"] <= one["at_stake"]
    row = next(row for row in derived.rows if row["value"] == "blue")
    deltas = row["without"]
    assert set(deltas) == {"votes", "teams", "interaction"}
    assert sum(deltas.values()) == pytest.approx(row["proposed"] - row["old"], abs=1e-9)


OTHERS = {
    "lapse": 0.2,
    "effect_sd": 0.5,
    "side_sd": 0.1,
    "forgetting": 0.3,
    "voter_cap": 2.0,
    "min_confidence": 0.9999999,
    "min_step": 0.31,
    "false_alarms": 1e-9,
    "tukey": 2.0,
    "huber": 0.5,
    "junk": 0.5,
    "min_scale": 2.0,
    "p_min": 0.1,
    "min_entropy": 0.9,
    "max_step": 0.05,
    "max_latent": 0.5,
    "max_latent_step": 0.1,
    "team_gain": 1e-3,
}


@pytest.mark.parametrize(("name", "value"), OTHERS.items(), ids=OTHERS.keys())
def test_a_document_brings_its_own_constants(name: str, value: float) -> None:
    document = aged(make_document(n_votes=200, n_sales=80))
    if name == "team_gain":
        document = make_document()
        push(document, 4)

    assert published(derive(told(document, name, value))) != published(derive(document))


def test_a_document_says_what_a_round_trip_is() -> None:
    document = make_document(n_sales=40, n_works=20)
    rows = document["market"]["rows"]
    rows[20][9], rows[20][10] = rows[0][10], rows[0][9]

    found, longer = derive(document), derive(told(document, "round_trip_days", 0))
    shorter = derive(told(document, "max_cycle", 1))

    assert {one["reason"] for one in found.market["discarded"]} >= {"round_trip"}
    for other in (longer, shorter):
        assert "round_trip" not in {one["reason"] for one in other.market["discarded"]}


def test_a_sold_work_of_a_trait_that_is_not_on_sale_does_not_count() -> None:
    document = make_document(n_sales=20, n_works=20)
    del document["market"]["supply"]["1"]["hat"]["red"]

    reasons = {one["reason"] for one in derive(document).market["discarded"]}

    assert reasons == {"unknown_trait"}


SCRIPT = """
import hashlib
from tests.sentiment.derivation.test_derive import derive, make_document, published
schema = {f"a{i}": [f"v{j}" for j in range(8)] for i in range(6)}
for n_sales in (0, 120):
    document = make_document(1500, n_sales, 300, schema)
    print(hashlib.sha256(published(derive(document))).hexdigest())
"""


def test_the_bytes_are_the_same_whatever_does_the_arithmetic() -> None:
    """Threads change the order of sums, an older processor's code changes all of them."""
    kinds = [
        {"OPENBLAS_NUM_THREADS": "1"},
        {"OPENBLAS_NUM_THREADS": "2"},
        {"OPENBLAS_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Prescott"},
    ]

    said = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=ROOT,
            env=os.environ | kind,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        for kind in kinds
    ]

    assert len(said[0].split()) == 2
    assert set(said) == {said[0]}
