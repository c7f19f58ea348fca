"""A request in numbers: values as codes, rules as tables of pairs, combinations as cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.traits.planner.request import Request, counts

Codes = NDArray[np.int64]
Pairs = dict[tuple[int, int], NDArray[np.bool_]]


@dataclass(frozen=True)
class Puzzle:
    """Works left to be planned once the one-of-ones have theirs.

    Parameters
    ----------
    names, values
        attributes and the values of each that any work shows, the one-of-ones included.
    counts
        per attribute works [number of values] to show each value; each attribute sums to ``size``.
    forbidden
        (a, b) -> bool [values of a, values of b], True where no work shows both; for both orders of
        a and b, and only where something is forbidden.
    ones
        codes [k, attributes] of the one-of-ones.
    """

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    counts: tuple[Codes, ...]
    forbidden: Pairs
    ones: Codes
    size: int
    is_unique: bool

    def others(self, attribute: int) -> list[int]:
        """Attributes that share a rule with this one."""
        return [b for a, b in self.forbidden if a == attribute]

    @property
    def ruled(self) -> list[int]:
        """Attributes in any rule."""
        return sorted({a for a, _ in self.forbidden})

    def components(self) -> list[list[int]]:
        """Attributes that hang together by rules, each group rising; those in no rule are alone."""
        left, found = set(range(len(self.names))), []
        while left:
            group, todo = set(), [min(left)]
            while todo:
                a = todo.pop()
                group.add(a)
                todo += [b for b in self.others(a) if b not in group]
            left -= group
            found.append(sorted(group))
        return found


def puzzle_of(request: Request) -> Puzzle:
    """The request in numbers; it names known values only, and its counts sum to its size."""
    names = tuple(request.attributes)
    asked = counts(request)
    values = tuple(tuple(v for v, n in asked[name].items() if n) for name in names)
    places = [{value: code for code, value in enumerate(found)} for found in values]
    ones = np.array(
        [[places[a][one[name]] for a, name in enumerate(names)] for one in request.one_of_ones],
        np.int64,
    ).reshape(-1, len(names))
    left = tuple(
        np.array([asked[name][value] for value in values[a]], np.int64)
        - np.bincount(ones[:, a], minlength=len(values[a]))
        for a, name in enumerate(names)
    )
    return Puzzle(
        names=names,
        values=values,
        counts=left,
        forbidden=_forbidden(request, names, places),
        ones=ones,
        size=request.size - len(ones),
        is_unique=request.is_unique,
    )


def _forbidden(request: Request, names: Sequence[str], places: list[dict[str, int]]) -> Pairs:
    pairs: Pairs = {}
    for rule in request.rules:
        a, b = names.index(rule.category), names.index(rule.other)
        if rule.value not in places[a]:
            continue
        row = np.array([(value in rule.values) == rule.is_exclusion for value in places[b]], bool)
        table = pairs.setdefault((a, b), np.zeros((len(places[a]), len(places[b])), bool))
        table[places[a][rule.value]] |= row
        if (b, a) not in pairs:
            pairs[b, a] = np.zeros(table.T.shape, bool)
        pairs[b, a] |= table.T
        table |= pairs[b, a].T
    return {pair: table for pair, table in pairs.items() if table.any()}


def classes(puzzle: Puzzle, attribute: int) -> Codes:
    """A class per value [number of values]: equal where the rules tell two values not apart.

    Solving for classes is as exact as solving for values, as values of a class can change places.
    """
    tables = [puzzle.forbidden[attribute, b] for b in puzzle.others(attribute)]
    n_values = len(puzzle.counts[attribute])
    if not tables:
        return np.zeros(n_values, np.int64)
    found = np.unique(np.concatenate(tables, 1), axis=0, return_inverse=True)[1]
    return np.asarray(found, np.int64).reshape(n_values)


def cells(
    forbidden: Pairs, attributes: Sequence[int], n_values: Sequence[int], limit: int
) -> NDArray[np.int16] | None:
    """Every allowed combination [n, len(attributes)] of codes, or None beyond ``limit`` of them.

    Parameters
    ----------
    forbidden : as in ``Puzzle``, over the codes meant here (values or classes).
    attributes : keys of ``forbidden``, in the order of the columns.
    n_values : codes per column.
    """
    found = np.zeros((1, 0), np.int16)
    for column, (a, n) in enumerate(zip(attributes, n_values, strict=True)):
        if len(found) * n > 4 * limit:
            return None
        codes = np.tile(np.arange(n, dtype=np.int16), len(found))
        found = np.column_stack([np.repeat(found, n, axis=0), codes])
        for earlier in range(column):
            table = forbidden.get((attributes[earlier], a))
            if table is not None:
                found = found[~table[found[:, earlier], found[:, column]]]
    return found if len(found) <= limit else None
