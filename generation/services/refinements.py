"""Refinement by a lead: looking for directions, naming what was found, combining what is there."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from django.contrib.auth.models import User
from numpy.typing import NDArray

from generation.gan.header import ARCHITECTURES
from generation.models import Checkpoint, Direction, Job
from generation.models.jobs import JobQuerySet
from generation.services.directions import (
    BUILT_IN,
    DirectionNameTakenError,
    check_name,
    save_direction,
)
from generation.services.jobs import create_job, resume_job
from generation.traits.effect import Effect

SEARCH, COMBINE = "search", "combine"
KINDS = (SEARCH, COMBINE)
N_STRENGTHS = 7
MEASURED_ON = 96
# Of two looks whose steps cancel to less than this, nothing is left but rounding.
SHORTEST = 1e-3
LEARNED_FROM = range(64, 5001)
AT_ONCE = range(1, 13)


class NoSuchDirectionError(ValueError):
    """A name that is neither a saved direction of the checkpoint nor found by a search in it."""


@dataclass(frozen=True)
class FoundDirection:
    """What a search found, measured and not yet named; ``vector`` [w_dim] has unit length."""

    name: str
    method: str
    vector: NDArray[np.float32]
    scale: float
    attribute: str
    value: str
    effect: Effect

    @property
    def step(self) -> NDArray[np.float32]:
        """What strength 1 adds to w: [w_dim]."""
        return np.float32(self.scale) * self.vector

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {"vector": pack(self.vector), "effect": self.effect.to_json()}

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        own = {"vector": unpack(body["vector"]), "effect": Effect.from_json(body["effect"])}
        return cls(**(body | own))


def pack(vector: NDArray[np.float32]) -> str:
    """A vector as text that gives the same bits back."""
    return np.ascontiguousarray(vector, "<f4").tobytes().hex()


def unpack(text: str) -> NDArray[np.float32]:
    return np.frombuffer(bytes.fromhex(text), "<f4").astype(np.float32)


def num_ws(checkpoint: Checkpoint) -> int:
    """How many layers a checkpoint's ws have, from its row alone."""
    return ARCHITECTURES[checkpoint.architecture](checkpoint.config).num_ws


def searches(checkpoint: Checkpoint) -> JobQuerySet:
    """The searches in a checkpoint, the newest first."""
    rows = Job.objects.filter(kind=SEARCH, args__checkpoint=checkpoint.pk)
    return rows.order_by("-created_at", "-pk")


def combinations(checkpoint: Checkpoint) -> JobQuerySet:
    """Combinations that a lead has named and nobody has measured yet, the newest first."""
    rows = Job.objects.filter(kind=COMBINE, args__checkpoint=checkpoint.pk)
    return rows.exclude(state=Job.State.DONE).order_by("-created_at", "-pk")


def found_in(job: Job) -> list[FoundDirection]:
    """What a search has found so far."""
    return [FoundDirection.from_json(body) for body in job.checkpoint.get("found", [])]


def steps_of(checkpoint: Checkpoint, names: Iterable[str]) -> dict[str, NDArray[np.float32]]:
    """What strength 1 of each named direction adds to w; ``7:pca-1`` is what search 7 found.

    Names that every generator has of itself are left out where no row holds them.
    NoSuchDirectionError names one that is not there.
    """
    wanted = set(names)
    rows = checkpoint.directions.filter(name__in=wanted).order_by("name")
    steps = {row.name: row.step for row in rows}
    references = sorted(name for name in wanted if ":" in name)
    if references:
        found = find_candidates(checkpoint, references)
        steps |= {reference: one.step for reference, one in found.items()}
    missing = sorted(name for name in wanted - set(steps) if not BUILT_IN.fullmatch(name))
    if missing:
        raise NoSuchDirectionError(f"no direction of this checkpoint is called {missing[0]}")
    return steps


def find_candidates(checkpoint: Checkpoint, references: Iterable[str]) -> dict[str, FoundDirection]:
    """What searches found, by the job's number and the name it has there: ``7:pca-1``.

    NoSuchDirectionError names one that is not there.
    """
    numbers = {reference.partition(":")[0] for reference in references}
    jobs = searches(checkpoint).filter(pk__in=[int(n) for n in numbers if n.isdecimal()])
    found = {f"{job.pk}:{one.name}": one for job in jobs for one in found_in(job)}
    for reference in references:
        if reference not in found:
            raise NoSuchDirectionError(f"no search has found {reference[:60]}")
    return {reference: found[reference] for reference in references}


def request_search(
    *,
    checkpoint: Checkpoint,
    method: str,
    attribute: str = "",
    n_directions: int = 4,
    n_works: int = 1000,
    seed: int = 0,
) -> Job:
    """The job of a search; the same search again is the same job. ValueError for one in vain.

    ``attribute`` is whose values a linear search tells apart; the other methods ask for none.
    """
    if not checkpoint.parser_path:
        raise ValueError("no parser reads this checkpoint's works: nothing can be measured")
    if method not in (Direction.Method.SEFA, Direction.Method.PCA, Direction.Method.LINEAR):
        raise ValueError(f"{method!r} is no way to look for directions")
    if n_directions not in AT_ONCE or n_works not in LEARNED_FROM or seed < 0:
        raise ValueError("1 to 12 directions, learned from 64 to 5,000 works")
    if (method == Direction.Method.LINEAR) != (attribute in checkpoint.schema):
        raise ValueError("a linear search, and no other, asks for an attribute of the checkpoint")
    # SeFa reads the weights; works are drawn to measure it only.
    n_learned = 32 if method == Direction.Method.SEFA else n_works
    args = {
        "checkpoint": checkpoint.pk,
        "method": method,
        "attribute": attribute,
        "n_directions": n_directions,
        "n_works": n_learned,
        "n_effect": MEASURED_ON,
        "seed": seed,
    }
    total = n_learned + n_directions * MEASURED_ON * N_STRENGTHS
    return _job(SEARCH, args, total)


def request_combination(
    *, checkpoint: Checkpoint, name: str, strengths: dict[str, float], created_by: User
) -> Job:
    """The job that measures a combination of directions and saves it under a name.

    The same again is the same job. ValueError for a name or combination that cannot be,
    DirectionNameTakenError where the name is another direction's, or is about to be.
    """
    check_name(name, Direction.Method.COMBINED)
    vector, scale = combine(checkpoint, strengths)
    args = {
        "checkpoint": checkpoint.pk,
        "name": name,
        "vector": pack(vector),
        "scale": scale,
        "created_by": created_by.pk,
        "n_effect": MEASURED_ON,
    }
    known = Job.objects.filter(key=_key(COMBINE, args)).exists()
    if not known and _is_taken(checkpoint, name):
        raise DirectionNameTakenError(checkpoint, name)
    return _job(COMBINE, args, MEASURED_ON * N_STRENGTHS)


def combine(
    checkpoint: Checkpoint, strengths: dict[str, float]
) -> tuple[NDArray[np.float32], float]:
    """The sum of strength times step as a unit vector [w_dim] and its length.

    Raises ValueError where nothing is moved or the directions cancel.
    """
    steps = steps_of(checkpoint, strengths)
    missing = sorted(set(strengths) - set(steps))
    if missing:
        raise NoSuchDirectionError(f"{missing[0]} is not saved: search for it and save it first")
    parts = [strengths[name] * steps[name].astype(np.float64) for name in sorted(steps)]
    total = np.sum(parts, axis=0) if parts else np.zeros(1)
    scale = float(np.linalg.norm(total))
    if not scale > SHORTEST:
        raise ValueError("the sliders add up to nothing: move one before saving")
    return (total / scale).astype(np.float32), scale


def keep_found(*, checkpoint: Checkpoint, reference: str, name: str, created_by: User) -> Direction:
    """Save what a search found under a name; the errors of ``save_direction``."""
    candidate = find_candidates(checkpoint, [reference])[reference]
    fields = vars(candidate) | {"name": name}
    return save_direction(checkpoint=checkpoint, created_by=created_by, **fields)


def _is_taken(checkpoint: Checkpoint, name: str) -> bool:
    waiting = combinations(checkpoint).filter(args__name=name).unfinished()
    return bool(checkpoint.directions.filter(name=name).exists() or waiting.exists())


def _job(kind: str, args: dict[str, Any], total: int) -> Job:
    job = create_job(kind=kind, key=_key(kind, args), total=total, args=args)
    if resume_job(job=job):
        job.refresh_from_db()
    return job


def _key(kind: str, args: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(args, sort_keys=True).encode()).hexdigest()
    return f"{kind}:{digest[:40]}"
