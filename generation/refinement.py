"""Finds latent directions of a checkpoint and measures each. Imports torch: workers, commands."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.utils.text import slugify
from numpy.typing import NDArray

from generation.gan import latent
from generation.gan.checkpoint import load_generator
from generation.gan.directions import linear_direction, pad, pca, sefa, spread, without
from generation.gan.effects import labels, measure_effect
from generation.gan.generator import Generator
from generation.gan.render import BATCH, draw, map_items
from generation.models import Checkpoint, Direction
from generation.traits.effect import Effect
from generation.traits.parameters import Parameters, uniform
from generation.traits.parser import ParserNetwork, load_parser

METHODS = (Direction.Method.LINEAR, Direction.Method.SEFA, Direction.Method.PCA)
# A plane through 128 dimensions between fewer works than this follows their noise.
MIN_EXAMPLES = 20


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
    n = len(works.latents)
    specs = _specs(works.seed, range(n, n + n_effect), works.parameters)
    for axis in find_axes(works, methods, values_each):
        step = np.float32(axis.scale) * axis.vector
        effect = measure_effect(works.generator, works.parser, step, specs, works.parameters)
        yield Found(axis, effect)


def find_axes(
    works: Sample, methods: Collection[str] = METHODS, values_each: int | None = None
) -> list[Axis]:
    """The directions of ``find_directions``, not yet measured."""
    found: list[Axis] = []
    if Direction.Method.LINEAR in methods:
        found += _linear(works, values_each)
    if Direction.Method.SEFA in methods:
        w_dim = works.generator.w_dim
        found += [
            Axis(name, Direction.Method.SEFA, pad(vector, w_dim).numpy(), 1.0)
            for name, vector in sefa(works.generator).items()
        ]
    if Direction.Method.PCA in methods:
        found += [
            Axis(name, Direction.Method.PCA, vector, spread(works.latents, vector))
            for name, vector in pca(works.latents).items()
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
