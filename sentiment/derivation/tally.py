"""The votes that counted in a round as a Merkle tree, so that anybody can find their own in it.

OpenZeppelin's StandardMerkleTree: a leaf is keccak256(keccak256(abi.encode(...))) of the drop whose
round the vote was cast in, the work shown on the left, the one on the right, the one preferred,
each as "drop/index", the voter, and the weight in decimals. When a vote was cast is no part of it.
"""

from collections.abc import Sequence
from typing import Any

from minting.provenance import merkle
from minting.provenance.keccak import ZERO, keccak256
from sentiment.derivation.document import WEIGHT_DECIMALS, VoteRow

FORMAT = "standard-v1"
COLUMNS = ["drop", "left", "right", "winner", "voter", "weight"]
ENCODING = ["uint256", "string", "string", "string", "address", "string"]
HEAD = 32 * len(ENCODING)


def values(vote: VoteRow) -> list[Any]:
    """What a vote's leaf says, in the order of ``COLUMNS``."""
    weight = f"{vote.weight:.{WEIGHT_DECIMALS}f}".rstrip("0").rstrip(".")
    return [vote.drop, vote.left, vote.right, vote.winner, vote.voter, weight]


def leaf_hash(leaf: Sequence[Any]) -> bytes:
    return keccak256(keccak256(encode(leaf)))


def encode(leaf: Sequence[Any]) -> bytes:
    """A leaf by the ABI, as ``ENCODING`` says, in a tenth of the time that eth_abi takes."""
    drop, left, right, winner, voter, weight = leaf
    tails = [_text(one) for one in (left, right, winner, weight)]
    at, places = HEAD, []
    for tail in tails:
        places.append(at.to_bytes(32))
        at += len(tail)
    address = int(voter, 16).to_bytes(32)
    return b"".join([drop.to_bytes(32), *places[:3], address, places[3], *tails])


def _text(text: str) -> bytes:
    raw = text.encode()
    return len(raw).to_bytes(32) + raw + bytes(-len(raw) % 32)


def root(votes: Sequence[VoteRow]) -> bytes:
    """The root over all votes; zero if there are none."""
    return merkle.hashes_root(_hashes(votes)) if votes else ZERO


def proofs(votes: Sequence[VoteRow], places: Sequence[int]) -> list[list[bytes]]:
    """The proof of each of some votes, by their places."""
    return merkle.hashes_proofs(_hashes(votes), places) if places else []


def describe(votes: Sequence[VoteRow]) -> dict[str, Any]:
    """The root, and what somebody else needs to come to it."""
    return {
        "format": FORMAT,
        "columns": COLUMNS,
        "leaf_encoding": ENCODING,
        "count": len(votes),
        "root": root(votes).hex(),
    }


def _hashes(votes: Sequence[VoteRow]) -> list[bytes]:
    return [leaf_hash(values(vote)) for vote in votes]
