"""Which two works to show next: of a few random pairs the one whose answer is worth most."""

from collections.abc import Set
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sentiment.preference.bradley_terry import Belief

# `benchmark_steering --policies without-pairs,morphora`: with pairs by lot the regret is higher by
# .0020 +- .0013 (12 communities). 64 candidates did no better than 24 in a forerunner of it.
N_CANDIDATES = 24


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
    features: NDArray[np.float64],
    pairs: NDArray[np.int64],
    belief: Belief,
    stakes: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """How much the answer about pairs [P, 2] is expected to save.

    A vote on the difference x takes v S x x' S / (1 + v x' S x) from the covariance S, v = p (1 -
    p); of that, trace(A .) is what it takes from the expected loss. Without stakes it is v x' S x,
    how open the pair is in outcome and in belief.

    Parameters
    ----------
    features : [N, D] of the items that ``pairs`` name.
    stakes : A [D, D], positive semidefinite.
    """
    difference = features[pairs[:, 0]] - features[pairs[:, 1]]
    p = expit(difference @ belief.effects)
    spread = difference @ belief.effect_covariance
    told: NDArray[np.float64] = p * (1 - p) * (spread * difference).sum(1)
    if stakes is None:
        return told
    saved: NDArray[np.float64] = p * (1 - p) * ((spread @ stakes) * spread).sum(1) / (1 + told)
    return saved


def choose(
    features: NDArray[np.float64],
    pairs: list[tuple[int, int]],
    belief: Belief,
    chance: np.random.Generator,
    stakes: NDArray[np.float64] | None = None,
) -> tuple[int, int]:
    """The pair most worth asking, as (left, right) with the sides drawn by lot."""
    if not pairs:
        raise ValueError("no pair to choose from")
    best = int(worth_asking(features, np.array(pairs, np.int64), belief, stakes).argmax())
    left, right = pairs[best] if chance.random() < 0.5 else pairs[best][::-1]
    return left, right
