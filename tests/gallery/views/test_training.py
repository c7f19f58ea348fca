"""The training pages: who may enter, starting a run, its slices, and what is kept of it."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from generation import services, tasks, training
from generation.gan.presets import TrainConfig
from generation.models import Checkpoint, Dataset, Job
from generation.traits.edits import Kind
from tests.generation.test_commands import art

__all__ = ["art"]
pytestmark = pytest.mark.django_db
ASKED = {
    "architecture": "stylegan3",
    "game": "rpgan",
    "kimg": "1",
    "batch": "8",
    "interval_kimg": "0.05",
    "seed": "3",
}
TINY = {"z_dim": 8, "w_dim": 8, "channel_base": 128, "channel_max": 8, "n_layers": 4, "margin": 2}


@pytest.fixture(autouse=True)
def own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path / "var"
    settings.DATASET_ROOT = tmp_path / "var" / "datasets"


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, int]]:
    """Rings are written down; the tests call the task themselves."""
    rung: list[dict[str, int]] = []
    monkeypatch.setattr(tasks.train, "delay", lambda **ids: rung.append(ids))
    return rung


@pytest.fixture
def dataset(art: Path) -> Dataset:
    call_command("import_dataset", art)
    return Dataset.objects.get()


def tiny_run(dataset: Dataset, interval_kimg: float = 0.04) -> Job:
    return services.request_run(
        dataset=dataset,
        architecture="stylegan3",
        network=TINY,
        train=TrainConfig(kimg=1, batch=8, interval_kimg=interval_kimg, seed=3, lr_g=2e-3),
    )


def page(reply: Any, status: int = 200) -> str:
    assert reply.status_code == status
    return str(reply.content.decode())


@pytest.mark.parametrize("address", ["/console/training", "/console/training/1"])
def test_training_is_the_leads_affair(client: Client, wallet: Client, address: str) -> None:
    assert client.get(address).status_code == 302
    assert wallet.get(address).status_code == 302


def test_without_art_the_page_says_where_to_bring_some(console: Client) -> None:
    said = page(console.get("/console/training"))

    assert "There is no art to learn from" in said
    assert "/console/art" in said


def test_a_run_is_asked_for_once_and_rings_for_a_worker(
    console: Client,
    dataset: Dataset,
    bells: list[dict[str, int]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first = console.post("/console/training", ASKED | {"dataset": dataset.pk})
        second = console.post("/console/training", ASKED | {"dataset": dataset.pk})

    job = Job.objects.get()
    assert first["Location"] == second["Location"] == f"/console/training/{job.pk}"
    assert bells == [{"job_id": job.pk, "fence": 0}] * 2
    assert "Waiting for a worker" in page(console.get(first["Location"]))


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("architecture", "biggan-deep", "is not 32, 64 or 128"),
        ("kimg", "0", "greater than or equal to 1"),
        ("dataset", "77", "valid choice"),
        ("game", "poker", "valid choice"),
    ],
)
def test_a_run_that_cannot_be_is_refused_in_words(
    console: Client, dataset: Dataset, field: str, value: str, reason: str
) -> None:
    reply = console.post("/console/training", ASKED | {"dataset": dataset.pk} | {field: value})

    assert reason in page(reply, 400)
    assert not Job.objects.exists()


def test_a_slice_trains_shows_its_curves_and_rings_for_the_next_one(
    console: Client,
    dataset: Dataset,
    bells: list[dict[str, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(training, "SLICE_S", 0.0)
    job = tiny_run(dataset)

    tasks.train(job_id=job.pk, fence=0)

    job.refresh_from_db()
    assert (job.state, job.fence, len(job.checkpoint["history"])) == (Job.State.QUEUED, 1, 1)
    assert bells == [{"job_id": job.pk, "fence": 1}]
    said = page(console.get(f"/console/training/{job.pk}"))
    assert "pictures a second" in said
    assert "samples.png" in said
    numbers = console.get(f"/console/training/{job.pk}/numbers").json()["charts"]
    assert [chart["key"] for chart in numbers][:2] == ["losses", "attributes"]
    assert numbers[0]["drops"] == [0.04]
    sheet: Any = console.get(f"/console/training/{job.pk}/samples.png")
    assert b"".join(sheet.streaming_content)[:4] == b"\x89PNG"


def test_of_several_rings_only_one_is_answered(
    dataset: Dataset, bells: list[dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "SLICE_S", 0.0)
    job = tiny_run(dataset)

    for _ in range(3):
        tasks.train(job_id=job.pk, fence=0)

    job.refresh_from_db()
    assert len(job.checkpoint["history"]) == 1
    assert bells == [{"job_id": job.pk, "fence": 1}]


def test_a_forgotten_run_is_rung_for_again(dataset: Dataset, bells: list[dict[str, int]]) -> None:
    job = tiny_run(dataset)

    tasks.sweep()

    assert bells == [{"job_id": job.pk, "fence": 0}]


def test_a_stopped_run_keeps_its_interval_and_goes_on(
    console: Client, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "SLICE_S", 0.0)
    job = tiny_run(dataset)
    tasks.train(job_id=job.pk, fence=0)

    console.post(f"/console/training/{job.pk}/control", {"verb": "stop"})
    tasks.train(job_id=job.pk, fence=1)

    job.refresh_from_db()
    assert (job.state, len(job.checkpoint["history"])) == (Job.State.STOPPED, 1)
    console.post(f"/console/training/{job.pk}/control", {"verb": "resume"})
    tasks.train(job_id=job.pk, fence=1)
    job.refresh_from_db()
    assert [point["n_images"] for point in job.checkpoint["history"]] == [40, 80]


def test_a_run_to_its_end_is_done_and_a_further_ring_changes_nothing(dataset: Dataset) -> None:
    job = tiny_run(dataset, interval_kimg=0.5)

    tasks.train(job_id=job.pk, fence=0)
    job.refresh_from_db()
    kept = job.checkpoint
    tasks.train(job_id=job.pk, fence=job.fence)

    job.refresh_from_db()
    assert (job.state, job.done, job.checkpoint) == (Job.State.DONE, 1, kept)
    assert kept["history"][-1]["n_images"] == 1000


def test_a_diverged_run_fails_with_the_reason(
    console: Client, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = services.request_run(
        dataset=dataset,
        architecture="stylegan3",
        network=TINY,
        train=TrainConfig(kimg=1, batch=8, interval_kimg=0.04, lr_g=1e30, lr_d=1e30),
    )

    tasks.train(job_id=job.pk, fence=0)

    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert "not finite" in page(console.get(f"/console/training/{job.pk}"))


def test_what_was_learned_is_kept_as_a_checkpoint(
    console: Client, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = tiny_run(dataset)
    monkeypatch.setattr(training, "SLICE_S", 0.0)
    address = f"/console/training/{job.pk}/control"
    early = page(console.post(address, {"verb": "keep", "name": "early"}, follow=True))
    assert "has not saved any weights" in early
    tasks.train(job_id=job.pk, fence=0)

    for _ in range(2):
        said = page(console.post(address, {"verb": "keep", "name": "flat ones"}, follow=True))

    row = Checkpoint.objects.get()
    assert (row.name, row.licence, row.architecture) == (
        "flat ones",
        "CC0-1.0",
        "morphora-stylegan3-1",
    )
    assert row.recipe["dataset"] == dataset.digest
    assert "No parser knows this art" in said


def test_a_run_and_its_checkpoint_name_the_version_they_learned_from(
    console: Client, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.record_edit(dataset=dataset, kind=Kind.REJECT, places=[0], seen=0, made_by=None)
    second = services.publish_version(dataset=dataset, seen=1, made_by=None)
    job = tiny_run(second)
    monkeypatch.setattr(training, "SLICE_S", 0.0)
    tasks.train(job_id=job.pk, fence=0)

    said = page(console.get(f"/console/training/{job.pk}"))
    recipe = services.keep_run(job=job, name="kept").recipe

    assert f"{dataset.name} v2</a>, 47 pictures" in said
    assert job.args["name"] == f"{dataset.name} v2"
    assert recipe["dataset_name"] == f"{dataset.name} v2"
    assert (recipe["dataset"], recipe["dataset_version"]) == (second.digest, 2)


def test_a_run_of_the_first_version_is_the_run_it_was_before_there_were_versions(
    dataset: Dataset,
) -> None:
    assert tiny_run(dataset).args["name"] == dataset.name


def test_a_dead_worker_s_run_is_taken_over_after_its_lease(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "SLICE_S", 0.0)
    job = tiny_run(dataset)
    long_ago = timezone.now() - 2 * training.LEASE
    assert services.lease_job(pk=job.pk, now=long_ago, lease=training.LEASE) is not None

    tasks.train(job_id=job.pk, fence=1)

    job.refresh_from_db()
    assert (job.state, job.fence, len(job.checkpoint["history"])) == (Job.State.QUEUED, 2, 1)
