"""Teaching a student, stopped at any place, with a teacher that is quick."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command

from generation.gan import teaching
from generation.gan.biggan import SmallBigGan
from generation.gan.checkpoint import save_generator
from generation.gan.teaching import OtherRunError, Progress, TeachingConfig, teach_student
from generation.traits.parser import ParserNetwork, save_parser
from minting.evolution import network
from tests.fixtures.flat import SCHEMA, SMALL

CONFIG = TeachingConfig(
    colours=("background",), lessons=600, steps=60, batch=32, pictures=4, rate=1e-2
)


@pytest.fixture(scope="module")
def teacher() -> SmallBigGan:
    torch.manual_seed(0)
    config = replace(SMALL, img_resolution=64, z_dim=32, g_channels=(8,) * 5, d_channels=(8,) * 4)
    return SmallBigGan(config).eval()


@pytest.fixture(scope="module")
def reader() -> ParserNetwork:
    torch.manual_seed(1)
    return ParserNetwork(SCHEMA, 32, width=4)


@pytest.fixture(autouse=True, scope="module")
def saved_often() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(teaching, "SAVE_EVERY", 10)
        yield


@pytest.fixture(scope="module")
def whole(
    teacher: SmallBigGan, reader: ParserNetwork, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Progress]]:
    """A run that nothing stopped, and what it said."""
    folder = tmp_path_factory.mktemp("whole")
    told = list(teach_student(teacher, reader, CONFIG, folder))
    teaching.save_student(folder, folder / "student.safetensors", {"licence": "CC0-1.0"})
    return folder, told


def test_a_student_learns_and_is_kept_as_a_contract_needs_it(
    whole: tuple[Path, list[Progress]],
) -> None:
    folder, told = whole

    kept = network.load(folder / "student.safetensors")

    losses = [now.loss for now in told if now.loss is not None]
    assert [now for now in told if now.what == "lessons"][-1] == Progress("lessons", 600, 600)
    assert losses[-1] < 0.95 * losses[0]
    assert kept.recipe["licence"] == "CC0-1.0"
    assert kept.recipe["steps"] == 60
    assert kept.values == {name: tuple(values) for name, values in SCHEMA.attributes}
    latents = np.random.default_rng(0).integers(0, 256, (8, 32)).astype(np.uint8)
    assert network.draw(kept, latents).std() > 0


@pytest.mark.parametrize(("stopped_after", "left"), [(1, b"half a lesson"), (5, b"")])
def test_a_run_that_was_killed_ends_as_one_that_was_not(
    teacher: SmallBigGan,
    reader: ParserNetwork,
    whole: tuple[Path, list[Progress]],
    tmp_path: Path,
    stopped_after: int,
    left: bytes,
) -> None:
    run = teach_student(teacher, reader, CONFIG, tmp_path)
    for _ in range(stopped_after):
        next(run)
    run.close()
    with (tmp_path / "lessons.bin").open("ab") as file:
        file.write(left)

    list(teach_student(teacher, reader, CONFIG, tmp_path))

    teaching.save_student(tmp_path, tmp_path / "student.safetensors", {"licence": "CC0-1.0"})
    for name in ("lessons.bin", "student.safetensors"):
        assert (tmp_path / name).read_bytes() == (whole[0] / name).read_bytes()


def test_another_run_in_the_folder_is_refused(
    teacher: SmallBigGan, reader: ParserNetwork, tmp_path: Path
) -> None:
    next(teach_student(teacher, reader, CONFIG, tmp_path))

    with pytest.raises(OtherRunError):
        next(teach_student(teacher, reader, replace(CONFIG, seed=7), tmp_path))


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"lessons": 0}, {"rate": 0.0}, {"jitter": 1.5}, {"amplitude": 256}]
)
def test_settings_that_make_no_run_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"above zero|a share"):
        replace(CONFIG, **wrong)  # type: ignore[arg-type]


def test_the_command_teaches_and_says_how_far_it_is(
    teacher: SmallBigGan,
    reader: ParserNetwork,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save_generator(tmp_path / "g.safetensors", teacher, {"licence": "CC0-1.0"})
    save_parser(tmp_path / "p.safetensors", reader, {})
    asked = {
        "out": tmp_path / "student.safetensors",
        "folder": tmp_path / "run",
        "teacher": tmp_path / "g.safetensors",
        "parser": tmp_path / "p.safetensors",
        "colours": "background",
        "lessons": 256,
        "steps": 20,
        "batch": 16,
        "pictures": 4,
    }

    call_command("train_student", **asked)

    told = capsys.readouterr().out
    assert "lessons 256 of 256" in told
    assert "steps 20 of 20  loss " in told
    assert network.load(tmp_path / "student.safetensors").recipe["licence"] == "CC0-1.0"
    with pytest.raises(CommandError, match="has another run"):
        call_command("train_student", **asked | {"steps": 30})
