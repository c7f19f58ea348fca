"""The Merkle tree over a drop: OpenZeppelin's StandardMerkleTree, byte for byte.

Leaves are ``['uint256', 'bytes32', 'bytes32']``: token id, keccak256 of the canonical metadata,
sha256 of the image. A leaf is hashed twice, so that no inner node can pass for one; pairs are
hashed in ascending order, so that a proof needs no sides. Format: OpenZeppelin merkle-tree,
"standard-v1".
"""

from collections.abc import Sequence
from typing import NamedTuple

from minting.provenance.keccak import keccak256


class Leaf(NamedTuple):
    token_id: int
    metadata_hash: bytes
    image_hash: bytes


def leaf_hash(leaf: tuple[int, bytes, bytes]) -> bytes:
    """keccak256(keccak256(abi.encode(leaf))); ValueError if a field does not fit its type.

    ``leaf`` is a Leaf or a plain (token_id, metadata_hash, image_hash).
    """
    token_id, metadata_hash, image_hash = leaf
    if not 0 <= token_id < 2**256:
        raise ValueError(f"token id {token_id} is not a uint256")
    if len(metadata_hash) != 32 or len(image_hash) != 32:
        raise ValueError(f"a hash of token {token_id} has not 32 bytes")
    encoded = token_id.to_bytes(32) + metadata_hash + image_hash
    return keccak256(keccak256(encoded))


def root(leaves: Sequence[tuple[int, bytes, bytes]]) -> bytes:
    """The root, 32 bytes; the order of the leaves does not matter."""
    return hashes_root([leaf_hash(leaf) for leaf in leaves])


def proof(leaves: Sequence[tuple[int, bytes, bytes]], index: int) -> list[bytes]:
    """The siblings from ``leaves[index]`` up to the root."""
    return hashes_proof([leaf_hash(leaf) for leaf in leaves], index)


def hashes_root(hashes: Sequence[bytes]) -> bytes:
    """The root over leaves that are hashed already; ValueError if there are none."""
    return _tree(hashes)[0]


def hashes_proof(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The siblings from ``hashes[index]`` up to the root."""
    return hashes_proofs(hashes, [index])[0]


def hashes_proofs(hashes: Sequence[bytes], indices: Sequence[int]) -> list[list[bytes]]:
    """The proofs of several leaves of one tree, which is built once."""
    tree = _tree(hashes)
    places = {node: place for place, node in enumerate(tree)}
    return [_siblings(tree, places[hashes[index]]) for index in indices]


def _siblings(tree: Sequence[bytes], place: int) -> list[bytes]:
    found = []
    while place > 0:
        found.append(tree[place - 1 if place % 2 == 0 else place + 1])
        place = (place - 1) // 2
    return found


def verify(root: bytes, leaf: tuple[int, bytes, bytes], proof: Sequence[bytes]) -> bool:
    """Whether ``proof`` leads from ``leaf`` to ``root``."""
    node = leaf_hash(leaf)
    for sibling in proof:
        node = _pair(node, sibling)
    return node == root


def _tree(hashes: Sequence[bytes]) -> list[bytes]:
    """Node i has its children at 2i + 1 and 2i + 2; sorted leaves fill the end, backwards."""
    if not hashes:
        raise ValueError("a tree needs a leaf")
    n = len(hashes)
    tree = [b""] * (n - 1) + sorted(hashes, reverse=True)
    for place in range(n - 2, -1, -1):
        tree[place] = _pair(tree[2 * place + 1], tree[2 * place + 2])
    return tree


def _pair(a: bytes, b: bytes) -> bytes:
    return keccak256(min(a, b) + max(a, b))
