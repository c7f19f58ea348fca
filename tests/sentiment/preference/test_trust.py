import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.preference.trust import weights


def test_votes_of_earlier_rounds_fade_by_a_fifth_a_round() -> None:
    found = weights(np.array([1, 2, 3]), np.array([0, 1, 2]))

    assert found == pytest.approx([1, 0.8, 0.64])


def test_a_tireless_voter_is_scaled_to_the_cap_and_others_are_not() -> None:
    found = weights(np.array([7] * 60 + [8] * 10), np.zeros(70, np.int64), cap=30)

    assert found[:60] == pytest.approx([0.5] * 60)
    assert found[60:] == pytest.approx([1] * 10)


cast = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=200)


@given(cast, st.floats(0.5, 50))
def test_no_voter_weighs_more_than_the_cap(votes: list[tuple[int, int]], cap: float) -> None:
    voters = np.array([voter for voter, _ in votes], np.int64)
    ages = np.array([age for _, age in votes], np.int64)

    found = weights(voters, ages, cap)

    assert ((found >= 0) & (found <= 1)).all()
    for voter in set(voters.tolist()):
        assert found[voters == voter].sum() <= cap + 1e-9


def test_a_vote_from_the_future_is_refused() -> None:
    with pytest.raises(ValueError, match="age"):
        weights(np.array([1]), np.array([-1]))
