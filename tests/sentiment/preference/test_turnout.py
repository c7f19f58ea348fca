from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.preference.turnout import agreement, concentration, streak, wilson


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_that_of_newcombes_table(
    hits: int, n: int, low: float, high: float
) -> None:
    """Newcombe 1998, Statistics in Medicine 17, table I, method 3."""
    assert wilson(hits / n, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("share", "n"), [(-0.1, 3.0), (1.1, 3.0), (0.5, 0.0)])
def test_no_interval_without_a_share_of_trials(share: float, n: float) -> None:
    with pytest.raises(ValueError, match="no share of trials"):
        wilson(share, n)


def test_two_votes_a_pair_are_one_comparison_each() -> None:
    found = agreement(np.array([2, 0, 1, 1, 2, 0]), np.array([0, 2, 1, 1, 0, 2]))

    assert found is not None
    assert found.n_comparisons == 6
    assert found.n_effective == pytest.approx(6)
    assert found.share == pytest.approx(4 / 6)
    assert (found.low, found.high) == wilson(found.share, found.n_effective)


def test_comparisons_that_share_voters_count_as_few_as_can_be_made_without() -> None:
    found = agreement(np.array([8]), np.array([2]))

    assert found is not None
    assert found.n_comparisons == comb(10, 2)
    assert found.n_effective == pytest.approx(5)
    assert found.share == pytest.approx((comb(8, 2) + comb(2, 2)) / comb(10, 2))


@pytest.mark.parametrize(
    ("first", "second"), [([], []), ([1, 1, 0], [0, 0, 1]), ([2, 2, 2, 2], [0, 0, 0, 0])]
)
def test_nothing_is_claimed_below_a_handful(first: list[int], second: list[int]) -> None:
    assert agreement(np.array(first, np.int64), np.array(second, np.int64)) is None


def test_counts_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="two counts"):
        agreement(np.array([1, -1]), np.array([1, 1]))


counts = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=6, max_size=40)


@given(counts)
def test_agreement_is_what_counting_every_two_votes_gives(votes: list[tuple[int, int]]) -> None:
    first, second = np.array(votes, np.int64).T
    together = [(a == b) for x, y in votes for a, b in every_two([1] * x + [0] * y)]

    found = agreement(first, second)

    if found is not None:
        assert found.n_comparisons == len(together)
        assert found.share == pytest.approx(sum(together) / len(together))
        assert found.low - 1e-9 <= found.share <= found.high + 1e-9
        assert found.n_effective <= found.n_comparisons + 1e-9


def every_two(votes: list[int]) -> list[tuple[int, int]]:
    return [(a, b) for i, a in enumerate(votes) for b in votes[i + 1 :]]


def test_equal_weights_are_spread_evenly() -> None:
    found = concentration(np.full(20, 3.0))

    assert found is not None
    assert found.gini == pytest.approx(0)
    assert found.effective == pytest.approx(20)
    assert found.heaviest == pytest.approx(0.5)
    assert found.lorenz == pytest.approx(np.linspace(0, 1, 21))


def test_one_to_five_have_a_gini_of_four_fifteenths() -> None:
    found = concentration(np.array([5.0, 1.0, 4.0, 2.0, 3.0]), n_heaviest=2)

    assert found is not None
    assert found.gini == pytest.approx(4 / 15)
    assert found.effective == pytest.approx(225 / 55)
    assert found.heaviest == pytest.approx(9 / 15)
    assert found.lorenz == pytest.approx(np.array([0, 1, 3, 6, 10, 15]) / 15)


def test_one_who_has_everything_is_one_voter() -> None:
    found = concentration(np.array([0.0, 0.0, 0.0, 7.0]))

    assert found is not None
    assert (found.gini, found.effective, found.heaviest) == (0.75, 1.0, 1.0)


@given(st.lists(st.floats(0.01, 30), min_size=2, max_size=60))
def test_gini_is_the_mean_difference_over_twice_the_mean(weights: list[float]) -> None:
    given_weights = np.array(weights)
    differences = np.abs(given_weights[:, None] - given_weights[None, :])

    found = concentration(given_weights)

    assert found is not None
    expected = differences.mean() / (2 * given_weights.mean())
    assert found.gini == pytest.approx(expected, abs=1e-12)
    assert 1 <= found.effective <= len(weights) + 1e-9


def test_nobody_has_no_concentration() -> None:
    assert concentration(np.array([])) is None
    assert concentration(np.zeros(3)) is None


def test_weights_below_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        concentration(np.array([1.0, -1.0]))


@pytest.mark.parametrize(
    ("voted", "n"),
    [
        ([], 0),
        ([False], 0),
        ([True], 1),
        ([True, True, False], 2),
        ([True, False, True, True], 2),
        ([True, False, False], 0),
        ([True, True, True], 3),
    ],
)
def test_a_streak_ends_with_the_first_round_missed_but_not_with_the_present_one(
    voted: list[bool], n: int
) -> None:
    assert streak(voted) == n
