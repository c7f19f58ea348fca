"""Votes as leaves, and the way from a leaf to the root."""

from typing import Any

import pytest
from eth_abi import abi
from hypothesis import given
from hypothesis import strategies as st

from minting.provenance.keccak import ZERO, keccak256
from sentiment.derivation import tally
from sentiment.derivation.document import VoteRow, read
from tests.sentiment.derivation.documents import address, make_document

VOTE = VoteRow("2/10", "2/3", "2/3", "0x" + "ab" * 20, 0, 0.25, 2)


def word(value: int | str) -> bytes:
    """A number, or text that fits into a word: its length and its bytes."""
    if isinstance(value, int):
        return value.to_bytes(32)
    return len(value).to_bytes(32) + value.encode().ljust(32, b"\0")


def test_a_leaf_is_hashed_twice_over_what_solidity_would_encode() -> None:
    by_hand = b"".join(
        [
            *map(word, [2, 6 * 32, 8 * 32, 10 * 32, int("ab" * 20, 16), 12 * 32]),
            *map(word, ["2/10", "2/3", "2/3", "0.25"]),
        ]
    )

    assert tally.leaf_hash(tally.values(VOTE)) == keccak256(keccak256(by_hand))


@pytest.mark.parametrize(
    ("weight", "text"),
    [(1.0, "1"), (0.0, "0"), (0.05, "0.05"), (10.0, "10"), (1e-9, "0.000000001")],
)
def test_a_weight_is_told_in_decimals(weight: float, text: str) -> None:
    assert tally.values(VOTE._replace(weight=weight))[-1] == text


def test_when_a_vote_fades_its_leaf_stays() -> None:
    assert tally.values(VOTE._replace(age=3)) == tally.values(VOTE)


def test_no_votes_have_the_root_of_nothing() -> None:
    assert tally.root([]) == ZERO
    assert tally.describe([])["count"] == 0


def test_the_order_of_votes_does_not_matter() -> None:
    votes = read(make_document(30)).votes

    assert tally.root(votes[::-1]) == tally.root(votes)


CHANGES: dict[str, dict[str, Any]] = {
    "left": {"left": "2/11"},
    "right": {"right": "2/4"},
    "winner": {"winner": "2/10"},
    "voter": {"voter": address(9)},
    "weight": {"weight": 0.250000001},
    "drop": {"drop": 1},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_every_part_of_a_vote_is_in_the_root(change: dict[str, Any]) -> None:
    others = read(make_document(10)).votes

    assert tally.root([*others, VOTE._replace(**change)]) != tally.root([*others, VOTE])


@pytest.mark.parametrize("n_votes", [1, 2, 3, 17])
def test_each_vote_has_a_proof_that_it_was_counted(n_votes: int) -> None:
    votes = read(make_document(n_votes)).votes

    for vote, proof in zip(votes, tally.proofs(votes, range(n_votes)), strict=True):
        node = tally.leaf_hash(tally.values(vote))
        for sibling in proof:
            node = keccak256(min(node, sibling) + max(node, sibling))
        assert node == tally.root(votes)


@given(
    st.integers(0, 2**256 - 1),
    st.lists(st.text(max_size=80), min_size=4, max_size=4),
    st.binary(min_size=20, max_size=20),
)
def test_leaves_are_encoded_as_by_eth_abi(drop: int, texts: list[str], voter: bytes) -> None:
    left, right, winner, weight = (one.encode("utf-8", "ignore").decode() for one in texts)
    leaf = [drop, left, right, winner, f"0x{voter.hex()}", weight]

    assert tally.encode(leaf) == abi.encode(tally.ENCODING, leaf)
