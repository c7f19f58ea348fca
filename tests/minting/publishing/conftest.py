"""A drop that is committed on a chain, packed, and targets on a node of this machine."""

import pytest
from pytest_django import Settings

from generation.models import Drop, Job
from minting import posting, services
from minting.models import PackedCar, Publication
from minting.publishing.targets import Target, TargetKind
from tests.fixtures.ipfs import Node
from tests.fixtures.works import MakeDrop

# Works have some 900 bytes each: a handful of parts.
PART_BYTES = 4000


@pytest.fixture
def targets(ipfs: Node, settings: Settings) -> dict[str, Target]:
    """One of each kind, by the kind's name."""
    found = {kind.value: ipfs.target(kind) for kind in TargetKind}
    settings.PUBLISH_TARGETS = found
    settings.PUBLISH_PART_BYTES = PART_BYTES
    return found


@pytest.fixture
def drop(make_drop: MakeDrop, settings: Settings) -> Drop:
    """Twelve works, committed as far as rows go, its CAR packed."""
    settings.PUBLISH_PART_BYTES = PART_BYTES
    drop = make_drop(12, Drop.State.CURATING)
    services.prepare_commitment(drop=drop)
    Drop.objects.filter(pk=drop.pk).update(state=Drop.State.COMMITTED)
    drop.refresh_from_db()
    pack(drop)
    return drop


def pack(drop: Drop) -> PackedCar:
    posting.pack(job_id=services.request_packing(drop=drop).pk)
    return PackedCar.objects.get(drop=drop)


def ask(drop: Drop, target: Target, months: int = 12) -> Publication:
    """Agree to what it costs now."""
    told = services.quote(drop=drop, target=target, months=months)
    return services.request_publication(drop=drop, target=target, months=months, agreed=told.cost)


def work(publication: Publication, rings: int = 1) -> Publication:
    """What a worker does at each ring, whatever the time is."""
    for _ in range(rings):
        Publication.objects.filter(pk=publication.pk).update(due_at=None)
        posting.publish(job_id=publication.job_id, tell=lambda row: None)
    found = Publication.objects.select_related("job").get(pk=publication.pk)
    assert found.job.state != Job.State.RUNNING
    return found
