"""Workers join, leave and die in the middle of a drop: real processes at a real broker."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import Celery

from config.embedded import worker_command
from generation import rendering
from generation.models import Collection, Drop, Job
from tests.fixtures.stack import ROOT
from tests.generation.test_rendering import (
    collection,
    database_url,
    facts,
    media,
    render_all,
    rendering_drop,
    twin,
)

__all__ = ["collection", "media", "twin"]
pytestmark = [pytest.mark.enable_socket, pytest.mark.django_db(transaction=True)]
SIZE = 64 * 48
Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def start_worker(broker: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a `gpu` worker as an installation does, in a group of its own; waits for it."""
    started: list[subprocess.Popen[bytes]] = []
    environment = dict(os.environ) | {
        "DJANGO_SETTINGS_MODULE": "tests.fixtures.worker_settings",
        "DATABASE_URL": database_url(),
        "KILLED_MEDIA": str(tmp_path / "media"),
        "WORKER_BROKER": broker,
    }

    def start() -> subprocess.Popen[bytes]:
        name, log = f"gpu{len(started)}@localhost", tmp_path / f"worker{len(started)}.txt"
        command = [*worker_command("gpu", 1), "-n", name, "-l", "info"]
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=out, stderr=out, start_new_session=True
            )
        started.append(process)
        until(lambda: f"{name} ready" in log.read_text(), 120)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)


def until(reached: Callable[[], bool], limit_s: float = 120) -> None:
    deadline = time.monotonic() + limit_s
    while not reached():
        assert time.monotonic() < deadline, "it does not get on"
        time.sleep(0.01)


def kill_at_work(
    worker: subprocess.Popen[bytes],
    other: subprocess.Popen[bytes],
    drop: Drop,
    ring: Callable[[], None],
) -> None:
    """SIGKILL to a worker and its child while they hold a chunk's lease; the other one rests."""
    os.killpg(other.pid, signal.SIGSTOP)
    time.sleep(0.2)
    rests = list(drop.jobs.filter(state=Job.State.RUNNING).values_list("pk", flat=True))
    held = drop.jobs.filter(state=Job.State.RUNNING).exclude(pk__in=rests)
    deadline = time.monotonic() + 120
    while True:
        assert time.monotonic() < deadline, "it never holds a chunk"
        ring()
        until(held.exists)
        os.killpg(worker.pid, signal.SIGSTOP)
        time.sleep(0.2)  # what was on its way to the database is there
        if held.exists():
            break
        os.killpg(worker.pid, signal.SIGCONT)
    os.killpg(worker.pid, signal.SIGKILL)
    assert worker.wait(30) == -signal.SIGKILL
    os.killpg(other.pid, signal.SIGCONT)


def test_a_worker_joins_one_leaves_and_one_dies_in_mid_drop_and_no_byte_changes(
    collection: Collection, twin: Collection, broker: str, start_worker: Start
) -> None:
    whole, drop = rendering_drop(collection, size=SIZE), rendering_drop(twin, size=SIZE)
    render_all(whole)
    rendering.finish_drop(drop=whole)
    producer = Celery(broker=broker)

    def ring() -> None:
        producer.send_task("generation.tasks.sweep", queue="gpu")

    def n_done() -> int:
        return drop.jobs.filter(state=Job.State.DONE).count()

    leaving, dying = start_worker(), start_worker()
    ring()
    until(lambda: n_done() >= 2)

    joined = start_worker()
    ring()
    until(lambda: drop.jobs.filter(state=Job.State.RUNNING).exists())
    leaving.terminate()
    assert leaving.wait(60) == 0
    kill_at_work(dying, joined, drop, ring)
    n_before = n_done()
    assert n_before < SIZE / 64

    def is_finished() -> bool:
        ring()
        time.sleep(0.5)
        return Drop.objects.get(pk=drop.pk).state == Drop.State.CURATING

    until(is_finished)

    assert joined.poll() is None
    assert [work.index for work in drop.artworks.in_order()] == list(range(SIZE))
    assert facts(drop) == facts(whole)
    assert set(drop.jobs.values_list("state", "error")) == {(Job.State.DONE, "")}
    taken_over = drop.jobs.filter(attempts__gt=1)
    assert taken_over.exists()
    producer.close()
