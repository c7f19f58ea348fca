"""Plans by exchange: two works swap a value, so every count stays exact while faults go away."""

import numpy as np
from numpy.typing import NDArray

from generation.traits.planner.chance import Chance
from generation.traits.planner.puzzle import Codes, Puzzle

# 76 random requests of 10,000 works, 7 attributes and 20 rules were all mended: half of them within
# 8 rounds, the slowest in 88.
MAX_ROUNDS = 400
# From the far corner that the exact way starts in, attributes without a common rule are as near to
# independence as chance has it after 12 sweeps (total variation .268, .036 after one, then .025).
MIXING_SWEEPS = 24
# Rounds against repeats, where they are unwanted and where they are forbidden. The first 100 of
# 1,700 rounds took the repeats of a hard request from 3,047 to 480, all of them to 211.
PARTING_ROUNDS = 120
PARTING_ROUNDS_IF_UNIQUE = 1_000
# Rounds in a row that bring nothing before the search stops.
PATIENCE = 12
GAIN = 0.98  # repeats left after a round that brings something, where they are only unwanted
RENEWED = 512  # repeats looked at in a round
MENDING_PATIENCE = 80
# Rounds that bring nothing before works without fault change places too.
SHAKE = 5
TRIES = 16  # partners looked at for each faulty work, at least
WIDE = 4096  # works looked at in all, at least, when few are faulty


class Board:
    """Codes of all works, a column [size] per attribute, and what is wrong with them."""

    def __init__(self, puzzle: Puzzle, columns: list[Codes], chance: Chance) -> None:
        self.puzzle, self.columns, self.chance = puzzle, columns, chance
        # A work's key is the sum of one random word a value: equal works have equal keys, and a
        # swap moves a key by a difference. Two different works with one key cost a needless swap.
        self.words = [chance.raw(len(n)) for n in puzzle.counts]
        self.taken = np.unique(self._keys([puzzle.ones[:, a] for a in range(len(columns))]))

    def faults(self, a: int, rows: Codes, codes: Codes) -> NDArray[np.int64]:
        """Broken pairs of each work if ``rows`` showed ``codes`` in attribute a; any shape."""
        total = np.zeros(rows.shape, np.int64)
        for b in self.puzzle.others(a):
            total += self.puzzle.forbidden[a, b][codes, self.columns[b][rows]]
        return total

    def faulty(self, a: int) -> Codes:
        """Works whose value of attribute a breaks a rule."""
        rows = np.arange(self.puzzle.size)
        return np.flatnonzero(self.faults(a, rows, self.columns[a]))

    def repair(self) -> bool:
        """Swap until no rule is broken; False if that leads nowhere."""
        best, patience = np.inf, MENDING_PATIENCE
        for _ in range(MAX_ROUNDS):
            n_faulty = 0
            for a in self._in_random_order(self.puzzle.ruled):
                rows = self.faulty(a)
                n_faulty += len(rows)
                if len(rows):
                    self._mend(a, rows)
            if not n_faulty:
                return True
            patience = MENDING_PATIENCE if n_faulty < best else patience - 1
            best = min(best, n_faulty)
            if not patience:
                break
            if patience % SHAKE == 0:
                self._sweep(self.puzzle.ruled, np.arange(self.puzzle.size))
        return False

    def mix(self) -> None:
        """Random swaps that break no rule.

        Swaps between random partners are symmetric, so a long run is uniform over all legal
        arrangements (Metropolis et al. 1953): the joint distribution of largest entropy.
        """
        for _ in range(MIXING_SWEEPS):
            self._sweep(self.puzzle.ruled, np.arange(self.puzzle.size))

    def mix_repeats(self) -> None:
        """The same among repeats only, so that no combination is lost."""
        for _ in range(MIXING_SWEEPS):
            self._sweep(list(range(len(self.columns))), self.repeats())

    def part(self) -> None:
        """Swaps that turn repeated works, and works like a one-of-one, into new ones."""
        best, patience = self.puzzle.size, PATIENCE
        n_rounds = PARTING_ROUNDS_IF_UNIQUE if self.puzzle.is_unique else PARTING_ROUNDS
        enough = 1.0 if self.puzzle.is_unique else GAIN
        for _ in range(n_rounds):
            n_left = len(self.repeats())
            patience = PATIENCE if n_left < enough * best else patience - 1
            best = min(best, n_left)
            if not n_left or not patience:
                break
            for a in self._in_random_order(list(range(len(self.columns)))):
                self._renew(a, self.repeats())

    def repeats(self) -> Codes:
        """Works like an earlier one or like a one-of-one."""
        keys = self._keys(self.columns)
        is_first = np.zeros(len(keys), bool)
        is_first[np.unique(keys, return_index=True)[1]] = True
        return np.flatnonzero(~is_first | np.isin(keys, self.taken))

    @property
    def has_copies(self) -> bool:
        """True if a work looks like a one-of-one, or like another where all must differ."""
        if self.puzzle.is_unique:
            return len(self.repeats()) > 0
        return bool(np.isin(self._keys(self.columns), self.taken).any())

    def _sweep(self, attributes: list[int], rows: Codes) -> None:
        """Random pairs of these works swap unless one gets a fault or looks like a one-of-one."""
        half = len(rows) // 2
        for a in self._in_random_order(attributes):
            order = rows[self.chance.permutation(len(rows))]
            one, two = order[:half], order[half : 2 * half]
            column = self.columns[a]
            is_legal = self.faults(a, one, column[two]) + self.faults(a, two, column[one]) == 0
            if len(self.taken):
                keys, step = self._keys(self.columns), self.words[a][column]
                is_legal &= ~_is_in(keys[one] - step[one] + step[two], self.taken)
                is_legal &= ~_is_in(keys[two] - step[two] + step[one], self.taken)
            self._swap(a, one[is_legal], two[is_legal])

    def _mend(self, a: int, rows: Codes) -> None:
        """Swap each faulty work with the best of some random ones, if that makes nothing worse."""
        partners = self._partners(rows)
        column = self.columns[a]
        one, two = rows[:, None], partners
        before = self.faults(a, rows, column[rows])[:, None] + self.faults(a, two, column[two])
        mine = np.broadcast_to(column[one], two.shape)
        here = np.broadcast_to(one, two.shape)
        gain = before - self.faults(a, here, column[two]) - self.faults(a, two, mine)
        best = gain.argmax(1)
        each = np.arange(len(rows))
        is_good = gain[each, best] >= 0
        self._swap_apart(a, rows[is_good], partners[each, best][is_good])

    def _renew(self, a: int, rows: Codes) -> None:
        """Swap repeated works with partners so that both, or at least one, become new."""
        if not len(rows):
            return
        rows = rows[np.sort(self.chance.permutation(len(rows))[:RENEWED])]
        keys, column, words = self._keys(self.columns), self.columns[a], self.words[a]
        present = np.unique(np.concatenate([keys, self.taken]))
        two = self._partners(rows)
        one = np.broadcast_to(rows[:, None], two.shape)
        is_legal = self.faults(a, one, column[two]) + self.faults(a, two, column[one]) == 0
        step = words[column[two]] - words[column[one]]
        first, second = keys[one] + step, keys[two] - step
        new = ~_is_in(first, present) * 1 + ~_is_in(second, present) * 1
        is_legal &= ~_is_in(first, self.taken) & ~_is_in(second, self.taken) & (first != second)
        new[~is_legal] = 0
        best = new.argmax(1)
        each = np.arange(len(rows))
        good = np.flatnonzero(new[each, best] > 0)
        pair = np.column_stack([first[each, best], second[each, best]])[good]
        good = good[_are_apart(pair[:, 0], pair[:, 1])]
        self._swap_apart(a, rows[good], two[each, best][good])

    def _partners(self, rows: Codes) -> Codes:
        """Random works [len(rows), tries]; more tries for fewer rows."""
        tries = min(self.puzzle.size, max(TRIES, WIDE // len(rows)))
        return self.chance.below(self.puzzle.size, len(rows) * tries).reshape(len(rows), tries)

    def _swap_apart(self, a: int, one: Codes, two: Codes) -> None:
        is_apart = _are_apart(one, two)
        self._swap(a, one[is_apart], two[is_apart])

    def _swap(self, a: int, one: Codes, two: Codes) -> None:
        column = self.columns[a]
        column[one], column[two] = column[two], column[one]

    def _in_random_order(self, attributes: list[int]) -> list[int]:
        return [attributes[k] for k in self.chance.permutation(len(attributes)).tolist()]

    def _keys(self, columns: list[Codes]) -> NDArray[np.uint64]:
        keys = np.zeros(len(columns[0]), np.uint64)
        for words, column in zip(self.words, columns, strict=True):
            keys += words[column]
        return keys


def scattered(puzzle: Puzzle, chance: Chance) -> Board:
    """All values with their exact counts, each attribute in a random order of its own."""
    columns = [
        np.repeat(np.arange(len(n)), n)[chance.permutation(puzzle.size)] for n in puzzle.counts
    ]
    return Board(puzzle, columns, chance)


def _are_apart(one: NDArray[np.generic], two: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Pairs that share no member with an earlier pair, nor within themselves."""
    both = np.column_stack([one, two]).ravel()
    is_first = np.zeros(len(both), bool)
    is_first[np.unique(both, return_index=True)[1]] = True
    return is_first[::2] & is_first[1::2]


def _is_in(keys: NDArray[np.uint64], known: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Membership in a sorted array, in the shape of ``keys``."""
    if not len(known):
        return np.zeros(keys.shape, bool)
    at = np.searchsorted(known, keys).clip(max=len(known) - 1)
    return np.asarray(known[at] == keys)
