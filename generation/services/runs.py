"""Training runs: asked for here, done by whoever holds the job's lease."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from generation.gan.config import ConfigError, GeneratorConfig
from generation.gan.header import (
    PARSER_ARCHITECTURE,
    CheckpointError,
    CheckpointHeader,
    read_header,
    read_metadata,
    read_report,
)
from generation.gan.presets import ARCHITECTURES, TrainConfig, plain, settings_of
from generation.models import Checkpoint, Dataset, Job
from generation.services.checkpoints import keep_checkpoint, lineage, register_checkpoint
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
    this dataset, and for a parser or a checkpoint that does not fit it.
    """
    if start:
        _check_start(Path(start), dataset, architecture, network)
    else:
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


def start_settings(start: Path) -> tuple[str, dict[str, Any]]:
    """Architecture and settings of a run that goes on from a checkpoint; ValueError if none is."""
    return settings_of(_header(start).config)


def _check_start(start: Path, dataset: Dataset, architecture: str, network: dict[str, Any]) -> None:
    """ValueError unless a run of this network can go on from it, and its terms can be recorded."""
    found = _header(start).config
    if reason := misfit(found, dataset.schema, dataset.image_px):
        raise ValueError(f"{start.name}: {reason}")
    if plain(found) != plain(network_of(dataset, architecture, network)):
        raise ValueError(f"{start.name} is a network of other settings, or its values' order is")
    lineage(source=dataset.source, licence=dataset.licence, start=start)


def _header(start: Path) -> CheckpointHeader:
    try:
        return read_header(start)
    except CheckpointError as error:
        raise ValueError(str(error)) from error


def misfit(config: GeneratorConfig, schema: dict[str, list[str]], image_px: int) -> str:
    """Why a generator cannot go on learning from art of this schema and size; nothing if it can."""
    if config.img_resolution != image_px:
        return f"it draws {config.img_resolution} px, the art has {image_px}"
    theirs = config.schema.to_mapping()
    if theirs != schema:
        odd = sorted(name for name in {*theirs, *schema} if theirs.get(name) != schema.get(name))
        return f"its attributes are not the art's: {', '.join(odd)}"
    architecture, network = settings_of(config)
    try:
        made = ARCHITECTURES[architecture](config.schema, image_px, **network)
    except (ConfigError, TypeError) as error:
        return f"{architecture} is not trained here as it is: {error}"
    return "" if plain(made) == plain(config) else f"{architecture} of its settings is not trained"


@dataclass(frozen=True)
class Start:
    """A checkpoint as a start for a run: the art that it fits, and why it does not fit one."""

    checkpoint: Checkpoint
    fits: tuple[Dataset, ...]
    reason: str


def starts(dataset: Dataset | None) -> list[Start]:
    """All checkpoints, the newest first, with the art each fits; reasons are for ``dataset``."""
    art = list(Dataset.objects.order_by("-created_at", "-pk"))
    return [_start(row, art, dataset) for row in Checkpoint.objects.order_by("-created_at", "-pk")]


def _start(row: Checkpoint, art: list[Dataset], dataset: Dataset | None) -> Start:
    try:
        config = read_header(Path(row.path)).config
    except CheckpointError as error:
        return Start(row, (), error.reason)
    fits = tuple(one for one in art if not misfit(config, one.schema, one.image_px))
    reason = "" if dataset is None else misfit(config, dataset.schema, dataset.image_px)
    return Start(row, fits, reason)


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
    recipe = read_header(kept).recipe
    return register_checkpoint(
        name=name,
        path=kept,
        parser_path=parser_of(dataset),
        source=recipe["source"],
        licence=recipe["licence"],
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
