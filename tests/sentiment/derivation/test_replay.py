"""A bundle that replays, and what is found in one that was tampered with."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from minting.provenance import lineage
from minting.provenance.canonical import canonicalize
from minting.verification.findings import State
from sentiment.control import explain
from sentiment.derivation import bundle, document, replay, signing, tally, weighing
from sentiment.derivation.derive import derive
from sentiment.derivation.reading import DocumentError
from tests.sentiment.derivation.documents import make_document

Spoil = Callable[[dict[str, Any]], object]


def make_bundle(**options: Any) -> dict[str, Any]:
    """The bundle of an approved proposal, read from its own bytes."""
    inputs = make_document(**options) | {"code": explain.code_version()}
    derived = bundle.derived_part(derive(inputs))
    applied = derived["proposed"]
    made = bundle.compose(
        inputs=inputs,
        tally=tally.describe(document.read(inputs).votes),
        weighing=weighing.describe("equal", None, [], []),
        signatures=signing.describe(31337, []),
        before=inputs["parameters"],
        derived=derived,
        decision={
            "state": "approved",
            "applied": applied,
            "reason": "",
            "decided_by": "lead",
            "decided_at": "2026-03-01T00:00:00+00:00",
            "params_hash": lineage.params_hash(applied).hex(),
        },
    )
    return bundle.read(canonicalize(made))


BUNDLE = make_bundle(n_votes=120, n_sales=60)


def states(told: dict[str, Any]) -> dict[str, str]:
    return {one.check: one.state for one in replay.replay(told)}


def failed(spoil: Spoil) -> dict[str, str]:
    """What fails in a spoilt bundle, and why."""
    made = copy.deepcopy(BUNDLE)
    spoil(made)
    found = replay.replay(bundle.read(canonicalize(made)))
    return {one.check: one.why for one in found if one.state == State.FAIL}


def test_a_bundle_replays() -> None:
    assert set(states(BUNDLE).values()) == {State.PASS}
    assert list(states(BUNDLE)) == [
        "input hash",
        "code version",
        "tally root",
        "weights",
        "signatures",
        "parameters before",
        "posterior",
        "market",
        "proposal",
        "audit rows",
        "decision",
    ]


def test_a_round_without_votes_replays() -> None:
    assert set(states(make_bundle(n_votes=0)).values()) == {State.PASS}


def flip(told: dict[str, Any]) -> None:
    row = told["inputs"]["votes"]["rows"][5]
    row[2] = row[0] if row[2] == row[1] else row[1]
    told["inputs"]["votes"]["rows"].sort()


def test_one_vote_that_was_flipped_is_found_in_hash_tally_and_posterior() -> None:
    assert {"input hash", "tally root", "posterior"} <= set(failed(flip))


def weigh(told: dict[str, Any]) -> None:
    told["inputs"]["votes"]["rows"][5][5] = 0.999


def test_one_weight_that_was_changed_is_found() -> None:
    assert {"input hash", "tally root", "posterior"} <= set(failed(weigh))


def test_a_flipped_vote_is_found_even_where_its_hashes_fit() -> None:
    def thorough(told: dict[str, Any]) -> None:
        flip(told)
        told["input_hash"] = explain.input_hash(told["inputs"])
        told["tally"] = tally.describe(document.read(told["inputs"]).votes)

    assert {"posterior", "audit rows"} <= set(failed(thorough))


def test_one_share_that_was_changed_is_found_and_told() -> None:
    def shift(told: dict[str, Any]) -> None:
        shares = told["derived"]["proposed"]["distributions"]["hat"]
        shares["red"], shares["blue"] = shares["red"] + 1e-6, shares["blue"] - 1e-6

    why = failed(shift)["proposal"]

    first = BUNDLE["derived"]["proposed"]["distributions"]["hat"]["blue"]
    assert why.startswith("proposed.distributions.hat.blue: told ")
    assert why.endswith(f"found {first}")


OTHERS: dict[str, tuple[Spoil, str]] = {
    "the price of a sale": (
        lambda d: d["inputs"]["market"]["rows"][0].__setitem__(5, "1"),
        "input hash",
    ),
    "a constant": (lambda d: d["inputs"]["constants"].update(lapse=0.2), "input hash"),
    "a premium": (
        lambda d: d["derived"]["market"]["premiums"][0].update(premium=9.5),
        "market",
    ),
    "a reason of the audit": (lambda d: d["derived"]["rows"][0].update(why="so"), "audit rows"),
    "a row of the audit": (lambda d: d["derived"]["rows"].pop(), "audit rows"),
    "the root": (lambda d: d["tally"].update(root="00" * 32), "tally root"),
    "the parameters before": (
        lambda d: d["before"]["body"].update(truncation_psi=0.5),
        "parameters before",
    ),
    "what was applied": (
        lambda d: d["decision"]["applied"].update(truncation_psi=0.5),
        "decision",
    ),
    "the hash of what was applied": (
        lambda d: d["decision"].update(params_hash="11" * 32),
        "decision",
    ),
    "a decision that is none": (lambda d: d["decision"].update(state="pending"), "decision"),
    "inputs that are none": (lambda d: d.update(inputs={}), "inputs"),
    "an unknown work": (
        lambda d: d["inputs"]["votes"]["rows"][0].__setitem__(0, "9/9"),
        "inputs",
    ),
}


@pytest.mark.parametrize(("spoil", "check"), OTHERS.values(), ids=OTHERS.keys())
def test_whatever_was_changed_is_found(spoil: Spoil, check: str) -> None:
    assert check in failed(spoil)


def test_the_last_digit_is_another_processors() -> None:
    def nudge(told: dict[str, Any]) -> None:
        told["derived"]["posterior"]["mean"][0] += 1e-9

    made = copy.deepcopy(BUNDLE)
    nudge(made)

    found = {one.check: one for one in replay.replay(bundle.read(canonicalize(made)))}
    assert found["posterior"].state == State.PASS
    assert "last digits of 1 numbers" in found["posterior"].why


def test_other_code_is_told_and_what_follows_is_compared_all_the_same() -> None:
    made = copy.deepcopy(BUNDLE)
    made["inputs"]["code"] = made["code_version"] = "c0de"
    made["input_hash"] = explain.input_hash(made["inputs"])

    found = states(made)

    assert found.pop("code version") == State.NOT_CHECKABLE
    assert set(found.values()) == {State.PASS}


def test_a_proposal_that_is_open_is_not_checkable() -> None:
    assert states(BUNDLE | {"decision": None})["decision"] == State.NOT_CHECKABLE


def test_a_rejection_keeps_the_hash_of_what_there_was() -> None:
    before = BUNDLE["before"]
    decision = BUNDLE["decision"] | {
        "state": "rejected",
        "applied": before["body"],
        "params_hash": before["params_hash"],
    }

    assert states(BUNDLE | {"decision": decision})["decision"] == State.PASS


UNREADABLE = {
    "no JSON": b"PK",
    "no text": b"\xff\xfe",
    "a list": b"[]",
    "not canonical": json.dumps(BUNDLE, indent=1).encode(),
    "a key twice": b'{"a":1,"a":1}',
    "no number": b'{"a":NaN}',
    "too deep": b"[" * 100_000,
    "of another format": canonicalize(BUNDLE | {"format": "morphora-round-0"}),
    "a part missing": canonicalize({k: v for k, v in BUNDLE.items() if k != "tally"}),
    "a part too many": canonicalize(BUNDLE | {"more": 1}),
    "nothing derived": canonicalize(BUNDLE | {"derived": None}),
}


@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_bundle_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        bundle.read(raw)


def test_a_refusal_says_where() -> None:
    with pytest.raises(DocumentError, match="lacks tally"):
        bundle.read(UNREADABLE["a part missing"])
