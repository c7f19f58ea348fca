"""Sales as numbers, and how far each price is believed.

A price is explained by its period, rarity and traits; errors are judged by Tukey's biweight (Beaton
and Tukey 1974), so that junk prices, which every market has, weigh nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

# 95 % efficient where errors are normal (Huber 1981; Holland and Welsch 1977).
TUKEY = 4.685
HUBER = 1.345
# The median absolute deviation of a normal distribution is this part of its standard deviation.
MAD = 0.6744897501960817
MAX_STEPS = 500
# A median jumps from one error to the next, so the scale is held before the rest can come to rest.
SCALE_STEPS = 25
# No market prices traits more exactly than to a twentieth; few sales and many traits seem to.
MIN_SCALE = 0.05
# In scales of the errors; far below what a price can say.
AT_REST = 1e-6
# Widths of the normal prior on what traits add to a log price: from nothing to twentyfold.
EFFECT_SDS = np.geomspace(0.01, 3.0, 24)

# Without traits, prices beyond this many scales are junk: no trait is worth e to the 6 scales.
JUNK = 6.0

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Loss = Callable[[Vector], Vector]


class FitError(Exception):
    """The weights did not come to rest; the last of ``steps`` moved a residual by ``moved``."""

    def __init__(self, steps: int, moved: float) -> None:
        super().__init__(f"no rest after {steps} steps, last moved by {moved:.3g}")
        self.steps = steps
        self.moved = moved


@dataclass(frozen=True)
class Judging:
    """How errors are judged, in scales of the errors but for ``min_scale``, in log price."""

    tukey: float = TUKEY
    huber: float = HUBER
    junk: float = JUNK
    min_scale: float = MIN_SCALE

    def by_huber(self, ratio: Vector) -> Vector:
        weights: Vector = self.huber / np.maximum(np.abs(ratio), self.huber)
        return weights

    def by_tukey(self, ratio: Vector) -> Vector:
        weights: Vector = (1 - (ratio / self.tukey) ** 2).clip(0) ** 2
        return weights


@dataclass(frozen=True)
class Prices:
    """Sales as numbers.

    Parameters
    ----------
    features : [N, D] one row per sold work.
    log_price : [N] natural logarithm of the price.
    rarity : [N] - sum of log frequencies of the work's traits, in nats; all 0 switches it off.
    periods : [N] number of the period of the sale.
    weights : [N] at least 0; a sale of weight 0 counts for nothing.
    """

    features: Matrix
    log_price: Vector
    rarity: Vector
    periods: NDArray[np.int64]
    weights: Vector

    def __post_init__(self) -> None:
        n_sales = len(self.log_price)
        columns = (self.log_price, self.rarity, self.periods, self.weights)
        if any(column.shape != (n_sales,) for column in columns):
            raise ValueError("sales differ in length")
        if self.features.ndim != 2 or len(self.features) != n_sales:
            raise ValueError("features are not a matrix with a row per sale")
        if not all(np.isfinite(column).all() for column in (self.features, *columns)):
            raise ValueError("a sale is not finite")
        if (self.weights < 0).any():
            raise ValueError("a weight is negative")


@dataclass(frozen=True)
class Judged:
    """Sales after their errors have been judged; all that follows needs no more than this.

    Parameters
    ----------
    weights : [N] the sale's own weight times Tukey's, which is 0 for an outlier.
    scale
        s such that a sale's information is weight / s^2 (``_information_scale``), widened for the
        degrees of freedom that the traits, periods and rarity take.
    evidence, shift : [D, D], [D] information about the price effects of the features, and
        information times estimate, with period effects and rarity projected out.
    nuisance, cross, nuisance_shift
        information about rarity and periods [Z, Z], theirs with the features [Z, D], and [Z].
    counts : [D] sales that show each feature and weigh something.
    """

    weights: Vector
    scale: float
    evidence: Matrix
    shift: Vector
    nuisance: Matrix
    cross: Matrix
    nuisance_shift: Vector
    counts: NDArray[np.int64]

    def nuisance_effects(self, effects: Vector, covariance: Matrix) -> tuple[Vector, Matrix]:
        """Rarity's and the periods' part of a log price [Z], with its covariance [Z, Z].

        Given the features' effects. What is not identified gets the least norm and no variance.
        """
        inverse = np.linalg.pinv(self.nuisance, hermitian=True)
        onto = inverse @ self.cross
        mean = inverse @ self.nuisance_shift - onto @ effects
        return mean, inverse + onto @ covariance @ onto.T

    def rarity_effect(self, effects: Vector, covariance: Matrix) -> tuple[float, float]:
        """Rho and its standard deviation, given the features' effects."""
        mean, spread = self.nuisance_effects(effects, covariance)
        return float(mean[0]), sqrt(max(0.0, float(spread[0, 0])))


def without_rarity(sales: Prices) -> Prices:
    """The sales with the control for rarity switched off, to see what it is for."""
    return replace(sales, rarity=np.zeros_like(sales.rarity))


def rarity(frequencies: Matrix) -> Vector:
    """R [N] = - sum of log frequencies [N, attributes] of what each work shows, in nats."""
    if not ((frequencies > 0) & (frequencies <= 1)).all():
        raise ValueError("a frequency is not in (0, 1]")
    summed: Vector = -np.log(frequencies).sum(1)
    return summed


def judge(sales: Prices, judging: Judging | None = None) -> Judged | None:
    """The sales with their errors weighed; None where there are too few to tell errors by.

    Raises
    ------
    FitError
        The weights did not come to rest.
    """
    own, by = sales.weights, judging or Judging()
    if np.count_nonzero(own) < 3:
        return None
    nuisance = _nuisance(sales)
    design = np.column_stack([nuisance, sales.features])
    price = sales.log_price - np.average(sales.log_price, weights=own)
    if n_effective(own) < nuisance.shape[1] + 2:
        return None
    first = _rest(nuisance, price, own, np.zeros(nuisance.shape[1]), by, [by.by_huber])
    # What traits explain may look like errors at first: only what nothing explains is left out.
    plain = own * (np.abs(first.residual) < by.junk * first.scale)
    if not plain.any():
        return None
    sd = _effect_sd(sales.features, nuisance, price, plain, first.scale)
    ridge = np.append(np.zeros(nuisance.shape[1]), np.full(sales.features.shape[1], sd**-2))
    found = _rest(design, price, own, ridge, by, [by.by_huber, by.by_tukey])
    weights, scale = found.weights, _information_scale(found, own, by)
    gram = design.T * (weights / scale**2) @ np.column_stack([design, price])
    n = nuisance.shape[1]
    onto = np.linalg.pinv(gram[:n, :n], hermitian=True) @ gram[:n, n:]
    beside = gram[n:, n:] - gram[n:, :n] @ onto
    return Judged(
        weights=weights,
        scale=scale,
        evidence=(beside[:, :-1] + beside[:, :-1].T) / 2,
        shift=beside[:, -1],
        nuisance=gram[:n, :n],
        cross=gram[:n, n:-1],
        nuisance_shift=gram[:n, -1],
        counts=(sales.features[weights > 0] != 0).sum(0),
    )


def _nuisance(sales: Prices) -> Matrix:
    """What has nothing to do with taste [N, 1 + periods]: rarity, and the period of the sale.

    Rarity is taken around its mean: its level is the period effects' part.
    """
    _, period = np.unique(sales.periods, return_inverse=True)
    centred = sales.rarity - np.average(sales.rarity, weights=sales.weights)
    return np.column_stack([centred, np.eye(int(period.max()) + 1)[period]])


def n_effective(weights: Vector) -> float:
    """Equally weighted sales that would say as much (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def log_likelihood(evidence: Matrix, shift: Vector, mean: Vector, prior: Matrix) -> float:
    """Of the prices, where the features' effects are N(mean, prior), but for a constant.

    Restricted to what period effects and rarity leave open (Patterson and Thompson 1971).

    Parameters
    ----------
    evidence, shift : [D, D], [D] as in ``Judged``.
    """
    product = np.eye(len(prior)) + evidence @ prior
    rest = shift - evidence @ mean
    fit = mean @ shift - mean @ evidence @ mean / 2
    pooled = rest @ prior @ np.linalg.solve(product, rest) / 2
    return float(fit + pooled - np.linalg.slogdet(product)[1] / 2)


def _effect_sd(
    features: Matrix, nuisance: Matrix, price: Vector, weights: Vector, whole: float
) -> float:
    """The width of the traits' effects that makes the prices most likely.

    The scale of the errors is open too: of ``whole``, the scale without traits, it is what they
    leave. Widths are tried as multiples of it.
    """
    root = np.sqrt(weights)[:, None]
    beside = root * np.column_stack([features, price])
    within = root * nuisance
    rest = beside - within @ np.linalg.lstsq(within, beside, rcond=None)[0]
    roots, axes = np.linalg.eigh(rest[:, :-1].T @ rest[:, :-1])
    along = axes.T @ (rest[:, :-1].T @ rest[:, -1])
    total, n_free = (
        float(rest[:, -1] @ rest[:, -1]),
        max(1.0, n_effective(weights) - nuisance.shape[1]),
    )
    ratios = (EFFECT_SDS[:, None] / whole) ** 2
    grown = 1 + ratios * roots.clip(0)
    left = (total - (ratios * along**2 / grown).sum(1)).clip(1e-18)
    likelihood = -n_free * np.log(left) - np.log(grown).sum(1)
    best = int(likelihood.argmax())
    return float(EFFECT_SDS[best] / whole * sqrt(float(left[best]) / n_free))


@dataclass(frozen=True)
class _Rest:
    """Where the weights came to rest; ``room`` is sqrt(n / (n - degrees of freedom used))."""

    weights: Vector
    residual: Vector
    scale: float
    room: float


def _rest(
    design: Matrix,
    price: Vector,
    own: Vector,
    ridge: Vector,
    judging: Judging,
    losses: Sequence[Loss],
) -> _Rest:
    """A regression under Huber's loss first, which has one minimum, then Tukey's from there.

    Parameters
    ----------
    ridge : [P] precision of the normal prior on each coefficient.
    """
    residual: Vector = price
    n_sales = n_effective(own)
    scale, room, judged = 1.0, 1.0, own
    ridge = ridge + 1e-6  # periods and rarity may be collinear
    for stage, loss in enumerate(losses):
        moved, steps = inf, 0
        while moved > AT_REST * scale and steps < MAX_STEPS:
            steps += 1
            if stage == 0 and steps <= SCALE_STEPS:
                scale = max(_mad(residual, own) * room, judging.min_scale)
            judged = own * loss(residual / scale)
            weighted = design.T * judged
            gram = weighted @ design
            factor = cho_factor(gram + np.diag(ridge * scale**2))
            if steps <= SCALE_STEPS:
                used = min(float(np.trace(cho_solve(factor, gram))), n_sales - 1)
                room = sqrt(n_sales / (n_sales - used))
            before, residual = residual, price - design @ cho_solve(factor, weighted @ price)
            moved = float(np.abs(residual - before).max())
        if moved > 1e-2 * scale:
            raise FitError(steps, moved)
    return _Rest(judged, residual, scale, room)


def _mad(residual: Vector, weights: Vector) -> float:
    """The weighted median absolute residual, as a standard deviation."""
    size = np.abs(residual)
    order = np.argsort(size, kind="stable")
    below = np.cumsum(weights[order])
    return float(size[order][np.searchsorted(below, below[-1] / 2)] / MAD)


def _information_scale(found: _Rest, own: Vector, judging: Judging) -> float:
    """S with mean(w) / s^2 = (E psi')^2 / E psi^2, for psi(r) = r w(r) (Huber 1981, 7.6).

    Weighting by Tukey's w and then trusting the weighted variance would claim a sixth too much.
    """
    part = (found.residual / (judging.tukey * found.scale)) ** 2
    weights = (1 - part).clip(0) ** 2
    slope = np.where(part < 1, (1 - part) * (1 - 5 * part), 0)
    psi_squared = np.average((found.residual * weights) ** 2, weights=own)
    steepness = np.average(slope, weights=own)
    plain = np.sqrt(np.average(weights, weights=own) * psi_squared) / steepness
    return max(float(plain * found.room), judging.min_scale)
