"""Measures a generator: does it do as asked, and does it cover the art it learned from."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.gan import latent, metrics
from generation.gan.checkpoint import load_generator
from generation.gan.header import read_report
from generation.gan.inception import inception_features, load_inception
from generation.gan.metrics import Fidelity, Reference
from generation.gan.render import BATCH, render
from generation.models import Dataset
from generation.services import load_dataset
from generation.traits import diversity, parser
from generation.traits.parameters import uniform


@dataclass(frozen=True)
class Evaluation:
    """What was measured on ``n`` pictures, every value of an attribute asked for equally often.

    ``agreement`` is macro-averaged, ``held_out`` the parser's own accuracy on art it never saw,
    ``absent`` the values that it read in no picture.
    ``fidelity`` and ``nearest`` need the dataset. ``nearest`` is the median distance of a generated
    picture to the nearest of the other art, over that of the art: far below 1 is copying.
    """

    n: int
    agreement: dict[str, float]
    held_out: dict[str, float]
    absent: dict[str, list[str]]
    n_different: int
    n_near_duplicates: int
    fidelity: Fidelity | None
    nearest: float | None


def fid(pictures: NDArray[np.uint8], dataset: Dataset, inception: Path) -> float:
    """FID of pictures [N, H, W, 3] against all of the art, by the original network's weights.

    CheckpointError if ``inception`` does not hold them.
    """
    network = load_inception(inception)
    art, _ = load_dataset(dataset)
    real, fake = (inception_features(network, shown) for shown in (art, pictures))
    return metrics.frechet(real, fake)


def draw(path: Path, n: int, psi: float) -> Iterator[tuple[dict[str, str], NDArray[np.uint8]]]:
    """Pictures [H, W, 3] with what was asked for, batch by batch."""
    generator = load_generator(path)
    parameters = uniform(generator.config.schema.to_mapping(), psi)
    for start in range(0, n, BATCH):
        specs = [
            latent.item_spec(bytes(32), index, parameters)
            for index in range(start, min(start + BATCH, n))
        ]
        pictures = render(generator, specs, parameters)
        yield from zip((spec.requested for spec in specs), pictures, strict=True)


def evaluate(
    *,
    requested: list[dict[str, str]],
    pictures: NDArray[np.uint8],
    parser_path: Path,
    dataset: Dataset | None,
) -> Evaluation:
    """Measure pictures [N, H, W, 3] that were asked for as ``requested``."""
    network = parser.load_parser(parser_path)
    read = [found.values for found in parser.parse(network, pictures)]
    fidelity, nearest = None, None
    if dataset is not None:
        fidelity, nearest = _against(network, pictures, dataset)
    return Evaluation(
        n=len(pictures),
        agreement=metrics.agreement(requested, read, network.schema.attributes),
        held_out=read_report(parser_path)["held_out_accuracy"],
        absent=metrics.absent(read, network.schema.attributes),
        n_different=len({picture.tobytes() for picture in pictures}),
        n_near_duplicates=len(diversity.near_duplicates(diversity.thumbnails(pictures))),
        fidelity=fidelity,
        nearest=nearest,
    )


def _against(
    network: parser.ParserNetwork, pictures: NDArray[np.uint8], dataset: Dataset
) -> tuple[Fidelity, float | None]:
    """Scores against as many pictures of the art, and the copying ratio against all others."""
    art = parser.features(network, load_dataset(dataset)[0])
    return Reference.of(art, len(pictures)).measure(parser.features(network, pictures))
