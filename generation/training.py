"""Training runs as jobs: pictures from a dataset row, progress in the job's, weights on disk."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
from django.conf import settings
from django.utils import timezone
from PIL import Image

from generation import services
from generation.gan.checkpoint import load_generator
from generation.gan.config import AttributeSchema, GeneratorConfig
from generation.gan.header import sha256_file
from generation.gan.training import Interval, TrainConfig, Trainer, eta_s
from generation.imaging import codec
from generation.models import Dataset, Job
from generation.traits import parser

LEASE = timedelta(minutes=10)
HELD_OUT = 0.1


def folder(job: Job) -> Path:
    """Where a run keeps its state, its samples and its weights."""
    return Path(settings.VAR_DIR) / "training" / str(job.pk)


def run(
    *,
    job: Job,
    dataset: Dataset,
    gan: GeneratorConfig,
    train: TrainConfig,
    start: Path | None = None,
) -> Iterator[Interval]:
    """Train under a lease, yielding each interval; the folder of the job holds state and samples.

    ``start`` is a checkpoint to go on from. Closing the iterator, a stop by a lead or a dead
    process lose at most the interval in work.
    """
    pictures, labels = services.load_dataset(dataset)
    out = folder(job)
    generator = None if start is None else load_generator(start)
    trainer = Trainer(gan, train, pictures, labels, out, generator)
    recipe = {
        "dataset": dataset.digest,
        "dataset_name": dataset.name,
        "source": dataset.source,
        "licence": dataset.licence,
        "torch": torch.__version__,
    }
    if start is not None:
        recipe["started_from"] = sha256_file(start)
    for interval in trainer.run():
        trainer.export(out / "generator.safetensors", recipe)
        sheet = codec.contact_sheet(trainer.sample(), columns=12)
        Image.fromarray(sheet).save(out / "samples.png")
        now = timezone.now()
        history = [*job.checkpoint.get("history", []), asdict(interval)]
        job.checkpoint = {"history": history, "eta_s": eta_s(interval, train)}
        services.renew_job(
            job=job,
            now=now,
            lease=LEASE,
            done=min(interval.n_images // 1000, job.total),
            checkpoint=job.checkpoint,
        )
        yield interval
    services.end_job(job=job, state=Job.State.DONE)


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
    network = parser.ParserNetwork(AttributeSchema.from_mapping(dataset.schema), dataset.image_px)
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
