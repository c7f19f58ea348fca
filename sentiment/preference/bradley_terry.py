"""What comparisons say about traits: a Bradley-Terry model on features, with a Gaussian prior.

P(left preferred to right) = eps/2 + (1 - eps) * sigmoid(theta . (x_left - x_right) + c), where eps
is the share of votes cast blindly and c the pull of the left side (Bradley and Terry, 1952; lapses
as in Wichmann and Hill, 2001). Nothing but the number of items and features enters a Newton step.
"""

from dataclasses import dataclass
from math import inf
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit, log_expit

LAPSE = 0.05
# benchmarks/steering.py, 30 communities, gain of drop 3 over an unsteered one, for sd .25 / .5 / 1:
# 1.88 / 1.97 / 2.02 with 60 voters of 20 votes, 0.28 / 0.77 / 1.23 with 20 of 10 (error .09).
EFFECT_SD = 1.0
SIDE_SD = 0.5
MAX_STEPS = 200
MAX_HALVINGS = 40


class FitError(Exception):
    """Newton's method did not come to rest; ``steps`` were taken, the last one moved ``moved``."""

    def __init__(self, steps: int, moved: float) -> None:
        super().__init__(f"no rest after {steps} steps, last moved by {moved:.3g}")
        self.steps = steps
        self.moved = moved


@dataclass(frozen=True)
class Votes:
    """Comparisons of items.

    Parameters
    ----------
    features : [N, D] one row per item.
    left, right : [V] rows of ``features`` that were shown.
    left_won : [V] whether the left one was preferred.
    weights : [V] at least 0; a vote of weight 2 counts as two.
    """

    features: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    left_won: NDArray[np.bool_]
    weights: NDArray[np.float64]

    def __post_init__(self) -> None:
        n_votes = len(self.left)
        if self.features.ndim != 2 or not np.isfinite(self.features).all():
            raise ValueError("features are not a finite matrix")
        if any(a.shape != (n_votes,) for a in (self.right, self.left_won, self.weights)):
            raise ValueError("votes differ in length")
        if not (np.isfinite(self.weights).all() and (self.weights >= 0).all()):
            raise ValueError("a weight is negative or not finite")
        shown = np.concatenate([self.left, self.right])
        if len(shown) and not (shown.min() >= 0 and shown.max() < len(self.features)):
            raise ValueError("a vote names an unknown item")
        if (self.left == self.right).any():
            raise ValueError("an item was compared with itself")


@dataclass(frozen=True)
class Belief:
    """A normal distribution over theta [D] and, as the last coordinate, the side effect c.

    Parameters
    ----------
    mean : [D + 1] log-odds.
    covariance : [D + 1, D + 1].
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @classmethod
    def prior(cls, n_features: int, sd: float = EFFECT_SD, side_sd: float = SIDE_SD) -> Self:
        sds = np.append(np.full(n_features, sd), side_sd)
        return cls(np.zeros(n_features + 1), np.diag(sds**2.0))

    @property
    def effects(self) -> NDArray[np.float64]:
        """Mean of theta [D]."""
        return self.mean[:-1]

    @property
    def effect_covariance(self) -> NDArray[np.float64]:
        """Covariance of theta [D, D]."""
        return self.covariance[:-1, :-1]


def fit(votes: Votes, prior: Belief, lapse: float = LAPSE) -> Belief:
    """The belief after the votes: maximum a posteriori, and Laplace's covariance around it.

    Newton's method with the expected (Fisher) information, which is positive definite for any
    lapse.

    Parameters
    ----------
    lapse
        share of blind votes, in [0, 1).

    Raises
    ------
    FitError
        The maximum was not reached.
    """
    if not 0 <= lapse < 1:
        raise ValueError(f"lapse {lapse} is not in [0, 1)")
    if prior.mean.shape != (votes.features.shape[1] + 1,):
        raise ValueError("prior and features differ in length")
    if not votes.weights.any():
        return prior
    precision = np.linalg.inv(prior.covariance).astype(np.float64)
    problem = _Problem(votes, prior.mean, precision, lapse)
    at, value, moved = prior.mean.copy(), problem.value(prior.mean), inf
    for steps in range(1, MAX_STEPS + 1):
        factor = cho_factor(problem.information(at))
        step = cho_solve(factor, problem.gradient(at))
        moved = float(np.abs(step).max())
        if moved < 1e-10:
            covariance = cho_solve(factor, np.eye(len(at)))
            return Belief(at, (covariance + covariance.T) / 2)
        at, value = problem.climb(at, step, value, steps)
    raise FitError(MAX_STEPS, moved)


@dataclass(frozen=True)
class _Problem:
    """Log posterior, its gradient and information, computed per item rather than per feature."""

    votes: Votes
    prior_mean: NDArray[np.float64]
    precision: NDArray[np.float64]
    lapse: float

    def value(self, at: NDArray[np.float64]) -> float:
        away = at - self.prior_mean
        likely = self._log_probability(self._towards_vote(at))
        return float(self.votes.weights @ likely - away @ self.precision @ away / 2)

    def gradient(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        votes = self.votes
        toward = self._towards_vote(at)
        slope = votes.weights * self._seen(toward) * expit(-toward)
        slope = np.where(votes.left_won, slope, -slope)
        n = len(votes.features)
        per_item = np.bincount(votes.left, slope, n) - np.bincount(votes.right, slope, n)
        found = np.append(votes.features.T @ per_item, slope.sum())
        total: NDArray[np.float64] = found - self.precision @ (at - self.prior_mean)
        return total

    def information(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        votes = self.votes
        toward = self._towards_vote(at)
        w = votes.weights * self._seen(toward) * self._seen(-toward)
        w = w * expit(toward) * expit(-toward)
        n = len(votes.features)
        left, right = np.bincount(votes.left, w, n), np.bincount(votes.right, w, n)
        pairs = sparse.csr_array((w, (votes.left, votes.right)), shape=(n, n))
        laplacian = sparse.diags_array(left + right) - pairs - pairs.T
        found: NDArray[np.float64] = self.precision.copy()
        found[:-1, :-1] += votes.features.T @ (laplacian @ votes.features)
        side = votes.features.T @ (left - right)
        found[:-1, -1] += side
        found[-1, :-1] += side
        found[-1, -1] += w.sum()
        return found

    def climb(
        self, at: NDArray[np.float64], step: NDArray[np.float64], value: float, steps: int
    ) -> tuple[NDArray[np.float64], float]:
        """The first of step, step / 2, step / 4, ... that does not lead down."""
        slack = 1e-12 * (1 + abs(value))
        for halving in range(MAX_HALVINGS):
            there = at + step / 2**halving
            reached = self.value(there)
            if reached >= value - slack:
                return there, reached
        raise FitError(steps, float(np.abs(step).max()))

    def _towards_vote(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds [V] in favour of what was chosen."""
        worth = self.votes.features @ at[:-1]
        lead = worth[self.votes.left] - worth[self.votes.right] + at[-1]
        toward: NDArray[np.float64] = np.where(self.votes.left_won, lead, -lead)
        return toward

    def _log_probability(self, toward: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = log_expit(toward)
        if self.lapse:
            found = np.log(self.lapse / 2 + (1 - self.lapse) * expit(toward))
        return found

    def _seen(self, toward: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability [V] that a vote with this outcome was not cast blindly."""
        if not self.lapse:
            return np.ones_like(toward)
        attentive = (1 - self.lapse) * expit(toward)
        found: NDArray[np.float64] = attentive / (self.lapse / 2 + attentive)
        return found
