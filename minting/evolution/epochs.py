"""What the chain cannot know, as a Merkle root an epoch: a level for each proven rule of a work.

A tree is OpenZeppelin's StandardMerkleTree, its leaves (epoch, token id, snapshot hash, levels) of
``['uint256', 'uint256', 'bytes32', 'uint8', ...]``, one uint8 for each proven rule in the order of
the rules. The snapshot is what the levels were computed from; its hash is that of its canonical
JSON, so that anybody who has it can compute the root again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minting.evolution.rules import Law
from minting.provenance import merkle
from minting.provenance.canonical import canonicalize
from minting.provenance.keccak import keccak256

BYTE = 255


@dataclass(frozen=True)
class Leaf:
    """``levels``: 0 to 255 each, as many as the law has proven rules."""

    epoch: int
    token_id: int
    snapshot_hash: bytes
    levels: tuple[int, ...]


def snapshot_hash(snapshot: Any) -> bytes:
    """keccak256 of a snapshot's canonical JSON; CanonicalError if it has none."""
    return keccak256(canonicalize(snapshot))


def leaves(
    law: Law, epoch: int, snapshot: bytes, quantities: Mapping[int, Sequence[int]]
) -> list[Leaf]:
    """A leaf for each work, in the order of their ids.

    ``snapshot``: its hash. ``quantities``: token id -> a quantity for each proven rule, in the unit
    of its source. Raises ValueError where there are more or fewer of them.
    """
    found = []
    for token_id, own in sorted(quantities.items()):
        levels = tuple(rule.level(q) for rule, q in zip(law.proven, own, strict=True))
        found.append(Leaf(epoch, token_id, snapshot, levels))
    return found


def leaf_hash(leaf: Leaf) -> bytes:
    """keccak256(keccak256(abi.encode(leaf))); ValueError if a field does not fit its type."""
    if not (0 <= leaf.epoch < 2**256 and 0 <= leaf.token_id < 2**256):
        raise ValueError("epoch and token id are uint256")
    if len(leaf.snapshot_hash) != 32 or not all(0 <= one <= BYTE for one in leaf.levels):
        raise ValueError("a snapshot's hash has 32 bytes, a level one")
    numbers = leaf.epoch.to_bytes(32) + leaf.token_id.to_bytes(32) + leaf.snapshot_hash
    return keccak256(keccak256(numbers + b"".join(one.to_bytes(32) for one in leaf.levels)))


def root(found: Sequence[Leaf]) -> bytes:
    """The root, 32 bytes; ValueError if there are no leaves."""
    return merkle.hashes_root([leaf_hash(leaf) for leaf in found])


def proofs(found: Sequence[Leaf], token_ids: Sequence[int]) -> list[list[bytes]]:
    """The siblings from each of these works' leaves up to the root; KeyError if one has none."""
    places = {leaf.token_id: place for place, leaf in enumerate(found)}
    hashes = [leaf_hash(leaf) for leaf in found]
    return merkle.hashes_proofs(hashes, [places[token_id] for token_id in token_ids])
