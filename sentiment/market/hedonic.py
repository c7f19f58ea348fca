"""What prices say about traits, once the time of a sale and rarity are accounted for.

log price = period effect + rho r + (kappa theta + eta) . x + e, with theta the taste that the votes
measure, kappa what a unit of it is worth, eta what the market alone pays for, and r = - sum log
frequency of a work's traits (hedonic prices: Rosen 1974). Without period effects a rising market
looks like taste; without r buyers of rare traits look like friends of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from sentiment.market.prices import EFFECT_SDS, Judged, Matrix, Vector, log_likelihood
from sentiment.preference.bradley_terry import Belief

MAX_STEPS = 200
WIDTH_ROUNDS = 10
NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class Calibration:
    """What the votes' unit is worth in the market.

    Parameters
    ----------
    kappa, kappa_sd
        log price per log-odds of taste.
    own_sd
        tau, the standard deviation of eta: what the market pays for that voters do not ask for.
    rho, rho_sd
        log price per nat of rarity.
    reliability
        in [0, 1]: max(0, 1 - (kappa_sd / kappa)^2), and 0 where kappa is not positive.
        reliability kappa^2 is an unbiased estimate of kappa^2 where it is not cut off.
    """

    kappa: float
    kappa_sd: float
    own_sd: float
    rho: float
    rho_sd: float
    reliability: float


@dataclass(frozen=True)
class Information:
    """What sales add to a belief about theta: precision [D, D] and precision times mean [D]."""

    precision: Matrix
    shift: Vector


@dataclass(frozen=True)
class Premiums:
    """What each option adds to the log price, at equal rarity and time.

    Parameters
    ----------
    effects : [D] log price, whatever the mean of the attribute.
    mean, sd : [D] log price, around the mean of the attribute's options.
    n_sales : [D] sales that show the option and weigh something.
    rho, rho_sd
        log price per nat of rarity.
    """

    effects: Vector
    mean: Vector
    sd: Vector
    n_sales: NDArray[np.int64]
    rho: float
    rho_sd: float

    @property
    def low(self) -> Vector:
        """Lower end [D] of the 95 % interval."""
        return self.mean - NORMAL_95 * self.sd

    @property
    def high(self) -> Vector:
        """Upper end [D] of the 95 % interval."""
        return self.mean + NORMAL_95 * self.sd


@dataclass(frozen=True)
class PriceIndex:
    """Prices of a work of the same traits and rarity over time, as logarithms.

    Parameters
    ----------
    change, sd : [P] log price in each period less that in the base period; 0 and 0 for that one.
    """

    change: Vector
    sd: Vector

    @property
    def low(self) -> Vector:
        """Lower end [P] of the 95 % interval."""
        return self.change - NORMAL_95 * self.sd

    @property
    def high(self) -> Vector:
        """Upper end [P] of the 95 % interval."""
        return self.change + NORMAL_95 * self.sd


def calibrate(sales: Judged, belief: Belief) -> Calibration | None:
    """Kappa and rho against the votes' belief N(m, S); None where either says nothing of the other.

    Given the votes, theta = m + d with d ~ N(0, S) independent of m, so the error of m does not
    bias kappa. The price effects of traits are then normal with mean kappa m and covariance
    K = kappa^2 S + tau^2 I: kappa is generalised least squares, iterated because K depends on it;
    tau maximises the likelihood (restricted: Patterson and Thompson 1971).
    """
    if not np.any(belief.effects):
        return None
    fits = [_fit_kappa(sales, belief, own_sd) for own_sd in (0.0, *EFFECT_SDS.tolist())]
    kappa, own_sd, _ = max(fits, key=lambda fit: fit[2])
    prior = kappa**2 * belief.effect_covariance + own_sd**2 * np.eye(len(belief.effects))
    gain = _gain(sales, prior)
    about = float(belief.effects @ (sales.evidence - gain @ sales.evidence) @ belief.effects)
    if about <= 0:
        return None
    sd = about**-0.5
    mean = kappa * belief.effects
    covariance = prior @ np.linalg.inv(np.eye(len(prior)) + sales.evidence @ prior)
    effects = mean + covariance @ (sales.shift - sales.evidence @ mean)
    rho, rho_sd = sales.rarity_effect(effects, covariance)
    return Calibration(
        kappa=kappa,
        kappa_sd=sd,
        own_sd=own_sd,
        rho=rho,
        rho_sd=rho_sd,
        reliability=max(0.0, 1 - (sd / kappa) ** 2) if kappa > 0 else 0.0,
    )


def information(sales: Judged, found: Calibration) -> Information:
    """What the sales say about theta: rel kappa^2 Q and rel kappa q.

    Q = M - M (M + I / tau^2)^-1 M, with M = A'WA / s^2 and A the features after period effects and
    rarity have been projected out: what those, or a taste of the market's own, could explain as
    well is no evidence about the voters' taste. Without such a taste Q is M. In the same way q
    belongs to A'Wt / s^2.
    """
    gain = _gain(sales, found.own_sd**2 * np.eye(len(sales.shift)))
    precision = sales.evidence - gain @ sales.evidence
    return Information(
        precision=found.reliability * found.kappa**2 * (precision + precision.T) / 2,
        shift=found.reliability * found.kappa * (sales.shift - gain @ sales.shift),
    )


def fuse(belief: Belief, added: Information) -> Belief:
    """The belief after the sales; without information it is the very same one."""
    if not np.any(added.precision):
        return belief
    precision = np.linalg.inv(belief.covariance).astype(np.float64)
    shift = precision @ belief.mean
    precision[:-1, :-1] += added.precision
    shift[:-1] += added.shift
    covariance = np.linalg.inv(precision)
    return Belief(covariance @ shift, (covariance + covariance.T) / 2)


def premiums(sales: Judged, attributes: Sequence[str]) -> Premiums:
    """What options are paid for, votes or no votes.

    The effects of each attribute have a normal prior; all widths together maximise the restricted
    likelihood, one after the other, so that an attribute nobody pays for does not hide another.

    Parameters
    ----------
    attributes : [D] which attribute each feature is an option of.
    """
    effects, covariance = _paid(sales, attributes)
    rho, rho_sd = sales.rarity_effect(effects, covariance)
    centre = _centring(attributes)
    spread: Vector = np.diag(centre @ covariance @ centre.T)
    return Premiums(
        effects=effects,
        mean=centre @ effects,
        sd=np.sqrt(spread.clip(0)),
        n_sales=sales.counts,
        rho=rho,
        rho_sd=rho_sd,
    )


def price_index(sales: Judged, attributes: Sequence[str], base: int) -> PriceIndex | None:
    """How prices moved from period to period, traits and rarity being equal.

    The period effects of the regression that the premiums are of (time dummies: Court 1939;
    Griliches 1961). None where a period has no sale that weighs something, or where its prices
    could as well be those of rarity.

    Parameters
    ----------
    attributes : [D] which attribute each feature is an option of.
    base
        number of the period that the others are compared with.
    """
    n = len(sales.nuisance)
    if np.linalg.matrix_rank(sales.nuisance, hermitian=True) < n - (sales.nuisance[0, 0] == 0):
        return None
    mean, spread = sales.nuisance_effects(*_paid(sales, attributes))
    periods, covariance = mean[1:], spread[1:, 1:]
    own = np.diag(covariance)
    variance = own + own[base] - 2 * covariance[base]
    return PriceIndex(periods - periods[base], np.sqrt(variance.clip(0)))


def _paid(sales: Judged, attributes: Sequence[str]) -> tuple[Vector, Matrix]:
    """What options add to the log price [D], with its covariance [D, D], votes or no votes."""
    precision = sales.evidence + np.diag(1 / _attribute_variances(sales, attributes))
    covariance = np.linalg.inv(precision).astype(np.float64)
    return covariance @ sales.shift, covariance


def _attribute_variances(sales: Judged, attributes: Sequence[str]) -> Vector:
    """Prior variance [D] of each feature's effect, the same within an attribute."""
    nothing, names = np.zeros(len(sales.shift)), np.array(attributes)
    variances = np.full(len(names), float(np.median(EFFECT_SDS)) ** 2)
    for _ in range(WIDTH_ROUNDS):
        before = variances.copy()
        for name in dict.fromkeys(attributes):
            tries = [np.where(names == name, sd**2, variances) for sd in EFFECT_SDS.tolist()]
            variances = max(
                tries,
                key=lambda tried: log_likelihood(
                    sales.evidence, sales.shift, nothing, np.diag(tried)
                ),
            )
        if (variances == before).all():
            break
    return variances


def _fit_kappa(sales: Judged, belief: Belief, own_sd: float) -> tuple[float, float, float]:
    """Kappa for one tau, tau, and the log likelihood of the two."""
    own: Matrix = own_sd**2 * np.eye(len(belief.effects))
    kappa = 0.0
    prior = own
    for _ in range(MAX_STEPS):
        gain = _gain(sales, prior)
        about = belief.effects @ (sales.evidence - gain @ sales.evidence) @ belief.effects
        if about <= 0:
            return 0.0, own_sd, -inf
        before = kappa
        kappa = max(0.0, float(belief.effects @ (sales.shift - gain @ sales.shift) / about))
        prior = own + kappa**2 * belief.effect_covariance
        if abs(kappa - before) <= 1e-9 * kappa:
            break
    return kappa, own_sd, log_likelihood(sales.evidence, sales.shift, kappa * belief.effects, prior)


def _gain(sales: Judged, prior: Matrix) -> Matrix:
    """M K (I + M K)^-1, which is M (M + K^-1)^-1 for every K, singular ones included."""
    product = sales.evidence @ prior
    system = np.eye(len(prior)) + product
    solved: Matrix = np.linalg.solve(system.T, product.T).astype(np.float64).T
    return solved


def _centring(attributes: Sequence[str]) -> Matrix:
    """The matrix [D, D] that takes from each option the mean of its attribute's options."""
    names = np.array(attributes)
    same = names[:, None] == names[None, :]
    centring: Matrix = np.eye(len(names)) - same.astype(np.float64) / same.sum(1, keepdims=True)
    return centring
