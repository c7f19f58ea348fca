"""A process that publishes is killed between parts, and before it hears of one; another goes on."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from generation.models import Drop, Job
from minting import posting
from minting.models import PackedCar
from minting.publishing.targets import Target
from tests.fixtures.ipfs import IMPORT, TOKEN, Node
from tests.fixtures.stack import ROOT
from tests.minting.publishing.conftest import PART_BYTES, ask, work

PUBLISH = """
import sys
import django
from django.conf import settings
from minting.publishing.targets import Target, TargetKind
database, media, url, token, size, job = sys.argv[1:]
settings.DATABASES["default"]["NAME"] = database
settings.MEDIA_ROOT = media
settings.PUBLISH_PART_BYTES = int(size)
settings.PUBLISH_TARGETS = {"car": Target("car", TargetKind.CAR, url, token, gateway=url)}
django.setup()
from minting import posting
posting.publish(job_id=int(job), tell=lambda row: None)
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("way", "n_taken"), [("stall", 2), ("hang", 3)])
def test_a_killed_process_loses_and_doubles_nothing(
    drop: Drop, targets: dict[str, Target], ipfs: Node, settings: Settings, way: str, n_taken: int
) -> None:
    """``stall``: the third part never gets there; ``hang``: it does, but nobody hears of it."""
    ipfs.control(faults=[{"at": IMPORT, "after": 2, "times": 1, way: True}])
    row = ask(drop, targets["car"])
    given = [str(connection.settings_dict["NAME"]), str(settings.MEDIA_ROOT), ipfs.url, TOKEN]
    process = subprocess.Popen(
        [sys.executable, "-c", PUBLISH, *given, str(PART_BYTES), str(row.job_id)],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.test"},
    )
    ipfs.await_requests(IMPORT, 3, process)
    process.kill()
    process.wait()
    n_sent = row.parts.exclude(sent_at=None).count()
    held = work_is_refused(row.job_id)

    Job.objects.filter(pk=row.job_id).update(lease_until=timezone.now() - timedelta(seconds=1))
    row = work(row)

    digests = [part.sha256 for part in row.parts.order_by("number")]
    sent = [entry["key"] for entry in ipfs.log(IMPORT)]
    taken = [entry["key"] for entry in ipfs.log(IMPORT) if abs(entry["status"]) == 200]
    assert (n_sent, held, row.job.state) == (2, True, Job.State.DONE)
    assert sent == digests[:3] + digests[2:]
    assert taken == digests[:n_taken] + digests[2:]
    assert ipfs.control()["blocks"] == PackedCar.objects.get(drop=drop).n_blocks
    assert ipfs.control()["pinned"] == [drop.commitment.root_cid]


def work_is_refused(job_id: int) -> bool:
    """While the dead process' lease runs, nobody else takes the job."""
    return posting.publish(job_id=job_id, tell=lambda row: None) is None
