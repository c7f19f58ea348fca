"""Finds latent directions of a checkpoint and measures each. Imports torch: workers, commands."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.text import slugify
from numpy.typing import NDArray

from generation import progress, services
from generation.gan import latent
from generation.gan.checkpoint import load_generator
from generation.gan.directions import linear_direction, pad, pca, sefa, spread, without
from generation.gan.effects import labels, measure_effect
from generation.gan.generator import Generator
from generation.gan.header import CheckpointError
from generation.gan.render import BATCH, draw, map_items
from generation.models import Checkpoint, Direction, Job
from generation.services import refinements
from generation.traits.effect import Effect
from generation.traits.parameters import Parameters, uniform
from generation.traits.parser import ParserNetwork, load_parser

METHODS = (Direction.Method.LINEAR, Direction.Method.SEFA, Direction.Method.PCA)
# A plane through 128 dimensions between fewer works than this follows their noise.
MIN_EXAMPLES = 20
LEASE = timedelta(minutes=10)
SLICE_S = 30.0  # of a search between two looks at what else waits in the queue


class UnreadableError(Exception):
    """A checkpoint without a parser: nothing can say what a direction changes."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(f"{checkpoint} has no parser")
        self.checkpoint = checkpoint


@dataclass(frozen=True)
class Sample:
    """Works that directions are learned from: ``latents`` [N, w_dim], ``read`` [N, attributes].

    ``seed`` and N also say which works the effects are measured on: those that follow.
    """

    generator: Generator
    parser: ParserNetwork
    parameters: Parameters
    seed: int
    latents: NDArray[np.float32]
    read: NDArray[np.int64]


@dataclass(frozen=True)
class Axis:
    """A direction before it is measured; ``vector`` [w_dim] has unit length."""

    name: str
    method: str
    vector: NDArray[np.float32]
    scale: float
    attribute: str = ""
    value: str = ""


@dataclass(frozen=True)
class Found:
    """A direction and what it did; ``own`` is the Spearman correlation of its own value."""

    axis: Axis
    effect: Effect

    @property
    def own(self) -> float | None:
        return self.effect.spearman.get(self.axis.attribute, {}).get(self.axis.value)


def sample(checkpoint: Checkpoint, n: int, seed: int = 0) -> Iterator[Sample]:
    """Draw and read ``n`` works with every value asked for equally often; grows batch by batch.

    Raises UnreadableError where the checkpoint has no parser.
    """
    if not checkpoint.parser_path:
        raise UnreadableError(checkpoint)
    generator = load_generator(Path(checkpoint.path), checkpoint.sha256)
    parser = load_parser(Path(checkpoint.parser_path), checkpoint.parser_sha256)
    parameters = uniform(generator.config.schema.to_mapping())
    latents, read = [], []
    for start in range(0, n, BATCH):
        indices = range(start, min(start + BATCH, n))
        ws = map_items(generator, _specs(seed, indices, parameters), parameters)
        latents.append(ws[:, 0].numpy())
        read.append(labels(parser, draw(generator, ws)))
        yield Sample(
            generator, parser, parameters, seed, np.concatenate(latents), np.concatenate(read)
        )


def find_directions(
    works: Sample,
    *,
    methods: Collection[str] = METHODS,
    values_each: int | None = None,
    n_effect: int = 96,
) -> Iterator[Found]:
    """Make directions and measure each on ``n_effect`` works that they were not learned from.

    ``values_each`` takes only that many of the values that were read most often in each attribute.
    The direction of a value leaves out what the values of the other attributes point to.
    """
    for axis in find_axes(works, methods, values_each):
        yield Found(axis, _measured(works, axis, n_effect))


def find_axes(
    works: Sample,
    methods: Collection[str] = METHODS,
    values_each: int | None = None,
    n_directions: int = 4,
) -> list[Axis]:
    """The directions of ``find_directions``, not yet measured; SeFa and PCA give that many."""
    found: list[Axis] = []
    if Direction.Method.LINEAR in methods:
        found += _linear(works, values_each)
    if Direction.Method.SEFA in methods:
        w_dim = works.generator.w_dim
        found += [
            Axis(name, Direction.Method.SEFA, pad(vector, w_dim).numpy(), 1.0)
            for name, vector in sefa(works.generator, n_directions).items()
        ]
    if Direction.Method.PCA in methods:
        found += [
            Axis(name, Direction.Method.PCA, vector, spread(works.latents, vector))
            for name, vector in pca(works.latents, n_directions).items()
        ]
    return found


def _linear(works: Sample, values_each: int | None) -> list[Axis]:
    """Every value's plane is fitted, as the other attributes' are needed, then some are kept."""
    normals: dict[tuple[str, str], NDArray[np.float32]] = {}
    wanted: list[tuple[str, str]] = []
    for (attribute, options), column in zip(
        works.parser.schema.attributes, works.read.T, strict=True
    ):
        counts = np.bincount(column, minlength=len(options))
        often = [k for k in np.argsort(-counts, kind="stable") if _tells(counts[k], len(column))]
        for k in often:
            normals[attribute, options[k]] = linear_direction(works.latents, column == k)
        wanted += [(attribute, options[k]) for k in often[:values_each]]
    return [_conditional(works.latents, normals, *pair) for pair in wanted]


def _tells(count: int, n: int) -> bool:
    return MIN_EXAMPLES <= count <= n - MIN_EXAMPLES


def _conditional(
    latents: NDArray[np.float32],
    normals: dict[tuple[str, str], NDArray[np.float32]],
    attribute: str,
    value: str,
) -> Axis:
    others = [normal for (name, _), normal in normals.items() if name != attribute]
    vector = without(normals[attribute, value], others)
    name = slugify(f"{attribute}-{value}", allow_unicode=True)
    scale = spread(latents, vector)
    return Axis(name, Direction.Method.LINEAR, vector, scale, attribute, value)


def _specs(seed: int, indices: Sequence[int], parameters: Parameters) -> list[latent.ItemSpec]:
    drop_seed = seed.to_bytes(latent.SEED_BYTES, "big")
    return [latent.item_spec(drop_seed, index, parameters) for index in indices]


def run_slice(*, job_id: int) -> Job | None:
    """Search or measure for a while under a lease; None if it is done, stopped or in other hands.

    A search is many short tasks, so that a drop's chunks never wait for its end.
    """
    job = services.lease_job(pk=job_id, now=timezone.now(), lease=LEASE)
    if job is None:
        return None
    until = time.monotonic() + SLICE_S
    try:
        if _work(job, until):
            services.end_job(job=job, state=Job.State.DONE)
        else:
            services.pause_job(job=job)
    except services.LostLeaseError:
        return job
    except (
        UnreadableError,
        CheckpointError,
        services.DirectionNameTakenError,
        ValueError,
    ) as error:
        services.end_job(job=job, state=Job.State.FAILED, error=str(error))
    except Exception as error:
        services.release_job(job=job, error=f"{type(error).__name__}: {error}")
        raise
    job.refresh_from_db()
    return job


def _work(job: Job, until: float) -> bool:
    """Go on until the time is up; whether there is nothing left to do."""
    for done in WORK[job.kind](job):
        services.renew_job(
            job=job,
            now=timezone.now(),
            lease=LEASE,
            done=min(done, job.total),
            checkpoint=job.checkpoint,
        )
        progress.announce_refine(checkpoint_id=job.args["checkpoint"])
        if time.monotonic() > until:
            return False
    return True


def _search(job: Job) -> Iterator[int]:
    """Draw works, then measure one direction after another; yields how many pictures were drawn.

    What was measured is in the job and not measured again.
    """
    checkpoint = Checkpoint.objects.get(pk=job.args["checkpoint"])
    n, n_effect, seed = (job.args[key] for key in ("n_works", "n_effect", "seed"))
    growing = _growing(checkpoint, checkpoint.sha256, n, seed)
    for works in growing.grow():
        yield max(job.done, len(works.latents))
    assert growing.works is not None
    found = job.checkpoint.setdefault("found", [])
    known = {body["name"] for body in found}
    for axis in _wanted(growing.works, job.args):
        if axis.name not in known:
            effect = _measured(growing.works, axis, n_effect)
            found.append(services.FoundDirection(effect=effect, **vars(axis)).to_json())
            yield n + len(found) * n_effect * refinements.N_STRENGTHS


def _wanted(works: Sample, args: dict[str, Any]) -> list[Axis]:
    axes = find_axes(works, [args["method"]], None, args["n_directions"])
    own = [axis for axis in axes if axis.attribute == args["attribute"]]
    return own[: args["n_directions"]]


def _measured(works: Sample, axis: Axis, n_effect: int) -> Effect:
    n = len(works.latents)
    specs = _specs(works.seed, range(n, n + n_effect), works.parameters)
    step = np.float32(axis.scale) * axis.vector
    return measure_effect(works.generator, works.parser, step, specs, works.parameters)


@dataclass
class Growing:
    """Works that are being drawn, slice by slice; ``works`` are those that are there."""

    left: Iterator[Sample]
    works: Sample | None = None

    def grow(self) -> Iterator[Sample]:
        """The works after each batch that is drawn now, from where the last slice left off."""
        try:
            for works in self.left:
                self.works = works
                yield works
        except Exception:
            _growing.cache_clear()  # what has failed cannot be gone on with
            raise


@lru_cache(maxsize=1)
def _growing(checkpoint: Checkpoint, sha256: str, n: int, seed: int) -> Growing:
    return Growing(sample(checkpoint, n, seed))


def _combine(job: Job) -> Iterator[int]:
    """Measure a combination on works of its own and save it; a second time changes nothing."""
    checkpoint = Checkpoint.objects.get(pk=job.args["checkpoint"])
    *_, works = sample(checkpoint, BATCH)
    vector = refinements.unpack(job.args["vector"])
    axis = Axis(job.args["name"], Direction.Method.COMBINED, vector, job.args["scale"])
    effect = _measured(works, axis, job.args["n_effect"])
    lead = User.objects.filter(pk=job.args["created_by"]).first()
    services.save_direction(checkpoint=checkpoint, effect=effect, created_by=lead, **vars(axis))
    yield job.total


WORK: dict[str, Callable[[Job], Iterator[int]]] = {
    refinements.SEARCH: _search,
    refinements.COMBINE: _combine,
}
