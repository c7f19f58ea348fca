"""Training runs: asked for here, done by whoever holds the job's lease."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings

from generation.gan.config import GeneratorConfig
from generation.gan.header import PARSER_ARCHITECTURE, CheckpointError, read_metadata, read_report
from generation.gan.presets import ARCHITECTURES, TrainConfig
from generation.models import Checkpoint, Dataset, Job
from generation.services.checkpoints import keep_checkpoint, register_checkpoint
from generation.services.jobs import create_job

KIND = "train"
WEIGHTS, SAMPLES = "generator.safetensors", "samples.png"


class UnfinishedRunError(Exception):
    """A run has no weights yet that could be kept."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"run {job.pk} has not saved any weights yet")
        self.job = job


def network_of(dataset: Dataset, architecture: str, network: dict[str, Any]) -> GeneratorConfig:
    """The network that a run trains; ConfigError or TypeError where its settings are none."""
    schema = dataset.attributes()
    return ARCHITECTURES[architecture](schema, dataset.image_px, **network)


def request_run(
    *,
    dataset: Dataset,
    architecture: str,
    network: dict[str, Any],
    train: TrainConfig,
    start: str = "",
    parser: Path | None = None,
) -> Job:
    """The job of a training run; the same run asked for again is the same job.

    ``start`` is the path of a checkpoint to go on from, ``parser`` one to measure with in place of
    the art's own. ConfigError or ValueError for a network that cannot be made or cannot learn from
    this dataset, and for a parser that cannot read it.
    """
    network_of(dataset, architecture, network)
    if parser is not None:
        _check_reads(parser, dataset)
    args: dict[str, Any] = {
        "dataset": dataset.digest,
        "name": run_name(dataset),
        "architecture": architecture,
        "network": network,
        "train": asdict(train),
        "start": start,
    } | ({"parser": str(parser)} if parser else {})
    digest = hashlib.sha256(json.dumps(args, sort_keys=True).encode()).hexdigest()
    return create_job(kind=KIND, key=f"train:{digest[:40]}", total=train.kimg, args=args)


def run_name(dataset: Dataset) -> str:
    """The dataset with its version, but for version 1: runs from before versions keep their key."""
    return dataset.name if dataset.version == 1 else dataset.title


def run_folder(job: Job) -> Path:
    """Where a run keeps its state, its samples and its weights."""
    return Path(settings.VAR_DIR) / "training" / str(job.pk)


def keep_run(*, job: Job, name: str) -> Checkpoint:
    """Make a run's newest weights a checkpoint, read by the parser of the same art if there is one.

    The run may go on; what it saves later is another checkpoint. UnfinishedRunError before the
    first save.
    """
    weights = run_folder(job) / WEIGHTS
    if not weights.is_file():
        raise UnfinishedRunError(job)
    dataset = Dataset.objects.get(digest=job.args["dataset"])
    kept = keep_checkpoint(weights)
    kept.parent.mkdir(parents=True, exist_ok=True)
    temporary = kept.with_name(f".{kept.name}.part")
    temporary.write_bytes(weights.read_bytes())
    temporary.replace(kept)
    return register_checkpoint(
        name=name,
        path=kept,
        parser_path=parser_of(dataset),
        source=dataset.source,
        licence=dataset.licence,
    )


def reader_of(job: Job, dataset: Dataset) -> Path | None:
    """The parser that measures a run: the one it names, or has been measured with, or the art's."""
    known = job.args.get("parser") or job.checkpoint.get("parser")
    return Path(known) if known else parser_of(dataset)


def _check_reads(parser: Path, dataset: Dataset) -> None:
    """ValueError unless it reads pictures of the dataset's size for its attributes."""
    try:
        said = read_metadata(parser, PARSER_ARCHITECTURE)
    except CheckpointError as error:
        raise ValueError(str(error)) from error
    if json.loads(said["schema"]) != dataset.schema:
        raise ValueError(f"{parser.name} reads other attributes than {dataset.title} has")
    if int(said["img_resolution"]) != dataset.image_px:
        raise ValueError(f"{parser.name} reads {said['img_resolution']} px, not {dataset.image_px}")


def parser_of(dataset: Dataset) -> Path | None:
    """A trait parser that was trained on this dataset, or on the same attributes at this size."""
    rows = Checkpoint.objects.exclude(parser_path="").order_by("-created_at", "-pk")
    fitting = [
        Path(row.parser_path)
        for row in rows
        if row.schema == dataset.schema and row.config.get("img_resolution") == dataset.image_px
    ]
    there = [path for path in fitting if path.is_file()]
    own = [path for path in there if read_report(path).get("dataset") == dataset.digest]
    return next(iter([*own, *there]), None)
