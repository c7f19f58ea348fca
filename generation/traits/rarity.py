"""Rarity by OpenRarity's rule: information in a token's traits over the collection's entropy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isclose

import numpy as np
from numpy.typing import NDArray

TRAIT_COUNT = "meta_trait:trait_count"
# In a metadata file these stand for no trait: they are values, but not counted as traits.
EMPTY = ("none", "")


@dataclass(frozen=True)
class Rarity:
    """How rare one token is.

    Parameters
    ----------
    score
        bits of the token's traits over the bits of an average token; 1 is average.
    rank
        1 the rarest; equal scores share a rank and the next one skips: 1, 2, 2, 4.
    n_unique
        traits, the trait count among them, that no other token has; ranks before the score.
    """

    score: float
    rank: int
    n_unique: int


def score(rows: Sequence[Mapping[str, str | None]]) -> list[Rarity]:
    """Rarity of each row ``{trait_type: value}``, in the order given; None is an absent trait.

    The rule is OpenRarity's (https://www.openrarity.dev): the score is sum_k -log2 p_k over
    H = -sum p log2 p, where k runs over every trait type and the number of traits, and an absent
    trait is a value with its own p. An absent trait is never unique. A collection of equal tokens
    has H = 0 and scores 0 throughout.
    """
    if not rows:
        return []
    columns = _columns(rows)
    columns[TRAIT_COUNT] = _trait_counts(columns, len(rows))
    bits = np.zeros(len(rows))
    n_unique = np.zeros(len(rows), np.int64)
    entropy = 0.0
    for values in columns.values():
        codes, counts, absent = _encode(values)
        information = -np.log2(counts / len(rows))
        entropy += float((counts / len(rows)) @ information)
        bits += information[codes]
        alone = counts == 1
        if absent is not None:
            alone[absent] = False
        n_unique += alone[codes]
    scores = bits / entropy if entropy > 0 else np.zeros(len(rows))
    ranks = _rank(scores, n_unique)
    return [Rarity(*found) for found in zip(scores.tolist(), ranks, n_unique.tolist(), strict=True)]


def _columns(rows: Sequence[Mapping[str, str | None]]) -> dict[str, list[str | None]]:
    """Values per trait type, both in lower case without outer space."""
    columns: dict[str, list[str | None]] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        given = [row.get(name) for row in rows]
        plain = {value: None if value is None else value.lower().strip() for value in set(given)}
        values = [plain[value] for value in given]
        key = name.lower().strip()
        if key in columns:
            values = [
                earlier if value is None else value
                for earlier, value in zip(columns[key], values, strict=True)
            ]
        columns[key] = values
    return columns


def _trait_counts(columns: Mapping[str, list[str | None]], n_rows: int) -> list[str | None]:
    n_traits = np.zeros(n_rows, np.int64)
    for values in columns.values():
        n_traits += np.fromiter(
            (v is not None and v not in EMPTY for v in values), np.bool_, n_rows
        )
    return [str(n) for n in n_traits.tolist()]


def _encode(values: list[str | None]) -> tuple[NDArray[np.int64], NDArray[np.int64], int | None]:
    """Codes [N] of the values, counts [number of codes], and the code of the absent trait."""
    places = {value: code for code, value in enumerate(dict.fromkeys(values))}
    codes = np.fromiter((places[value] for value in values), np.int64, len(values))
    return codes, np.bincount(codes), places.get(None)


def _rank(scores: NDArray[np.float64], n_unique: NDArray[np.int64]) -> list[int]:
    """Ranks by unique traits, then score; neighbours of equal score share a rank in any case."""
    order = np.lexsort((-scores, -n_unique)).tolist()
    ranks = [1] * len(order)
    for place in range(1, len(order)):
        before, here = order[place - 1], order[place]
        tied = isclose(scores[before], scores[here])
        ranks[here] = ranks[before] if tied else place + 1
    return ranks
