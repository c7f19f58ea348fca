"""How long it takes to fit a million votes, beside choix in the same run.

    .venv/bin/python -m benchmarks.preference [--votes 1000000] [--json FILE]

1,200 works of 12 attributes of 8 values, with a true worth, and votes of which 5 % are blind. choix
knows no traits and fits a strength for each work; its list or matrix of votes is made within its
time. The error is the root mean square distance from the true worth, in log-odds. Medians of three
after a first.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import choix
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sentiment.preference import bradley_terry
from sentiment.preference.bradley_terry import Belief, Votes

ROUNDS = 3
N_WORKS, N_ATTRIBUTES, N_VALUES = 1_200, 12, 8
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """Seconds of one way, by the clock and of the processor, and its error."""

    way: str
    n_votes: int
    seconds: float
    cpu_seconds: float
    error: float | None


def timed(work: Callable[[], Array], rounds: int = ROUNDS) -> tuple[Array, float, float]:
    """What it finds, and medians of its seconds after a first run."""
    found = work()
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return found, statistics.median(walls), statistics.median(cpus)


def cast(features: Array, worth: Array, n_votes: int, chance: np.random.Generator) -> Votes:
    """Votes of a crowd to which works have this worth."""
    n_items = len(features)
    left = chance.integers(n_items, size=n_votes)
    right = (left + chance.integers(1, n_items, size=n_votes)) % n_items
    lapse = bradley_terry.LAPSE
    p = lapse / 2 + (1 - lapse) * expit(worth[left] - worth[right])
    return Votes(features, left, right, chance.random(n_votes) < p, np.ones(n_votes))


def fits(n_votes: int) -> list[Row]:
    """Ours and choix's on the same votes on works, whose true worth is known."""
    chance = np.random.default_rng(1)
    blocks = [
        np.eye(N_VALUES)[chance.integers(N_VALUES, size=N_WORKS)] for _ in range(N_ATTRIBUTES)
    ]
    features = np.hstack(blocks)
    taste = chance.normal(0, 0.42, features.shape[1])
    votes = cast(features, features @ taste, n_votes, chance)
    winners = np.where(votes.left_won, votes.left, votes.right)
    losers = np.where(votes.left_won, votes.right, votes.left)

    def pairs() -> list[tuple[int, int]]:
        return list(zip(winners.tolist(), losers.tolist(), strict=True))

    def matrix() -> Array:
        cells = np.bincount(winners * N_WORKS + losers, minlength=N_WORKS**2)
        return cells.reshape(N_WORKS, N_WORKS).astype(np.float64)

    prior = Belief.prior(features.shape[1])
    ways: dict[str, Callable[[], Array]] = {
        "choix.ilsr_pairwise_dense": lambda: choix.ilsr_pairwise_dense(matrix(), tol=1e-8),
        "choix.lsr_pairwise_dense, one step": lambda: choix.lsr_pairwise_dense(matrix()),
        "choix.ilsr_pairwise": lambda: choix.ilsr_pairwise(N_WORKS, pairs(), tol=1e-8),
        "choix.mm_pairwise": lambda: choix.mm_pairwise(N_WORKS, pairs(), tol=1e-6),
        "ours": lambda: features @ bradley_terry.fit(votes, prior).effects,
    }
    rows = []
    for way, work in ways.items():
        found, wall, cpu = timed(work)
        error = (found - found.mean()) - features @ taste + (features @ taste).mean()
        rows.append(Row(way, n_votes, wall, cpu, float(np.sqrt(np.mean(error**2)))))
    belief = bradley_terry.fit(votes, prior)
    pair = features[votes.left[0]], features[votes.right[0]]
    _, wall, cpu = timed(lambda: bradley_terry.absorb(belief, *pair, left_won=True).effects)
    return [*rows, Row("ours, one more vote", 1, wall, cpu, None)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--votes", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    asked = parser.parse_args()
    rows = fits(asked.votes)
    for row in rows:
        sys.stdout.write(
            f"{row.way:36}{row.n_votes:10,}{row.seconds:12.5f} s{row.cpu_seconds:10.5f} CPU-s"
            f"{'' if row.error is None else f'{row.error:10.3f} off'}\n"
        )
    if asked.json:
        asked.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
