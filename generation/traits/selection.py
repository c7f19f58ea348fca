"""Which of several pictures of a place becomes its work: mostly the one that is liked best.

All candidates of a place are asked to show the same, so that what a drop's works show stays as its
parameters have it; what differs is the latent. At some places, chosen by lot, the first candidate
is taken whatever it is worth: a wrong taste gets to see what it would have left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

MAX_CANDIDATES = 8
CHANCE = 0.2  # of the places are decided by lot
# An exposure beyond a factor of two is cut: a few votes must not outweigh all others (truncated
# importance weights: Ionides 2008).
MAX_EXPOSURE = 2.0
DECIMALS = 9


@dataclass(frozen=True)
class Taste:
    """What works are worth to those who voted, in log-odds.

    Parameters
    ----------
    effects
        attribute -> value -> worth.
    directions
        direction -> (linear, curve): x standard deviations along it are worth linear x + curve x^2.
    """

    effects: Mapping[str, Mapping[str, float]]
    directions: Mapping[str, tuple[float, float]]

    def worth(self, traits: Mapping[str, str], latents: Mapping[str, float]) -> float:
        """Of one work; a value or a direction that nobody knows is worth nothing."""
        shown = sum(known.get(traits.get(name, ""), 0.0) for name, known in self.effects.items())
        moved = sum(
            linear * latents.get(name, 0.0) + curve * latents.get(name, 0.0) ** 2
            for name, (linear, curve) in self.directions.items()
        )
        return round(float(shown + moved), DECIMALS)

    def to_json(self) -> dict[str, Any]:
        return {
            "effects": {name: dict(known) for name, known in self.effects.items()},
            "directions": {name: list(pair) for name, pair in self.directions.items()},
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """KeyError, TypeError or ValueError for another body."""
        return cls(
            {
                name: {value: float(worth) for value, worth in known.items()}
                for name, known in body["effects"].items()
            },
            {name: (float(a), float(b)) for name, (a, b) in body["directions"].items()},
        )


def pick(worths: Sequence[float], is_lot: bool) -> int:
    """Which candidate is taken: by lot the first one, else the best, the first of equals.

    Raises ValueError without a candidate.
    """
    if not worths:
        raise ValueError("no candidate")
    return 0 if is_lot else int(np.argmax(worths))


def exposure(worths: Sequence[float], picked: int, chance: float = CHANCE) -> float:
    """How much less likely a pick like this was than among works that nobody selects; [0.5, 2].

    The chance of a candidate is ``chance / n``, for the best ones also their part of the rest; what
    a vote on it counts is the inverse of n times that (Horvitz and Thompson 1952), truncated.
    """
    n, best = len(worths), np.flatnonzero(np.equal(worths, max(worths)))
    own = (1 - chance) / len(best) if picked in best else 0.0
    inverse = n * (own + chance / n)
    found = MAX_EXPOSURE if inverse <= 0 else 1 / inverse
    return round(float(np.clip(found, 1 / MAX_EXPOSURE, MAX_EXPOSURE)), DECIMALS)


def settle(
    worths: Sequence[Sequence[float]], lots: frozenset[int], chance: float
) -> tuple[list[int], NDArray[np.float64]]:
    """Picks and exposures of places, each with the worth of its candidates in their order."""
    picks = [pick(row, place in lots) for place, row in enumerate(worths)]
    exposures = [exposure(row, one, chance) for row, one in zip(worths, picks, strict=True)]
    return picks, np.array(exposures, np.float64)
