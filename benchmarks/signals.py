"""Whom the signals of a round name: `-m benchmarks.signals [--crowds 100] [--json FILE]`.

Crowds of 120 voters of whom it is known that all are somebody, and the same crowds with a ring:
eight wallets of one hand. Voters have a common and an own taste and sit for some minutes within the
same half hour. A ring's wallets judge the same pairs, follow their hand's choice a share of the
time and their own taste else, and vote behind one another by a lag that wavers. Of honest crowds it
is told in how many anybody was tied to anybody; of rings which part of the wallets was found, in a
group that more of them are in, and how many others were taken for them.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from sentiment.integrity import agreement, groups, rhythm
from sentiment.integrity.groups import Tie

N_VOTERS, N_PAIRS, N_VOTES, RING = 120, 300, 80, 8
SITTING_S, LAG_S = 1800.0, 0.4
TASTE_SD, OWN_SD = 0.8, 0.6


class Crowd(NamedTuple):
    """[V] voters, pairs of works, whether the first was chosen, and seconds; [P] the crowd's p."""

    voters: NDArray[np.int64]
    pairs: NDArray[np.int64]
    for_first: NDArray[np.bool_]
    times: NDArray[np.float64]
    likely: NDArray[np.float64]


@dataclass(frozen=True)
class Ring:
    """``n_pairs`` are judged by all; a choice is the hand's with probability ``faithful``."""

    n_pairs: int
    faithful: float
    wavers_s: float


RINGS = [Ring(60, faithful, 0.1) for faithful in (1.0, 0.9, 0.8, 0.7)]
RINGS += [Ring(n_pairs, 1.0, 0.1) for n_pairs in (30, 20, 12)]
RINGS += [Ring(60, 0.7, wavers_s) for wavers_s in (1.0, 3.0, 10.0)]


@dataclass(frozen=True)
class Found:
    """Of a ring: parts of it in [0, 1] by each signal, and others taken for it, a crowd."""

    by_choice: float
    by_time: float
    by_either: float
    others: float


def crowd(chance: np.random.Generator) -> Crowd:
    taste = chance.normal(0, TASTE_SD, N_PAIRS)
    voters = np.repeat(np.arange(N_VOTERS), N_VOTES)
    drawn = [chance.choice(N_PAIRS, N_VOTES, replace=False) for _ in range(N_VOTERS)]
    pairs = np.concatenate(drawn)
    own = chance.normal(0, OWN_SD, (N_VOTERS, N_PAIRS))
    begun = chance.uniform(0, SITTING_S, N_VOTERS)
    times = np.concatenate([at + np.cumsum(chance.gamma(6, 0.4, N_VOTES)) for at in begun])
    chosen = chance.random(len(voters)) < expit(taste[pairs] + own[voters, pairs])
    return Crowd(voters, pairs, chosen, times, expit(taste / np.sqrt(1 + OWN_SD**2)))


def with_ring(honest: Crowd, ring: Ring, chance: np.random.Generator) -> Crowd:
    pairs = chance.choice(N_PAIRS, ring.n_pairs, replace=False)
    size = (RING, ring.n_pairs)
    hand = chance.random(ring.n_pairs) < 0.5
    own = chance.random(size) < honest.likely[pairs]
    choices = np.where(chance.random(size) < ring.faithful, hand, own)
    at = chance.uniform(0, SITTING_S, ring.n_pairs) + LAG_S * np.arange(RING)[:, None]
    times = at + chance.normal(0, ring.wavers_s, size)
    wallets = np.repeat(np.arange(N_VOTERS, N_VOTERS + RING), ring.n_pairs)
    return Crowd(
        np.concatenate([honest.voters, wallets]),
        np.concatenate([honest.pairs, np.tile(pairs, RING)]),
        np.concatenate([honest.for_first, choices.ravel()]),
        np.concatenate([honest.times, times.ravel()]),
        honest.likely,
    )


def by_choice(told: Crowd) -> list[Tie]:
    return agreement.ties(told.voters, told.pairs, told.for_first, told.likely)


def by_time(told: Crowd) -> list[Tie]:
    return rhythm.ties(told.voters, told.times)


def honest_crowds(n: int) -> dict[str, int]:
    """In how many anybody was tied to anybody."""
    crowds = [crowd(np.random.default_rng([seed, 0])) for seed in range(n)]
    return {
        "choices": sum(bool(by_choice(one)) for one in crowds),
        "times": sum(bool(by_time(one)) for one in crowds),
    }


def rings(ring: Ring, n: int) -> Found:
    own = set(range(N_VOTERS, N_VOTERS + RING))
    parts = np.zeros((n, 4))
    for seed in range(n):
        honest = crowd(np.random.default_rng([seed, 0]))
        told = with_ring(honest, ring, np.random.default_rng([seed, 1]))
        named = [_named(by_choice(told), own), _named(by_time(told), own)]
        either = named[0] | named[1]
        parts[seed, :3] = [len(some & own) / RING for some in (*named, either)]
        parts[seed, 3] = len(either - own)
    return Found(*parts.mean(axis=0).tolist())


def _named(ties: list[Tie], own: set[int]) -> set[int]:
    """Voters in groups that more than one wallet of the ring is in."""
    found = [set(group.voters) for group in groups.gather(ties)]
    return {voter for group in found if len(group & own) > 1 for voter in group}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crowds", type=int, default=100)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    honest = honest_crowds(asked.crowds)
    print(f"{asked.crowds} honest crowds: tied by choices in {honest['choices']}, ", end="")
    print(f"by times in {honest['times']}")
    print("pairs  faithful  wavers   found by choices  by times  by either  others")
    rows = []
    for ring in RINGS:
        found = rings(ring, asked.crowds)
        rows.append(asdict(ring) | asdict(found))
        print(f"{ring.n_pairs:5}  {ring.faithful:8.0%}  {ring.wavers_s:4.1f} s   ", end="")
        print(f"{found.by_choice:16.0%}  {found.by_time:8.0%}  {found.by_either:9.0%}  ", end="")
        print(f"{found.others:6.2f}")
    if asked.json:
        told = {"crowds": asked.crowds, "honest": honest, "rings": rows}
        asked.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
