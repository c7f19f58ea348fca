"""What voters say of one work, as rows: thumbs up or down, and comments that took a side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentiment.derivation.reading import (
    DocumentError,
    address,
    count,
    mapping,
    number,
    require,
    table,
    text,
)
from sentiment.preference.features import CURVE, Option, direction_of, is_direction

SOURCES = ("opinions", "comments")
PARTS = ("columns", "rows", "averages")
DECIMALS = 9


class OpinionRow(NamedTuple):
    """A voter likes a work, or not; a vote between it and the average work of its drop.

    ``weight`` is in votes, below that of a vote where reading is unsure; ``drop`` is the number of
    the drop whose work it is, ``age`` how many rounds ago it was on show.
    """

    work: str
    voter: str
    source: str
    liked: bool
    age: int
    weight: float
    drop: int


@dataclass(frozen=True)
class Average:
    """The average work of a drop.

    ``traits``: attribute -> value -> works that show it; ``latents``: direction -> means of the
    latent along it and of its square.
    """

    n_works: int
    traits: Mapping[str, Mapping[str, int]]
    latents: Mapping[str, tuple[float, float]]

    def to_json(self) -> dict[str, Any]:
        return {
            "works": self.n_works,
            "traits": {name: dict(sorted(one.items())) for name, one in self.traits.items()},
            "latents": {name: list(pair) for name, pair in sorted(self.latents.items())},
        }

    def features(self, names: Sequence[Option]) -> NDArray[np.float64]:
        """[D] as a work's would be encoded."""
        return np.array([self._feature(name) for name in names])

    def _feature(self, name: Option) -> float:
        if is_direction(name[0]):
            return self.latents.get(direction_of(name), (0.0, 0.0))[name[1] == CURVE]
        return self.traits[name[0]].get(name[1], 0) / self.n_works


@dataclass(frozen=True)
class Opinions:
    """Opinions in the order of what they say, and the average work of each of their drops."""

    rows: list[OpinionRow]
    averages: Mapping[int, Average]


COLUMNS = list(OpinionRow._fields)


def average(
    works: Sequence[Mapping[str, str]],
    latents: Sequence[Mapping[str, float]],
    attributes: Sequence[str],
    directions: Sequence[str],
) -> Average:
    """What works [N, 1 or more] show on average; a direction that a work does not know is 0."""
    traits: dict[str, dict[str, int]] = {name: {} for name in attributes}
    for work in works:
        for name in attributes:
            traits[name][work[name]] = traits[name].get(work[name], 0) + 1
    along = {
        name: np.array([known.get(name, 0.0) for known in latents], np.float64)
        for name in directions
    }
    means = {
        name: (round(float(x.mean()), DECIMALS), round(float((x**2).mean()), DECIMALS))
        for name, x in along.items()
    }
    return Average(len(works), traits, means)


def read(
    told: Any, works: Mapping[str, Any], shares: Mapping[str, Mapping[str, float]], drop: int
) -> Opinions:
    """The part of a document; DocumentError says what is not as it should be.

    ``works`` are those of the document, ``shares`` the values of each attribute by its parameters.
    """
    parts = mapping(told, "opinions", PARTS)
    rows: list[OpinionRow] = []
    seen = set()
    for place, row in enumerate(table(parts, "opinions", COLUMNS)):
        try:
            one = _opinion(OpinionRow(*row), works, drop)
        except DocumentError as error:
            path = f"opinions.rows[{place}].{error.path}"
            raise DocumentError(path, error.reason) from error
        require(not rows or rows[-1] <= one, f"opinions.rows[{place}]", "not in order")
        said = (one.work, one.voter.lower(), one.source)
        require(said not in seen, f"opinions.rows[{place}]", "a second one on the same work")
        seen.add(said)
        rows.append(one)
    averages = {
        _number(name): _average(one, f"opinions.averages.{name}", shares)
        for name, one in mapping(parts["averages"], "opinions.averages").items()
    }
    unlike = sorted({row.drop for row in rows} ^ set(averages))
    require(not unlike, "opinions.averages", f"not those of the opinions' drops: {unlike[:1]}")
    return Opinions(rows, averages)


def _opinion(row: OpinionRow, works: Mapping[str, Any], drop: int) -> OpinionRow:
    require(text(row.work, "work") in works, "work", "not one of the works")
    address(row.voter, "voter")
    require(text(row.source, "source") in SOURCES, "source", f"not {' or '.join(SOURCES)}")
    require(isinstance(row.liked, bool), "liked", "neither true nor false")
    age, of = count(row.age, "age"), count(row.drop, "drop", 1)
    require(of <= drop and (age == 0) == (of == drop), "age", "does not fit the drop")
    weight = number(row.weight, "weight")
    is_short = round(weight, DECIMALS) == weight
    require(0 <= weight <= 1 and is_short, "weight", f"not in [0, 1] with {DECIMALS} decimals")
    return row._replace(weight=weight)


def _number(name: str) -> int:
    is_number = name.isascii() and name.isdigit() and len(name) < 10
    require(is_number, f"opinions.averages.{name[:40]}", "not the number of a drop")
    return int(name)


def _average(told: Any, path: str, shares: Mapping[str, Mapping[str, float]]) -> Average:
    parts = mapping(told, path, ("works", "traits", "latents"))
    n_works = count(parts["works"], f"{path}.works", 1)
    traits = {}
    for attribute, counts in mapping(parts["traits"], f"{path}.traits", list(shares)).items():
        where = f"{path}.traits.{attribute}"
        traits[attribute] = {
            value: count(n, f"{where}.{value}", 1) for value, n in mapping(counts, where).items()
        }
        require(set(traits[attribute]) <= set(shares[attribute]), where, "an unknown value")
        require(sum(traits[attribute].values()) == n_works, where, f"not {n_works} works")
    latents = {}
    for name, pair in mapping(parts["latents"], f"{path}.latents").items():
        where = f"{path}.latents.{name}"
        require(isinstance(pair, list) and len(pair) == 2, where, "not two numbers")
        mean, square = (number(one, where) for one in pair)
        require(mean**2 <= square + 1e-6, where, "a square below its mean's")
        latents[name] = (mean, square)
    return Average(n_works, traits, latents)
