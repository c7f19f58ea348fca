"""The golden values were made by npm @openzeppelin/merkle-tree."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minting.provenance import merkle
from minting.provenance.merkle import Leaf

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "merkle.json").read_text())["cases"]
LEAVES = st.lists(
    st.builds(
        Leaf,
        st.integers(0, 2**256 - 1),
        st.binary(min_size=32, max_size=32),
        st.binary(min_size=32, max_size=32),
    ),
    min_size=1,
    max_size=20,
)


def numbered(n: int) -> list[Leaf]:
    return [
        Leaf(
            i,
            hashlib.sha256(f"metadata {i}".encode()).digest(),
            hashlib.sha256(f"image {i}".encode()).digest(),
        )
        for i in range(1, n + 1)
    ]


def by_size(case: dict[str, Any]) -> str:
    return f"{case['n_leaves']} leaves"


@pytest.mark.parametrize("case", GOLDEN, ids=by_size)
def test_root_is_that_of_the_reference(case: dict[str, Any]) -> None:
    found = merkle.root(numbered(case["n_leaves"]))

    assert "0x" + found.hex() == case["root"]


@pytest.mark.parametrize("case", GOLDEN, ids=by_size)
def test_proofs_are_those_of_the_reference(case: dict[str, Any]) -> None:
    leaves = numbered(case["n_leaves"])

    found = [
        ["0x" + node.hex() for node in merkle.proof(leaves, asked["index"])]
        for asked in case["proofs"]
    ]

    assert found == [asked["proof"] for asked in case["proofs"]]


@given(LEAVES, st.data())
def test_every_proof_verifies(leaves: list[Leaf], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))

    proof = merkle.proof(leaves, index)

    assert merkle.verify(merkle.root(leaves), leaves[index], proof)


@given(LEAVES, st.randoms(use_true_random=False))
def test_root_does_not_depend_on_the_order(leaves: list[Leaf], chance: Any) -> None:
    shuffled = list(leaves)
    chance.shuffle(shuffled)

    assert merkle.root(shuffled) == merkle.root(leaves)


@given(LEAVES, st.integers(0, 255), st.integers(0, 31))
def test_a_changed_image_hash_is_not_proven(leaves: list[Leaf], bit: int, at: int) -> None:
    proof = merkle.proof(leaves, 0)
    changed = bytearray(leaves[0].image_hash)
    changed[at] ^= (bit % 255) + 1

    assert not merkle.verify(
        merkle.root(leaves), leaves[0]._replace(image_hash=bytes(changed)), proof
    )


@pytest.mark.parametrize(
    "leaf",
    [
        Leaf(-1, bytes(32), bytes(32)),
        Leaf(2**256, bytes(32), bytes(32)),
        Leaf(1, bytes(31), bytes(32)),
        Leaf(1, bytes(32), bytes(33)),
    ],
)
def test_a_leaf_of_other_types_is_refused(leaf: Leaf) -> None:
    with pytest.raises(ValueError, match="token"):
        merkle.root([leaf])


def test_an_empty_tree_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a leaf"):
        merkle.root([])
