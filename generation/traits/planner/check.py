"""What of a request cannot be met and why, said before anything is rendered."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from generation.imaging.compose import Rule
from generation.traits.planner.assign import assign
from generation.traits.planner.chance import Chance
from generation.traits.planner.exact import ShortError, UndecidedError, by_class
from generation.traits.planner.puzzle import Codes, Puzzle, cells, puzzle_of
from generation.traits.planner.request import Counts, Request, counts, sentence

Schema = Mapping[str, Sequence[str]]
MAX_REDUCED = 4  # attributes up to which a contradiction is searched for rules it does not need
MAX_NAMED = 6  # values named in a sentence; the rest are counted


@dataclass(frozen=True)
class Problem:
    """Something that cannot be met.

    Parameters
    ----------
    kind
        "unknown", "missing", "total", "rule", "one-of-one", "combinations", "pair" or "together".
    sentence
        why, in one sentence with its numbers.
    asked, possible
        works asked for and the most there can be, where the problem is one of numbers.
    """

    kind: str
    sentence: str
    asked: int | None = None
    possible: int | None = None


def check(request: Request, schema: Schema) -> list[Problem]:
    """Everything that cannot be met; empty if and only if there is a plan.

    Each stage runs on what the one before found sound: names and totals, then one-of-ones, then
    pairs of attributes under a rule, then all together. The last is decided by making a plan, and
    where that fails by whole-number programming.

    Raises
    ------
    UndecidedError
        There may or may not be a plan: exchange found none, and the exact way takes too long.
    """
    problems = stated(request, schema)
    if problems:
        return problems
    try:
        assign(puzzle_of(request), Chance(bytes(32)))
    except ShortError as error:
        return [_together(request, error)]
    return []


def stated(request: Request, schema: Schema) -> list[Problem]:
    """Problems that can be seen without making a plan."""
    problems = [*_unknown(request, schema), *_totals(request)]
    if problems:
        return problems
    problems = list(_one_of_ones(request))
    if problems:
        return problems
    puzzle = puzzle_of(request)
    return [*_pairs(puzzle, request.rules), *_combinations(puzzle)]


def _unknown(request: Request, schema: Schema) -> Iterator[Problem]:
    named = [(name, value, "counts") for name, found in counts(request).items() for value in found]
    for rule in request.rules:
        where = f"rule {sentence(rule)}"
        named += [(rule.category, rule.value, where)]
        named += [(rule.other, value, where) for value in sorted(rule.values)]
    for one in request.one_of_ones:
        named += [(name, value, f"one-of-one {_shown(one)}") for name, value in one.items()]
    for name, value, where in dict.fromkeys(named):
        if name not in schema:
            yield Problem("unknown", f"The {where}: there is no attribute {name}.")
        elif value not in schema[name]:
            yield Problem("unknown", f"The {where}: {name} has no value {value}.")
    for name in schema:
        if name not in request.attributes:
            yield Problem("missing", f"No work knows its {name}: give it counts or shares.")
        for one in request.one_of_ones:
            if name not in one:
                yield Problem("missing", f"The one-of-one {_shown(one)} has no {name}.")


def _totals(request: Request) -> Iterator[Problem]:
    for name, amounts in request.attributes.items():
        if isinstance(amounts, Counts) and sum(amounts.of.values()) != request.size:
            total = sum(amounts.of.values())
            text = (
                f"The counts of {name} sum to {total:,}, but the drop has {request.size:,} works."
            )
            yield Problem("total", text, total, request.size)


def _one_of_ones(request: Request) -> Iterator[Problem]:
    asked = counts(request)
    for one in request.one_of_ones:
        for rule in request.rules:
            if not rule.allows(one):
                text = f"The one-of-one {_shown(one)} breaks the rule {sentence(rule)}."
                yield Problem("one-of-one", text)
    for name, found in asked.items():
        for value in dict.fromkeys(one[name] for one in request.one_of_ones):
            wanted = sum(one[name] == value for one in request.one_of_ones)
            count = found.get(value, 0)
            if wanted > count:
                text = f"{wanted} one-of-ones have {name}={value}, but only {count} works may."
                yield Problem("one-of-one", text, wanted, count)


def _combinations(puzzle: Puzzle) -> Iterator[Problem]:
    """Too few different works: only where all must differ."""
    if not puzzle.is_unique:
        return
    used = [np.flatnonzero(n) for n in puzzle.counts]
    tables = {(a, b): table[np.ix_(used[a], used[b])] for (a, b), table in puzzle.forbidden.items()}
    found = cells(tables, range(len(used)), [len(u) for u in used], 2 * puzzle.size)
    if found is None:
        return
    shown = np.column_stack([used[a][found[:, a]] for a in range(len(used))])
    possible = len(shown) - int((shown[:, None] == puzzle.ones[None]).all(2).sum())
    if possible < puzzle.size:
        text = (
            f"{puzzle.size:,} works must differ from each other, but values and rules allow "
            f"{possible:,} combinations."
        )
        yield Problem("combinations", text, puzzle.size, possible)


def _pairs(puzzle: Puzzle, rules: Sequence[Rule]) -> Iterator[Problem]:
    """For each two attributes under a rule: values that ask for more than their partners have."""
    for (a, b), table in puzzle.forbidden.items():
        if a > b:
            continue
        found = _crowded(puzzle.counts[a], puzzle.counts[b], table)
        if found is None:
            continue
        other = _crowded(puzzle.counts[b], puzzle.counts[a], table.T)
        assert other is not None
        # Either side tells the same contradiction: better the one that rules start from, then the
        # one of fewer values.
        sides = [(a, b, found), (b, a, other)]
        one, two, codes = min(
            sides, key=lambda side: (not _are_ruled(puzzle, rules, *side), len(side[2]))
        )
        yield _crowd(puzzle, one, two, codes)


def _are_ruled(puzzle: Puzzle, rules: Sequence[Rule], a: int, b: int, codes: Codes) -> bool:
    """True where a rule about b starts from each of these values of a."""
    ruled = {
        rule.value
        for rule in rules
        if (rule.category, rule.other) == (puzzle.names[a], puzzle.names[b])
    }
    return ruled.issuperset(puzzle.values[a][code] for code in codes)


def _crowd(puzzle: Puzzle, a: int, b: int, codes: Codes) -> Problem:
    allowed = np.flatnonzero(~puzzle.forbidden[a, b][codes].all(0))
    asked, possible = int(puzzle.counts[a][codes].sum()), int(puzzle.counts[b][allowed].sum())
    name, other = puzzle.names[a], puzzle.names[b]
    mine = _listed([puzzle.values[a][code] for code in codes])
    theirs = _listed([puzzle.values[b][code] for code in allowed])
    kept = " besides the one-of-ones" if len(puzzle.ones) else ""
    text = (
        f"{asked:,} works{kept} are to show {name}={mine}, but the values of {other} that the "
        f"rules allow with it ({theirs}) are on {possible:,} works in all."
    )
    return Problem("pair", text, asked, possible)


def _crowded(mine: Codes, theirs: Codes, forbidden: NDArray[np.bool_]) -> Codes | None:
    """Values whose works outnumber those of all partners allowed to them; None if there are none.

    Hall's condition, found as the minimum cut of the transport network source > value > allowed
    partner > sink (Ford and Fulkerson 1956), then made small by leaving out what is not needed.
    """
    n, m = forbidden.shape
    source, sink = n + m, n + m + 1
    network = np.zeros((sink + 1, sink + 1), np.int32)
    network[source, :n] = mine
    network[:n, n : n + m] = np.where(forbidden, 0, mine.sum())
    network[n : n + m, sink] = theirs
    flow = maximum_flow(csr_array(network), source, sink)
    if flow.flow_value == mine.sum():
        return None
    rest = csr_array(network - flow.flow.toarray())
    rest.eliminate_zeros()
    reached = breadth_first_order(rest, source, return_predecessors=False)
    kept = sorted(int(node) for node in reached if node < n)
    for code in sorted(kept, key=lambda code: (mine[code], -code)):
        fewer = [other for other in kept if other != code]
        if mine[fewer].sum() > theirs[~forbidden[fewer].all(0)].sum():
            kept = fewer
    return np.array(kept)


def _together(request: Request, short: ShortError) -> Problem:
    """Rules that each could be met, but not at once: as few of them as still contradict."""
    if _shortage(request, request.rules) is None:
        text = (
            f"With these counts and rules at most {short.n_filled:,} of {short.size:,} works can "
            f"{'differ from each other and' if request.is_unique else 'differ'} from the "
            "one-of-ones."
        )
        return Problem("together", text, short.size, short.n_filled)
    rules = [
        rule
        for rule in dict.fromkeys(request.rules)
        if {rule.category, rule.other} <= set(short.attributes)
    ]
    for rule in rules if len(short.attributes) <= MAX_REDUCED else ():
        fewer = [other for other in rules if other != rule]
        shortage = _shortage(request, fewer)
        if shortage is not None:
            rules, short = fewer, shortage
    about = {name for rule in rules for name in (rule.category, rule.other)}
    left = [f"{n:,} x {name}={v}" for (name, v), n in short.left.items() if name in about]
    text = (
        f"With these counts at most {short.n_filled:,} of {short.size:,} works can keep the rules "
        f"{'; '.join(sentence(rule) for rule in rules)}: left over are {_listed(left, ', ')}."
    )
    return Problem("together", text, short.size, short.n_filled)


def _shortage(request: Request, rules: Sequence[Rule]) -> ShortError | None:
    """What is short under these rules, copies allowed; None if nothing, or if that is undecided."""
    try:
        by_class(puzzle_of(replace(request, rules=tuple(rules))), Chance(bytes(32)))
    except ShortError as error:
        return error
    except UndecidedError:
        return None
    return None


def _shown(one: Mapping[str, str]) -> str:
    return "(" + ", ".join(f"{name}={value}" for name, value in one.items()) + ")"


def _listed(names: Sequence[str], joint: str = "|") -> str:
    if not names:
        return "none"
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return joint.join(names[:MAX_NAMED]) + more
