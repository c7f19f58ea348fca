"""The refinement pages: who may enter, looks by address, previews, searches, names."""

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from kombu.exceptions import OperationalError
from pytest_django import Settings
from rest_framework.throttling import ScopedRateThrottle

from gallery.views import refine
from generation import answers, services, tasks
from generation.models import Checkpoint, Direction, Job
from generation.services import refinements
from tests.generation.test_refine_jobs import save
from tests.generation.test_refinement import wish

pytestmark = [pytest.mark.django_db, pytest.mark.enable_socket]
PNG = b"\x89PNG"


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, int]]:
    """Rings are written down; the tests call the task themselves."""
    rung: list[dict[str, int]] = []
    monkeypatch.setattr(tasks.refine, "delay", lambda **ids: rung.append(ids))
    monkeypatch.setattr(refinements, "MEASURED_ON", 4)
    return rung


@pytest.fixture
def own_broker(broker: str, settings: Settings) -> Iterator[None]:
    settings.REDIS_URL = broker
    yield
    answers._broker(broker).close()
    answers._broker.cache_clear()


Asked = list[dict[str, Any]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, own_broker: None) -> Asked:
    """Questions to the preview worker, answered at once by its own task."""
    questions: Asked = []

    def ask(*, kwargs: dict[str, Any], **options: Any) -> None:
        questions.append(kwargs["spec"])
        tasks.preview(**kwargs)

    monkeypatch.setattr(tasks.preview, "apply_async", ask)
    return questions


@pytest.fixture
def checkpoint(small_checkpoint: Checkpoint) -> Checkpoint:
    services.save_direction(**wish(small_checkpoint))
    save(small_checkpoint, "one", 1, 1.5)
    return small_checkpoint


def address(checkpoint: Checkpoint, part: str = "refine", **query: Any) -> str:
    return f"/console/checkpoints/{checkpoint.pk}/{part}?{urlencode(query)}"


def text(reply: Any, status: int = 200) -> str:
    assert reply.status_code == status
    return str(reply.content.decode())


@pytest.mark.parametrize("part", ["refine", "refine/live", "refine/effect"])
def test_refinement_is_the_leads_affair(
    client: Client, wallet: Client, checkpoint: Checkpoint, part: str
) -> None:
    for browser in (client, wallet):
        assert browser.get(address(checkpoint, part)).status_code == 302
        assert browser.get("/console/checkpoints").status_code == 302
        assert browser.get(address(checkpoint, "preview.png")).status_code == 403


@pytest.mark.parametrize("part", ["searches", "directions", "jobs/1"])
def test_only_leads_change_anything(wallet: Client, checkpoint: Checkpoint, part: str) -> None:
    assert wallet.post(address(checkpoint, part), {"name": "x"}).status_code == 302
    assert not Job.objects.exists()


def test_the_list_says_how_each_checkpoint_is_used(console: Client, checkpoint: Checkpoint) -> None:
    for slug in ("a", "b"):
        services.create_collection(slug=slug, name=slug, story="", checkpoint=checkpoint)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        said = text(console.get("/console/checkpoints"))

    cells = [cell.strip() for cell in said.split('<td class="num">')[1:]]
    assert [cell.split("<")[0] for cell in cells] == ["16", "2", "2"]
    assert "CC0-1.0" in said
    assert f'href="/console/checkpoints/{checkpoint.pk}/refine"' in said
    assert len(queries) == 4  # session, user, count, rows


def test_without_a_checkpoint_the_list_says_what_to_do(console: Client) -> None:
    assert "Train one" in text(console.get("/console/checkpoints"))


def test_the_page_shows_the_look_of_its_address(console: Client, checkpoint: Checkpoint) -> None:
    look: dict[str, Any] = {
        "seed": 5,
        "psi": 0.5,
        "d.one": -1.5,
        "a.background": "sky",
        "mix": 9,
        "from": 2,
    }

    said = text(console.get(address(checkpoint, **look)))

    assert 'name="d.one" min="-4" max="4" step="0.1" value="-1.5"' in said
    assert 'name="psi" min="0" max="1.5" step="0.05" value="0.5"' in said
    assert "<option selected>sky</option>" in said
    assert 'name="mix" min="0" max="2147483647" step="1" value="9"' in said
    assert (
        "&amp;seed=5&amp;a.background=sky&amp;psi=0.5&amp;mix=9&amp;from=2&amp;d.one=-1.5" in said
    )


def test_the_number_of_queries_does_not_grow_with_the_directions(
    console: Client, checkpoint: Checkpoint
) -> None:
    with CaptureQueriesContext(connection) as before:
        console.get(address(checkpoint))
    for k in range(10):
        save(checkpoint, f"more-{k}", 10 + k, 1.0)

    with CaptureQueriesContext(connection) as after:
        console.get(address(checkpoint))

    assert len(after) == len(before) <= 10


def test_a_checkpoint_without_directions_says_where_to_find_some(
    console: Client, small_checkpoint: Checkpoint
) -> None:
    said = text(console.get(address(small_checkpoint)))

    assert "No direction has been saved" in said
    assert "Save as a direction" not in said


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"psi": "2"}, "truncation psi 2.0 is not in 0 to 1.5"),
        ({"d.one": "9"}, "strength of one 9.0 is not in -4 to 4"),
        ({"d.smile": "1"}, "no direction of this checkpoint is called smile"),
        ({"strip": "99:pca-1"}, "no search has found 99:pca-1"),
        ({"strip": f"{'9' * 18}:pca-1"}, "no search has found"),
        ({"a.hat": "top"}, "no attribute of this checkpoint"),
        ({"seed": "x"}, "not a whole number"),
        ({"cutoff": "99"}, "number of truncated layers 99"),
    ],
)
def test_a_look_that_cannot_be_is_refused_in_words_before_anything_is_queued(
    console: Client, checkpoint: Checkpoint, asked: Asked, query: dict[str, str], said: str
) -> None:
    problem = console.get(address(checkpoint, "preview.png", **query))
    page = text(console.get(address(checkpoint, **query)), 400)

    assert problem.status_code == 400
    assert said in problem.json()["detail"]
    assert problem.json()["code"] == "undrawable"
    assert "This look cannot be drawn" in page
    assert asked == []


@pytest.mark.parametrize("view", ["two", "strip"])
def test_a_view_that_is_not_there_is_refused(
    console: Client, checkpoint: Checkpoint, asked: Asked, view: str
) -> None:
    assert console.get(address(checkpoint, "preview.png", view=view)).status_code == 400
    assert asked == []


def test_a_preview_is_a_picture_that_browsers_may_keep(
    console: Client, checkpoint: Checkpoint, asked: Asked
) -> None:
    query = {"seed": 5, "d.one": 1.5, "strip": "glasses"}

    replies = {
        view: console.get(address(checkpoint, "preview.png", view=view, **query))
        for view in ("one", "row", "strip")
    }

    for reply in replies.values():
        assert (reply.status_code, reply["Content-Type"]) == (200, "image/png")
        assert reply.content[:4] == PNG
        assert "private" in reply["Cache-Control"]
    shapes = [(spec["seed"], spec["n_works"], spec["strip"]) for spec in asked]
    assert shapes == [(5, 1, ""), (6, refine.ROW, ""), (5, 1, "glasses")]
    assert len({reply.content for reply in replies.values()}) == 3


def test_the_same_address_is_the_same_picture(
    console: Client, checkpoint: Checkpoint, asked: Asked
) -> None:
    where = address(checkpoint, "preview.png", seed=5)

    assert console.get(where).content == console.get(where).content
    other = address(checkpoint, "preview.png", seed=5, **{"d.one": 4})
    assert console.get(where).content != console.get(other).content


def test_a_worker_that_does_not_answer_is_said(
    console: Client, checkpoint: Checkpoint, own_broker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.preview, "apply_async", lambda **_: None)
    monkeypatch.setattr(refine, "WAIT_S", 0.2)

    reply = console.get(address(checkpoint, "preview.png"))

    assert (reply.status_code, reply.json()["code"]) == (503, "no_worker")
    assert "starting, or not running" in reply.json()["detail"]


def test_a_broker_that_is_away_is_said(
    console: Client, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks.preview, "apply_async", refuse)

    assert console.get(address(checkpoint, "preview.png")).status_code == 503


def test_what_stands_in_the_workers_way_is_said(
    console: Client, checkpoint: Checkpoint, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    Checkpoint.objects.update(path="/nowhere.safetensors", sha256="00" * 32)

    reply = console.get(address(checkpoint, "preview.png"))

    assert (reply.status_code, reply.json()["code"]) == (422, "failed")
    assert "no such file" in reply.json()["detail"]


def test_a_lead_cannot_ask_without_end(
    console: Client, checkpoint: Checkpoint, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"preview": "2/min"})
    where = address(checkpoint, "preview.png")

    assert [console.get(where).status_code for _ in range(3)] == [200, 200, 429]
    assert len(asked) == 2


def test_a_question_says_when_nobody_waits_for_it_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.preview, "apply_async", lambda **all_: sent.append(all_))

    tasks.ask_preview(checkpoint_id=1, spec={}, name="q", limit_s=20.0)

    assert sent[0]["expires"] == 20.0


def test_an_effect_shows_every_attribute_its_own_first(
    console: Client, checkpoint: Checkpoint
) -> None:
    said = text(console.get(address(checkpoint, "refine/effect", strip="glasses")))

    assert "<strong>accessory: glasses</strong>" in said
    assert '<strong class="num up">1.00</strong>' in said
    assert '<tr class="own">' in said
    assert console.get(address(checkpoint, "refine/effect", strip="no")).status_code == 400


def test_a_combination_is_named_measured_and_listed(
    console: Client,
    checkpoint: Checkpoint,
    bells: list[dict[str, int]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    form = {"name": "both", "query": "seed=5&d.one=1&d.glasses=-2"}

    with django_capture_on_commit_callbacks(execute=True):
        reply = console.post(address(checkpoint, "directions"), form, follow=True)

    job = Job.objects.get(kind="combine")
    assert bells == [{"job_id": job.pk, "fence": 0}]
    assert "both is being measured" in text(reply)
    assert reply.redirect_chain[0][0].endswith("/refine?seed=5&d.one=1&d.glasses=-2")
    assert "is being measured." in text(console.get(address(checkpoint, "refine/live")))
    tasks.refine(job_id=job.pk, fence=0)
    assert 'name="d.both"' in text(console.get(address(checkpoint)))
    assert "is being measured." not in text(console.get(address(checkpoint, "refine/live")))


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "one", "query": "d.glasses=1"}, "another direction called one"),
        ({"name": "new", "query": "seed=5"}, "add up to nothing"),
        ({"name": "two words", "query": "d.one=1"}, "letters, digits"),
        ({"name": "new", "query": "d.one=99"}, "is not in -4 to 4"),
        ({"name": "new", "found": "7:pca-1"}, "no search has found"),
    ],
)
def test_what_cannot_be_saved_is_said_and_leaves_nothing(
    console: Client, checkpoint: Checkpoint, form: dict[str, str], said: str
) -> None:
    reply = console.post(address(checkpoint, "directions"), form, follow=True)

    assert said in reply.content.decode()
    assert not Job.objects.exists()
    assert Direction.objects.count() == 2


def test_a_search_is_asked_for_and_what_it_finds_is_named(
    console: Client,
    checkpoint: Checkpoint,
    lead: User,
    asked: Asked,
    django_capture_on_commit_callbacks: Any,
) -> None:
    form = {"look_for": "pca", "n_directions": "2", "n_works": "64", "seed": "0"}
    with django_capture_on_commit_callbacks(execute=True):
        console.post(address(checkpoint, "searches"), form)
    job = Job.objects.get(kind="search")
    tasks.refine(job_id=job.pk, fence=0)

    said = text(console.get(address(checkpoint, "refine/live")))

    assert said.count('name="found"') == 2
    assert f"strip={job.pk}:pca-1" in said
    strip = console.get(address(checkpoint, "preview.png", strip=f"{job.pk}:pca-1", view="strip"))
    assert strip.content[:4] == PNG
    kept = {"name": "wide", "found": f"{job.pk}:pca-1"}
    assert "wide is saved" in text(
        console.post(address(checkpoint, "directions"), kept, follow=True)
    )
    assert Direction.objects.get(name="wide").created_by == lead
    page = text(console.get(address(checkpoint)))
    assert "Saved as wide" in page
    assert page.count('name="found"') == 1
    assert f'name="d.{job.pk}:pca-1"' not in page
    assert f'name="d.{job.pk}:pca-2"' in page


def test_a_linear_search_names_its_attribute(
    console: Client, checkpoint: Checkpoint, django_capture_on_commit_callbacks: Any
) -> None:
    form = {"look_for": "linear:accessory", "n_directions": "1", "n_works": "64", "seed": "0"}

    with django_capture_on_commit_callbacks(execute=True):
        console.post(address(checkpoint, "searches"), form)

    assert Job.objects.get().args["attribute"] == "accessory"


@pytest.mark.parametrize(
    ("field", "value"), [("look_for", "magic"), ("n_directions", "99"), ("n_works", "1")]
)
def test_a_search_that_cannot_be_is_refused(
    console: Client, checkpoint: Checkpoint, field: str, value: str
) -> None:
    form = {"look_for": "pca", "n_directions": "2", "n_works": "64", "seed": "0"} | {field: value}

    reply = console.post(address(checkpoint, "searches"), form, follow=True)

    assert 'class="notice error"' in text(reply)
    assert not Job.objects.exists()


def test_a_search_is_stopped_and_goes_on(
    console: Client,
    checkpoint: Checkpoint,
    bells: list[dict[str, int]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    job = services.request_search(checkpoint=checkpoint, method="pca", n_works=64)

    console.post(address(checkpoint, f"jobs/{job.pk}"), {"verb": "stop"})
    job.refresh_from_db()
    assert job.state == "stopped"

    with django_capture_on_commit_callbacks(execute=True):
        console.post(address(checkpoint, f"jobs/{job.pk}"), {"verb": "resume"})
    job.refresh_from_db()
    assert (job.state, bells) == ("queued", [{"job_id": job.pk, "fence": 0}])


def test_a_job_of_another_checkpoint_is_not_controlled_here(
    console: Client, checkpoint: Checkpoint
) -> None:
    job = services.request_search(checkpoint=checkpoint, method="pca", n_works=64)
    Job.objects.update(args=job.args | {"checkpoint": checkpoint.pk + 1})

    reply = console.post(address(checkpoint, f"jobs/{job.pk}"), {"verb": "stop"})

    assert reply.status_code == 404
    assert Job.objects.get().state == "queued"


def test_two_pages_that_wait_get_each_its_own_answer(own_broker: None) -> None:
    got: dict[str, bytes] = {}
    threads = [
        threading.Thread(target=lambda n=name: got.update({n: answers.wait_for(n, 10)}))
        for name in ("a", "b")
    ]
    for thread in threads:
        thread.start()

    for name in ("b", "a"):
        answers.leave(name, name.encode())
    for thread in threads:
        thread.join(15)

    assert got == {"a": b"a", "b": b"b"}
