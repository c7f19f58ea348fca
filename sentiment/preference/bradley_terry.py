"""What comparisons say about traits: a Bradley-Terry model on features, with a Gaussian prior.

P(left preferred to right) = eps/2 + (1 - eps) * sigmoid(theta . (x_left - x_right) + c), where eps
is the share of votes cast blindly and c the pull of the left side (Bradley and Terry, 1952; lapses
as in Wichmann and Hill, 2001). Nothing but the number of items and features enters a Newton step.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit, log_expit

LAPSE = 0.05
# `benchmark_steering --policies half-the-prior,morphora`: at half of it the regret is higher by
# .0011 +- .0012 (12 communities).
EFFECT_SD = 1.0
SIDE_SD = 0.5
MAX_STEPS = 200
# A wide prior lets rounding move an effect by more than 1e-10 for ever. After so many steps a
# billionth of the posterior's standard deviation (Newton's decrement, squared) is near enough.
PATIENCE, AT_REST = 20, 1e-18
MAX_HALVINGS = 40
MAX_CELLS = 4_000_000  # of a dense matrix of items by items: 32 MB


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
    n_shown
        rows of ``features`` from here on are averages that nobody saw: a work is compared with one
        by itself, so that no side pulls. All of them where nothing is said.
    """

    features: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    left_won: NDArray[np.bool_]
    weights: NDArray[np.float64]
    n_shown: int | None = None

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
        if self.n_shown is not None and (self.left >= self.n_shown).any():
            raise ValueError("an average stands on the left")

    @property
    def has_sides(self) -> bool:
        """Whether both items of every vote were shown side by side."""
        return self.n_shown is None

    @property
    def is_sided(self) -> NDArray[np.bool_]:
        """[V] whether both items of each vote were shown side by side."""
        if self.n_shown is None:
            return np.ones(len(self.right), np.bool_)
        found: NDArray[np.bool_] = self.right < self.n_shown
        return found

    def only(self, kept: NDArray[np.bool_]) -> Self:
        """Some of the votes [V], of the same items."""
        return replace(
            self,
            left=self.left[kept],
            right=self.right[kept],
            left_won=self.left_won[kept],
            weights=self.weights[kept],
        )

    def gathered(self) -> Self:
        """The same votes as one for each pair and outcome, where that is less than half as many."""
        n_items = len(self.features)
        n_cells = 2 * n_items**2
        if 2 * n_cells > len(self.left):
            return self
        cells = 2 * (self.left * n_items + self.right) + self.left_won
        weights = np.bincount(cells, self.weights, n_cells).astype(np.float64)
        kept = np.flatnonzero(weights)
        left, right = np.divmod(kept // 2, n_items)
        return replace(self, left=left, right=right, left_won=kept % 2 == 1, weights=weights[kept])


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

    def only(self, places: list[int]) -> Self:
        """The belief about some of the features, by their places, and the side effect."""
        at = [*places, len(self.mean) - 1]
        return replace(self, mean=self.mean[at], covariance=self.covariance[np.ix_(at, at)])

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
    problem = _Problem(votes.gathered(), prior.mean, precision, lapse)
    here, moved = problem.look(prior.mean), inf
    for steps in range(1, MAX_STEPS + 1):
        factor = cho_factor(here.information())
        gradient = here.gradient()
        step = cho_solve(factor, gradient)
        if steps > PATIENCE:
            step = here.quadratic_step(gradient, step)
        moved = float(np.abs(step).max())
        is_noise = steps > PATIENCE and float(step @ gradient) < AT_REST
        if moved < 1e-10 or is_noise:
            covariance = cho_solve(factor, np.eye(len(step)))
            return Belief(here.at, (covariance + covariance.T) / 2)
        here = problem.climb(here, step, steps)
    raise FitError(MAX_STEPS, moved)


class _Problem:
    """What does not change from step to step; sums run over items or pairs, not over features."""

    def __init__(
        self,
        votes: Votes,
        prior_mean: NDArray[np.float64],
        precision: NDArray[np.float64],
        lapse: float,
    ) -> None:
        self.votes, self.lapse = votes, lapse
        self.prior_mean, self.precision = prior_mean, precision
        self.sign = np.where(votes.left_won, 1.0, -1.0)
        self.is_weighted = bool((votes.weights != 1).any())
        self.side = None if votes.has_sides else votes.is_sided.astype(np.float64)
        n_items = len(votes.features)
        self.cells = votes.left * n_items + votes.right
        self.known: NDArray[np.int64] | None = None
        if n_items**2 > MAX_CELLS:  # then few of all pairs were compared
            self.known, self.cells = np.unique(self.cells, return_inverse=True)

    def look(self, at: NDArray[np.float64]) -> "_Look":
        worth = self.votes.features @ at[:-1]
        pull = at[-1] if self.side is None else at[-1] * self.side
        toward = self.sign * (worth[self.votes.left] - worth[self.votes.right] + pull)
        p = expit(toward)
        chosen = self.lapse / 2 + (1 - self.lapse) * p
        likely = np.log(chosen) if self.lapse else log_expit(toward)
        away = at - self.prior_mean
        total = likely @ self.votes.weights if self.is_weighted else likely.sum()
        return _Look(self, at, float(total - away @ self.precision @ away / 2), p, chosen)

    def climb(self, below: "_Look", step: NDArray[np.float64], steps: int) -> "_Look":
        """The first of step, step / 2, step / 4, ... that does not lead down."""
        slack = 1e-12 * (1 + abs(below.value))
        for halving in range(MAX_HALVINGS):
            there = self.look(below.at + step / 2**halving)
            if there.value >= below.value - slack:
                return there
        raise FitError(steps, float(np.abs(step).max()))

    def sided(self, of_votes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Numbers [V] of votes, 0 where no side pulls."""
        return of_votes if self.side is None else of_votes * self.side

    def laplacian_product(self, w: NDArray[np.float64]) -> NDArray[np.float64]:
        """(D - W - W') X, W [N, N] the weights of votes and D the sums of its rows and columns."""
        features = self.votes.features
        n_items = len(features)
        if self.known is None:
            pairs = np.bincount(self.cells, w, n_items**2).reshape(n_items, n_items)
            both = pairs + pairs.T
            product: NDArray[np.float64] = both.sum(1)[:, None] * features - both @ features
            return product
        rows, columns = np.divmod(self.known, n_items)
        sums = np.bincount(self.cells, w, len(self.known))
        matrix = sparse.csr_array((sums, (rows, columns)), shape=(n_items, n_items))
        both_sums = matrix.sum(0) + matrix.sum(1)
        found: NDArray[np.float64] = both_sums[:, None] * features
        found -= matrix @ features + matrix.T @ features
        return found


@dataclass(frozen=True)
class _Look:
    """The log posterior at a point, with what its derivatives need.

    ``p`` [V]: of preferring what was chosen; ``chosen`` [V]: of choosing it, blind votes included.
    """

    problem: _Problem
    at: NDArray[np.float64]
    value: float
    p: NDArray[np.float64]
    chosen: NDArray[np.float64]

    @cached_property
    def _steep(self) -> NDArray[np.float64]:
        """Derivative [V] of ``chosen`` by the log-odds."""
        found: NDArray[np.float64] = (1 - self.problem.lapse) * self.p * (1 - self.p)
        return found

    def gradient(self) -> NDArray[np.float64]:
        problem, votes = self.problem, self.problem.votes
        slope = self._steep / self.chosen if problem.lapse else 1 - self.p
        slope = problem.sign * slope
        if problem.is_weighted:
            slope *= votes.weights
        n = len(votes.features)
        per_item = np.bincount(votes.left, slope, n) - np.bincount(votes.right, slope, n)
        found = np.append(votes.features.T @ per_item, problem.sided(slope).sum())
        total: NDArray[np.float64] = found - problem.precision @ (self.at - problem.prior_mean)
        return total

    def information(self) -> NDArray[np.float64]:
        """Expected (Fisher) information of the votes, and the prior's precision."""
        w = self._steep
        if self.problem.lapse:
            w = w * w / (self.chosen * (1 - self.chosen))
        return self._summed(w)

    def quadratic_step(
        self, gradient: NDArray[np.float64], otherwise: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Newton's step by the observed information; ``otherwise`` where the latter has a saddle.

        Near the maximum it is much shorter to go: with lapses the expected information is off by
        what the votes that went against all odds say.
        """
        slope = self._steep / self.chosen
        try:
            factor = cho_factor(self._summed(slope * (slope - (1 - 2 * self.p))))
        except np.linalg.LinAlgError:
            return otherwise
        found: NDArray[np.float64] = cho_solve(factor, gradient)
        return found

    def _summed(self, w: NDArray[np.float64]) -> NDArray[np.float64]:
        """Information of votes that have w [V] each, and the prior's precision."""
        problem, votes = self.problem, self.problem.votes
        if problem.is_weighted:
            w = w * votes.weights
        n = len(votes.features)
        found: NDArray[np.float64] = problem.precision.copy()
        found[:-1, :-1] += votes.features.T @ problem.laplacian_product(w)
        sided = problem.sided(w)
        per_item = np.bincount(votes.left, sided, n) - np.bincount(votes.right, sided, n)
        side = votes.features.T @ per_item
        found[:-1, -1] += side
        found[-1, :-1] += side
        found[-1, -1] += sided.sum()
        return found


def absorb(
    belief: Belief,
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    left_won: bool,
    weight: float = 1.0,
    lapse: float = LAPSE,
) -> Belief:
    """The belief after one more vote: one Newton step from its mean, in O(D^2).

    ``fit`` is what counts; this keeps a belief fresh between two fits. The precision grows by the
    vote's expected information (Sherman and Morrison, 1950), and the mean moves by its slope.

    Parameters
    ----------
    left, right : [D] features of the two works.
    weight
        at least 0; a vote of weight 2 counts as two.
    """
    if weight < 0:
        raise ValueError(f"weight {weight} is negative")
    x = np.append(left - right, 1.0)
    sign = 1.0 if left_won else -1.0
    p = float(expit(sign * (x @ belief.mean)))
    chosen = lapse / 2 + (1 - lapse) * p
    steep = (1 - lapse) * p * (1 - p)
    spread = belief.covariance @ x
    information = weight * steep**2 / (chosen * (1 - chosen))
    gain = spread / (1 + information * float(x @ spread))
    return Belief(
        mean=belief.mean + gain * (sign * weight * steep / chosen),
        covariance=belief.covariance - information * np.outer(gain, spread),
    )
