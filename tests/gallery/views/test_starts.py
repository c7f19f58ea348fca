"""The training form's checkpoints to go on from."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from generation import tasks
from generation.models import Checkpoint, Dataset, Job
from tests.gallery.views.test_training import ASKED, page
from tests.generation.test_starts import art, dataset, imported, own_folder

__all__ = ["art", "dataset", "own_folder"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_bells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.train, "delay", lambda **ids: None)


def test_the_form_offers_what_fits_and_tells_of_the_others(
    console: Client, dataset: Dataset, tmp_path: Path, settings: Settings
) -> None:
    theirs = imported(tmp_path, dataset)
    gone = Checkpoint.objects.create(
        name="gone", sha256="0" * 64, architecture="morphora-biggan-1", config={}, recipe={},
        path=str(tmp_path / "gone.safetensors"), source="us", licence="CC0-1.0",
    )  # fmt: skip

    said = page(console.get("/console/training"))

    assert f'<option value="{theirs.pk}">{theirs}, for {dataset.title}</option>' in said
    assert f'<option value="{gone.pk}">gone' not in said
    assert f"<li>{gone}: no such file.</li>" in said


def test_a_run_from_a_checkpoint_has_its_network_and_warms_the_critic(
    console: Client, dataset: Dataset, tmp_path: Path
) -> None:
    theirs = imported(tmp_path, dataset)
    asked = ASKED | {"dataset": dataset.pk, "start": theirs.pk, "warm_kimg": "0.5"}

    reply = console.post("/console/training", asked)

    job = Job.objects.get()
    assert reply["Location"] == f"/console/training/{job.pk}"
    assert job.args["architecture"] == "biggan"  # not the form's stylegan3
    assert job.args["start"] == theirs.path
    assert (job.args["train"]["warm_kimg"], job.args["train"]["lr_g"]) == (0.5, 2e-4)


def test_without_a_checkpoint_nothing_warms_up(console: Client, dataset: Dataset) -> None:
    console.post("/console/training", ASKED | {"dataset": dataset.pk, "warm_kimg": "2"})

    assert Job.objects.get().args["train"]["warm_kimg"] == 0


def test_a_checkpoint_of_other_art_is_refused_in_words(
    console: Client, dataset: Dataset, tmp_path: Path
) -> None:
    theirs = imported(tmp_path, dataset)
    other = Dataset.objects.create(
        name="other", digest="1" * 64, image_px=32, n_items=1, schema=dataset.schema,
        source="us", licence="CC0-1.0",
    )  # fmt: skip
    other.manifest_path.parent.mkdir(parents=True)
    other.manifest_path.write_bytes(dataset.manifest_path.read_bytes())

    asked = ASKED | {"dataset": other.pk, "start": theirs.pk}
    said = page(console.post("/console/training", asked), 400)

    assert "it draws 16 px, the art has 32" in said
    assert not Job.objects.exists()
