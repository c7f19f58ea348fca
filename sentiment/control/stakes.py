"""What is at stake where an effect is believed wrongly: by it pairs are chosen to ask about.

Shares follow the believed effects, so an error costs in second order: the worth that is lost by an
error e is e'Ae / 2 (as in Bayesian experimental design for a decision: Chaloner and Verdinelli
1995, section 2). With shares p at width lambda, A is (diag(p) - pp') / lambda over the options that
are not held by a bound; with strength x = -linear / (2 curve), (1, 2x)(1, 2x)' / (-2 curve).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sentiment.control.allocate import best_strength
from sentiment.control.shares import Bounds, sharpest
from sentiment.preference.bradley_terry import Belief
from sentiment.preference.features import Option, is_direction

Matrix = NDArray[np.float64]

# A direction of which no curve is known yet has no middle that an error could miss; as flat as this
# it counts much, and not without end.
MIN_CURVE = 0.03


def stakes(names: Sequence[Option], belief: Belief, bounds: Bounds) -> Matrix:
    """The matrix A [D, D] of a belief, positive semidefinite.

    Parameters
    ----------
    names : [D] what the coordinates of the belief stand for.
    """
    found = np.zeros((len(names), len(names)))
    for name in dict.fromkeys(name for name, _ in names):
        at = [i for i, option in enumerate(names) if option[0] == name]
        mean = belief.effects[at]
        if is_direction(name):
            block = _of_strength(mean, bounds.max_latent)
        else:
            block = _of_shares(name, tuple(names[i][1] for i in at), mean, bounds)
        found[np.ix_(at, at)] = block
    return found


def _of_shares(
    attribute: str, options: tuple[str, ...], mean: NDArray[np.float64], bounds: Bounds
) -> Matrix:
    low, high = bounds.of(attribute, options)
    shares = sharpest(mean, low, high, bounds.min_entropy)
    free = np.flatnonzero((shares > low + 1e-9) & (shares < high - 1e-9))
    block = np.zeros((len(options), len(options)))
    if len(free) < 2:
        return block
    spread = np.ptp(np.log(shares[free]))
    width = np.ptp(mean[free]) / spread if spread > 0 else 1.0
    p = shares[free]
    block[np.ix_(free, free)] = (np.diag(p) - np.outer(p, p) / p.sum()) / max(width, 1e-3)
    return block


def _of_strength(mean: NDArray[np.float64], most: float) -> Matrix:
    curve = min(float(mean[1]), -MIN_CURVE)
    x = best_strength(np.array([mean[0], curve]), most)
    if abs(x) >= most:
        return np.zeros((2, 2))
    slope = np.array([1.0, 2 * x])
    found: Matrix = np.outer(slope, slope) / (-2 * curve)
    return found
