"""What a law would have done: rules not in force yet, over what happened to other works."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minting.evolution.rules import Law, Source


@dataclass(frozen=True)
class Fact:
    """Something that adds to a work's quantity: wei, votes, or 1 for an interaction.

    ``day`` counts from 0, the first one of the past: there is an epoch a day.
    """

    day: int
    work: str
    amount: int


@dataclass(frozen=True)
class Past:
    """What is known of works over ``n_days`` days. Sources that are not in ``facts`` are unknown.

    A stake's facts are the seconds for which it runs at the end.
    """

    works: tuple[str, ...]
    n_days: int
    facts: Mapping[Source, Sequence[Fact]]


@dataclass(frozen=True)
class Trial:
    """Where works would be.

    ``levels``: [N, K] uint8, at the end, for each work and rule. ``proofs``: [n_days] int64, works
    whose levels an epoch says that a day would have changed. ``is_known``: [K], whether the past
    says anything of the rule's source.
    """

    levels: NDArray[np.uint8]
    proofs: NDArray[np.int64]
    is_known: tuple[bool, ...]

    @property
    def n_moved(self) -> int:
        """Works that are at any level."""
        return int(self.levels.any(axis=1).sum())


def run(law: Law, past: Past) -> Trial:
    """A law over a past, as the contract would have had it; an unknown source is level 0."""
    place = {work: i for i, work in enumerate(past.works)}
    levels = np.zeros((len(past.works), len(law.rules)), np.uint8)
    changed: set[tuple[int, str]] = set()
    for k, rule in enumerate(law.rules):
        by_work: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for fact in past.facts.get(rule.source, ()):
            by_work[fact.work][fact.day] += fact.amount
        for work, by_day in by_work.items():
            quantity, level = 0, 0
            for day in sorted(by_day):
                quantity += by_day[day]
                before, level = level, rule.level(quantity)
                if rule.source.is_proven and level != before:
                    changed.add((day, work))
            levels[place[work], k] = level
    days = np.array([day for day, _ in changed], np.int64)
    proofs = np.bincount(days, minlength=past.n_days).astype(np.int64)
    return Trial(levels, proofs, tuple(rule.source in past.facts for rule in law.rules))


def stages(trial: Trial, n: int) -> list[int]:
    """Up to ``n`` works that moved, from the least to the most, evenly spread; [] if none did."""
    total = trial.levels.sum(axis=1, dtype=np.int64)
    moved = [i for i in np.argsort(total, kind="stable").tolist() if total[i]]
    if len(moved) <= n:
        return moved
    return [moved[round(i * (len(moved) - 1) / (n - 1))] for i in range(n)]
