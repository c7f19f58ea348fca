"""Filling a plan from candidates as they are rendered: each is taken once or set aside with why."""

import math
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from typing import Any, Self

ACCEPTED = "accepted"
OTHER_PLACE = "accepted elsewhere"
REPEATS = "repeats"
LOW_CONFIDENCE = "low confidence"
LOW_NOVELTY = "low novelty"
NOT_ASKED = "not asked"


class QuotaError(ValueError):
    """A quota or candidate that is not one; ``found`` is the value that is not ``wanted``."""

    def __init__(self, found: object, wanted: str) -> None:
        self.found, self.wanted = found, wanted
        super().__init__(f"{found!r} is not {wanted}")


@dataclass(frozen=True)
class Verdict:
    """What became of a candidate.

    Parameters
    ----------
    reason : ACCEPTED and OTHER_PLACE mean taken; else set aside for REPEATS (of whatever kind),
        LOW_CONFIDENCE, LOW_NOVELTY, or NOT_ASKED: no open slot has the traits read.
    slot : place that it fills, None if set aside.
    source, attempt : the slot it was rendered for, and its attempt there, from 0.
    detail : the number or the kind of repeat behind the reason.
    """

    reason: str
    slot: int | None
    source: int
    attempt: int
    detail: str = ""


class Quota:
    """Which slots of a plan are open, who fills the others, and how often each was tried.

    A candidate fills its own slot if the traits READ are those asked, else the first open slot that
    asks for them. So the traits read of an accepted set have the plan's counts exactly.

    Parameters
    ----------
    plan : traits per slot.
    min_confidence : parser confidence in [0, 1] from which a reading counts.
    min_novelty : novelty from which a work counts as new, in the unit that candidates come with.
    """

    def __init__(
        self,
        plan: Sequence[Mapping[str, str]],
        *,
        min_confidence: float = 0.0,
        min_novelty: float = 0.0,
    ) -> None:
        for floor in (min_confidence, min_novelty):
            if not math.isfinite(floor):
                raise QuotaError(floor, "a finite floor")
        self.min_confidence, self.min_novelty = min_confidence, min_novelty
        self.plan = [dict(traits) for traits in plan]
        self.attempts = [0] * len(self.plan)
        self.filled: dict[int, tuple[int, int]] = {}  # slot -> (source, attempt) of its work
        self.set_aside: Counter[str] = Counter()  # reason -> candidates
        self._queues: dict[tuple[tuple[str, str], ...], deque[int]] = {}
        for slot, traits in enumerate(self.plan):
            self._queues.setdefault(_key(traits), deque()).append(slot)

    def open_slots(self) -> list[int]:
        """Slots without a work, in rising order."""
        return [slot for slot in range(len(self.plan)) if slot not in self.filled]

    def to_render(self, n: int) -> list[tuple[int, int]]:
        """The next ``n`` candidates as (slot, attempt): open slots, the least tried first.

        With fewer open slots than ``n`` each is tried several times. Offer them in this order.
        """
        ahead = [(self.attempts[slot], slot) for slot in self.open_slots()]
        heapify(ahead)
        wanted = []
        for _ in range(n if ahead else 0):
            attempt, slot = ahead[0]
            wanted.append((slot, attempt))
            heapreplace(ahead, (attempt + 1, slot))
        return wanted

    def offer(
        self,
        slot: int,
        traits: Mapping[str, str],
        confidence: float,
        novelty: float,
        repeats: str = "",
    ) -> Verdict:
        """Take the slot's next attempt for a slot, or set it aside.

        Parameters
        ----------
        traits : as the parser read them.
        confidence : of the reading, in [0, 1]; not a number counts as below any floor.
        novelty : as ``min_novelty``.
        repeats : how it repeats an earlier work ("digest", "thumbnail"), empty for a new one.
        """
        if not 0 <= slot < len(self.plan):
            raise QuotaError(slot, f"a slot below {len(self.plan)}")
        attempt = self.attempts[slot]
        self.attempts[slot] += 1
        place, reason, detail = self._judged(slot, traits, confidence, novelty, repeats)
        if place is None:
            self.set_aside[reason] += 1
        else:
            self._queues[_key(traits)].remove(place)
            self.filled[place] = (slot, attempt)
        return Verdict(reason, place, slot, attempt, detail)

    def _judged(
        self, slot: int, traits: Mapping[str, str], confidence: float, novelty: float, repeats: str
    ) -> tuple[int | None, str, str]:
        if repeats:
            return None, REPEATS, repeats
        if not confidence >= self.min_confidence:
            return None, LOW_CONFIDENCE, f"{confidence:.3g} < {self.min_confidence:.3g}"
        if not novelty >= self.min_novelty:
            return None, LOW_NOVELTY, f"{novelty:.3g} < {self.min_novelty:.3g}"
        if slot not in self.filled and dict(traits) == self.plan[slot]:
            return slot, ACCEPTED, ""
        queue = self._queues.get(_key(traits))
        if queue:
            return queue[0], OTHER_PLACE, ""
        asked = self.plan[slot]
        off = [f"{k}={traits.get(k)} not {v}" for k, v in asked.items() if traits.get(k) != v]
        return None, NOT_ASKED, ", ".join(off) or "filled already"

    def to_json(self) -> dict[str, Any]:
        """All that ``from_json`` needs to go on from here."""
        return {
            "plan": self.plan,
            "min_confidence": self.min_confidence,
            "min_novelty": self.min_novelty,
            "attempts": self.attempts,
            "filled": [[slot, *work] for slot, work in sorted(self.filled.items())],
            "set_aside": dict(self.set_aside),
        }

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        try:
            quota = cls(
                body["plan"],
                min_confidence=float(body["min_confidence"]),
                min_novelty=float(body["min_novelty"]),
            )
            quota.attempts = [int(n) for n in body["attempts"]]
            quota.set_aside = Counter({str(k): int(n) for k, n in body["set_aside"].items()})
            for slot, source, attempt in body["filled"]:
                quota._queues[_key(quota.plan[slot])].remove(slot)
                quota.filled[slot] = (int(source), int(attempt))
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            raise QuotaError(str(error), "the state of a quota") from error
        n_offered = len(quota.filled) + quota.set_aside.total()
        if len(quota.attempts) != len(quota.plan) or sum(quota.attempts) != n_offered:
            raise QuotaError(sum(quota.attempts), f"the number of candidates offered, {n_offered}")
        return quota


def _key(traits: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(traits.items()))
