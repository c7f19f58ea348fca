"""Works to weights: what splitting, gathering and moving works comes to."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.integrity import weighing

WORKS = st.lists(st.integers(0, 500), min_size=1, max_size=12)


def weigh(rule: str, works: list[int], n_votes: list[int]) -> list[float]:
    found: list[float] = weighing.weights(rule, np.array(works), np.array(n_votes)).tolist()
    return found


def test_a_work_is_held_by_whom_it_came_to_last() -> None:
    transfers = [(1, "ann"), (2, "ann"), (3, "bob"), (1, "bob"), (1, "ann"), (2, "eve")]

    assert weighing.held(transfers) == {"ann": 1, "bob": 1, "eve": 1}


def test_equal_votes_weigh_one_exactly() -> None:
    assert weigh("equal", [0, 3, 900], [7, 1, 30]) == [1.0, 1.0, 1.0]


def test_works_count_as_many_times_as_there_are() -> None:
    none, one, three = weigh("works", [0, 1, 3], [1, 1, 1])

    assert none == 0.0
    assert three == pytest.approx(3 * one, abs=2e-9)
    assert one == pytest.approx(4 / 10, abs=1e-9)  # (0 + 1 + 3) / (0 + 1 + 9)


def test_a_wallet_without_works_may_count_one() -> None:
    none, three = weigh("both", [0, 3], [1, 1])

    assert three == pytest.approx(4 * none, abs=4e-9)


def test_nobody_holds_anything_and_nothing_counts() -> None:
    assert weigh("works", [0, 0], [3, 4]) == [0.0, 0.0]


@given(WORKS, st.sampled_from(sorted(weighing.RULES)))
def test_a_round_says_no_more_than_its_effective_number_of_votes(
    works: list[int], rule: str
) -> None:
    n_votes = [1 + n % 7 for n in works]

    found = np.array(weigh(rule, works, n_votes))

    squares = (found**2) @ n_votes
    effective = (found @ n_votes) ** 2 / squares if squares else 0.0
    assert found @ n_votes == pytest.approx(effective, rel=1e-6, abs=1e-6)
    assert found @ n_votes <= sum(n_votes) + 1e-6


@given(WORKS, st.integers(1, 499))
def test_the_share_of_works_is_the_same_in_one_wallet_or_in_several(
    works: list[int], part: int
) -> None:
    whole = 500
    together = weigh("works", [*works, whole], [3] * (len(works) + 1))
    apart = weigh("works", [*works, part, whole - part], [3] * (len(works) + 2))

    assert sum(apart[-2:]) / sum(apart) == pytest.approx(together[-1] / sum(together), rel=1e-4)


@given(WORKS)
def test_more_works_never_weigh_less(works: list[int]) -> None:
    ordered = sorted(works)

    found = weigh("both", ordered, [1] * len(ordered))

    assert all(one <= other for one, other in pairwise(found))


def test_counts_below_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        weigh("works", [-1], [1])


def test_a_part_of_a_weight_has_the_decimals_that_are_published() -> None:
    assert weighing.reduced(0.123456789, 0.05) == 0.006172839
