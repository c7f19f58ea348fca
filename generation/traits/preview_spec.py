"""What a preview asks for: a look at a few works, within bounds that any worker bears.

It says in words what cannot be drawn before anything is queued.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from generation.traits.parameters import MAX_PSI, MAX_STRENGTH

MAX_PICTURES = 12
MAX_SEED = 2**31 - 1
MAX_DIRECTIONS = 64
STRIP = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
# A saved direction, or one that a search has found: its job's number, a colon, its name there.
DIRECTION = re.compile(r"(\d{1,18}:)?[\w-]{1,160}")


class SpecError(ValueError):
    """A preview that cannot be drawn; the message says which number and what it may be."""


@dataclass(frozen=True)
class PreviewSpec:
    """A look at works of consecutive seeds.

    Parameters
    ----------
    seed : of the first work, in [0, 2^31); work ``seed`` is the first of a drop with that seed.
    n_works : how many, in [1, 12].
    values : attribute -> value asked for; the seed chooses the others as in a drop of equal shares.
    shares : attribute -> value -> share, of those attributes that have other than equal shares.
    truncation_psi : 0 the mean picture, 1 off; in [0, 1.5].
    truncation_cutoff : how many of the first layers are truncated; None for all.
    strengths : direction -> strength, in [-4, 4].
    mix_seed : a second work, whose ws are taken from layer ``mix_from`` on; None for no mixing.
    mix_from : in [0, num_ws]; at 0 all is of the second work, at num_ws nothing is.
    strip : a direction that is shown at -3 to 3 on the first work, whatever its own strength.

    Raises
    ------
    SpecError
        Something is out of bounds.
    """

    seed: int
    n_works: int = 1
    values: dict[str, str] = field(default_factory=dict)
    truncation_psi: float = 1.0
    truncation_cutoff: int | None = None
    strengths: dict[str, float] = field(default_factory=dict)
    mix_seed: int | None = None
    mix_from: int = 0
    strip: str = ""
    shares: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _within("seed", self.seed, 0, MAX_SEED)
        _within("number of pictures", self.n_works, 1, MAX_PICTURES)
        _within("truncation psi", self.truncation_psi, 0, MAX_PSI)
        if self.mix_seed is not None:
            _within("second seed", self.mix_seed, 0, MAX_SEED)
        if len(self.strengths) > MAX_DIRECTIONS:
            raise SpecError(f"{len(self.strengths)} directions; {MAX_DIRECTIONS} at most")
        for name in self.directions:
            if not DIRECTION.fullmatch(name):
                raise SpecError(f"{name[:60]!r} is no name of a direction")
        for name, strength in self.strengths.items():
            _within(f"strength of {name}", strength, -MAX_STRENGTH, MAX_STRENGTH)

    @property
    def directions(self) -> list[str]:
        """Every direction that is named, once, in a fixed order."""
        return sorted({*self.strengths, *([self.strip] if self.strip else [])})

    @property
    def moved(self) -> dict[str, float]:
        """The strengths that are not 0."""
        return {name: strength for name, strength in self.strengths.items() if strength}

    def check(self, schema: Mapping[str, list[str]], num_ws: int) -> Self:
        """Itself, if a network of these attributes and layers can draw it; else SpecError."""
        for name, value in self.values.items():
            if name not in schema:
                raise SpecError(f"{name[:60]!r} is no attribute of this checkpoint")
            if value not in schema[name]:
                raise SpecError(f"{name}: {value[:60]!r} is not one of {', '.join(schema[name])}")
        for name, shares in self.shares.items():
            if set(shares) != set(schema.get(name, ())):
                raise SpecError(f"{name[:60]!r} has other values in this checkpoint")
        _within("first layer of the second work", self.mix_from, 0, num_ws)
        if self.truncation_cutoff is not None:
            _within("number of truncated layers", self.truncation_cutoff, 0, num_ws)
        return self

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        return cls(**body)

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """What an address says; ``a.NAME`` is a value, ``d.NAME`` a strength; empty is not said."""
        said = {key: text for key, text in query.items() if text}
        values = {key[2:]: text for key, text in said.items() if key.startswith("a.")}
        typed = {key[2:]: text for key, text in said.items() if key.startswith("d.")}
        strengths = {name: _number(f"strength of {name}", text) for name, text in typed.items()}
        return cls(
            seed=_whole("seed", said.get("seed", "1")),
            values=values,
            truncation_psi=_number("truncation psi", said.get("psi", "1")),
            truncation_cutoff=_whole("cutoff", said["cutoff"]) if "cutoff" in said else None,
            strengths={name: strength for name, strength in strengths.items() if strength},
            mix_seed=_whole("second seed", said["mix"]) if "mix" in said else None,
            mix_from=_whole("from", said.get("from", "0")),
            strip=said.get("strip", ""),
        )


def _within(what: str, number: float, low: float, high: float) -> None:
    if not (math.isfinite(number) and low <= number <= high):
        raise SpecError(f"{what} {number} is not in {low:g} to {high:g}")


def _number(what: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise SpecError(f"{what}: {text[:40]!r} is not a number") from error


def _whole(what: str, text: str) -> int:
    # Ten digits hold every bound; int() of thousands of them takes long.
    if not re.fullmatch(r"-?[0-9]{1,10}", text):
        raise SpecError(f"{what}: {text[:40]!r} is not a whole number within bounds")
    return int(text)
