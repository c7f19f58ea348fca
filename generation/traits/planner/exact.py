"""Plans by whole-number programming: decides what exchange could not, and by how much it fails."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, hstack

from generation.traits.planner.chance import Chance
from generation.traits.planner.puzzle import Codes, Pairs, Puzzle, cells, classes

MAX_CELLS = 1_000_000
# Cells in the programme at first, and the most added at a time.
FIRST_CELLS = 3_000
MORE_CELLS = 1_000
# Of cells in the whole-number programme.
MAX_WHOLE_CELLS = 20_000
# Of cells of single values where only the number of repeats is at stake.
MAX_CELLS_FOR_REPEATS = 2_000
TIME_LIMIT_S = 10.0
TOLERANCE = 1e-6  # ten times what HiGHS allows itself


class UndecidedError(Exception):
    """Neither a plan nor a proof that there is none, within the limits.

    ``attributes`` hang together by rules; ``n_cells`` is the number of their combinations, None
    where it is beyond MAX_CELLS.
    """

    def __init__(self, attributes: Sequence[str], n_cells: int | None) -> None:
        self.attributes, self.n_cells = tuple(attributes), n_cells
        super().__init__(self.attributes, n_cells)


class ShortError(Exception):
    """Proof that not all works can be filled.

    ``n_filled`` of ``size`` can at most, by what is asked of ``attributes`` alone; ``left`` says
    which ``(attribute, value)`` are left over then, with their counts; values that the rules tell
    not apart are joined by a bar.
    """

    def __init__(
        self,
        size: int,
        n_filled: int,
        left: dict[tuple[str, str], int],
        attributes: tuple[str, ...],
    ) -> None:
        self.size, self.n_filled, self.left, self.attributes = size, n_filled, left, attributes
        super().__init__(size, n_filled, left, attributes)


@dataclass(frozen=True)
class Part:
    """Attributes that hang together by rules, their values put in classes, and allowed cells."""

    attributes: Sequence[int]
    of: list[Codes]  # per attribute a class per value
    counts: list[Codes]  # per attribute works per class
    cells: NDArray[np.int16]  # [n, len(attributes)] classes


def by_class(puzzle: Puzzle, chance: Chance) -> list[Codes]:
    """Columns that keep counts and rules, whether or not works repeat each other.

    Attributes that no chain of rules connects are solved one after the other; those that rules
    connect together, as a transport problem with one cell per allowed combination of classes.

    Raises
    ------
    ShortError, UndecidedError
    """
    columns: dict[int, Codes] = {}
    for attributes in puzzle.components():
        for few in _cycles(puzzle, attributes):
            _check_filled(puzzle, _part(_within(puzzle, few), few))
        part = _part(puzzle, attributes)
        found, works = _whole(puzzle, part, chance)
        rows = np.repeat(found, works, axis=0)[chance.permutation(puzzle.size)]
        for k, a in enumerate(attributes):
            columns[a] = _dealt(rows[:, k], part.of[k], puzzle.counts[a], chance)
    return [columns[a] for a in range(len(puzzle.names))]


def by_value(puzzle: Puzzle, limit: int) -> list[Codes]:
    """Columns that keep counts, rules and one-of-ones with as few repeats as there can be.

    Where works must be unique there is none.

    Raises
    ------
    ShortError
        Also where rules and counts could be met, but not without copies.
    UndecidedError
        There are more than ``limit`` combinations, or time is up.
    """
    attributes = range(len(puzzle.names))
    n_values = [len(n) for n in puzzle.counts]
    found = cells(puzzle.forbidden, attributes, n_values, limit)
    if found is None:
        raise UndecidedError(puzzle.names, None)
    found = found[~(found[:, None, :] == puzzle.ones[None]).all(2).any(1)]
    part = Part(attributes, [np.arange(n) for n in n_values], list(puzzle.counts), found)
    works = _apart(puzzle, part)
    if works.sum() < puzzle.size:
        left = np.concatenate(part.counts) - _incidence(found, part.counts) @ works
        raise _short(puzzle, part, int(works.sum()), left)
    rows = np.repeat(found, works, axis=0)
    return [rows[:, a].astype(np.int64) for a in attributes]


def _cycles(puzzle: Puzzle, attributes: list[int]) -> Iterator[list[int]]:
    """Three or four of these attributes, fewer than all, with each in rules with two of the others.

    Most contradictions are among so few, where they are found in milliseconds. Along a chain of
    rules there is none that the pairs do not have by themselves.
    """
    for n in (3, 4):
        for few in combinations(attributes, n) if n < len(attributes) else ():
            if all(len(set(puzzle.others(a)) & set(few)) >= 2 for a in few):
                yield list(few)


def _within(puzzle: Puzzle, attributes: list[int]) -> Puzzle:
    """The puzzle with the rules between these attributes only."""
    kept = {p: t for p, t in puzzle.forbidden.items() if set(p) <= set(attributes)}
    return replace(puzzle, forbidden=kept)


def _part(puzzle: Puzzle, attributes: list[int]) -> Part:
    of = {a: classes(puzzle, a) for a in attributes}
    first = {a: np.unique(of[a], return_index=True)[1] for a in attributes}
    forbidden: Pairs = {
        (a, b): table[np.ix_(first[a], first[b])]
        for (a, b), table in puzzle.forbidden.items()
        if a in of
    }
    found = cells(forbidden, attributes, [len(first[a]) for a in attributes], MAX_CELLS)
    if found is None:
        raise UndecidedError([puzzle.names[a] for a in attributes], None)
    counts = [np.bincount(of[a], puzzle.counts[a]).astype(np.int64) for a in attributes]
    return Part(attributes, list(of.values()), counts, found)


def _whole(puzzle: Puzzle, part: Part, chance: Chance) -> tuple[NDArray[np.int16], Codes]:
    """Cells [n, attributes] and their whole numbers of works [n], the size of the drop in all."""
    tight = _check_filled(puzzle, part)
    is_all = len(tight) <= MAX_WHOLE_CELLS
    if not is_all:
        tight = np.sort(tight[chance.permutation(len(tight))[:MAX_WHOLE_CELLS]])
    names = [puzzle.names[a] for a in part.attributes]
    found = part.cells[tight]
    table, n = _incidence(found, part.counts), len(found)
    works = _solve(np.full(n, -1.0), table, part.counts, np.full(n, puzzle.size), names)
    if works.sum() < puzzle.size:
        if not is_all:
            raise UndecidedError(names, len(part.cells))
        raise _short(puzzle, part, int(works.sum()), np.concatenate(part.counts) - table @ works)
    return found, works


def _check_filled(puzzle: Puzzle, part: Part) -> Codes:
    """Rows of the cells that can fill all works, parts of works included; else ShortError."""
    tight, optimum, left = _filled(part)
    bound = int(optimum + 1e-3)
    if bound < puzzle.size:
        raise _short(puzzle, part, bound, left)
    return tight


def _filled(part: Part) -> tuple[Codes, float, NDArray[np.float64]]:
    """As many works as the counts allow, parts of works included.

    Column generation (Gilmore and Gomory 1961) on max sum x, A x <= counts: a cell whose values'
    prices sum to less than 1 would do better than those in the programme; when there is none, the
    programme's optimum is that of all cells.

    Returns
    -------
    tight : rows of ``cells`` at price 1: every optimum uses these only (complementary slackness).
    optimum : works filled; whole works cannot fill more.
    left : works per value, attribute after attribute, that this optimum leaves over.
    """
    found, limits = part.cells, np.concatenate(part.counts)
    ends = np.cumsum([len(n) for n in part.counts])
    if not len(found):
        return np.zeros(0, np.int64), 0.0, limits.astype(np.float64)
    chosen = np.unique(np.linspace(0, len(found) - 1, FIRST_CELLS).astype(np.int64))
    while True:
        table = _incidence(found[chosen], part.counts)
        best = linprog(np.full(len(chosen), -1.0), A_ub=table, b_ub=limits)
        prices = np.split(-best.ineqlin.marginals, ends[:-1])
        cost = np.zeros(len(found))
        for k, price in enumerate(prices):
            cost += price[found[:, k]]
        better = np.setdiff1d(np.flatnonzero(cost < 1 - TOLERANCE), chosen)
        if not len(better):
            return np.flatnonzero(cost < 1 + TOLERANCE), -float(best.fun), limits - table @ best.x
        order = np.argsort(cost[better], kind="stable")[:MORE_CELLS]
        chosen = np.concatenate([chosen, better[order]])


def _apart(puzzle: Puzzle, part: Part) -> Codes:
    """Works per cell: as many as possible first, then as many different cells as possible.

    The first work of a cell and its repeats are two variables; first ones weigh more, all of them
    together by less than one work.
    """
    table, n = _incidence(part.cells, part.counts), len(part.cells)
    if puzzle.is_unique:
        return _solve(np.full(n, -1.0), table, part.counts, np.ones(n), puzzle.names)
    weights = np.concatenate([np.full(n, -1 - 0.5 / (n + 1)), np.full(n, -1.0)])
    caps = np.concatenate([np.ones(n), np.full(n, puzzle.size)])
    works = _solve(weights, hstack([table, table]), part.counts, caps, puzzle.names)
    return works[:n] + works[n:]


def _solve(
    weights: NDArray[np.float64],
    table: csr_array,
    counts: Sequence[Codes],
    caps: NDArray[np.generic],
    names: Sequence[str],
) -> Codes:
    """Whole numbers x in [0, caps] of least ``weights @ x`` with ``table @ x <= counts``."""
    if not len(weights):
        return np.zeros(0, np.int64)
    limit = LinearConstraint(table, ub=np.concatenate(counts))
    options = {"time_limit": TIME_LIMIT_S, "mip_rel_gap": 0.0}
    found = milp(weights, integrality=1, bounds=Bounds(0, caps), constraints=limit, options=options)
    if found.status != 0:
        raise UndecidedError(names, len(weights))
    works: Codes = np.rint(found.x).astype(np.int64)
    return works


def _incidence(found: NDArray[np.int16], counts: Sequence[Codes]) -> csr_array:
    """Which cell [columns] shows which value [rows, attribute after attribute]."""
    starts = np.cumsum([0, *(len(n) for n in counts)])
    rows = (found + starts[:-1]).ravel()
    columns = np.repeat(np.arange(len(found)), found.shape[1])
    return csr_array((np.ones(len(rows)), (rows, columns)), shape=(starts[-1], len(found)))


def _short(puzzle: Puzzle, part: Part, n_filled: int, left: NDArray[np.generic]) -> ShortError:
    ends = np.cumsum([len(n) for n in part.counts])
    named = {}
    for k, works in enumerate(np.split(np.rint(left).astype(np.int64), ends[:-1])):
        a = part.attributes[k]
        for code in np.flatnonzero(works):
            members = [puzzle.values[a][v] for v in np.flatnonzero(part.of[k] == code)]
            named[puzzle.names[a], "|".join(members)] = int(works[code])
    names = tuple(puzzle.names[a] for a in part.attributes)
    return ShortError(puzzle.size, n_filled, named, names)


def _dealt(rows: NDArray[np.int16], of: Codes, counts: Codes, chance: Chance) -> Codes:
    """The value of each work from its class: the values of a class in random order."""
    column = np.empty(len(rows), np.int64)
    for code in range(int(of.max()) + 1):
        members = np.flatnonzero(of == code)
        dealt = np.repeat(members, counts[members])
        column[rows == code] = dealt[chance.permutation(len(dealt))]
    return column
