"""The art pages: who may enter, uploads, and labelling in the browser's own words."""

import io
import re
import zipfile
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from generation import tasks
from generation.imaging import codec
from generation.models import Dataset, ItemLabel, Job
from tests.fixtures.networks import flat_art

pytestmark = pytest.mark.django_db
COLOURS = ("sand", "sky", "rose")


def upload(**changes: Any) -> dict[str, Any]:
    noise = np.random.default_rng(1).integers(-15, 16, (60, 16, 16, 3))
    pictures = np.clip(flat_art(60)[0] + noise, 0, 255).astype(np.uint8)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for i, picture in enumerate(pictures):
            file.writestr(f"{i:03d}.png", codec.encode_png(picture))
    return {
        "kind": "pictures",
        "file": SimpleUploadedFile("art.zip", out.getvalue()),
        "name": "flat",
        "source": "tests",
        "licence": "CC0-1.0",
        "image_px": "16",
    } | changes


@pytest.fixture
def dataset(console: Client) -> Dataset:
    """An uploaded dataset without labels, looked at."""
    console.post("/console/art", upload())
    tasks.read_upload(job_id=Job.objects.get().pk)
    found = Dataset.objects.get()
    console.get(reverse("gallery:label", args=[found.pk]))
    for job in Job.objects.filter(kind="embed"):  # none where an earlier test's file lies there
        tasks.embed(job_id=job.pk)
    return found


def page(reply: Any, status: int = 200) -> str:
    assert reply.status_code == status
    return str(reply.content.decode())


@pytest.fixture(autouse=True)
def silent_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Doorbells ring nowhere; the tests call the tasks themselves."""
    for task in tasks.INTAKE.values():
        monkeypatch.setattr(task, "delay", lambda **ids: None)


@pytest.mark.parametrize(
    "address", ["/console/art", "/console/art/live", "/console/art/1", "/console/art/1/label"]
)
def test_art_is_the_leads_affair(client: Client, wallet: Client, address: str) -> None:
    assert client.get(address).status_code == 302
    assert wallet.get(address).status_code == 302


def test_an_empty_machine_says_how_to_begin(console: Client) -> None:
    assert "No art yet" in page(console.get("/console/art"))


def test_an_upload_shows_its_progress_and_then_its_dataset(console: Client) -> None:
    reply = console.post("/console/art", upload())

    waiting = page(console.get("/console/art"))
    tasks.read_upload(job_id=Job.objects.get().pk)
    done = page(console.get("/console/art/live"))

    assert reply.status_code == 302
    assert "0 of 60 pictures" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    assert 'hx-trigger="every 1s"' not in done
    assert "unlabelled" in done
    assert f"/console/art/{Dataset.objects.get().pk}" in done


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"licence": ""}, "required"),
        ({"file": SimpleUploadedFile("a.zip", b"no archive")}, "not a ZIP archive"),
        ({"image_px": "65"}, "valid choice"),
        ({"kind": "layers", "count": "0"}, "greater than or equal to 1"),
        ({"kind": "layers", "count": "5"}, "folder per category"),
    ],
)
def test_an_upload_that_cannot_be_says_why_and_makes_no_job(
    console: Client, changes: dict[str, Any], said: str
) -> None:
    reply = console.post("/console/art", upload(**changes))

    assert said in page(reply, 400)
    assert not Job.objects.exists()


def test_a_lead_stops_an_upload_and_goes_on_with_it(console: Client) -> None:
    console.post("/console/art", upload())
    address = reverse("gallery:control-job", args=[Job.objects.get().pk])

    console.post(address, {"verb": "stop"})
    stopped = page(console.get("/console/art"))
    console.post(address, {"verb": "resume"})

    assert "Try again" in stopped
    assert Job.objects.get().state == Job.State.QUEUED


def test_pictures_are_served_to_leads_with_the_bytes_of_their_digest(
    console: Client, client: Client, dataset: Dataset
) -> None:
    digest = dataset.items()[3]["digest"]
    address = reverse("gallery:dataset-picture", args=[dataset.pk, digest])

    reply = console.get(address)

    raw = b"".join(reply.streaming_content)  # type: ignore[attr-defined]
    assert codec.digest(raw) == digest
    assert client.get(address).status_code == 302
    assert console.get(address.replace(digest, "0" * 64)).status_code == 404
    assert console.get(address.replace(digest, "..")).status_code == 404


def test_groups_are_named_then_questions_answered_then_the_rest_is_read(
    console: Client, dataset: Dataset
) -> None:
    truth = [COLOURS[k] for k in flat_art(60)[1][:, 0]]
    address = reverse("gallery:label", args=[dataset.pk])

    groups = page(console.get(address, {"attribute": "ground", "groups": "6"}))
    ballot = {"attribute": "ground"}
    for number, places in re.findall(r'name="places-(\d+)" value="([\d,]+)"', groups):
        ballot |= {f"places-{number}": places, f"group-{number}": truth[int(places.split(",")[0])]}
    console.post(address, ballot)
    questions = page(console.get(address, {"attribute": "ground"}))
    guesses = dict(re.findall(r'name="place-(\d+)" value="(\w+)"', questions))
    answers = {f"place-{place}": truth[int(place)] for place in guesses}
    console.post(address, {"attribute": "ground"} | answers)
    end = console.post(
        address,
        {
            "attribute": "ground",
            "verb": "finish",
            "name": "known",
            "min_confidence_percent": "0",
        },
    )

    made = Dataset.objects.get(name="known")
    assert end.headers["Location"] == reverse("gallery:dataset", args=[made.pk])
    named = {p for k, v in ballot.items() if k.startswith("places") for p in v.split(",")}
    assert guesses
    assert named.isdisjoint(guesses)
    assert [item["attributes"]["ground"] for item in made.items()] == truth


def test_a_form_without_answers_changes_nothing(console: Client, dataset: Dataset) -> None:
    address = reverse("gallery:label", args=[dataset.pk])

    reply = console.post(address, {"attribute": "ground", "place-1": " "}, follow=True)

    assert "nothing was labelled" in page(reply)
    assert not ItemLabel.objects.exists()
