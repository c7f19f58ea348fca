"""From a puzzle to all its works: by exchange where that does, else exactly."""

from generation.traits.planner import exact
from generation.traits.planner.chance import Chance
from generation.traits.planner.puzzle import Codes, Puzzle
from generation.traits.planner.search import Board, scattered


def assign(puzzle: Puzzle, chance: Chance) -> list[Codes]:
    """Columns [size] of codes: counts exact, rules kept, no work like a one-of-one.

    Works differ from each other where they must, and else as far as was found.

    Raises
    ------
    ShortError
        There is no such assignment.
    UndecidedError
        None was found, and none was ruled out.
    """
    board = scattered(puzzle, chance)
    if not board.repair():
        board = Board(puzzle, exact.by_class(puzzle, chance), chance)
    board.mix()
    board.part()
    if board.has_copies:
        board = Board(puzzle, exact.by_value(puzzle, exact.MAX_WHOLE_CELLS), chance)
        board.mix_repeats()
    elif len(board.repeats()):
        board = _with_fewer_repeats(puzzle, board, chance)
    return board.columns


def _with_fewer_repeats(puzzle: Puzzle, board: Board, chance: Chance) -> Board:
    """The fewest repeats there can be, where combinations are few enough to know."""
    try:
        columns = exact.by_value(puzzle, exact.MAX_CELLS_FOR_REPEATS)
    except exact.UndecidedError:
        return board
    best = Board(puzzle, columns, chance)
    if len(best.repeats()) >= len(board.repeats()):
        return board
    best.mix_repeats()
    return best
