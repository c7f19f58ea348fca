"""Shares of an attribute's options: how far they may go, and the best that may be.

Of all shares within their ranges whose entropy is at least a bound, those of most worth p . m obey
the conditions of Karush, Kuhn and Tucker p = clip(exp((m - nu) / lambda), low, high) (Boyd and
Vandenberghe 2004, section 5.5.3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from sentiment.preference.features import Option

Vector = NDArray[np.float64]

# Widths of the distribution over the spread of the effects: from all on the best to all alike.
LOG_WIDTHS = (log(1e-3), log(1e6))
SUM_TOLERANCE = 1e-9


class BoundsError(ValueError):
    """No shares are within their ranges; ``attribute`` says of what."""

    def __init__(self, attribute: str, reason: str) -> None:
        super().__init__(f"{attribute}: {reason}")
        self.attribute = attribute


@dataclass(frozen=True)
class Bounds:
    """What no proposal breaks.

    A bound that the current parameters break already (a lead set them by hand) is approached at the
    pace of ``max_step``, never jumped to and never broken further.

    Parameters
    ----------
    p_min
        least share of an option; 1 / O at most for an attribute of O options.
    min_entropy
        least Shannon entropy over log O, in [0, 1].
    max_step
        largest total variation distance between the old and new shares of an attribute.
    max_latent, max_latent_step
        how far a direction's strength may be from 0 and from the old one, in standard deviations.
    ranges
        option -> its least and largest share, where they are others: rarity that was promised, or
        0 and 0 for what may not be drawn.
    """

    p_min: float = 0.02
    min_entropy: float = 0.70
    max_step: float = 0.25
    max_latent: float = 2.0
    max_latent_step: float = 0.3
    ranges: Mapping[Option, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        is_well = 0 < self.p_min <= 1 and 0 <= self.min_entropy <= 1 and 0 < self.max_step <= 1
        if not (is_well and 0 <= self.max_latent <= 4 and 0 <= self.max_latent_step <= 8):
            raise ValueError(f"bounds out of range: {self}")
        for (attribute, value), (low, high) in self.ranges.items():
            if not 0 <= low <= high <= 1:
                raise BoundsError(attribute, f"{value} cannot be from {low} to {high}")

    def of(self, attribute: str, options: tuple[str, ...]) -> tuple[Vector, Vector]:
        """Least and largest share [O] of each option; BoundsError where they cannot be met."""
        pairs = [self.ranges.get((attribute, value), (self.p_min, 1.0)) for value in options]
        low, high = np.array(pairs, np.float64).T
        if low.sum() > 1 + SUM_TOLERANCE or high.sum() < 1 - SUM_TOLERANCE:
            raise BoundsError(attribute, f"{len(options)} options cannot share 1 within {pairs}")
        return low, high


def sharpest(effects: Vector, low: Vector, high: Vector, min_entropy: float) -> Vector:
    """The shares [O] of most worth within their ranges, their entropy at least ``min_entropy``.

    Where the ranges leave no shares so even, the most even there are; equal effects have the most
    even shares, too.

    Parameters
    ----------
    effects : [O] in any unit.
    low, high : [O] that some shares keep to.
    min_entropy
        of log O, in [0, 1].
    """
    shares = np.zeros(len(effects))
    free = high > 0
    spread = float(np.ptp(effects[free]))
    scaled = (effects[free] - effects[free].max()) / spread if spread else np.zeros(free.sum())
    least, most = low[free], high[free]

    def at(log_width: float) -> Vector:
        shares[free] = _poured(scaled / np.exp(log_width), least, most)
        return shares.copy()

    def excess(log_width: float) -> float:
        return normalised_entropy(at(log_width)) - min_entropy

    sharp, even = LOG_WIDTHS
    if not spread or excess(even) <= 0:
        return at(even)
    if excess(sharp) >= 0:
        return at(sharp)
    return at(float(brentq(excess, sharp, even, xtol=1e-13)))


def _poured(scores: Vector, low: Vector, high: Vector) -> Vector:
    """clip(exp(score - nu), low, high), with the nu by which the shares sum to 1."""
    floor = np.log(np.maximum(low, 1e-15))

    def shares(nu: float) -> Vector:
        clipped: Vector = np.exp(np.clip(scores - nu, floor, 0.0)).clip(low, high)
        return clipped

    least, most = float((scores - np.log(high)).min()), float((scores - floor).max())
    if shares(least).sum() <= 1:
        found = shares(least)
    elif shares(most).sum() >= 1:
        found = shares(most)
    else:
        found = shares(float(brentq(lambda nu: shares(nu).sum() - 1, least, most, xtol=1e-14)))
    normal: Vector = found / found.sum()
    return normal


def total_variation(p: Vector, q: Vector) -> float:
    return float(np.abs(p - q).sum() / 2)


def normalised_entropy(p: Vector) -> float:
    """Shannon entropy over log O, in [0, 1]; 1 for a single option."""
    if len(p) == 1:
        return 1.0
    inside = p[p > 0]
    return max(0.0, float(-(inside * np.log(inside)).sum() / log(len(p))))
