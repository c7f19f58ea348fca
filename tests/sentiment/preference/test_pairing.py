from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from scipy.special import expit

from sentiment.preference.bradley_terry import Belief
from sentiment.preference.pairing import N_CANDIDATES, choose, draw_unseen, worth_asking


def test_pairs_drawn_are_new_different_and_in_order() -> None:
    seen = set(list(combinations(range(40), 2))[:300])

    drawn = draw_unseen(40, seen, np.random.default_rng(0))

    assert len(drawn) == len(set(drawn)) == N_CANDIDATES
    assert not set(drawn) & seen
    assert all(0 <= i < j < 40 for i, j in drawn)


def test_every_unseen_pair_is_equally_likely() -> None:
    chance = np.random.default_rng(1)
    seen = {(0, 1), (2, 3)}

    counts = Counter(draw_unseen(9, seen, chance, n=1)[0] for _ in range(6800))

    # 34 pairs, 200 draws each: 5 sd of a binomial count is 70.
    assert len(counts) == 34
    assert all(abs(n - 200) < 70 for n in counts.values())


def test_the_last_unseen_pair_is_found() -> None:
    seen = set(combinations(range(30), 2)) - {(7, 19)}

    assert draw_unseen(30, seen, np.random.default_rng(0)) == [(7, 19)]


@pytest.mark.parametrize("n_items", [0, 1, 4])
def test_where_all_is_seen_nothing_is_drawn(n_items: int) -> None:
    seen = set(combinations(range(n_items), 2))

    assert draw_unseen(n_items, seen, np.random.default_rng(0)) == []


def test_worth_is_the_formula_worked_by_hand() -> None:
    features = np.array([[1.0, 0.0], [0.0, 1.0]])
    belief = Belief(np.array([0.4, -0.2, 0.0]), np.diag([0.3, 0.5, 1.0]))

    found = worth_asking(features, np.array([[0, 1]]), belief)

    assert found == pytest.approx([expit(0.6) * expit(-0.6) * 0.8])


def test_what_an_answer_saves_is_what_it_takes_from_the_expected_loss() -> None:
    features = np.array([[1.0, 0.0], [0.0, 1.0]])
    belief = Belief(np.array([0.4, -0.2, 0.0]), np.diag([0.3, 0.5, 1.0]))
    stakes = np.array([[2.0, 0.5], [0.5, 1.0]])

    found = worth_asking(features, np.array([[0, 1]]), belief, stakes)

    told = expit(0.6) * expit(-0.6) * np.outer([1, -1], [1, -1])
    after = np.linalg.inv(np.diag([1 / 0.3, 1 / 0.5]) + told)
    before = np.diag([0.3, 0.5])
    assert found == pytest.approx([np.trace(stakes @ (before - after))])


def test_the_pair_we_know_least_about_is_shown() -> None:
    features = np.eye(4)
    belief = Belief(np.zeros(5), np.diag([0.01, 0.01, 1.0, 1.0, 1.0]))

    shown = choose(features, [(0, 1), (2, 3), (0, 2)], belief, np.random.default_rng(0))

    assert set(shown) == {2, 3}


def test_sides_are_drawn_by_lot() -> None:
    chance = np.random.default_rng(0)
    lefts = [choose(np.eye(2), [(0, 1)], Belief.prior(2), chance)[0] for _ in range(400)]

    assert 150 < sum(lefts) < 250


def test_no_pairs_no_choice() -> None:
    with pytest.raises(ValueError, match="no pair"):
        choose(np.eye(2), [], Belief.prior(2), np.random.default_rng(0))
