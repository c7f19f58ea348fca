"""What steering brought, from votes against works that nobody steered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit

from sentiment.preference.lift import Lift, measure


def play(
    lift: float, n_votes: int, n_controls: int, seed: int, side: float = 0.0
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Votes of a crowd: works are worth N(0, 1) more or less, steered ones ``lift`` more."""
    chance = np.random.default_rng(seed)
    steered, controls = chance.normal(lift, 1, 60), chance.normal(0, 1, n_controls)
    which = chance.integers(n_controls, size=n_votes)
    left = chance.random(n_votes) < 0.5
    lead = steered[chance.integers(60, size=n_votes)] - controls[which]
    p = 0.025 + 0.95 * expit(lead + np.where(left, side, -side))
    return which, left, chance.random(n_votes) < p


def found(lift: float, n_votes: int, n_controls: int, seed: int, side: float = 0.0) -> Lift:
    one = measure(*play(lift, n_votes, n_controls, seed, side))
    assert one is not None
    return one


def test_nine_of_ten_intervals_and_more_hold_what_steered_works_are_worth() -> None:
    """The average over works of either kind attenuates a lift by what works differ by."""
    lift, held = 0.8, 0
    truth = lift / np.sqrt(1 + 0.346)  # a logistic of a normal of variance 1
    for seed in range(200):
        low, high = found(lift, 200, 8, seed).interval
        held += low <= truth <= high

    assert 180 <= held <= 200


def test_nothing_steered_is_no_lift() -> None:
    lifts = np.array([found(0.0, 200, 8, seed).mean for seed in range(100)])

    assert abs(lifts.mean()) < 3 * lifts.std() / 10


def test_more_controls_say_more_than_more_votes() -> None:
    few, many = found(0.5, 400, 2, 1), found(0.5, 400, 40, 1)

    assert many.sd < few.sd / 2
    assert few.n_controls == 2


def test_a_side_that_pulls_is_no_lift() -> None:
    chance = np.random.default_rng(0)
    which, left = chance.integers(20, size=2000), chance.random(2000) < 0.5
    won = left == (chance.random(2000) < 0.8)  # the left one, four times of five

    one = measure(which, left, won)

    assert one is not None
    assert abs(one.mean) < 3 * one.sd


@given(st.integers(0, 2**16), st.integers(1, 60))
def test_exchanged_sides_are_the_same_lift_and_exchanged_works_its_opposite(
    seed: int, n: int
) -> None:
    which, left, won = play(0.4, n, 5, seed)

    plain, mirrored, opposite = (
        measure(which, left, won),
        measure(which, ~left, won),
        measure(which, left, ~won),
    )

    assert plain is not None
    assert mirrored is not None
    assert opposite is not None
    assert mirrored.mean == pytest.approx(plain.mean, abs=1e-7)
    assert opposite.mean == pytest.approx(-plain.mean, abs=1e-7)


def test_shares_follow_from_log_odds() -> None:
    assert Lift(0.0, 0.5, 10, 2).shares == pytest.approx((0.5, 0.2729, 0.7271), abs=1e-4)


def test_without_a_vote_there_is_no_lift() -> None:
    nothing = np.zeros(0, np.int64)

    assert measure(nothing, nothing.astype(bool), nothing.astype(bool)) is None


def test_a_vote_of_no_weight_is_none() -> None:
    which, left, won = play(0.5, 50, 5, 1)
    weights = np.ones(50)
    weights[:10] = 0

    some, fewer = measure(which, left, won, weights), measure(which[10:], left[10:], won[10:])

    assert some is not None
    assert fewer is not None
    assert some.mean == pytest.approx(fewer.mean, abs=1e-9)
