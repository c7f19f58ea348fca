"""A chunk of a drop from specs to files and rows. Imports torch: workers and commands only."""

from datetime import timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings
from django.utils import timezone
from numpy.typing import NDArray

from generation import services
from generation.gan import latent
from generation.gan.checkpoint import load_generator
from generation.gan.generator import Generator
from generation.gan.render import render
from generation.imaging import codec
from generation.models import Checkpoint, Drop
from generation.services import RenderedWork
from generation.traits import diversity
from generation.traits.parser import Parsed, ParserNetwork, load_parser, parse

LEASE = timedelta(seconds=15)


def run_chunk(*, job_id: int) -> Drop | None:
    """Render one chunk; None if it is done or in other hands. Doing it twice is harmless."""
    job = services.lease_job(pk=job_id, now=timezone.now(), lease=LEASE)
    if job is None or job.drop is None:
        return None
    try:
        works = _render_works(job.drop, job.args["start"], job.args["stop"])
        services.record_works(job=job, works=works)
    except services.LostLeaseError:
        return None
    except Exception as error:
        services.release_job(job=job, error=f"{type(error).__name__}: {error}")
        raise
    return job.drop


def finish_drop(*, drop: Drop) -> Drop:
    """Look for repeats over the whole drop, in its order, and close the rendering."""
    works = list(drop.artworks.in_order())
    pictures = np.stack([codec.read_stored(work.image_path) for work in works])
    earlier = (
        drop.collection.drops.filter(number__lt=drop.number)
        .exclude(artworks=None)
        .values_list("artworks__image_digest", flat=True)
    )
    repeats = _exact_repeats([work.image_digest for work in works], set(earlier))
    vectors = diversity.thumbnails(pictures)
    aside = {*repeats, *diversity.near_duplicates(vectors)}
    kept = [row for row in range(len(works)) if row not in aside]
    groups = diversity.similar_groups(vectors[kept])
    return services.finish_rendering(
        drop=drop,
        repeats={works[row].index for row in aside},
        groups=[[works[kept[row]].index for row in group] for group in groups],
    )


def _exact_repeats(digests: list[str], seen: set[str]) -> list[int]:
    rows = []
    for row, name in enumerate(digests):
        if name in seen:
            rows.append(row)
        seen.add(name)
    return rows


def _render_works(drop: Drop, start: int, stop: int) -> list[RenderedWork]:
    generator, parser = networks(drop.checkpoint)
    parameters = drop.parameter_set.parameters
    seed = bytes.fromhex(drop.seed)
    specs = [latent.item_spec(seed, index, parameters) for index in range(start, stop)]
    steps = services.named_steps(drop.checkpoint, parameters)
    pictures = render(generator, specs, parameters, steps)
    folder = Path(settings.MEDIA_ROOT) / "images"
    works = []
    for spec, picture, read in zip(specs, pictures, _read(parser, pictures), strict=True):
        works.append(
            RenderedWork(
                index=spec.index,
                item_seed=spec.seed.hex(),
                requested=spec.requested,
                parsed=read.values,
                confidence=read.confidence,
                image_digest=codec.store(codec.encode_png(picture), folder, ".png"),
            )
        )
    return works


def networks(checkpoint: Checkpoint) -> tuple[Generator, ParserNetwork | None]:
    """Generator and parser of a checkpoint, digests checked, kept by this process.

    An imported generator may have no parser: then nobody reads its pictures.
    """
    path, sha256 = checkpoint.parser_path, checkpoint.parser_sha256
    return (
        _generator(checkpoint.path, checkpoint.sha256),
        _parser(path, sha256) if path else None,
    )


def _read(parser: ParserNetwork | None, pictures: NDArray[np.uint8]) -> list[Parsed]:
    return [Parsed({}, 1.0)] * len(pictures) if parser is None else parse(parser, pictures)


@lru_cache(maxsize=2)
def _generator(path: str, sha256: str) -> Generator:
    return load_generator(Path(path), sha256)


@lru_cache(maxsize=2)
def _parser(path: str, sha256: str) -> ParserNetwork:
    return load_parser(Path(path), sha256)
