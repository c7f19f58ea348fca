import json
import pickle
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings
from safetensors.torch import save_file

from generation import rendering, services
from generation.gan.checkpoint import load_generator
from generation.models import Artwork, Checkpoint, Drop
from tests.fixtures.foreign import (
    DEEP,
    SETTINGS,
    Evil,
    as_hugging_face,
    as_pickle,
    some_biggan,
    some_generator,
    their_modules,
)

__all__ = ["their_modules"]
pytestmark = pytest.mark.django_db
SAID = ("--name", "faces", "--source", "somebody's run", "--licence", "CC-BY-NC-4.0")


@pytest.fixture(autouse=True)
def own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR, settings.MEDIA_ROOT = tmp_path / "var", tmp_path / "media"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "published.pkl"
    path.write_bytes(pickle.dumps(as_pickle(some_generator(), SETTINGS)))
    return path


def test_an_imported_generator_keeps_source_and_licence_and_draws(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_checkpoint", published, *SAID)

    row = Checkpoint.objects.get()
    assert (row.architecture, row.source, row.licence) == (
        "morphora-stylegan3-1",
        "somebody's run",
        "CC-BY-NC-4.0",
    )
    assert load_generator(Path(row.path), row.sha256).img_resolution == 16
    said = capsys.readouterr().out
    assert "not known to allow sales" in said
    assert "no traits" in said


def test_importing_twice_is_importing_once(published: Path) -> None:
    call_command("import_checkpoint", published, *SAID)
    call_command("import_checkpoint", published, *SAID)

    assert Checkpoint.objects.count() == 1


def test_a_drop_of_an_imported_generator_is_rendered_without_traits(published: Path) -> None:
    call_command("import_checkpoint", published, *SAID)
    collection = services.create_collection(
        slug="faces", name="Faces", story="", checkpoint=Checkpoint.objects.get()
    )
    drop = services.open_drop(
        collection=collection, parameter_set=collection.parameter_sets.get(), size=4
    )
    services.start_rendering(drop=drop)

    for job in drop.jobs.all():
        rendering.run_chunk(job_id=job.pk)
    rendering.finish_drop(drop=drop)

    works = Artwork.objects.filter(drop=drop)
    assert works.count() == 4
    assert len(set(works.values_list("image_digest", flat=True))) == 4
    assert all(work.parsed == {} for work in works)
    assert Drop.objects.get().state == Drop.State.CURATING


def test_a_biggan_in_safetensors_is_told_from_a_checkpoint_of_ours(tmp_path: Path) -> None:
    held, config = as_hugging_face(some_biggan(DEEP))
    path, beside = tmp_path / "model.safetensors", tmp_path / "config.json"
    save_file({name: tensor.contiguous() for name, tensor in held.items()}, path)
    beside.write_text(json.dumps(config))

    call_command("import_checkpoint", path, *SAID, "--config", str(beside))

    row = Checkpoint.objects.get()
    assert row.architecture == "morphora-biggan-deep-1"
    call_command("import_checkpoint", row.path, *SAID)
    assert Checkpoint.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "held", "reason"),
    [
        ("evil.pkl", pickle.dumps({"G_ema": Evil()}), "it asks for pathlib"),
        ("cut.safetensors", b"\xff" * 40, "not a safetensors file"),
        ("empty.pth", b"", "not a file of weights alone"),
        ("picture.png", b"x", "not a .safetensors, .pkl, .pth or .bin file"),
    ],
)
def test_a_refused_file_leaves_nothing_behind(
    tmp_path: Path, name: str, held: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(held)

    with pytest.raises(CommandError, match=reason):
        call_command("import_checkpoint", path, *SAID)

    assert not Checkpoint.objects.exists()
    assert not (tmp_path / "var" / "checkpoints").exists()


@pytest.mark.parametrize("left_out", ["--source", "--licence"])
def test_source_and_licence_have_to_be_said(published: Path, left_out: str) -> None:
    at = SAID.index(left_out)

    with pytest.raises(CommandError, match=left_out):
        call_command("import_checkpoint", published, *SAID[:at], *SAID[at + 2 :])


@pytest.mark.parametrize(
    ("licence", "may"),
    [
        ("CC0-1.0", True),
        ("cc-by-4.0", True),
        ("MIT", True),
        ("CC-BY-NC-4.0", False),
        ("CC-BY-ND-4.0", False),
        ("Nvidia Source Code License", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_which_licences_allow_a_sale(licence: str, may: bool) -> None:
    assert services.allows_sale(licence) is may


def test_a_permission_needs_a_reason_and_is_recorded_once(checkpoint_row: Checkpoint) -> None:
    lead = User.objects.create(username="lead", is_staff=True)
    Checkpoint.objects.update(licence="unknown")
    checkpoint = Checkpoint.objects.get()
    with pytest.raises(ValueError, match="needs a reason"):
        services.record_permission(checkpoint=checkpoint, lead=lead, reason="  ")
    assert not services.is_saleable(checkpoint)

    for _ in range(2):
        services.record_permission(checkpoint=checkpoint, lead=lead, reason="letter of 3 May")

    assert services.is_saleable(checkpoint)
    assert checkpoint.permissions.get().granted_by == lead
