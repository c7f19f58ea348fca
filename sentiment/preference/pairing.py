"""Which two works to show next: the most telling of a few random pairs."""

from collections.abc import Set
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sentiment.preference.bradley_terry import Belief

N_CANDIDATES = 6


def draw_unseen(
    n_items: int, seen: Set[tuple[int, int]], chance: np.random.Generator, n: int = N_CANDIDATES
) -> list[tuple[int, int]]:
    """Up to ``n`` different pairs (i, j), i < j, that are not in ``seen``; empty if none is left.

    Every unseen pair is equally likely. Pairs are listed only where most of them are seen.
    """
    n_pairs = n_items * (n_items - 1) // 2
    n_unseen = n_pairs - len(seen)
    if n_unseen < max(n_pairs / 2, 2 * n):
        rest = [pair for pair in combinations(range(n_items), 2) if pair not in seen]
        picks = chance.permutation(len(rest))[:n]
        return [rest[i] for i in picks.tolist()]
    drawn: dict[tuple[int, int], None] = {}
    while len(drawn) < n:
        i, j = sorted(chance.integers(n_items, size=2).tolist())
        if i != j and (i, j) not in seen:
            drawn[i, j] = None
    return list(drawn)


def worth_asking(
    features: NDArray[np.float64], pairs: NDArray[np.int64], belief: Belief
) -> NDArray[np.float64]:
    """How telling pairs [P, 2] are: p (1 - p) Var(u_a - u_b), open in outcome and in belief.

    Parameters
    ----------
    features : [N, D] of the items that ``pairs`` name.
    """
    difference = features[pairs[:, 0]] - features[pairs[:, 1]]
    p = expit(difference @ belief.effects)
    variance = ((difference @ belief.effect_covariance) * difference).sum(1)
    worth: NDArray[np.float64] = p * (1 - p) * variance
    return worth


def choose(
    features: NDArray[np.float64],
    pairs: list[tuple[int, int]],
    belief: Belief,
    chance: np.random.Generator,
) -> tuple[int, int]:
    """The pair most worth asking, as (left, right) with the sides drawn by lot."""
    if not pairs:
        raise ValueError("no pair to choose from")
    best = int(worth_asking(features, np.array(pairs, np.int64), belief).argmax())
    left, right = pairs[best] if chance.random() < 0.5 else pairs[best][::-1]
    return left, right
