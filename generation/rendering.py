"""A chunk of a drop from specs to files and rows. Imports torch: workers and commands only."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from generation import services
from generation.gan import latent
from generation.gan.checkpoint import load_generator
from generation.gan.generator import Generator
from generation.gan.latent import ItemSpec
from generation.gan.render import BATCH, canonical_environment, coordinates, render
from generation.imaging import codec
from generation.imaging.difference import Difference, difference
from generation.models import Artwork, Candidate, Checkpoint, Drop, Job, Look
from generation.services import RenderedWork
from generation.traits import diversity
from generation.traits.novelty import Looks
from generation.traits.parameters import Parameters
from generation.traits.parser import Parsed, ParserNetwork, features, load_parser, read
from generation.traits.planner import attempt_seed

LEASE = timedelta(seconds=15)
RENEW_EVERY = timedelta(seconds=3)
DIGITS = 6  # of a latent
MAX_ART = 20_000  # pictures of the training art that works are compared with


def run_chunk(*, job_id: int) -> Drop | None:
    """Render one chunk; None if it is done or in other hands. Doing it twice is harmless."""
    job = services.lease_job(pk=job_id, now=timezone.now(), lease=LEASE)
    if job is None or job.drop is None:
        return None
    try:
        works, looks = draw_works(job.drop, _asked(job), renewal(job))
        services.record_works(
            job=job, works=works, looks=looks, environment=canonical_environment()
        )
    except services.LostLeaseError:
        return None
    except Exception as error:
        services.release_job(job=job, error=f"{type(error).__name__}: {error}")
        raise
    return job.drop


def renewal(job: Job) -> Callable[[], None]:
    """What keeps the lease of a job while a slow network draws; LostLeaseError once it is gone."""
    renewed_at = timezone.now()

    def renew() -> None:
        nonlocal renewed_at
        now = timezone.now()
        if now - renewed_at >= RENEW_EVERY:
            services.renew_job(
                job=job, now=now, lease=LEASE, done=job.done, checkpoint=job.checkpoint
            )
            renewed_at = now

    return renew


def finish_drop(*, drop: Drop) -> Drop:
    """Close a complete rendering, or a complete round of a planned one.

    A drop that is still rendering afterwards has jobs of a next round, or its plan is stuck.
    """
    is_planned = hasattr(drop, "plan")
    if is_planned:
        plan = services.settle_round(drop=drop)
        if plan.quota.open_slots():
            return drop
    if hasattr(drop, "selection"):
        services.settle_candidates(drop=drop, latents=_latents_of_candidates(drop))
    works = list(drop.artworks.in_order())
    vectors = looks_of(drop.checkpoint, works).thumbnails
    aside = set() if is_planned else _repeats(drop, works, vectors)
    kept = [row for row in range(len(works)) if row not in aside]
    groups = diversity.similar_groups(vectors[kept])
    _read_art(drop.checkpoint)
    return services.finish_rendering(
        drop=drop,
        repeats={works[row].index for row in aside},
        groups=[[works[kept[row]].index for row in group] for group in groups],
    )


def _latents_of_candidates(drop: Drop) -> dict[tuple[int, int], dict[str, float]]:
    """How far each candidate of a drop lies along the directions that it is steered by."""
    parameters = drop.parameter_set.parameters
    if not parameters.directions:
        return {}
    rows = list(drop.candidates.in_order())
    generator, _ = networks(drop.checkpoint)
    steps = services.named_steps(drop.checkpoint, parameters)
    found = coordinates(generator, [spec_of(row) for row in rows], parameters, steps)
    return {
        (row.slot, row.attempt): {
            name: round(float(along[place]), DIGITS) for name, along in found.items()
        }
        for place, row in enumerate(rows)
    }


def _read_art(checkpoint: Checkpoint) -> None:
    """Features of the training art, once, for the guard to compare works with."""
    dataset = services.art_dataset(checkpoint)
    parser = networks(checkpoint)[1]
    if dataset is None or parser is None or services.art_features(checkpoint) is not None:
        return
    if dataset.image_px != parser.img_resolution:
        return
    pictures = services.load_dataset(dataset, at_most=MAX_ART)[0]
    services.store_art_features(checkpoint=checkpoint, features=features(parser, pictures))


def looks_of(checkpoint: Checkpoint, works: Sequence[Artwork]) -> Looks:
    """How works look, in their order; what nobody has measured yet is measured and remembered."""
    sha256 = checkpoint.parser_sha256
    known = Look.objects.of((work.image_digest for work in works), sha256)
    missing = list({w.image_digest: w for w in works if w.image_digest not in known}.values())
    if missing:
        pictures = np.stack([codec.read_stored(work.image_path) for work in missing])
        digests = [work.image_digest for work in missing]
        looks = read_pictures(checkpoint, pictures)[1]
        services.add_looks(digests=digests, parser_sha256=sha256, looks=looks)
        known = Look.objects.of((work.image_digest for work in works), sha256)
    return Look.stacked(known[work.image_digest] for work in works)


def draw_again(drop: Drop, works: Sequence[Artwork]) -> Iterator[tuple[Artwork, Difference]]:
    """Draw works from their rows and compare with the stored files, a canonical batch at a time.

    Of a retouched work that is the file of the picture as it was drawn.

    ImageRefusedError if a stored file is not the one that its row names.
    """
    generator, _ = networks(drop.checkpoint)
    parameters = drop.parameter_set.parameters
    steps = services.named_steps(drop.checkpoint, parameters)
    for start in range(0, len(works), BATCH):
        rows = works[start : start + BATCH]
        specs = [spec_of(work) for work in rows]
        pictures = render(generator, specs, parameters, steps)
        for work, picture in zip(rows, pictures, strict=True):
            yield work, difference(codec.read_stored(work.drawn_path), picture)


def spec_of(work: Artwork | Candidate) -> ItemSpec:
    """What a work, or a candidate, was drawn from."""
    psi = latent.EXPLORE_PSI if work.explores else None
    seed = bytes.fromhex(work.item_seed)
    place = work.index if isinstance(work, Artwork) else work.slot
    start = work.start if isinstance(work, Artwork) else None
    begun = None if start is None else tuple(start)
    return ItemSpec(place, seed, work.requested, psi, work.is_control, begun)


def _repeats(drop: Drop, works: Sequence[Artwork], vectors: NDArray[np.float32]) -> set[int]:
    """Rows of works that show an earlier work's picture again, of this drop or one before it."""
    earlier = (
        drop.collection.drops.filter(number__lt=drop.number)
        .exclude(artworks=None)
        .values_list("artworks__image_digest", flat=True)
    )
    exact = _exact_repeats([work.image_digest for work in works], set(earlier))
    return {*exact, *diversity.near_duplicates(vectors)}


def _exact_repeats(digests: list[str], seen: set[str]) -> list[int]:
    rows = []
    for row, name in enumerate(digests):
        if name in seen:
            rows.append(row)
        seen.add(name)
    return rows


@dataclass(frozen=True)
class Ask:
    """A picture to draw: for which place, which try that is, and what it is to show."""

    slot: int
    attempt: int
    spec: ItemSpec

    @property
    def explores(self) -> bool:
        return self.spec.psi is not None

    @property
    def is_control(self) -> bool:
        return self.spec.is_control


def _asked(job: Job) -> list[Ask]:
    drop = job.drop
    assert drop is not None
    if "candidates" in job.args:
        return [asked(drop, slot, attempt) for slot, attempt in job.args["candidates"]]
    return [asked(drop, place, 0) for place in range(job.args["start"], job.args["stop"])]


def asked(drop: Drop, slot: int, attempt: int) -> Ask:
    """What a place of a drop asks for at a try: its plan's traits, or what its seed draws."""
    seed, parameters = bytes.fromhex(drop.seed), drop.parameter_set.parameters
    is_planned = hasattr(drop, "plan")
    explorers, controls = _apart(drop.seed, drop.size, parameters.exploration, parameters.control)
    explores = slot in explorers
    is_control = slot in controls and not is_planned  # a plan says of every work what it shows
    first = latent.item_spec(seed, slot, parameters, explores=explores, is_control=is_control)
    wanted = drop.plan.quota_body["plan"][slot] if is_planned else first.requested
    own = attempt_seed(seed, slot, attempt)
    return Ask(slot, attempt, ItemSpec(slot, own, wanted, first.psi, is_control))


@lru_cache(maxsize=4)
def _apart(
    drop_seed: str, size: int, exploration: float, control: float
) -> tuple[frozenset[int], frozenset[int]]:
    """The places of a drop whose works are drawn to be unusual, and those that nothing steers."""
    seed, shares = bytes.fromhex(drop_seed), Parameters({}, 1.0, {}, exploration, control)
    return latent.explorers(seed, size, exploration), latent.controls(seed, size, shares)


def draw_works(
    drop: Drop, asks: Sequence[Ask], between: Callable[[], None] | None = None
) -> tuple[list[RenderedWork], Looks]:
    """Pictures drawn, kept and read; ``between`` is called every now and then."""
    generator, parser = networks(drop.checkpoint)
    parameters = drop.parameter_set.parameters
    steps = services.named_steps(drop.checkpoint, parameters)
    pictures = render(generator, [ask.spec for ask in asks], parameters, steps, between)
    readings, looks = _read(parser, pictures)
    works = [
        RenderedWork(
            index=ask.slot,
            source=ask.slot,
            attempt=ask.attempt,
            item_seed=ask.spec.seed.hex(),
            requested=ask.spec.requested,
            parsed=reading.values,
            confidence=reading.confidence,
            image_digest=services.keep_picture(picture=picture),
            explores=ask.explores,
            is_control=ask.is_control,
            start=None if ask.spec.start is None else list(ask.spec.start),
        )
        for ask, picture, reading in zip(asks, pictures, readings, strict=True)
    ]
    return works, looks


def read_pictures(
    checkpoint: Checkpoint, pictures: NDArray[np.uint8]
) -> tuple[list[Parsed], Looks]:
    """What a checkpoint's parser reads in pictures [N, H, W, 3], and how they look."""
    return _read(networks(checkpoint)[1], pictures)


def networks(checkpoint: Checkpoint) -> tuple[Generator, ParserNetwork | None]:
    """Generator and parser of a checkpoint, digests checked, kept by this process.

    An imported generator may have no parser: then nobody reads its pictures.
    """
    path, sha256 = checkpoint.parser_path, checkpoint.parser_sha256
    return (
        _generator(checkpoint.path, checkpoint.sha256),
        _parser(path, sha256) if path else None,
    )


def _read(parser: ParserNetwork | None, pictures: NDArray[np.uint8]) -> tuple[list[Parsed], Looks]:
    thumbnails = diversity.thumbnails(pictures)
    if parser is None:
        return [Parsed({}, 1.0)] * len(pictures), Looks(
            thumbnails, np.empty((len(pictures), 0), np.float32)
        )
    readings, features = read(parser, pictures)
    return readings, Looks(thumbnails, features)


@lru_cache(maxsize=2)
def _generator(path: str, sha256: str) -> Generator:
    return load_generator(Path(path), sha256)


@lru_cache(maxsize=2)
def _parser(path: str, sha256: str) -> ParserNetwork:
    return load_parser(Path(path), sha256)
