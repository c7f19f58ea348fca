import hashlib
from dataclasses import fields
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from minting.provenance import lineage
from minting.provenance.lineage import DropBody

NAMES = [field.name for field in fields(DropBody)]
WORDS: list[Any] = [hashlib.sha256(bytes([i])).digest() for i in range(11)]
BODY = DropBody(**dict(zip(NAMES, [*WORDS, 7, 101, 40], strict=True)))


def test_drop_head_is_the_hash_of_the_abi_encoding() -> None:
    struct = "(" + ",".join(["bytes32"] * 11 + ["uint256"] * 3) + ")"
    head = hashlib.sha256(b"head").digest()
    values = tuple(getattr(BODY, name) for name in NAMES)

    found = lineage.drop_head(head, BODY)

    assert found == keccak(encode(["bytes32", struct], [head, values]))


def test_drop_head_depends_on_the_head_before() -> None:
    assert lineage.drop_head(bytes(32), BODY) != lineage.drop_head(b"\1" * 32, BODY)


def test_params_hash_is_that_of_the_canonical_bytes() -> None:
    found = lineage.params_hash({"truncation_psi": 1.0, "directions": {}})

    assert found == keccak(b'{"directions":{},"truncation_psi":1}')


def test_curation_root_is_a_chain_over_the_decisions() -> None:
    first, second = {"index": 0, "status": "accepted"}, {"index": 1, "status": "rejected"}
    head = keccak(bytes(32) + keccak(b'{"index":0,"status":"accepted"}'))

    found = lineage.curation_root([first, second])

    assert found == keccak(head + keccak(b'{"index":1,"status":"rejected"}'))


def test_curation_root_depends_on_the_order() -> None:
    rows = [{"index": 0}, {"index": 1}]

    assert lineage.curation_root(rows) != lineage.curation_root(rows[::-1])


def test_image_provenance_is_sha256_of_the_concatenation() -> None:
    hashes = [hashlib.sha256(b"a").digest(), hashlib.sha256(b"b").digest()]

    assert lineage.image_provenance(hashes) == hashlib.sha256(hashes[0] + hashes[1]).digest()


def test_a_seed_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="a word has 32"):
        lineage.seed_commit(b"short", 1)
