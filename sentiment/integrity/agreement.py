"""Voters who choose alike far more often than two of this crowd do."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.stats import binom

from sentiment.integrity.groups import ALPHA, Tie

# Fewer pairs judged by both than this cannot be told from chance after the correction: with the
# agreement of a real crowd (.60) ten of ten happen in .006 of the pairs of voters.
MIN_SHARED = 10
MAX_VOTERS = 2000  # those with most votes; the products below grow with their square


def ties(
    voters: NDArray[np.int64],
    pairs: NDArray[np.int64],
    for_first: NDArray[np.bool_],
    likely: NDArray[np.float64],
    alpha: float = ALPHA,
) -> list[Tie]:
    """Pairs of voters whose agreement is beyond chance.

    On a pair of works two independent voters agree with probability ``q = p**2 + (1 - p)**2``,
    where ``p`` is how likely the crowd takes the first work; where the crowd as a whole agrees
    more often than that, its own rate is taken: voters also share tastes that no model knows. The
    tail of agreements is then at most that of a binomial with the mean of those ``q`` (Hoeffding
    1956: of sums of unequal coins with one mean that of equal ones has the heaviest tail).
    Bonferroni over all pairs of voters with ``MIN_SHARED`` judged by both.

    Parameters
    ----------
    voters : [V] numbers from 0.
    pairs : [V] numbers from 0 of the pairs of works.
    for_first : [V] whether the first of the two was chosen.
    likely : [P] probability in [0, 1] that the first is.
    """
    n_voters = int(voters.max(initial=-1)) + 1
    if not n_voters:
        return []
    counts = np.bincount(voters, minlength=n_voters)
    chosen = np.sort(np.argsort(-counts, kind="stable")[:MAX_VOTERS])
    seen, side = _matrices(voters, pairs, for_first, (n_voters, len(likely)), chosen)
    both = seen @ seen.T
    one, other = both.nonzero()
    kept = one < other
    one, other = one[kept], other[kept]
    n = np.asarray(both[one, other]).ravel()
    lead = np.asarray((side @ side.T)[one, other]).ravel()
    hits = ((n + lead) / 2).astype(np.int64)
    rate = hits.sum() / n.sum() if n.sum() else 0.5
    q = np.maximum(likely**2 + (1 - likely) ** 2, rate)
    expected = np.asarray((seen * q @ seen.T)[one, other]).ravel()
    told = np.flatnonzero(n >= MIN_SHARED)
    tail = binom.sf(hits[told] - 1, n[told], (expected[told] / n[told]).clip(0, 1))
    p = np.minimum(tail * max(len(told), 1), 1.0)
    return [
        Tie(
            int(chosen[one[i]]),
            int(chosen[other[i]]),
            int(hits[i]),
            int(n[i]),
            float(expected[i]),
            float(chance),
        )
        for i, chance in zip(told.tolist(), p.tolist(), strict=True)
        if chance < alpha
    ]


def _matrices(
    voters: NDArray[np.int64],
    pairs: NDArray[np.int64],
    for_first: NDArray[np.bool_],
    shape: tuple[int, int],
    chosen: NDArray[np.int64],
) -> tuple[csr_array, csr_array]:
    """Who judged what [K, P], as 1, and as 1 or -1 for the first or the second work."""
    side = np.where(for_first, 1.0, -1.0)
    judged = csr_array((np.ones(len(voters)), (voters, pairs)), shape=shape)[chosen]
    return judged, csr_array((side, (voters, pairs)), shape=shape)[chosen]
