"""Publishing by hand: the cost first, then the way, and Ctrl-C anywhere on it."""

import os
import signal
import subprocess
import sys
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from generation.models import Drop, Job
from minting.models import PackedCar, Publication
from minting.publishing.targets import Target
from tests.fixtures.ipfs import IMPORT, TOKEN, Node
from tests.fixtures.stack import ROOT
from tests.minting.publishing.conftest import PART_BYTES

PIN = """
import signal, sys
import django
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
from django.conf import settings
database, settings_media, size = sys.argv[1:]
settings.DATABASES["default"]["NAME"] = database
settings.MEDIA_ROOT = settings_media
settings.PUBLISH_PART_BYTES = int(size)
django.setup()
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "pin", "portraits", "1", "--target", "car", "--yes"])
"""


def pin(*words: str, **options: Any) -> str:
    said = StringIO()
    call_command("pin", "portraits", "1", *words, stdout=said, stderr=StringIO(), **options)
    return said.getvalue()


def test_a_dry_run_says_the_cost_and_sends_nothing(
    drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    car = PackedCar.objects.get(drop=drop)

    said = pin("--target", "car", "--months", "6", "--dry-run")

    price = "0.15 EUR a GB and month, 0.02 EUR an upload: 0.0201 EUR"
    assert f"{car.root_cid}, {car.n_bytes:,} bytes, at car for 6 months: {price}" in said
    assert ipfs.log() == []
    assert not Publication.objects.exists()


def test_it_asks_before_it_costs_anything(
    drop: Drop, targets: dict[str, Target], ipfs: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda question: "")

    with pytest.raises(CommandError, match="not published"):
        pin("--target", "car")

    assert ipfs.log() == []


def test_it_publishes_and_says_what_was_read_back(
    drop: Drop, targets: dict[str, Target], ipfs: Node
) -> None:
    said = pin("--target", "car", "--yes")

    row = Publication.objects.get()
    assert row.job.state == Job.State.DONE
    assert f"there; {row.n_checked} blocks read back through 127.0.0.1" in said
    n_requests = len(ipfs.log())
    assert "it is there already" in pin("--target", "car", "--yes")
    assert len(ipfs.log()) == n_requests


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--target", "nobody"], "no target nobody is set"),
        (["--target", "car", "--months", "0"], "months from 1"),
    ],
)
def test_what_cannot_be_done_is_said(
    drop: Drop, targets: dict[str, Target], words: list[str], said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        pin(*words)


def test_a_drop_that_is_not_committed_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="drop 1 of portraits is not committed"):
        pin("--target", "car")


def test_a_refusal_is_said(drop: Drop, targets: dict[str, Target], ipfs: Node) -> None:
    ipfs.control(faults=[{"at": IMPORT, "times": 1, "status": 403}])

    with pytest.raises(CommandError, match=r"failed: .* refuses with 403"):
        pin("--target", "car", "--yes")


@pytest.mark.django_db(transaction=True)
def test_control_c_keeps_what_was_sent_and_the_command_goes_on(
    drop: Drop, targets: dict[str, Target], ipfs: Node, settings: Settings
) -> None:
    ipfs.control(faults=[{"at": IMPORT, "after": 2, "times": 1, "stall": True}])
    given = [str(connection.settings_dict["NAME"]), str(settings.MEDIA_ROOT), str(PART_BYTES)]
    process = subprocess.Popen(
        [sys.executable, "-c", PIN, *given],
        cwd=ROOT,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "PUBLISH_TARGETS": "car",
            "PUBLISH_CAR_KIND": "car",
            "PUBLISH_CAR_URL": ipfs.url,
            "PUBLISH_CAR_TOKEN": TOKEN,
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    ipfs.await_requests(IMPORT, 3, process)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    stopped = Publication.objects.select_related("job").get()

    pin("--target", "car", "--yes")

    row = Publication.objects.select_related("job").get()
    digests = [part.sha256 for part in row.parts.order_by("number")]
    assert "stopped: what was sent is kept" in told
    assert (stopped.job.state, row.job.state) == (Job.State.STOPPED, Job.State.DONE)
    assert [entry["key"] for entry in ipfs.log(IMPORT)] == digests[:3] + digests[2:]
    assert TOKEN not in told
