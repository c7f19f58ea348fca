"""What a drop descends from, as hashes: parameters, code, curation, seed, and earlier drops."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from minting.provenance.canonical import canonicalize
from minting.provenance.keccak import ZERO, keccak256


@dataclass(frozen=True)
class DropBody:
    """The struct that the contract hashes: eleven words of 32 bytes, then three uint256."""

    metadata_root: bytes
    image_root: bytes
    folder: bytes
    provenance: bytes
    checkpoint_hash: bytes
    code_hash: bytes
    params_hash: bytes
    parent_params_hash: bytes
    vote_tally_root: bytes
    curation_log_root: bytes
    seed_commit: bytes
    reveal_block: int
    first_token_id: int
    count: int


@dataclass(frozen=True)
class Roots:
    """What the works of a drop that was drawn on the fly turned out to be: four words."""

    metadata_root: bytes
    image_root: bytes
    folder: bytes
    provenance: bytes


def params_hash(body: Mapping[str, Any]) -> bytes:
    """keccak256 of the canonical bytes of a parameter set."""
    return keccak256(canonicalize(dict(body)))


def code_hash(files: Mapping[str, str]) -> bytes:
    """keccak256 of the canonical object path -> sha256 in hex, of the sources that draw."""
    return keccak256(canonicalize(dict(files)))


def curation_root(decisions: Iterable[Mapping[str, Any]]) -> bytes:
    """Head of the chain head = keccak256(head ‖ keccak256(canonical decision)), from 32 zeros."""
    head = ZERO
    for decision in decisions:
        head = keccak256(head + keccak256(canonicalize(dict(decision))))
    return head


def curation_text(collection: str, drop_number: int, n_entries: int, root: bytes) -> str:
    """What the operator signs of a curation log (EIP-191), so that no other passes for it."""
    return (
        f"Morphora curation log\ncollection: {collection}\ndrop: {drop_number}\n"
        f"entries: {n_entries}\nroot: 0x{root.hex()}"
    )


def seed_commit(secret: bytes, drop_number: int) -> bytes:
    """keccak256(abi.encode(secret, number of the drop)) of a secret of 32 bytes."""
    return keccak256(_word(secret) + drop_number.to_bytes(32))


def drop_seed(secret: bytes, block_hash: bytes) -> bytes:
    """keccak256(abi.encode(secret, hash of the reveal block)): nobody could choose it alone."""
    return keccak256(_word(secret) + _word(block_hash))


def token_seed(
    *, chain_id: int, contract: str, drop_number: int, drop_seed: bytes, token_id: int
) -> bytes:
    """keccak256(abi.encode(chain, contract, drop, drop's seed, token)): one for each work there is.

    ``contract`` is an address in hex with 0x.
    """
    words = [
        chain_id.to_bytes(32),
        bytes.fromhex(contract[2:]).rjust(32, b"\0"),
        drop_number.to_bytes(32),
        _word(drop_seed),
        token_id.to_bytes(32),
    ]
    return keccak256(b"".join(words))


def image_provenance(image_hashes: Sequence[bytes]) -> bytes:
    """sha256 over the sha256 of each image, concatenated in the order of the token ids."""
    return hashlib.sha256(b"".join(image_hashes)).digest()


def drop_head(head: bytes, body: DropBody) -> bytes:
    """The next head of the chain of drops: keccak256(abi.encode(head, body))."""
    words = [
        field.to_bytes(32) if isinstance(field, int) else bytes(field) for field in astuple(body)
    ]
    return keccak256(b"".join(_word(word) for word in [head, *words]))


def _word(value: bytes) -> bytes:
    if len(value) != 32:
        raise ValueError(f"{len(value)} bytes where a word has 32")
    return value
