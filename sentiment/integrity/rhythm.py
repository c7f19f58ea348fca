"""Voters whose votes come at a fixed distance of one another: one hand, or one program."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from sentiment.integrity.groups import ALPHA, Tie, numbered

REACH_S = 15.0
BIN_S = 1.0
N_BINS = 2 * round(REACH_S / BIN_S)
# A peak of fewer votes is none: two people may meet a few times.
MIN_HITS = 8
# Of each vote so many following ones are looked at: where more come within the reach, the crowd is
# too dense to tell who follows whom, and the work would grow with its square.
MAX_NEIGHBOURS = 200


def ties(voters: NDArray[np.int64], times: NDArray[np.float64], alpha: float = ALPHA) -> list[Tie]:
    """Pairs of voters whose votes keep a lag, by their cross-correlogram.

    For two voters the differences of times within ``REACH_S`` are counted in bins of ``BIN_S``
    (Perkel, Gerstein and Moore 1967). Of voters who know nothing of one another a difference falls
    into each bin alike, however busy both are; the fullest bin is then binomial, corrected for the
    bins and for all pairs of voters that ever met (Bonferroni).

    Parameters
    ----------
    voters : [V] numbers from 0.
    times : [V] seconds, in any order.
    """
    n_voters = int(voters.max(initial=-1)) + 1
    order = np.argsort(times, kind="stable")
    key, lag = _differences(voters[order], times[order], n_voters)
    cell = key * N_BINS + np.floor((lag + REACH_S) / BIN_S).astype(np.int64).clip(0, N_BINS - 1)
    cells, in_cell = np.unique(cell, return_counts=True)
    met, n = np.unique(key, return_counts=True)
    place = np.searchsorted(met, cells // N_BINS)
    hits = np.zeros(len(met), np.int64)
    np.maximum.at(hits, place, in_cell)
    tail = binom.sf(hits - 1, n, 1 / N_BINS)
    p = np.minimum(tail * N_BINS * max(len(met), 1), 1.0)
    found = np.flatnonzero((p < alpha) & (hits >= MIN_HITS))
    return [
        Tie(
            int(met[i] // n_voters),
            int(met[i] % n_voters),
            int(hits[i]),
            int(n[i]),
            float(n[i] / N_BINS),
            float(p[i]),
        )
        for i in found.tolist()
    ]


def _differences(
    voters: NDArray[np.int64], times: NDArray[np.float64], n_voters: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pair of voters and lag of the higher number behind the lower, of votes within the reach."""
    keys, lags = [np.zeros(0, np.int64)], [np.zeros(0)]
    for step in range(1, min(MAX_NEIGHBOURS, len(times) - 1) + 1):
        gap = times[step:] - times[:-step]
        near = np.flatnonzero(gap < REACH_S)
        if not len(near):
            break
        one, other = voters[near], voters[near + step]
        differ = one != other
        one, other, gap = one[differ], other[differ], gap[near][differ]
        keys.append(numbered(one, other, n_voters))
        lags.append(np.where(one < other, gap, -gap))
    return np.concatenate(keys), np.concatenate(lags)
