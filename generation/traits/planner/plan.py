"""The plan of a drop: the traits of every place, counts exact, rules kept."""

import hashlib

from generation.gan.latent import SEED_BYTES, item_seed
from generation.traits.planner.assign import assign
from generation.traits.planner.chance import Chance
from generation.traits.planner.check import Problem, Schema, check, stated
from generation.traits.planner.exact import ShortError
from generation.traits.planner.puzzle import puzzle_of
from generation.traits.planner.request import Request


class ImpossibleError(Exception):
    """There is no such plan; ``problems`` say why."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__(problems)


def plan(request: Request, schema: Schema, seed: bytes) -> list[dict[str, str]]:
    """The traits asked of each place of a drop, a list of ``size``; the same from the same seed.

    Counts are exact, rules hold, each one-of-one is there once. Beyond that attributes are as
    independent of each other as counts and rules let them be, and combinations repeat only where
    that was found to be unavoidable.

    Parameters
    ----------
    schema : attribute -> values that the generator can be asked for.
    seed : 32 bytes.

    Raises
    ------
    ImpossibleError
        There is no such plan.
    UndecidedError
        None was found in time, and none was ruled out.
    ValueError
        The seed has not 32 bytes.
    """
    chance = Chance(seed)
    problems = stated(request, schema)
    if problems:
        raise ImpossibleError(tuple(problems))
    puzzle = puzzle_of(request)
    try:
        columns = assign(puzzle, chance)
    except ShortError as error:
        raise ImpossibleError(tuple(check(request, schema))) from error
    works = [dict(one) for one in request.one_of_ones] + [
        {
            name: puzzle.values[a][code]
            for a, (name, code) in enumerate(zip(puzzle.names, codes, strict=True))
        }
        for codes in zip(*(column.tolist() for column in columns), strict=True)
    ]
    return [works[place] for place in chance.permutation(request.size).tolist()]


def attempt_seed(drop_seed: bytes, index: int, attempt: int) -> bytes:
    """Seed of a place's attempt; attempt 0 has the place's own, as if there was no planner.

    The others are sha256(drop seed, index, attempt), both numbers as 8 bytes big-endian.
    """
    if len(drop_seed) != SEED_BYTES or index < 0 or attempt < 0:
        raise ValueError(f"seed of {len(drop_seed)} bytes, index {index}, attempt {attempt}")
    if attempt == 0:
        return item_seed(drop_seed, index)
    return hashlib.sha256(
        drop_seed + index.to_bytes(8, "big") + attempt.to_bytes(8, "big")
    ).digest()
