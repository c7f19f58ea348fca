"""A drop on chain, and the round that it names."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from minting.provenance.keccak import ZERO
from minting.provenance.lineage import DropBody
from minting.verification.findings import Finding, State
from minting.verification.ledger import ChainDrop
from sentiment.control import explain
from sentiment.derivation import document, tally
from sentiment.derivation.committed import Rounds
from tests.sentiment.derivation.test_replay import BUNDLE, flip, weigh

WORD = b"\1" * 32


def chain_drop(told: dict[str, Any] = BUNDLE, **changes: Any) -> ChainDrop:
    """Drop 3, as it would be committed after a round."""
    fields: dict[str, Any] = dict.fromkeys(DropBody.__dataclass_fields__, WORD) | {
        "params_hash": bytes.fromhex(told["decision"]["params_hash"]),
        "parent_params_hash": bytes.fromhex(told["before"]["params_hash"]),
        "vote_tally_root": bytes.fromhex(told["tally"]["root"]),
        "reveal_block": 0,
        "first_token_id": 1,
        "count": 3,
    }
    return ChainDrop(number=3, head=WORD, body=DropBody(**(fields | changes)))


def check(told: dict[str, Any], drop: ChainDrop | None = None) -> dict[str, Finding]:
    return {one.check: one for one in Rounds({"round.json": told}).check(drop or chain_drop())}


def failed(*spoils: Callable[[dict[str, Any]], object]) -> set[str]:
    made = copy.deepcopy(BUNDLE)
    for spoil in spoils:
        spoil(made)
    return {name for name, one in check(made).items() if one.state == State.FAIL}


def test_a_drop_follows_from_its_round() -> None:
    found = check(BUNDLE)

    assert {one.state for one in found.values()} == {State.PASS}
    assert {one.subject for one in found.values()} == {"drop 3"}
    assert {"vote tally", "round's proposal", "parameters voted for"} <= set(found)


def fit(told: dict[str, Any]) -> None:
    """Make the bundle's own hashes fit its votes again."""
    told["input_hash"] = explain.input_hash(told["inputs"])
    told["tally"] = tally.describe(document.read(told["inputs"]).votes)


def test_one_vote_that_was_flipped_is_found_even_where_the_file_agrees_with_itself() -> None:
    assert {"vote tally", "round's tally root"} <= failed(flip)
    assert "vote tally" in failed(flip, fit)


def test_one_weight_that_was_changed_is_found() -> None:
    assert "vote tally" in failed(weigh)
    assert "vote tally" in failed(weigh, fit)


def test_one_share_that_was_changed_is_found() -> None:
    def shift(told: dict[str, Any]) -> None:
        for shares in (told["derived"]["proposed"], told["decision"]["applied"]):
            shares["distributions"]["hat"]["red"] += 1e-6
            shares["distributions"]["hat"]["blue"] -= 1e-6

    assert {"round's proposal", "round's decision"} <= failed(shift)


HASHES = {
    "other parameters": ({"params_hash": WORD}, "made with others"),
    "another parent": ({"parent_params_hash": WORD}, "descend from others"),
    "another root": ({"vote_tally_root": WORD}, "the chain has 0101"),
}


@pytest.mark.parametrize(("change", "why"), HASHES.values(), ids=HASHES.keys())
def test_what_the_chain_says_otherwise_fails(change: dict[str, Any], why: str) -> None:
    found = check(BUNDLE, chain_drop(**change))

    assert why in " ".join(one.why for one in found.values() if one.state == State.FAIL)


def test_parameters_that_stayed_need_no_parent() -> None:
    before = BUNDLE["before"]
    decision = BUNDLE["decision"] | {
        "state": "rejected",
        "applied": before["body"],
        "params_hash": before["params_hash"],
    }
    told = BUNDLE | {"decision": decision}

    found = check(told, chain_drop(told, parent_params_hash=ZERO))

    assert {one.state for one in found.values()} == {State.PASS}


def test_a_file_from_before_the_decision_leaves_the_parameters_open() -> None:
    found = check(BUNDLE | {"decision": None})

    assert found["parameters voted for"].state == State.NOT_CHECKABLE
    assert found["vote tally"].state == State.PASS


def test_a_drop_that_names_no_votes_has_nothing_to_check() -> None:
    rounds = Rounds({"round.json": BUNDLE})

    [found] = rounds.check(chain_drop(vote_tally_root=ZERO))

    assert found.state == State.PASS
    assert [one.state for one in rounds.unused()] == [State.NOT_CHECKABLE]


def test_votes_whose_round_was_not_given_are_not_checkable() -> None:
    [found] = Rounds({}).check(chain_drop())

    assert found.state == State.NOT_CHECKABLE
