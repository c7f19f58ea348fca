"""What a run is measured by as it goes, and that measuring moves nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings
from safetensors.torch import load_file

from generation import services, training
from generation.gan import metrics
from generation.gan.header import read_header, sha256_file
from generation.gan.presets import TrainConfig
from generation.imaging.reader import Item
from generation.models import Checkpoint, Dataset, Job
from generation.services import import_dataset, load_dataset
from generation.traits.parser import ParserNetwork, features, load_parser, save_parser
from tests.fixtures.networks import SCHEMA, flat_art

pytestmark = pytest.mark.django_db
TINY = {"z_dim": 8, "w_dim": 8, "channel_base": 128, "channel_max": 8, "n_layers": 4, "margin": 2}
TRAIN = TrainConfig(kimg=1, batch=8, interval_kimg=0.04, seed=3, lr_g=2e-3)


@pytest.fixture(autouse=True)
def own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path / "var"
    settings.DATASET_ROOT = tmp_path / "var" / "datasets"
    training._reader.cache_clear()
    training._pictures.cache_clear()


@pytest.fixture
def dataset() -> Dataset:
    """Flat art with grain, so that no two pictures are the same."""
    pictures, labels = flat_art(80)
    grain = np.random.default_rng(1).integers(-15, 16, pictures.shape)
    grained = np.clip(pictures + grain, 0, 255).astype(np.uint8)
    items = [
        Item(
            f"{i}.png",
            picture,
            {name: values[k] for (name, values), k in zip(SCHEMA.attributes, row, strict=True)},
            "tests",
            "CC0-1.0",
        )
        for i, (picture, row) in enumerate(zip(grained, labels, strict=True))
    ]
    return import_dataset(
        name="flat",
        items=items,
        source="tests",
        licence="CC0-1.0",
        image_px=16,
        schema=SCHEMA.to_mapping(),
    )[0]


def a_parser(path: Path, dataset: Dataset, px: int = 16) -> Path:
    torch.manual_seed(3)
    network = ParserNetwork(dataset.attributes(), px, width=8)
    save_parser(path, network, {"dataset": dataset.digest, "held_out_accuracy": {}})
    return path


def a_run(dataset: Dataset, parser: Path | None = None, train: TrainConfig = TRAIN) -> Job:
    job = services.request_run(
        dataset=dataset, architecture="stylegan3", network=TINY, train=train, parser=parser
    )
    leased = services.lease_job(pk=job.pk, now=timezone.now(), lease=training.LEASE)
    assert leased is not None
    return leased


def state(job: Job) -> dict[str, torch.Tensor]:
    return load_file(services.run_folder(job) / "state.safetensors")


def test_an_interval_is_measured_as_samples_against_art_in_the_parsers_features(
    dataset: Dataset, tmp_path: Path
) -> None:
    path = a_parser(tmp_path / "parser.safetensors", dataset)
    job = a_run(dataset, path)

    next(training.run(job=job))

    job.refresh_from_db()
    (point,) = job.checkpoint["history"]
    trainer = training._trainer(job, dataset, TRAIN)  # resumed from what the run has saved
    network = load_parser(path)
    art = features(network, load_dataset(dataset)[0])
    order = np.random.default_rng(0).permutation(80)
    scale = np.sqrt((art[order[:40]].astype(np.float64) ** 2).mean())
    drawn = features(network, trainer.draw(40)) / scale
    real, rest = art[order[:40]] / scale, art[order[40:]] / scale
    expected = metrics.fidelity(real.astype(np.float32), drawn.astype(np.float32)).to_json()
    assert {name: point[name] for name in expected} == pytest.approx(expected, abs=1e-4)
    far = np.median(np.linalg.norm(drawn[:, None] - rest[None], axis=2).min(1))
    among = np.median(np.linalg.norm(real[:, None] - rest[None], axis=2).min(1))
    assert point["nearest"] == pytest.approx(far / among, rel=1e-2)


def test_measuring_changes_no_bit_of_a_run_nor_of_a_resumed_one(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "METRICS_KIMG", 0.04)  # at every interval
    plain = a_run(dataset)
    for _, _ in zip(range(3), training.run(job=plain), strict=False):
        chance = torch.get_rng_state()
    measured = a_run(dataset, a_parser(tmp_path / "parser.safetensors", dataset))
    steps = training.run(job=measured)
    next(steps)
    next(steps)
    del steps
    training._reader.cache_clear()  # as in another process

    next(training.run(job=measured))

    assert torch.equal(torch.get_rng_state(), chance)
    first, second = state(plain), state(measured)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert [p["kid"] is None for p in plain.checkpoint["history"]] == [True] * 3
    assert [p["kid"] is None for p in measured.checkpoint["history"]] == [False] * 3


def test_what_is_kept_carries_the_newest_scores_and_names_who_read(
    dataset: Dataset, tmp_path: Path
) -> None:
    path = a_parser(tmp_path / "parser.safetensors", dataset)
    job = a_run(dataset, path)
    steps = training.run(job=job)

    next(steps)
    next(steps)

    recipe = read_header(services.run_folder(job) / "generator.safetensors").recipe
    first, second = job.checkpoint["history"]
    assert second["kid"] is None
    expected = {name: first[name] for name in ("n_images", *training.SCORES)}
    assert recipe["metrics"] == expected | {"parser": sha256_file(path)}
    assert services.keep_run(job=job, name="kept").recipe["metrics"]["n_images"] == 40


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [
        (0, 40, True),
        (40, 80, False),
        (3_990, 4_030, True),
        (4_030, 7_990, False),
        (7_990, 8_000, True),
        (4_000, 12_000, True),
        (19_960, 20_000, True),
        (16_960, 17_000, False),
    ],
)
def test_the_first_and_last_interval_are_measured_and_one_in_four_thousand_pictures(
    before: int, after: int, due: bool
) -> None:
    assert training.is_measured(before, after, TrainConfig(kimg=20)) is due


def test_a_runs_art_brings_its_own_parser(
    dataset: Dataset, small_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    path = a_parser(tmp_path / "own.safetensors", dataset)
    Checkpoint.objects.update(parser_path=str(path), parser_sha256=sha256_file(path))
    job = a_run(dataset)

    next(training.run(job=job))
    Checkpoint.objects.update(parser_path="")  # what a run is measured by stays

    job.refresh_from_db()
    assert job.checkpoint["history"][0]["coverage"] is not None
    assert services.reader_of(job, dataset) == path


@pytest.mark.parametrize(("px", "reason"), [(32, "reads 32 px, not 16"), (0, "no such file")])
def test_a_parser_that_cannot_read_the_art_is_refused(
    dataset: Dataset, tmp_path: Path, px: int, reason: str
) -> None:
    path = tmp_path / "parser.safetensors"
    if px:
        a_parser(path, dataset, px)

    with pytest.raises(CommandError, match=reason):
        call_command("train", dataset.digest, parser=path)


def test_too_little_art_is_not_measured(dataset: Dataset, tmp_path: Path) -> None:
    path = a_parser(tmp_path / "parser.safetensors", dataset)
    few, _ = import_dataset(
        name="few",
        items=[
            Item(f"{i}.png", picture, {"background": "sand", "accessory": "none"}, "us", "CC0-1.0")
            for i, picture in enumerate(load_dataset(dataset)[0][:13])
        ],
        source="tests",
        licence="CC0-1.0",
        image_px=16,
        schema=dataset.schema,
    )
    job = a_run(few, path)

    next(training.run(job=job))

    assert job.checkpoint["history"][0]["kid"] is None


def test_the_command_prints_the_scores(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = a_parser(tmp_path / "parser.safetensors", dataset)

    call_command(
        "train",
        dataset.digest,
        architecture="stylegan3",
        network=json.dumps(TINY),
        kimg=1,
        interval_kimg=1.0,
        parser=path,
    )

    said = capsys.readouterr().out
    point = Job.objects.get().checkpoint["history"][-1]
    assert f"KID-traits {point['kid']:.4f}  precision {point['precision']:.3f}" in said
    assert f"nearest art {point['nearest']:.2f}" in said
    assert "FID" not in said
