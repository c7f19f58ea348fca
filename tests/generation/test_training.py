from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from generation.gan.biggan import SmallBigGan
from generation.gan.checkpoint import load_generator
from generation.gan.config import AttributeSchema
from generation.gan.generator import Generator
from generation.gan.header import CheckpointError, read_header
from generation.gan.presets import TrainConfig
from generation.gan.training import Trainer, TrainingDivergedError
from tests.fixtures.networks import SMALL, flat_art

SHORT = TrainConfig(kimg=1, batch=8, game="hinge", interval_kimg=0.04, seed=5)


def trainer(folder: Path, config: TrainConfig = SHORT) -> Trainer:
    pictures, labels = flat_art(64)
    return Trainer(SMALL, config, pictures, labels, folder)


def small(generator: Generator) -> SmallBigGan:
    assert isinstance(generator, SmallBigGan)
    return generator


def test_a_resumed_run_takes_the_same_steps_as_an_unbroken_one(tmp_path: Path) -> None:
    unbroken = trainer(tmp_path / "a").run()
    for _ in range(4):
        next(unbroken)
    broken = trainer(tmp_path / "b").run()
    next(broken)
    next(broken)
    del broken

    resumed = trainer(tmp_path / "b").run()
    next(resumed)
    next(resumed)

    first = load_file(tmp_path / "a" / "state.safetensors")
    second = load_file(tmp_path / "b" / "state.safetensors")
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_training_lets_the_discriminator_read_the_attributes(tmp_path: Path) -> None:
    config = TrainConfig(kimg=2, batch=16, interval_kimg=0.5, lr_g=2e-3, lr_d=2e-3, decay_kimg=0)

    losses = [interval.loss_attributes for interval in trainer(tmp_path, config).run()]

    assert losses[-1] < losses[0] * 0.8


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_state(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    steps = run.run()
    next(steps)
    kept = (tmp_path / "state.safetensors").read_bytes()
    with torch.no_grad():
        small(run.g).to_rgb.weight.fill_(torch.nan)

    with pytest.raises(TrainingDivergedError):
        next(steps)

    assert (tmp_path / "state.safetensors").read_bytes() == kept


def test_an_exported_generator_draws_what_the_trainer_sampled(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    next(run.run())
    sampled = run.sample(columns=2, rows=2)

    run.export(tmp_path / "g.safetensors", {"dataset": "flat"})
    loaded = load_generator(tmp_path / "g.safetensors")

    chance = torch.Generator().manual_seed(7)
    z = torch.randn(4, SMALL.z_dim, generator=chance)
    picks = torch.randint(64, (4,), generator=chance)
    c = run._one_hot(run.labels[picks])
    with torch.no_grad():
        again = ((loaded(z, c) * 127.5 + 127.5).round()).permute(0, 2, 3, 1).numpy()
    assert np.abs(again - sampled).max() <= 1
    assert read_header(tmp_path / "g.safetensors").recipe["dataset"] == "flat"


def test_pictures_of_another_size_are_refused(tmp_path: Path) -> None:
    pictures, labels = flat_art(8)

    with pytest.raises(ValueError, match="for 16 px"):
        Trainer(SMALL, SHORT, pictures[:, :8], labels, tmp_path)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda raw: raw[: len(raw) // 2], "not a safetensors file"),
        (lambda raw: b"\xff" * 8 + raw[8:], "not a safetensors file"),
        (lambda raw: b"", "not a safetensors file"),
        (lambda raw: b"\x80\x04\x95cos\nsystem\n", "not a safetensors file"),
        (lambda raw: raw.replace(b"morphora-biggan-1", b"morphora-biggan-9"), "architecture"),
    ],
    ids=["truncated", "header of 2^63 bytes", "empty", "pickle", "unknown architecture"],
)
def test_a_hostile_checkpoint_is_refused(tmp_path: Path, damage: object, reason: str) -> None:
    path = tmp_path / "g.safetensors"
    trainer(tmp_path / "run").export(path, {})
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]

    with pytest.raises(CheckpointError, match=reason):
        load_generator(path)


def test_a_checkpoint_with_a_flipped_byte_is_refused_by_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "g.safetensors"
    sha256 = trainer(tmp_path / "run").export(path, {})
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(bytes(raw))

    with pytest.raises(CheckpointError, match="sha256"):
        load_generator(path, sha256)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    run = trainer(tmp_path / "run")
    with torch.no_grad():
        bias = small(run.ema).to_rgb.bias
        assert bias is not None
        bias.fill_(torch.inf)
    run.export(tmp_path / "g.safetensors", {})

    with pytest.raises(CheckpointError, match=r"to_rgb.bias is not finite"):
        load_generator(tmp_path / "g.safetensors")


def test_a_generator_taken_over_waits_until_the_discriminator_has_warmed_up(
    tmp_path: Path,
) -> None:
    first = trainer(tmp_path / "first")
    next(first.run())
    start = first.ema
    config = TrainConfig(kimg=1, batch=8, interval_kimg=0.04, warm_kimg=0.04)
    pictures, labels = flat_art(64)
    second = Trainer(SMALL, config, pictures, labels, tmp_path / "second", start)
    assert second.d.classifier is not None
    critic = second.d.classifier.weight.clone()
    steps = second.run()

    next(steps)

    kept = dict(start.named_parameters())
    assert all(torch.equal(kept[name], p) for name, p in second.g.named_parameters())
    assert not torch.equal(second.d.classifier.weight, critic)
    next(steps)
    assert not torch.equal(small(second.g).to_rgb.weight, small(start).to_rgb.weight)


def test_a_generator_of_another_configuration_is_not_taken_over(tmp_path: Path) -> None:
    pictures, labels = flat_art(64)
    other = SmallBigGan(replace(SMALL, z_dim=SMALL.z_dim + 1))

    with pytest.raises(ValueError, match="another configuration"):
        Trainer(SMALL, SHORT, pictures, labels, tmp_path, other)


def test_a_run_without_labels_trains_a_generator_that_is_asked_for_nothing(tmp_path: Path) -> None:
    free = replace(SMALL, schema=AttributeSchema(()))
    pictures, _ = flat_art(64)
    run = Trainer(free, SHORT, pictures, np.zeros((64, 0), np.int64), tmp_path)
    start = small(run.g).to_rgb.weight.clone()

    interval = next(run.run())

    run.export(tmp_path / "free.safetensors", {})
    loaded = load_generator(tmp_path / "free.safetensors")
    drawn = loaded(torch.randn(3, loaded.z_dim), torch.zeros(3, 0))
    assert interval.loss_attributes == 0
    assert not torch.equal(small(run.g).to_rgb.weight, start)
    assert (loaded.c_dim, loaded.w_dim) == (0, loaded.z_dim)
    assert drawn.std(0).mean() > 0
