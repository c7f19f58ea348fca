"""From a belief about taste to a bounded change of the parameters of the next drop.

An attribute's target is the shares of most worth that the bounds allow, a direction's the strength
of most worth. The share of the way that is gone towards them is what the evidence carries, and
step bounds cut it off. Whether anything is proposed at all is decided once, for all of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, ndtr

from generation.traits.parameters import Parameters
from sentiment.control import shares
from sentiment.control.shares import Bounds, normalised_entropy, total_variation
from sentiment.preference.bradley_terry import Belief
from sentiment.preference.features import CURVE, LINEAR, Option, direction_of, is_direction

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

MIN_CONFIDENCE = 0.9
MIN_STEP = 0.02
# What noise alone would exceed once in ten collections moves nothing. All caution together costs
# .0005 +- .0008 of regret, .009 +- .007 with few votes (`benchmark_steering --policies
# without-caution,morphora`, 12 communities).
FALSE_ALARMS = 0.1


@dataclass(frozen=True)
class Caution:
    """When nothing is proposed.

    Parameters
    ----------
    min_confidence
        least probability that the proposal is an improvement.
    min_step
        least total variation distance of the largest step of an attribute; a direction's strength
        counts by its distance in standard deviations.
    false_alarms
        how often noise alone may exceed what counts as a difference, in (0, 1].
    """

    min_confidence: float = MIN_CONFIDENCE
    min_step: float = MIN_STEP
    false_alarms: float = FALSE_ALARMS


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
        probability that this attribute's step by itself raises the expected worth.
    clipped_by
        of ``step``, ``p_min``, ``range`` and ``entropy`` the bounds that shaped the step.
    stopped_by
        ``no_evidence``, ``small_step``, ``low_confidence``, or empty; the same in a whole plan.
    """

    attribute: str
    options: tuple[str, ...]
    old: Vector
    target: Vector
    proposed: Vector
    mean: Vector
    sd: Vector
    evidence: float
    confidence: float
    clipped_by: tuple[str, ...]
    stopped_by: str = ""


@dataclass(frozen=True)
class Move:
    """What becomes of one direction's strength, in standard deviations of the latent along it.

    Parameters
    ----------
    mean, sd : [2] belief about worth = linear x + curve x^2, in log-odds.
    """

    direction: str
    old: float
    target: float
    proposed: float
    mean: Vector
    sd: Vector
    evidence: float
    confidence: float
    clipped_by: tuple[str, ...]
    stopped_by: str = ""


@dataclass(frozen=True)
class Plan:
    """All changes of a proposal, one per attribute and direction.

    Parameters
    ----------
    confidence
        probability that all steps together raise the expected worth of the next works.
    gain, gain_sd
        by how much they are expected to, in log-odds, and the standard deviation of that.
    """

    changes: tuple[Change, ...]
    moves: tuple[Move, ...]
    confidence: float
    gain: float
    gain_sd: float
    stopped_by: str


def propose(
    current: Parameters,
    names: Sequence[Option],
    belief: Belief,
    bounds: Bounds | None = None,
    caution: Caution | None = None,
) -> Plan:
    """A change per attribute of ``current`` in its order, and a move per direction of ``names``.

    Parameters
    ----------
    names : [D] what the coordinates of the belief stand for.

    Raises
    ------
    BoundsError
        No shares are within the bounds.
    """
    bounds, caution = bounds or Bounds(), caution or Caution()
    place = {option: i for i, option in enumerate(names)}
    attributes = [
        [place[attribute, value] for value in values]
        for attribute, values in current.distributions.items()
    ]
    directions = [
        [place[name, LINEAR], place[name, CURVE]]
        for name in dict.fromkeys(name for name, _ in names if is_direction(name))
    ]
    evidence = carried(belief, attributes, directions, caution.false_alarms)
    changes = [
        _change(attribute, values, _part(belief, at), evidence, bounds)
        for (attribute, values), at in zip(current.distributions.items(), attributes, strict=True)
    ]
    moves = [
        _move(current, direction_of(names[at[0]]), _part(belief, at), evidence, bounds)
        for at in directions
    ]
    return _judged(changes, moves, belief, [*attributes, *directions], evidence, caution)


def apply(current: Parameters, plan: Plan) -> Parameters:
    """The parameters after a plan; one that was stopped keeps their very numbers."""
    if plan.stopped_by:
        return current
    distributions = dict(current.distributions)
    for change in plan.changes:
        proposed = dict(zip(change.options, change.proposed.tolist(), strict=True))
        distributions[change.attribute] = {
            value: proposed[value] for value in distributions[change.attribute]
        }
    moved = {move.direction: move.proposed for move in plan.moves}
    directions = {**(current.directions or {}), **moved} if moved else current.directions
    return replace(current, distributions=distributions, directions=directions)


def _part(belief: Belief, at: list[int]) -> tuple[Vector, Matrix]:
    return belief.effects[at], belief.effect_covariance[np.ix_(at, at)]


def _change(
    attribute: str,
    values: Mapping[str, float],
    part: tuple[Vector, Matrix],
    evidence: float,
    bounds: Bounds,
) -> Change:
    mean, covariance = part
    options, old = tuple(values), np.array(list(values.values()))
    low, high = bounds.of(attribute, options)
    target = shares.sharpest(mean, low, high, bounds.min_entropy)
    wanted = old + evidence * (target - old)
    distance = total_variation(old, wanted)
    cut = min(1.0, bounds.max_step / distance) if distance > 0 else 1.0
    proposed = old + cut * (wanted - old)
    proposed /= proposed.sum()
    least = np.array([(attribute, value) not in bounds.ranges for value in options])
    held = (target < low + 1e-9) | (target > high - 1e-9)
    clips = {
        "step": cut < 1,
        "p_min": bool((held & least).any()),
        "range": bool((held & ~least).any()),
        "entropy": normalised_entropy(target) < bounds.min_entropy + 1e-6,
    }
    return Change(
        attribute=attribute,
        options=options,
        old=old,
        target=target,
        proposed=proposed,
        mean=mean,
        sd=np.sqrt(np.diag(covariance)),
        evidence=evidence,
        confidence=improvement(proposed - old, mean, covariance),
        clipped_by=tuple(rule for rule, holds in clips.items() if holds),
    )


def _move(
    current: Parameters,
    direction: str,
    part: tuple[Vector, Matrix],
    evidence: float,
    bounds: Bounds,
) -> Move:
    mean, covariance = part
    old = (current.directions or {}).get(direction, 0.0)
    target = best_strength(mean, bounds.max_latent)
    wanted = evidence * (target - old)
    step = min(max(wanted, -bounds.max_latent_step), bounds.max_latent_step)
    proposed = old + step
    return Move(
        direction=direction,
        old=old,
        target=target,
        proposed=proposed,
        mean=mean,
        sd=np.sqrt(np.diag(covariance)),
        evidence=evidence,
        confidence=improvement(_latent_step(old, proposed), mean, covariance),
        clipped_by=tuple(
            rule
            for rule, holds in {
                "step": abs(wanted) > bounds.max_latent_step,
                "range": abs(target) >= bounds.max_latent,
            }.items()
            if holds
        ),
    )


def best_strength(mean: Vector, most: float) -> float:
    """The strength in [-most, most] of most worth, mean[0] x + mean[1] x^2; 0 for no effect."""
    linear, curve = float(mean[0]), float(mean[1])
    if curve < 0:
        return min(max(-linear / (2 * curve), -most), most)
    if linear == 0 and curve == 0:
        return 0.0
    return most if linear >= 0 else -most


def _latent_step(old: float, new: float) -> Vector:
    """The step in the effects' coordinates: a work's latent is the strength and its own noise."""
    return np.array([new - old, new**2 - old**2])


def _judged(
    changes: list[Change],
    moves: list[Move],
    belief: Belief,
    places: list[list[int]],
    evidence: float,
    caution: Caution,
) -> Plan:
    step = np.zeros(len(belief.effects))
    steps = [change.proposed - change.old for change in changes]
    steps += [_latent_step(move.old, move.proposed) for move in moves]
    for at, one in zip(places, steps, strict=True):
        step[at] = one
    sizes = [total_variation(change.old, change.proposed) for change in changes]
    sizes += [abs(move.proposed - move.old) for move in moves]
    confidence = improvement(step, belief.effects, belief.effect_covariance)
    stopped_by = _stop(evidence, max(sizes, default=0.0), confidence, caution)
    if stopped_by:
        changes = [replace(one, proposed=one.old, stopped_by=stopped_by) for one in changes]
        moves = [replace(one, proposed=one.old, stopped_by=stopped_by) for one in moves]
    spread = float(step @ belief.effect_covariance @ step)
    return Plan(
        changes=tuple(changes),
        moves=tuple(moves),
        confidence=confidence,
        gain=0.0 if stopped_by else float(step @ belief.effects),
        gain_sd=0.0 if stopped_by else sqrt(max(0.0, spread)),
        stopped_by=stopped_by,
    )


def _stop(evidence: float, step: float, confidence: float, caution: Caution) -> str:
    if evidence == 0:
        return "no_evidence"
    if step < caution.min_step:
        return "small_step"
    return "low_confidence" if confidence < caution.min_confidence else ""


def carried(
    belief: Belief,
    attributes: Sequence[list[int]],
    directions: Sequence[list[int]] = (),
    false_alarms: float = FALSE_ALARMS,
) -> float:
    """How far the evidence carries, in [0, 1]: 1 - k V / S, at least 0 (after James and Stein).

    S is the sum of squares of the effects, of options around the mean of their attribute's, V the
    sum of the variances of the same differences, and k the quantile of chi squared over its degrees
    of freedom that noise exceeds with probability ``false_alarms``. No effects, no evidence:
    exactly 0.

    Parameters
    ----------
    attributes, directions
        places of the options of each attribute, and of the two coordinates of each direction.
    """
    spread, noise, n_free = 0.0, 0.0, 0
    for at in [*attributes, *directions]:
        mean, covariance = _part(belief, at)
        n_tied = int(at in attributes)
        centre = np.eye(len(mean)) - n_tied / len(mean)
        spread += float(((centre @ mean) ** 2).sum())
        noise += float(np.trace(centre @ covariance @ centre))
        n_free += len(mean) - n_tied
    if spread == 0 or n_free == 0:
        return 0.0
    exceeded = float(chdtri(n_free, false_alarms)) / n_free
    return max(0.0, 1 - noise * exceeded / spread)


def improvement(step: Vector, mean: Vector, covariance: Matrix) -> float:
    """P(step . theta > 0) for theta ~ N(mean, covariance); one half for no step."""
    variance = float(step @ covariance @ step)
    if variance <= 0:
        return 0.5
    return float(ndtr(float(step @ mean) / sqrt(variance)))
