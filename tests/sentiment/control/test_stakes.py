import numpy as np
import pytest
from numpy.typing import NDArray

from sentiment.control.allocate import best_strength
from sentiment.control.shares import Bounds, sharpest
from sentiment.control.stakes import stakes
from sentiment.preference.bradley_terry import Belief
from sentiment.preference.features import options

NAMES = options({"hat": ["red", "blue", "green", "none"]}, ["age"])


def believe(effects: list[float]) -> Belief:
    return Belief(np.array([*effects, 0.0]), np.eye(len(effects) + 1))


def lost(true: NDArray[np.float64], believed: NDArray[np.float64]) -> float:
    """Worth that is lost by a direction's strength that follows what is believed."""
    best, taken = best_strength(true, 2.0), best_strength(believed, 2.0)
    return float(true @ [best - taken, best**2 - taken**2])


def test_an_error_about_a_direction_costs_what_it_says() -> None:
    true = np.array([0.8, -0.7])
    error = np.array([0.02, 0.015])

    found = stakes(NAMES, believe([0, 0, 0, 0, *true]), Bounds())[4:, 4:]

    # Second order in the error: a hundredth of it is left out.
    assert error @ found @ error / 2 == pytest.approx(lost(true, true + error), rel=0.1)


def test_a_direction_at_its_bound_has_nothing_at_stake() -> None:
    assert not stakes(NAMES, believe([0, 0, 0, 0, 3, 0.1]), Bounds())[4:, 4:].any()


def test_what_is_rarely_drawn_matters_less_than_what_is_drawn_often() -> None:
    found = np.diag(stakes(NAMES, believe([1.0, 0.6, 0, -2, 0, -1]), Bounds()))

    assert found[0] > found[2] > found[3]
    assert found[3] == 0  # held at the least share, whatever is thought of it


def test_the_level_of_all_effects_does_not_matter() -> None:
    found = stakes(NAMES, believe([1.0, 0.6, 0.2, -0.5, 0, -1]), Bounds())[:4, :4]

    assert found @ np.ones(4) == pytest.approx(np.zeros(4), abs=1e-9)
    assert np.linalg.eigvalsh(found).min() > -1e-9


def test_an_error_about_an_option_costs_about_what_it_says() -> None:
    # Where the entropy is held, the width follows the effects too, which costs nothing.
    mean = np.array([1.0, 0.6, 0.2, -0.5])
    low, high, bound = np.full(4, 0.02), np.ones(4), 0.7
    error = np.array([0.0, 0.05, -0.05, 0.0])
    best, taken = (sharpest(one, low, high, bound) for one in (mean, mean + error))

    found = stakes(NAMES, believe([*mean, 0, -1]), Bounds())[:4, :4]

    assert (best - taken) @ mean == pytest.approx(error @ found @ error / 2, rel=0.3)
