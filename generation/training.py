"""Training runs as jobs: pictures from a dataset row, progress in the job's, weights on disk."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from django.utils import timezone
from numpy.typing import NDArray
from PIL import Image

from generation import services
from generation.gan import parallel
from generation.gan.checkpoint import load_generator
from generation.gan.header import sha256_file
from generation.gan.metrics import NEIGHBOURS, Reference
from generation.gan.presets import TrainConfig
from generation.gan.training import Interval, Trainer, TrainingDivergedError, eta_s
from generation.imaging import codec
from generation.models import Dataset, Job
from generation.services import runs
from generation.traits import parser

LEASE = timedelta(minutes=10)
HELD_OUT = 0.1
SAMPLES = 512  # measured against as many pictures of the art
# Thousand pictures between two measurements. At 64 px drawing, reading and comparing 512 samples
# takes the time that training takes for 56 pictures (biggan) to 68 (stylegan3), on two busy cores:
# under 2 % of 4,000. The art itself, 10,000 pictures, is read once a process, in 30 s there.
METRICS_KIMG = 4
SCORES = ("kid", "precision", "recall", "density", "coverage", "nearest")
SLICE_S = 45.0  # of training between two looks at what else waits in the queue


def run_slice(*, job_id: int) -> Job | None:
    """Train for a while under a lease; None if the run is done, stopped or in other hands.

    A run is many short tasks, so that a drop's chunks never wait for its end.
    """
    job = services.lease_job(pk=job_id, now=timezone.now(), lease=LEASE)
    if job is None:
        return None
    until = time.monotonic() + SLICE_S
    try:
        for _ in run(job=job):
            if time.monotonic() > until:
                services.pause_job(job=job)
                break
    except services.LostLeaseError:
        return job
    except TrainingDivergedError as error:
        services.end_job(job=job, state=Job.State.FAILED, error=str(error))
    except Exception as error:
        services.release_job(job=job, error=f"{type(error).__name__}: {error}")
        raise
    job.refresh_from_db()
    return job


def run(*, job: Job) -> Iterator[Interval]:
    """Train under a lease, yielding each interval; the folder of the job holds state and samples.

    Closing the iterator, a stop by a lead or a dead process lose at most the interval in work.
    """
    dataset = Dataset.objects.get(digest=job.args["dataset"])
    train = TrainConfig(**job.args["train"])
    trainer = _trainer(job, dataset, train)
    recipe = _recipe(dataset, job.args["start"])
    out, seen = runs.run_folder(job), trainer.n_images
    for interval in trainer.run():
        if parallel.rank() == 0:
            is_due = is_measured(seen, interval.n_images, train)
            scores = measure(trainer, job, dataset) if is_due else None
            point = asdict(interval) | (scores or dict.fromkeys(SCORES))
            history = [*job.checkpoint.get("history", []), point]
            trainer.export(out / runs.WEIGHTS, recipe | _card(job, history))
            _save_samples(trainer, out / runs.SAMPLES)
            _report(job, history, eta_s(interval, train))
        seen = interval.n_images
        yield interval
    if parallel.rank() == 0:
        services.end_job(job=job, state=Job.State.DONE)


def _trainer(job: Job, dataset: Dataset, train: TrainConfig) -> Trainer:
    pictures, labels = _pictures(dataset.digest)
    network = runs.network_of(dataset, job.args["architecture"], job.args["network"])
    start = job.args["start"]
    generator = load_generator(Path(start)) if start else None
    return Trainer(network, train, pictures, labels, runs.run_folder(job), generator)


@lru_cache(maxsize=1)
def _pictures(digest: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """A dataset in memory, kept from slice to slice; a digest never means other pictures."""
    return services.load_dataset(Dataset.objects.get(digest=digest))


def _recipe(dataset: Dataset, start: str) -> dict[str, Any]:
    recipe = {
        "dataset": dataset.digest,
        "dataset_name": dataset.title,
        "dataset_version": dataset.version,
        "torch": torch.__version__,
    }
    return recipe | services.lineage(
        source=dataset.source, licence=dataset.licence, start=Path(start) if start else None
    )


def _save_samples(trainer: Trainer, path: Path) -> None:
    sheet = codec.contact_sheet(trainer.sample(), columns=12)
    temporary = path.with_name(f".{path.name}")
    Image.fromarray(sheet).save(temporary, format="PNG")
    temporary.replace(path)


def is_measured(before: int, n_images: int, train: TrainConfig) -> bool:
    """Whether an interval's end is measured: the first, the last, and each METRICS_KIMG between.

    It depends on pictures seen and nothing else, so that the same run makes the same files.
    """
    step = METRICS_KIMG * 1000
    is_last = n_images >= train.kimg * 1000
    return before == 0 or is_last or n_images // step > before // step


def measure(trainer: Trainer, job: Job, dataset: Dataset) -> dict[str, float | None] | None:
    """Scores of samples in the features of the art's parser; None without one. Moves no chance."""
    path = runs.reader_of(job, dataset)
    if path is None:
        return None
    with torch.random.fork_rng(devices=[]):  # a network is made with random weights, then filled
        network, art = _reader(path, dataset.digest)
    if art is None:
        return None
    job.checkpoint["parser"] = str(path)
    fidelity, nearest = art.measure(parser.features(network, trainer.draw(len(art.real))))
    return fidelity.to_json() | {"nearest": nearest}


@lru_cache(maxsize=1)
def _reader(path: Path, digest: str) -> tuple[parser.ParserNetwork, Reference | None]:
    """A parser and what it sees in the art, kept from slice to slice; None of too little art."""
    network = parser.load_parser(path)
    pictures, _ = _pictures(digest)
    n = min(SAMPLES, len(pictures) // 2)
    if n < NEIGHBOURS + 2:
        return network, None
    return network, Reference.of(parser.features(network, pictures), n)


def _card(job: Job, history: list[dict[str, Any]]) -> dict[str, Any]:
    """The newest scores, with what they were measured at and by, for the exported weights."""
    measured = [point for point in history if point.get("kid") is not None]
    if not measured:
        return {}
    newest = {name: measured[-1][name] for name in ("n_images", *SCORES)}
    return {"metrics": newest | {"parser": sha256_file(Path(job.checkpoint["parser"]))}}


def _report(job: Job, history: list[dict[str, Any]], left_s: float) -> None:
    job.checkpoint |= {"history": history, "eta_s": left_s}
    services.renew_job(
        job=job,
        now=timezone.now(),
        lease=LEASE,
        done=min(history[-1]["n_images"] // 1000, job.total),
        checkpoint=job.checkpoint,
    )


def train_parser(
    *, dataset: Dataset, out: Path, epochs: int, seed: int
) -> Iterator[tuple[int, float]]:
    """Train the dataset's trait parser; yields (epoch, loss), then writes ``out``.

    A tenth of the art is held out, chosen by the seed; the accuracy on it goes into the file.
    """
    pictures, labels = services.load_dataset(dataset)
    order = np.random.default_rng(seed).permutation(len(pictures))
    n_held = max(1, round(HELD_OUT * len(order)))
    held, shown = order[:n_held], order[n_held:]
    torch.manual_seed(seed)
    network = parser.ParserNetwork(dataset.attributes(), dataset.image_px)
    losses = parser.train_parser(network, pictures[shown], labels[shown], epochs=epochs, seed=seed)
    yield from enumerate(losses, start=1)
    report = {
        "dataset": dataset.digest,
        "epochs": epochs,
        "seed": seed,
        "n_trained": len(shown),
        "n_held_out": len(held),
        "held_out_accuracy": parser.accuracy(network, pictures[held], labels[held]),
    }
    parser.save_parser(out, network, report)
