"""Leaves, roots and proofs of an epoch, beside hashing them by hand."""

from dataclasses import replace

import pytest
from eth_abi.abi import encode

from minting.evolution import epochs
from minting.evolution.epochs import Leaf
from minting.evolution.rules import Law, Rule, Source
from minting.provenance.keccak import keccak256

STILL = (0,) * 32
LAW = Law(
    (
        Rule(Source.VOLUME, "volume", 10, 5, STILL),
        Rule(Source.INTERACTIONS, "interactions", 0, 5, STILL),
        Rule(Source.VOTES, "votes", 0, 9, STILL),
    ),
    1,
)
SNAPSHOT = epochs.snapshot_hash({"block": 7})


def test_a_leaf_is_hashed_twice_as_words() -> None:
    leaf = Leaf(3, 12, SNAPSHOT, (4, 255))

    found = epochs.leaf_hash(leaf)

    words = encode(["uint256", "uint256", "bytes32", "uint8", "uint8"], (3, 12, SNAPSHOT, 4, 255))
    assert found == keccak256(keccak256(words))


def test_quantities_become_levels_of_the_proven_rules() -> None:
    found = epochs.leaves(LAW, 2, SNAPSHOT, {9: (2**14, 0), 1: (1023, 3)})

    assert found == [Leaf(2, 1, SNAPSHOT, (0, 2)), Leaf(2, 9, SNAPSHOT, (5, 0))]


def test_every_leaf_has_a_proof() -> None:
    found = epochs.leaves(LAW, 2, SNAPSHOT, {n: (n << 9, n) for n in range(1, 12)})

    proofs = epochs.proofs(found, [leaf.token_id for leaf in found])

    for leaf, proof in zip(found, proofs, strict=True):
        node = epochs.leaf_hash(leaf)
        for sibling in proof:
            node = keccak256(min(node, sibling) + max(node, sibling))
        assert node == epochs.root(found)


def test_the_snapshot_is_hashed_in_canonical_form() -> None:
    assert epochs.snapshot_hash({"b": 1, "a": [2]}) == keccak256(b'{"a":[2],"b":1}')


@pytest.mark.parametrize(
    "changed",
    [{"epoch": -1}, {"token_id": 2**256}, {"snapshot_hash": b"\0" * 31}, {"levels": (256,)}],
)
def test_a_field_that_does_not_fit_its_type_is_refused(changed: dict[str, object]) -> None:
    leaf = replace(Leaf(1, 1, SNAPSHOT, (1,)), **changed)  # type: ignore[arg-type]

    with pytest.raises(ValueError, match=r"uint256|bytes"):
        epochs.leaf_hash(leaf)


def test_another_number_of_quantities_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        epochs.leaves(LAW, 1, SNAPSHOT, {1: (1,)})


def test_a_work_without_a_leaf_has_no_proof() -> None:
    found = epochs.leaves(LAW, 1, SNAPSHOT, {1: (1, 1)})

    with pytest.raises(KeyError):
        epochs.proofs(found, [2])
