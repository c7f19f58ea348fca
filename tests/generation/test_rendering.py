import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from generation import rendering, services, tasks
from generation.gan import latent
from generation.gan.render import render
from generation.imaging import codec
from generation.models import (
    Artwork,
    ArtworkTrait,
    Checkpoint,
    Collection,
    Drop,
    Job,
    ParameterSet,
)
from generation.services import WrongStateError
from generation.traits.novelty import Looks

SEED = "ab" * 32
AN_HOUR = timedelta(hours=1)
NOTHING = Looks(np.empty((0, 768), np.float32), np.empty((0, 0), np.float32))


@pytest.fixture(autouse=True)
def media(settings: object, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"  # type: ignore[attr-defined]


@pytest.fixture
def collection(small_checkpoint: Checkpoint) -> Collection:
    return services.create_collection(
        slug="small", name="Small", story="", checkpoint=small_checkpoint
    )


@pytest.fixture
def twin(small_checkpoint: Checkpoint) -> Collection:
    return services.create_collection(
        slug="twin", name="Twin", story="", checkpoint=small_checkpoint
    )


def rendering_drop(collection: Collection, size: int = 150, seed: str = SEED) -> Drop:
    parameters = collection.parameter_sets.get()
    drop = services.open_drop(collection=collection, parameter_set=parameters, size=size, seed=seed)
    services.start_rendering(drop=drop)
    return drop


def render_all(drop: Drop) -> None:
    for job in drop.jobs.order_by("pk"):
        rendering.run_chunk(job_id=job.pk)


def facts(drop: Drop) -> list[tuple[object, ...]]:
    fields = ("index", "item_seed", "image_digest", "parsed", "requested", "status", "rarity_rank")
    return [tuple(map(str, row)) for row in drop.artworks.in_order().values_list(*fields)]


def test_a_drop_is_split_into_chunks_that_cover_it_once(collection: Collection) -> None:
    drop = rendering_drop(collection)

    spans = [(job.args["start"], job.args["stop"]) for job in drop.jobs.order_by("pk")]

    assert spans == [(0, 64), (64, 128), (128, 150)]


def test_rendering_gives_each_place_one_work_with_its_file(collection: Collection) -> None:
    drop = rendering_drop(collection)

    render_all(drop)

    works = list(drop.artworks.in_order())
    assert [work.index for work in works] == list(range(150))
    assert all(codec.digest(work.image_path.read_bytes()) == work.image_digest for work in works)
    assert set(drop.jobs.values_list("state", flat=True)) == {Job.State.DONE}


def test_the_order_of_chunks_changes_nothing(collection: Collection, twin: Collection) -> None:
    forwards, backwards = rendering_drop(collection), rendering_drop(twin)
    render_all(forwards)

    for job in backwards.jobs.order_by("-pk"):
        rendering.run_chunk(job_id=job.pk)

    assert facts(forwards) == facts(backwards)


def test_running_a_chunk_again_changes_nothing(collection: Collection) -> None:
    drop = rendering_drop(collection, size=40)
    render_all(drop)
    before = facts(drop)

    render_all(drop)

    assert facts(drop) == before
    assert Artwork.objects.count() == 40


def test_a_chunk_in_other_hands_is_left_alone(collection: Collection) -> None:
    drop = rendering_drop(collection, size=10)
    job = drop.jobs.get()
    services.lease_job(pk=job.pk, now=timezone.now(), lease=timedelta(minutes=1))

    assert rendering.run_chunk(job_id=job.pk) is None
    assert not drop.artworks.exists()


def test_a_worker_that_lost_its_lease_writes_nothing(collection: Collection) -> None:
    drop = rendering_drop(collection, size=10)
    long_ago = timezone.now() - timedelta(hours=1)
    slow = services.lease_job(pk=drop.jobs.get().pk, now=long_ago, lease=timedelta(seconds=1))
    assert slow is not None
    render_all(drop)

    with pytest.raises(services.LostLeaseError):
        services.record_works(job=slow, works=[], looks=NOTHING, environment={})

    assert drop.artworks.count() == 10


def watched(monkeypatch: pytest.MonkeyPatch, between: Callable[[], None]) -> list[int]:
    """``between`` before each renewal; the list counts batches that were drawn."""
    drawn: list[int] = []
    monkeypatch.setattr(rendering, "RENEW_EVERY", timedelta(0))

    def render_watched(
        generator: Any, specs: Any, parameters: Any, saved: Any, renew: Callable[[], None]
    ) -> Any:
        def after_batch() -> None:
            drawn.append(1)
            between()
            renew()

        return render(generator, specs, parameters, saved, after_batch)

    monkeypatch.setattr(rendering, "render", render_watched)
    return drawn


def test_a_network_slower_than_the_lease_keeps_its_chunk(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = rendering_drop(collection, size=64)
    ends = []

    def late() -> None:
        end = drop.jobs.get().lease_until
        assert end is not None
        ends.append(end)
        drop.jobs.update(lease_until=timezone.now() + timedelta(seconds=1))

    watched(monkeypatch, late)
    started = timezone.now()
    render_all(drop)

    assert len(ends) == 2
    assert ends[1] >= started + rendering.LEASE  # renewed after the first batch had all but lost it
    assert drop.artworks.count() == 64


def test_a_chunk_that_is_stopped_is_not_drawn_to_its_end(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = rendering_drop(collection, size=64)

    def stop() -> None:
        services.stop_job(job=drop.jobs.get())

    drawn = watched(monkeypatch, stop)

    render_all(drop)

    assert len(drawn) == 1
    assert not drop.artworks.exists()
    assert drop.jobs.get().state == Job.State.STOPPED


def test_finishing_sets_repeats_aside_and_ranks_the_rest(collection: Collection) -> None:
    drop = rendering_drop(collection, size=40)
    render_all(drop)
    first, second = drop.artworks.in_order()[:2]
    drop.artworks.filter(pk=second.pk).update(image_digest=first.image_digest)

    rendering.finish_drop(drop=drop)

    drop.refresh_from_db()
    second.refresh_from_db()
    assert drop.state == Drop.State.CURATING
    assert second.status == Artwork.Status.DUPLICATE
    assert second.rarity_rank is None
    assert not drop.artworks.shown().filter(rarity_rank=None).exists()


def test_a_picture_of_an_earlier_drop_counts_as_a_repeat(collection: Collection) -> None:
    earlier = rendering_drop(collection, size=10)
    render_all(earlier)
    later = rendering_drop(collection, size=10, seed="cd" * 32)
    render_all(later)
    digest = earlier.artworks.in_order()[0].image_digest
    copied = later.artworks.in_order()[3]
    Artwork.objects.filter(pk=copied.pk).update(image_digest=digest)

    rendering.finish_drop(drop=later)

    copied.refresh_from_db()
    assert copied.status == Artwork.Status.DUPLICATE


def test_a_drop_that_is_not_complete_cannot_be_finished(collection: Collection) -> None:
    drop = rendering_drop(collection)
    rendering.run_chunk(job_id=drop.jobs.order_by("pk")[0].pk)

    with pytest.raises(WrongStateError):
        rendering.finish_drop(drop=drop)


def test_absent_traits_have_no_row(collection: Collection) -> None:
    drop = rendering_drop(collection, size=20)

    render_all(drop)

    n_present = sum(v != "none" for work in drop.artworks.all() for v in work.parsed.values())
    assert ArtworkTrait.objects.count() == n_present
    assert not ArtworkTrait.objects.filter(value="none").exists()


def test_a_failing_chunk_is_tried_again_and_then_reported(collection: Collection) -> None:
    drop = rendering_drop(collection, size=10)
    path = Path(drop.checkpoint.path)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    rendering._generator.cache_clear()
    job = drop.jobs.get()

    for _ in range(5):
        with pytest.raises(Exception, match="sha256"):
            rendering.run_chunk(job_id=job.pk)

    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert "sha256" in job.error
    assert not drop.artworks.exists()


@pytest.mark.usefixtures("eager_tasks")
def test_the_tasks_run_twice_change_nothing(collection: Collection) -> None:
    drop = rendering_drop(collection, size=70)
    tasks.sweep()
    before = facts(drop)

    tasks.sweep()
    for job in drop.jobs.all():
        tasks.render_chunk(job_id=job.pk)
    tasks.finish_drop(drop_id=drop.pk)

    drop.refresh_from_db()
    assert drop.state == Drop.State.CURATING
    assert facts(drop) == before


KILLED = """
import os, signal, sys, threading, time
import django
django.setup()
from generation import rendering
from generation.models import Job
first, *rest = map(int, sys.argv[1].split(","))
rendering.networks(Job.objects.get(pk=first).drop.checkpoint)
def kill():
    time.sleep(float(sys.argv[2]))
    os.kill(os.getpid(), signal.SIGKILL)
threading.Thread(target=kill, daemon=True).start()
for job_id in (first, *rest):
    rendering.run_chunk(job_id=job_id)
time.sleep(30)
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_mid_drop_changes_no_byte(
    collection: Collection, twin: Collection, tmp_path: Path
) -> None:
    whole, drop = rendering_drop(collection, size=600), rendering_drop(twin, size=600)
    render_all(whole)
    jobs = ",".join(str(pk) for pk in drop.jobs.order_by("pk").values_list("pk", flat=True))
    environment = dict(os.environ) | {
        "DJANGO_SETTINGS_MODULE": "tests.fixtures.killed_settings",
        "DATABASE_URL": database_url(),
        "KILLED_MEDIA": str(tmp_path / "media"),
    }
    done_before_each_kill = []
    for delay in ("0.03", "0.1", "0.2"):
        done = subprocess.run([sys.executable, "-c", KILLED, jobs, delay], env=environment)
        assert done.returncode == -signal.SIGKILL
        done_before_each_kill.append(drop.artworks.count())
        drop.jobs.filter(state=Job.State.RUNNING).update(lease_until=timezone.now() - AN_HOUR)

    render_all(drop)

    assert done_before_each_kill[0] < 600
    assert facts(drop) == facts(whole)
    stored = list((tmp_path / "media").rglob("*.png"))
    assert all(codec.digest(path.read_bytes()) == path.stem for path in stored)


def database_url() -> str:
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def test_a_share_of_a_drop_is_drawn_to_be_unusual(small_checkpoint: Checkpoint) -> None:
    collection = services.create_collection(
        slug="odd", name="Odd", story="", checkpoint=small_checkpoint, exploration=0.1
    )
    parameters = collection.parameter_sets.get()
    drop = services.open_drop(collection=collection, parameter_set=parameters, size=100)

    for job in services.start_rendering(drop=drop):
        rendering.run_chunk(job_id=job.pk)

    places = set(drop.artworks.filter(explores=True).values_list("index", flat=True))
    assert places == latent.explorers(bytes.fromhex(drop.seed), 100, 0.1)
    assert len(places) == 10
    plain = replace(parameters.parameters, exploration=0.0)
    generator, _ = rendering.networks(small_checkpoint)
    for work in drop.artworks.in_order()[:32]:
        spec = latent.item_spec(bytes.fromhex(drop.seed), work.index, plain)
        (picture,) = render(generator, [spec], plain)
        is_same = bool((codec.read_stored(work.image_path) == picture).all())
        assert is_same == (not work.explores)


def test_a_share_of_a_drop_is_steered_by_nobody(small_checkpoint: Checkpoint) -> None:
    collection = services.create_collection(
        slug="led", name="Led", story="", checkpoint=small_checkpoint, exploration=0.1
    )
    first = collection.parameter_sets.get()
    start = first.parameters
    name, shares = next(iter(start.distributions.items()))
    only = next(iter(shares))
    led = replace(
        start,
        distributions=start.distributions
        | {name: {value: 0.9 if value == only else 0.1 / (len(shares) - 1) for value in shares}},
        directions={"sefa-1": 1.5},
        control=0.1,
    )
    parameters = services.create_parameter_set(
        parent=first, parameters=led, source=ParameterSet.Source.LEAD, reason="A test"
    )
    drop = services.open_drop(collection=collection, parameter_set=parameters, size=100)

    for job in services.start_rendering(drop=drop):
        rendering.run_chunk(job_id=job.pk)

    controls = list(drop.artworks.filter(is_control=True).in_order())
    seed = bytes.fromhex(drop.seed)
    assert {work.index for work in controls} == latent.controls(seed, 100, led)
    assert len(controls) == 10
    assert not any(work.explores for work in controls)
    led_alone = replace(led, control=0.0)
    others = [latent.item_spec(seed, work.index, led_alone) for work in controls]
    assert any(
        spec.requested != work.requested for spec, work in zip(others, controls, strict=True)
    )
    generator, _ = rendering.networks(small_checkpoint)
    plain = replace(start, control=0.0, exploration=0.0)
    for work in controls:
        spec = latent.item_spec(seed, work.index, plain)
        (picture,) = render(generator, [spec], plain)
        assert spec.requested == work.requested
        assert (codec.read_stored(work.image_path) == picture).all()
    for work, change in rendering.draw_again(drop, controls):
        assert change.largest == 0, work
