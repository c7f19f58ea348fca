"""Who took part in a round, how far they agree, and whose weight it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

NORMAL_95 = 1.959963984540054
# Below this many independent comparisons nothing is said about agreement.
HANDFUL = 5


@dataclass(frozen=True)
class Agreement:
    """How often two voters who judged the same pair chose the same work.

    Parameters
    ----------
    n_comparisons
        pairs of voters who judged the same pair of works, summed over the pairs of works.
    n_effective
        independent comparisons that would say as much; at most ``n_comparisons``.
    share, low, high
        of the comparisons those that agree, with Wilson's 95 % interval.
    """

    n_comparisons: int
    n_effective: float
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Concentration:
    """How unevenly weight is spread over those who have some.

    Parameters
    ----------
    heaviest
        share of the weight that the ``n_heaviest`` voters with most of it hold.
    gini
        0 where all weigh the same, towards 1 where one has everything.
    effective
        1 / sum share^2: equally heavy voters among whom weight would be spread as evenly.
    lorenz : [K + 1] share of all weight that the lightest 0, 1, ..., K voters hold.
    """

    n_heaviest: int
    heaviest: float
    gini: float
    effective: float
    lorenz: NDArray[np.float64]


def agreement(first: NDArray[np.int64], second: NDArray[np.int64]) -> Agreement | None:
    """Agreement over pairs of works; None where less than a handful of comparisons say anything.

    Of n votes on a pair, n (n - 1) / 2 pairs of voters can be compared, but they share voters.
    Their mean varies no more than that of floor(n / 2) comparisons that share none (Hoeffding
    1963, section 5), so it is trusted like those; pairs of works are pooled like weighted items
    (Kish 1965).

    Parameters
    ----------
    first, second : [P] votes for the one and for the other work of each pair.
    """
    if first.shape != second.shape or (first < 0).any() or (second < 0).any():
        raise ValueError("two counts of at least 0 per pair")
    judged = first + second
    compared = judged * (judged - 1) // 2
    kept = compared > 0
    total = int(compared.sum())
    if not total:
        return None
    squares = compared[kept].astype(np.float64) ** 2 / (judged[kept] // 2)
    n_effective = float(total**2 / squares.sum())
    if n_effective < HANDFUL:
        return None
    agreed = (first * (first - 1) + second * (second - 1)) // 2
    share = float(agreed.sum() / total)
    return Agreement(total, n_effective, share, *wilson(share, n_effective))


def wilson(share: float, n: float, z: float = NORMAL_95) -> tuple[float, float]:
    """The score interval of a share that was seen in n trials (Wilson 1927).

    Parameters
    ----------
    share
        in [0, 1].
    n
        more than 0; not necessarily whole.
    """
    if not 0 <= share <= 1 or n <= 0:
        raise ValueError(f"no share of trials: {share} of {n}")
    middle = share + z**2 / (2 * n)
    reach = z * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    whole = 1 + z**2 / n
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)


def concentration(weights: NDArray[np.float64], n_heaviest: int = 10) -> Concentration | None:
    """How weight is spread; None where there is none.

    Gini's coefficient from sorted weights (Gini 1912; Sen 1973), the effective number as that of
    parties (Laakso and Taagepera 1979), the curve as Lorenz (1905) drew it.

    Parameters
    ----------
    weights : [K] at least 0.
    """
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("a weight is negative or not finite")
    total = float(weights.sum())
    if not total:
        return None
    shares = np.sort(weights) / total
    n = len(shares)
    ranks = 2 * np.arange(1, n + 1) - n - 1
    return Concentration(
        n_heaviest=min(n_heaviest, n),
        heaviest=float(shares[-n_heaviest:].sum()),
        gini=max(0.0, float(ranks @ shares / n)),
        effective=float(1 / (shares**2).sum()),
        lorenz=np.append(0.0, np.cumsum(shares)),
    )


def streak(voted: Sequence[bool]) -> int:
    """Rounds in a row in which somebody voted, up to the last one; that one need not be over.

    Parameters
    ----------
    voted
        whether there is a vote, for each round in order, the present one last.
    """
    rounds = list(voted)
    if rounds and not rounds[-1]:
        rounds.pop()
    n = 0
    while n < len(rounds) and rounds[-1 - n]:
        n += 1
    return n
