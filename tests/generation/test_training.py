import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from generation.gan.augment import Adaptive, Views
from generation.gan.biggan import SmallBigGan
from generation.gan.checkpoint import load_generator
from generation.gan.config import AttributeSchema, BigGanDeepConfig
from generation.gan.generator import Generator
from generation.gan.header import CheckpointError, read_header
from generation.gan.presets import TrainConfig
from generation.gan.schedule import StyleGAN3Config
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


def test_the_penalty_is_taken_of_each_so_manieth_pair_and_nothing_else_changes(
    tmp_path: Path,
) -> None:
    whole = TrainConfig(kimg=1, batch=8, gamma=1e-9, interval_kimg=0.008, seed=5)
    sparse = replace(whole, penalty_every=3)

    one = next(trainer(tmp_path / "one", whole).run())
    other = next(trainer(tmp_path / "other", sparse).run())

    assert other.penalty > 0
    assert other.penalty != pytest.approx(one.penalty, rel=1e-3)
    assert other.loss_d == pytest.approx(one.loss_d, rel=1e-5)
    ours, theirs = (load_file(tmp_path / name / "state.safetensors") for name in ("one", "other"))
    for key in (key for key in ours if key.startswith(("d.", "g."))):
        assert torch.allclose(ours[key], theirs[key], atol=1e-5), key


def test_a_penalty_of_no_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="0th pair"):
        TrainConfig(penalty_every=0)


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


@pytest.mark.parametrize(
    "fields", [{"channel_base": 1 << 40, "channel_max": 1 << 30}, {"w_dim": 1 << 30}]
)
def test_a_header_that_declares_more_than_the_file_holds_takes_no_memory(
    tmp_path: Path, fields: dict[str, int]
) -> None:
    config = StyleGAN3Config(SMALL.schema, 16, n_layers=4, **fields)  # type: ignore[arg-type]
    metadata = {
        "architecture": "morphora-stylegan3-1",
        "config": json.dumps(config.to_json()),
        "recipe": "{}",
    }
    save_file({"map.w_avg": torch.zeros(8)}, tmp_path / "wide.safetensors", metadata)

    with pytest.raises(CheckpointError, match=r"tensors missing|no possible size"):
        load_generator(tmp_path / "wide.safetensors")


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


def test_out_of_memory_halves_the_batch_and_loses_no_chance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trainer(tmp_path, replace(SHORT, batch=16))
    whole, tried = run._step, []

    def narrow() -> tuple[float, float, float, float]:
        tried.append((run.position.batch, run.rng.get_state()))
        if run.position.batch > 8:
            run.rng.manual_seed(99)  # chance was drawn before memory ran out
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole()

    monkeypatch.setattr(run, "_step", narrow)

    interval = next(run.run())

    assert interval.batch == 8
    assert [batch for batch, _ in tried[:2]] == [16, 8]
    assert torch.equal(tried[0][1], tried[1][1])
    assert trainer(tmp_path, replace(SHORT, batch=16)).position.batch == 8


def test_another_error_is_not_taken_for_a_lack_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trainer(tmp_path)

    def broken() -> None:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(run, "_step", broken)

    with pytest.raises(RuntimeError, match="shapes"):
        next(run.run())


def test_samples_that_become_one_picture_stop_the_run_and_keep_the_last_good_weights(
    tmp_path: Path,
) -> None:
    run = trainer(tmp_path, replace(SHORT, lr_g=0.0))
    steps = run.run()
    next(steps)
    kept = run.state_path.read_bytes()
    with torch.no_grad():
        small(run.g).to_rgb.weight.zero_()
        small(run.ema).to_rgb.weight.zero_()

    with pytest.raises(TrainingDivergedError, match="collapsed"):
        next(steps)

    assert run.state_path.read_bytes() == kept


@pytest.mark.parametrize("game", ["rpgan", "logistic", "hinge"])
def test_every_game_teaches_both_networks(tmp_path: Path, game: str) -> None:
    run = trainer(tmp_path, replace(SHORT, game=game, orthogonal=1e-4))
    g, d = small(run.g).to_rgb.weight.clone(), [p.clone() for p in run.d.parameters()]

    interval = next(run.run())

    assert not torch.equal(small(run.g).to_rgb.weight, g)
    assert any(not torch.equal(a, b) for a, b in zip(d, run.d.parameters(), strict=True))
    assert (interval.penalty > 0) == (game != "hinge")


def test_augmentation_grows_while_the_critic_knows_its_pictures(tmp_path: Path) -> None:
    adaptive = Adaptive()

    for _ in range(10):
        adaptive.adjust(mean_sign=0.9, n_images=1000)
    risen = adaptive.p
    for _ in range(20):
        adaptive.adjust(mean_sign=0.1, n_images=1000)

    assert risen == pytest.approx(0.1)
    assert adaptive.p == 0.0


def test_augmented_pictures_keep_their_size_and_colours() -> None:
    pictures, _ = flat_art(6)
    image = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    views = Views.draw(6, 16, 1.0, torch.Generator().manual_seed(1))

    shown = views.of(image)

    assert shown.shape == image.shape
    assert not torch.equal(shown, image)
    assert shown.min() >= image.min() - 1e-3
    assert shown.max() <= image.max() + 1e-3
    assert torch.equal(views.part(slice(2, 4)).of(image[2:4]), shown[2:4])


def test_biggan_deep_is_trained_under_spectral_norm_and_exported_without(tmp_path: Path) -> None:
    deep = BigGanDeepConfig(SMALL.schema, (16, 16, 12, 8), z_dim=8, embed_dim=8, spectral=True)
    pictures, labels = flat_art(64)
    wide = pictures.repeat(2, axis=1).repeat(2, axis=2)
    run = Trainer(deep, replace(SHORT, game="rpgan"), wide, labels, tmp_path)
    next(run.run())

    sampled = run.sample(columns=2, rows=2)
    run.export(tmp_path / "deep.safetensors", {})
    loaded = load_generator(tmp_path / "deep.safetensors")

    chance = torch.Generator().manual_seed(7)
    z = torch.randn(4, 8, generator=chance)
    c = run._one_hot(run.labels[torch.randint(64, (4,), generator=chance)])
    again = ((loaded(z, c) * 127.5 + 127.5).round()).permute(0, 2, 3, 1).numpy()
    assert np.abs(again - sampled).max() <= 1
    second = Trainer(deep, replace(SHORT, seed=9), wide, labels, tmp_path / "on", loaded)
    with torch.no_grad():
        drawn = second.g(z, c)
    assert drawn.isfinite().all()


def test_an_alias_free_generator_is_resumed_to_the_bit(tmp_path: Path) -> None:
    config = StyleGAN3Config(
        SMALL.schema, 16, z_dim=8, w_dim=8, channel_base=128, channel_max=8, n_layers=4, margin=2
    )
    pictures, labels = flat_art(64)
    game = replace(SHORT, game="rpgan", adaptive=True)

    def some(folder: str) -> Trainer:
        return Trainer(config, game, pictures, labels, tmp_path / folder)

    unbroken = some("a").run()
    next(unbroken)
    next(unbroken)
    next(some("b").run())
    next(some("b").run())

    first, second = (load_file(tmp_path / name / "state.safetensors") for name in "ab")
    assert all(torch.equal(first[name], second[name]) for name in first)
