"""Distances in what a generator was given."""

import hashlib

import numpy as np
import pytest

from generation.gan.latent import z
from generation.traits.neighbours import LatentSpace

SEEDS = [hashlib.sha256(bytes([i])).digest() for i in range(40)]


def test_distances_are_the_formula_written_out() -> None:
    wishes = [{"head": "bun" if i % 2 else "bald", "eyes": "none"} for i in range(40)]

    found = LatentSpace.of(SEEDS, wishes, 64).distances(3)

    for i, seed in enumerate(SEEDS):
        step = z(seed, 64).astype(np.float64) - z(SEEDS[3], 64)
        differing = 0.5 if i % 2 == 0 else 0
        assert found[i] == pytest.approx(step @ step / 128 + differing, abs=1e-12)


def test_a_work_is_not_its_own_neighbour() -> None:
    near = LatentSpace.of(SEEDS, [{}] * 40, 16).nearest(5, 39)

    assert sorted(place for place, _ in near) == [i for i in range(40) if i != 5]
    assert [d for _, d in near] == sorted(d for _, d in near)


def test_an_equal_seed_is_nearest_at_no_distance() -> None:
    space = LatentSpace.of([*SEEDS, SEEDS[7]], [{}] * 41, 16)

    assert space.nearest(7, 1) == [(40, 0.0)]


def test_equal_distances_are_ordered_by_place() -> None:
    space = LatentSpace.of([SEEDS[0]] * 4, [{}] * 4, 8)

    assert [place for place, _ in space.nearest(2, 3)] == [0, 1, 3]


def test_a_single_work_has_no_neighbours() -> None:
    assert LatentSpace.of(SEEDS[:1], [{}], 8).nearest(0, 6) == []
