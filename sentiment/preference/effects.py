"""A belief in words of the works: what each value adds, around the mean of its attribute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sentiment.preference.bradley_terry import Belief
from sentiment.preference.features import Option

NORMAL_95 = 1.959963984540054
Distributions = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Effects:
    """What the values of attributes add to a work's worth, in log-odds.

    Parameters
    ----------
    names : [D] attribute and value of each.
    mean, sd : [D] around the mean of the attribute's values, all of which count alike.
    """

    names: list[Option]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]

    @property
    def low(self) -> NDArray[np.float64]:
        """Lower end [D] of the 95 % interval."""
        return self.mean - NORMAL_95 * self.sd

    @property
    def high(self) -> NDArray[np.float64]:
        """Upper end [D] of the 95 % interval."""
        return self.mean + NORMAL_95 * self.sd


@dataclass(frozen=True)
class Moved:
    """A value that one voter's choices and a change of parameters both speak of.

    ``chosen`` and ``passed``: votes in which only one of the two works had the value and it was
    preferred, or was not. ``old`` and ``new`` are its shares of the works.
    """

    attribute: str
    value: str
    chosen: int
    passed: int
    old: float
    new: float


def centred(belief: Belief, names: Sequence[Option]) -> Effects:
    """The effects less the mean of their attribute: only differences within one can be judged.

    Each of two works shows a value of every attribute, so a constant added to all effects of an
    attribute changes no comparison; the prior alone would decide it.

    Parameters
    ----------
    names : [D] what the coordinates of the belief stand for.
    """
    if len(names) != len(belief.effects):
        raise ValueError(f"{len(names)} names for {len(belief.effects)} effects")
    attributes = np.array([attribute for attribute, _ in names])
    same = (attributes[:, None] == attributes[None, :]).astype(np.float64)
    centre = np.eye(len(names)) - same / same.sum(1, keepdims=True)
    spread = ((centre @ belief.effect_covariance) * centre).sum(1)
    return Effects(list(names), centre @ belief.effects, np.sqrt(spread.clip(0)))


def preferred(effects: NDArray[np.float64]) -> NDArray[np.float64]:
    """How often [D] an attentive voter takes a work with an effect over one with the average value.

    The logistic function of the log-odds (Bradley and Terry 1952), all else being equal.
    """
    chance: NDArray[np.float64] = expit(effects)
    return chance


def moved_most(
    choices: Sequence[tuple[Mapping[str, str], Mapping[str, str]]],
    old: Distributions,
    new: Distributions,
) -> Moved | None:
    """Of all values the one whose share moved most in the direction in which one voter chose.

    None where nothing moved that way; of equal moves the first in the order of ``old``.

    Parameters
    ----------
    choices
        the traits of the preferred and of the other work of each vote.
    """
    found: Moved | None = None
    for attribute, shares in old.items():
        pairs = [(won.get(attribute), lost.get(attribute)) for won, lost in choices]
        differing = [pair for pair in pairs if pair[0] != pair[1]]
        for value, share in shares.items():
            chosen = sum(won == value for won, _ in differing)
            passed = sum(lost == value for _, lost in differing)
            now = new.get(attribute, {}).get(value, 0.0)
            is_along = (now - share) * (chosen - passed) > 0
            if is_along and (found is None or abs(now - share) > abs(found.new - found.old)):
                found = Moved(attribute, value, chosen, passed, share, now)
    return found
