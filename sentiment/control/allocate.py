"""From a belief about traits to bounded shares of the next drop.

An attribute's target is p = p_min + (1 - O p_min) softmax(m / lambda) over its O options with mean
effects m, as sharp as the diversity bound lets it be. The share of the way that is gone towards it
is what the evidence carries, and a step bound cuts it off.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, ndtr, softmax

from generation.traits.parameters import Parameters
from sentiment.preference.bradley_terry import Belief
from sentiment.preference.features import Option

MIN_CONFIDENCE = 0.9
MIN_STEP = 0.02
# Differences that noise alone would exceed once in ten attributes move nothing. With 60 voters of
# 20 votes who share no taste, this cut the mean step from .138 to .051 (at .05: .032); with a taste
# the gain of benchmarks/steering.py fell from 2.01 to 1.92 (at .05: 1.86; 20 seeds).
FALSE_ALARMS = 0.1
BISECTIONS = 80


@dataclass(frozen=True)
class Bounds:
    """What no proposal breaks.

    A bound that the current shares break already (a lead set them by hand) is approached at the
    pace of ``max_step``, never jumped to and never broken further.

    Parameters
    ----------
    p_min
        least share of an option; 1 / O at most for an attribute of O options.
    min_entropy
        least Shannon entropy over log O, in [0, 1].
    max_step
        largest total variation distance between the old and new shares of an attribute.
    """

    p_min: float = 0.02
    min_entropy: float = 0.70
    max_step: float = 0.25

    def __post_init__(self) -> None:
        if not 0 < self.p_min <= 1 or not 0 <= self.min_entropy <= 1 or not 0 < self.max_step <= 1:
            raise ValueError(f"bounds out of range: {self}")


@dataclass(frozen=True)
class Change:
    """What becomes of one attribute.

    Parameters
    ----------
    old, target, proposed : [O] shares; ``proposed`` is ``old`` where ``stopped_by`` is not empty.
    mean, sd : [O] belief about the options' effects, in log-odds.
    evidence
        share of the way from old to target that the belief carries, in [0, 1].
    confidence
        probability that the step raises the expected worth of the next works.
    clipped_by
        of ``step``, ``p_min`` and ``entropy`` the bounds that shaped the step.
    stopped_by
        ``no_evidence``, ``small_step``, ``low_confidence``, or empty.
    """

    attribute: str
    options: tuple[str, ...]
    old: NDArray[np.float64]
    target: NDArray[np.float64]
    proposed: NDArray[np.float64]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    evidence: float
    confidence: float
    clipped_by: tuple[str, ...]
    stopped_by: str


def propose(
    current: Parameters, names: list[Option], belief: Belief, bounds: Bounds | None = None
) -> list[Change]:
    """One change per attribute of ``current``, in its order.

    Parameters
    ----------
    names : [D] what the coordinates of the belief stand for.
    """
    place = {option: i for i, option in enumerate(names)}
    changes = []
    for attribute, shares in current.distributions.items():
        at = [place[attribute, value] for value in shares]
        changes.append(
            _change(
                attribute,
                shares,
                belief.effects[at],
                belief.effect_covariance[np.ix_(at, at)],
                bounds or Bounds(),
            )
        )
    return changes


def apply(current: Parameters, changes: list[Change]) -> Parameters:
    """The parameters after the changes; an attribute that was stopped keeps its very numbers."""
    distributions = dict(current.distributions)
    for change in changes:
        if not change.stopped_by:
            shares = zip(change.options, change.proposed.tolist(), strict=True)
            distributions[change.attribute] = dict(shares)
    return replace(current, distributions=distributions)


def _change(
    attribute: str,
    shares: Mapping[str, float],
    mean: NDArray[np.float64],
    covariance: NDArray[np.float64],
    bounds: Bounds,
) -> Change:
    old = np.array(list(shares.values()))
    target = sharpest(mean, bounds)
    evidence = carried(mean, covariance)
    wanted = old + evidence * (target - old)
    distance = total_variation(old, wanted)
    cut = min(1.0, bounds.max_step / distance) if distance > 0 else 1.0
    proposed = old + cut * (wanted - old)
    proposed /= proposed.sum()
    confidence = improvement(proposed - old, mean, covariance)
    clips = {
        "step": cut < 1,
        "p_min": bool((target < bounds.p_min + 1e-9).any()),
        "entropy": normalised_entropy(target) < bounds.min_entropy + 1e-6,
    }
    if evidence == 0:
        stopped_by = "no_evidence"
    elif total_variation(old, proposed) < MIN_STEP:
        stopped_by = "small_step"
    else:
        stopped_by = "low_confidence" if confidence < MIN_CONFIDENCE else ""
    return Change(
        attribute=attribute,
        options=tuple(shares),
        old=old,
        target=target,
        proposed=old if stopped_by else proposed,
        mean=mean,
        sd=np.sqrt(np.diag(covariance)),
        evidence=evidence,
        confidence=confidence,
        clipped_by=tuple(rule for rule, holds in clips.items() if holds),
        stopped_by=stopped_by,
    )


def sharpest(mean: NDArray[np.float64], bounds: Bounds) -> NDArray[np.float64]:
    """Shares [O] that follow the effects as closely as p_min and the entropy bound allow.

    lambda is bisected on a logarithmic scale: the entropy rises with it, from that of all mass on
    the best option to that of equal shares.
    """
    n = len(mean)
    if n * bounds.p_min > 1:
        raise ValueError(f"{n} options cannot have a share of {bounds.p_min} each")
    spread = float(np.ptp(mean))
    if spread == 0:
        return np.full(n, 1 / n)
    scaled = (mean - mean.max()) / spread
    low, high = log(1e-3), log(1e6)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        sharp_enough = normalised_entropy(_floored(scaled, middle, bounds)) >= bounds.min_entropy
        low, high = (low, middle) if sharp_enough else (middle, high)
    return _floored(scaled, high, bounds)


def _floored(scaled: NDArray[np.float64], log_lambda: float, bounds: Bounds) -> NDArray[np.float64]:
    free = 1 - len(scaled) * bounds.p_min
    shares = bounds.p_min + free * softmax(scaled / np.exp(log_lambda))
    normal: NDArray[np.float64] = shares / shares.sum()
    return normal


def carried(mean: NDArray[np.float64], covariance: NDArray[np.float64]) -> float:
    """How far the evidence carries, in [0, 1]: 1 - k V / S, at least 0 (after James and Stein).

    S is the sum of squares of the effects around their mean, V the sum of the variances of the same
    differences, and k the quantile of chi squared over its degrees of freedom, O - 1, that noise
    exceeds with probability FALSE_ALARMS. No effects, no evidence: exactly 0.
    """
    n = len(mean)
    centre = np.eye(n) - 1 / n
    spread = float(((centre @ mean) ** 2).sum())
    if n == 1 or spread == 0:
        return 0.0
    noise = float(np.trace(centre @ covariance @ centre)) * chdtri(n - 1, FALSE_ALARMS) / (n - 1)
    return max(0.0, 1 - float(noise) / spread)


def improvement(
    step: NDArray[np.float64], mean: NDArray[np.float64], covariance: NDArray[np.float64]
) -> float:
    """P(step . theta > 0) for theta ~ N(mean, covariance); one half for no step."""
    variance = float(step @ covariance @ step)
    if variance <= 0:
        return 0.5
    return float(ndtr(float(step @ mean) / sqrt(variance)))


def total_variation(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    return float(np.abs(p - q).sum() / 2)


def normalised_entropy(p: NDArray[np.float64]) -> float:
    """Shannon entropy over log O, in [0, 1]; 1 for a single option."""
    if len(p) == 1:
        return 1.0
    inside = p[p > 0]
    return float(-(inside * np.log(inside)).sum() / log(len(p)))
