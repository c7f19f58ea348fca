"""What parameters that somebody has in mind are expected to do, and which bounds they break."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from generation.traits.parameters import Parameters
from sentiment.control.allocate import improvement
from sentiment.control.shares import Bounds, normalised_entropy, total_variation
from sentiment.preference.bradley_terry import Belief
from sentiment.preference.features import CURVE, Option, direction_of, is_direction

# Percentages are typed with one decimal.
SLACK = 5e-4


@dataclass(frozen=True)
class Forecast:
    """The expected effect of a step on the worth of a work, in log-odds.

    Parameters
    ----------
    confidence
        probability that it is an improvement; one half where nothing changes.
    broken
        the bounds that are broken, in words.
    """

    gain: float
    gain_sd: float
    confidence: float
    broken: tuple[str, ...]


def forecast(
    current: Parameters,
    wanted: Parameters,
    names: Sequence[Option],
    belief: Belief,
    bounds: Bounds,
) -> Forecast:
    """What ``wanted`` in place of ``current`` is expected to do.

    Parameters
    ----------
    names : [D] what the coordinates of the belief stand for.

    Raises
    ------
    ValueError
        The two have not the same attributes and values.
    """
    step = _coordinates(wanted, names) - _coordinates(current, names)
    spread = float(step @ belief.effect_covariance @ step)
    return Forecast(
        gain=float(step @ belief.effects),
        gain_sd=sqrt(max(0.0, spread)),
        confidence=improvement(step, belief.effects, belief.effect_covariance),
        broken=tuple(broken(current, wanted, bounds)),
    )


def broken(current: Parameters, wanted: Parameters, bounds: Bounds) -> Iterator[str]:
    """The bounds that ``wanted`` breaks, in words; of those broken already what gets worse."""
    for attribute, shares in wanted.distributions.items():
        options = tuple(shares)
        old = np.array([current.distributions[attribute][value] for value in options])
        new = np.array([shares[value] for value in options])
        yield from _broken_shares(attribute, options, old, new, bounds)
    before = current.directions or {}
    for name, strength in (wanted.directions or {}).items():
        old_strength = before.get(name, 0.0)
        if abs(strength) > max(bounds.max_latent, abs(old_strength)) + SLACK:
            yield f"{name}: {strength:.2f} is beyond {bounds.max_latent:.2f} sd"
        if abs(strength - old_strength) > bounds.max_latent_step + SLACK:
            yield f"{name}: moves by more than {bounds.max_latent_step:.2f} sd"


def _broken_shares(
    attribute: str,
    options: tuple[str, ...],
    old: NDArray[np.float64],
    new: NDArray[np.float64],
    bounds: Bounds,
) -> Iterator[str]:
    low, high = bounds.of(attribute, options)
    for value, share, before, least, most in zip(options, new, old, low, high, strict=True):
        if share < min(least, before) - SLACK:
            yield f"{attribute}: {value} is below {least:.1%}"
        if share > max(most, before) + SLACK:
            yield f"{attribute}: {value} is above {most:.1%}"
    if normalised_entropy(new) < min(bounds.min_entropy, normalised_entropy(old)) - SLACK:
        found = normalised_entropy(new)
        yield f"{attribute}: evenness {found:.2f} is below {bounds.min_entropy:.2f}"
    if total_variation(old, new) > bounds.max_step + SLACK:
        found = total_variation(old, new)
        yield f"{attribute}: {found:.1%} of works change, {bounds.max_step:.1%} may"


def _coordinates(parameters: Parameters, names: Sequence[Option]) -> NDArray[np.float64]:
    """Expected features [D] of a work, up to what no step changes."""
    found = np.zeros(len(names))
    for place, (attribute, value) in enumerate(names):
        if is_direction(attribute):
            strength = (parameters.directions or {}).get(direction_of((attribute, value)), 0.0)
            found[place] = strength**2 if value == CURVE else strength
        else:
            try:
                found[place] = parameters.distributions[attribute][value]
            except KeyError as error:
                raise ValueError(f"{attribute} has no {value}") from error
    return found
