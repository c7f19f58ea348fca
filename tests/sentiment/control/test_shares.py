import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize

from sentiment.control.shares import Bounds, BoundsError, normalised_entropy, sharpest


def best(effects: list[float], bounds: Bounds | None = None) -> NDArray[np.float64]:
    bounds = bounds or Bounds()
    low, high = bounds.of("hat", tuple(map(str, range(len(effects)))))
    return sharpest(np.array(effects), low, high, bounds.min_entropy)


effects = st.lists(st.floats(-5, 5), min_size=2, max_size=20)


@given(effects)
def test_the_target_keeps_every_bound(mean: list[float]) -> None:
    bounds = Bounds()

    target = best(mean)

    assert math.fsum(target.tolist()) == pytest.approx(1, abs=1e-12)
    assert target.min() >= bounds.p_min - 1e-12
    assert normalised_entropy(target) >= bounds.min_entropy - 1e-9


@given(effects)
def test_the_target_follows_the_effects(mean: list[float]) -> None:
    order = np.argsort(mean)

    assert (np.diff(best(mean)[order]) >= -1e-12).all()


def test_the_target_is_as_sharp_as_the_entropy_bound_allows() -> None:
    target = best([1.0, 0.0, 0.2, -0.5])

    assert normalised_entropy(target) == pytest.approx(0.70, abs=1e-6)


def test_the_target_of_two_options_is_that_worked_by_hand() -> None:
    # -p log2 p - (1 - p) log2 (1 - p) = .245400 + .454600 = .70 at p = .810702.
    assert best([0.3, 0.1]) == pytest.approx([0.810702, 0.189298], abs=1e-6)


def test_equal_effects_have_equal_shares() -> None:
    assert best([0.7] * 5) == pytest.approx([0.2] * 5)


def test_more_options_than_floors_fit_are_refused() -> None:
    with pytest.raises(BoundsError, match="51 options"):
        Bounds(p_min=0.02).of("hat", tuple(map(str, range(51))))


@pytest.mark.parametrize(
    "bounds", [{"p_min": 0}, {"min_entropy": 1.1}, {"max_step": 0}, {"max_step": float("nan")}]
)
def test_bounds_out_of_range_are_refused(bounds: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        Bounds(**bounds)


@pytest.mark.parametrize("seed", range(5))
def test_no_other_shares_within_the_bounds_are_worth_more(seed: int) -> None:
    effects = np.random.default_rng(seed).normal(0, 1, 6)
    bounds = Bounds(ranges={("hat", "1"): (0.1, 0.2), ("hat", "4"): (0.0, 0.05)})
    low, high = bounds.of("hat", tuple("012345"))

    found = minimize(
        lambda p: -p @ effects,
        np.clip(np.full(6, 1 / 6), low, high),
        bounds=list(zip(low, high, strict=True)),
        constraints=[
            {"type": "eq", "fun": lambda p: p.sum() - 1},
            {"type": "ineq", "fun": lambda p: normalised_entropy(p) - bounds.min_entropy},
        ],
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )

    shares = sharpest(effects, low, high, bounds.min_entropy)
    assert found.success
    assert shares @ effects == pytest.approx(-found.fun, abs=1e-6)
    assert (shares >= low - 1e-12).all()
    assert (shares <= high + 1e-12).all()
    assert normalised_entropy(shares) >= bounds.min_entropy - 1e-9


def test_an_option_that_may_not_be_drawn_has_no_share() -> None:
    shares = best([3.0, 1.0, 0.0, -1.0], Bounds(ranges={("hat", "0"): (0.0, 0.0)}))

    assert shares[0] == 0
    assert shares.sum() == pytest.approx(1)


def test_ranges_that_leave_no_room_for_evenness_give_the_most_even_shares() -> None:
    shares = best([3.0, 1.0, 0.0], Bounds(ranges={("hat", "0"): (0.9, 1.0)}))

    assert shares == pytest.approx([0.9, 0.05, 0.05], abs=1e-6)


def test_ranges_that_cannot_be_met_are_refused() -> None:
    with pytest.raises(BoundsError, match="hat: 2 options cannot share 1"):
        Bounds(ranges={("hat", "a"): (0.0, 0.3), ("hat", "b"): (0.0, 0.3)}).of("hat", ("a", "b"))


def test_a_range_upside_down_is_refused() -> None:
    with pytest.raises(BoundsError, match="cannot be from"):
        Bounds(ranges={("hat", "a"): (0.5, 0.3)})
