"""Rarity by OpenRarity's rule: information in a token's traits over the collection's entropy."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

TRAIT_COUNT = "meta_trait:trait_count"
# In a metadata file these stand for no trait: they are values, but not counted as traits.
EMPTY = ("none", "")
# Codes [N], and what each code stands for.
Column = tuple[NDArray[np.int64], Sequence[Hashable]]
T = TypeVar("T", bound=Hashable)
SAME_SCORE = 1e-9  # relative difference up to which two scores are equal, as OpenRarity has it


class Rarity(NamedTuple):
    """How rare one token is; a named tuple, made at a third of a frozen dataclass's cost.

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
    columns = {name: _encode(values) for name, values in _columns(rows).items()}
    columns[TRAIT_COUNT] = _trait_counts(columns, len(rows))
    bits = np.zeros(len(rows))
    n_unique = np.zeros(len(rows), np.int64)
    entropy = 0.0
    for codes, values in columns.values():
        counts = np.bincount(codes)
        information = -np.log2(counts / len(rows))
        entropy += float((counts / len(rows)) @ information)
        bits += information[codes]
        alone = (counts == 1) & np.array([value is not None for value in values])
        n_unique += alone[codes]
    scores = bits / entropy if entropy > 0 else np.zeros(len(rows))
    ranks = _rank(scores, n_unique)
    found = zip(scores.tolist(), ranks.tolist(), n_unique.tolist(), strict=True)
    return list(map(Rarity._make, found))


def _columns(rows: Sequence[Mapping[str, str | None]]) -> dict[str, list[str | None]]:
    """Values per trait type, whose name is in lower case without outer space."""
    columns: dict[str, list[str | None]] = {}
    for name in dict.fromkeys(chain.from_iterable(rows)):
        values = [row.get(name) for row in rows]
        key = name.lower().strip()
        if key in columns:
            values = [
                earlier if value is None else value
                for earlier, value in zip(columns[key], values, strict=True)
            ]
        columns[key] = values
    return columns


def _encode(values: list[str | None]) -> Column:
    """Values in lower case without outer space, as codes by their first appearance."""
    codes, given = _numbered(values)
    plain = [None if value is None else value.lower().strip() for value in given]
    merged, known = _numbered(plain)
    return merged[codes], known


def _trait_counts(columns: Mapping[str, Column], n_rows: int) -> Column:
    n_traits = np.zeros(n_rows, np.int64)
    for codes, values in columns.values():
        n_traits += np.array([v is not None and v not in EMPTY for v in values])[codes]
    return _numbered(n_traits.tolist())


def _numbered(values: Sequence[T]) -> tuple[NDArray[np.int64], list[T]]:
    places: defaultdict[T, int] = defaultdict()
    places.default_factory = places.__len__
    return np.fromiter(map(places.__getitem__, values), np.int64, len(values)), list(places)


def _rank(scores: NDArray[np.float64], n_unique: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ranks by unique traits, then score; neighbours of equal score share a rank in any case."""
    order = np.lexsort((-scores, -n_unique))
    inside = scores[order]
    larger = np.maximum(np.abs(inside[1:]), np.abs(inside[:-1]))
    is_tied = np.abs(np.diff(inside)) <= SAME_SCORE * larger
    ranks = np.empty(len(scores), np.int64)
    first = np.append(1, np.where(is_tied, 0, np.arange(2, len(scores) + 1)))
    ranks[order] = np.maximum.accumulate(first)
    return ranks
