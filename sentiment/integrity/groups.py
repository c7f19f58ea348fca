"""Voters that a signal says may be one: pairs put together to groups."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# Of a whole round, after correction for all pairs of voters that were compared (Bonferroni): an
# honest round is shown no pair in 999 of 1000.
ALPHA = 1e-3


@dataclass(frozen=True)
class Tie:
    """Two voters, by number, and why: ``hits`` of ``n`` where chance gives ``expected``.

    ``p`` is the chance of that many or more in any of the pairs compared, at most 1.
    """

    one: int
    other: int
    hits: int
    n: int
    expected: float
    p: float


@dataclass(frozen=True)
class Group:
    """Voters who hang together by ties, the surest of which is ``best``."""

    voters: tuple[int, ...]
    best: Tie
    n_ties: int


def gather(ties: Iterable[Tie]) -> list[Group]:
    """Connected voters (components of the graph of ties), the surest group first."""
    known = list(ties)
    if not known:
        return []
    ends = np.array([(tie.one, tie.other) for tie in known], np.int64)
    names, places = np.unique(ends, return_inverse=True)
    places = places.reshape(ends.shape)
    graph = coo_array((np.ones(len(known)), places.T), shape=(len(names), len(names)))
    label = connected_components(graph, directed=False)[1]
    groups = []
    for number in range(int(label.max()) + 1):
        inside = [tie for tie, at in zip(known, label[places[:, 0]], strict=True) if at == number]
        best = min(inside, key=lambda tie: (tie.p, tie.one, tie.other))
        groups.append(Group(tuple(names[label == number].tolist()), best, len(inside)))
    return sorted(groups, key=lambda group: (group.best.p, group.voters))


def numbered(one: NDArray[np.int64], other: NDArray[np.int64], n_voters: int) -> NDArray[np.int64]:
    """A number [V] for each unordered pair of voters."""
    low, high = np.minimum(one, other), np.maximum(one, other)
    found: NDArray[np.int64] = low * n_voters + high
    return found
