"""Worked examples of levels; ``tests/contracts/test_evolution.py`` compares with the contract."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minting.evolution import levels

WORDS = st.integers(0, 2**256 - 1)
BYTES = st.integers(0, 255)


@pytest.mark.parametrize(
    ("quantity", "found"), [(0, 0), (7, 0), (8, 1), (15, 1), (16, 2), (128, 5), (2**256 - 1, 5)]
)
def test_a_level_is_a_logarithm(quantity: int, found: int) -> None:
    assert levels.level(quantity, 3, 5) == found


@given(quantity=WORDS, offset=BYTES, highest=BYTES)
def test_a_level_is_reached_and_the_next_one_is_not(
    quantity: int, offset: int, highest: int
) -> None:
    found = levels.level(quantity, offset, highest)

    assert 0 <= found <= highest
    assert found == 0 or quantity >= 2 ** (offset + found - 1)
    assert found == highest or quantity < 2 ** (offset + found)


@pytest.mark.parametrize(
    ("since", "now", "found"), [(100, 150, 50), (150, 150, 0), (151, 150, 0), (0, 150, 0)]
)
def test_an_age_is_a_difference(since: int, now: int, found: int) -> None:
    assert levels.age(since, now) == found


@pytest.mark.parametrize(
    ("position", "found"),
    [
        ((9, 3, 5, 3), 9),
        ((9, 3, 5, 4), 9),
        ((9, 3, 5, 5), 0),
        ((9, 3, 5, 2), 0),
        ((9, -1, 5, 0), 9),
        ((2**128, 3, 5, 4), 0),
        ((9, 3, 887_273, 4), 0),
        ((9, -887_273, 5, 4), 0),
    ],
)
def test_liquidity_counts_in_range(position: tuple[int, int, int, int], found: int) -> None:
    assert levels.in_range(*position) == found


@pytest.mark.parametrize(
    ("shares", "found"),
    [
        ((5, 5, 1), levels.WHOLE),
        ((1, 4, 2), levels.WHOLE // 8),
        ((0, 0, 1), 0),
        ((6, 5, 1), 0),
        ((1, 1, 0), 0),
        ((1, 2**128, 1), 0),
        ((1, 1, 2**64), 0),
    ],
)
def test_a_share_is_a_part_of_all(shares: tuple[int, int, int], found: int) -> None:
    assert levels.share(*shares) == found


def test_latents_move_and_stop_at_their_ends() -> None:
    latents = np.zeros((2, 32), np.uint8)
    latents[0, :4] = 10, 10, 10, 255
    directions = np.zeros((2, 32), np.int8)
    directions[0, :4], directions[1, :4] = (1, -1, 127, -128), (2, 0, -1, 1)

    moved = levels.move(latents, np.array([[3, 1], [0, 0]], np.uint8), directions)

    assert moved.dtype == np.uint8
    assert moved[0, :5].tolist() == [15, 7, 255, 0, 0]
    assert not moved[1].any()
