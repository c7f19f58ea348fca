"""Doorbells of minting, rung by beat. A node that is away is asked again at the next ring."""

import logging
from functools import partial

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from generation import progress
from generation.models import Job
from minting import indexer, inspecting, posting, revealing, sender, services
from minting.chain.client import ChainError, TransportError
from minting.models import Contract, Publication, StorageRound
from minting.services.chain import connect

logger = logging.getLogger(__name__)


@shared_task
def sweep() -> None:
    """Take open intents as far as they go, and listings off whose time is over."""
    now = timezone.now()
    services.expire_listings(now=now)
    try:
        settled = sender.pump(now)
    except TransportError as error:
        logger.warning("the outbox waits: %s", error)
        return
    for drop_id in settled:
        progress.announce(drop_id=drop_id, event={"kind": "state"})
    for drop in services.living_drops():
        if drop.pk in settled:
            draw.delay(drop_id=drop.pk)  # so that its network is read before the first mint


@shared_task
def live() -> None:
    """Bring drops that are drawn on the fly a step nearer to being final, and draw what waits."""
    try:
        revealing.advance()
    except ChainError as error:
        logger.warning("reveals wait: %s", error)
    for drop in services.living_drops():
        if services.undrawn(drop):
            draw.delay(drop_id=drop.pk)


@shared_task
def draw(*, drop_id: int) -> None:
    """Works for minted tokens. The worker of this queue draws nothing else."""
    from minting import drawing

    for token_ids in drawing.draw_minted(drop_id=drop_id):
        if token_ids:
            progress.announce(drop_id=drop_id, event={"kind": "drawn", "tokens": token_ids})


@shared_task
def sweep_moved() -> None:
    """Ring for works that an epoch has moved and nobody has drawn since."""
    for contract in Contract.objects.exclude(evolution_address="").order_by("pk"):
        if services.moved_undrawn(contract).exists():
            draw_epochs.delay(contract_id=contract.pk)


@shared_task
def draw_epochs(*, contract_id: int) -> None:
    """Large pictures of works that epochs moved, a batch at a time."""
    from minting import moving

    contract = Contract.objects.select_related("collection").get(pk=contract_id)
    with connect() as node:
        if moving.draw_epochs(contract=contract, node=node):
            draw_epochs.delay(contract_id=contract_id)


@shared_task
def index() -> None:
    """Read the contracts' logs up to the head of the chain."""
    try:
        touched = indexer.poll()
    except TransportError as error:
        logger.warning("the indexer waits: %s", error)
        return
    except indexer.ReorgTooDeepError as error:
        logger.error("the indexer stands still until manage.py reindex: %s", error)
        return
    for drop_id in touched:
        progress.announce(drop_id=drop_id, event={"kind": "minted"})
    for drop in services.living_drops():
        if drop.pk in touched and services.undrawn(drop):
            draw.delay(drop_id=drop.pk)


@shared_task
def pack(*, job_id: int) -> None:
    """A drop's CAR file and its size."""
    job = posting.pack(job_id=job_id)
    if job is not None and job.drop_id is not None:
        progress.announce_files(drop_id=job.drop_id)


@shared_task
def publish(*, job_id: int, fence: int) -> None:
    """A while of a publication; what is left to do is rung for again, behind whatever waits.

    ``fence`` is the job's when the bell was rung: of several rings only one is answered.
    """
    if not Job.objects.filter(pk=job_id, fence=fence).exists():
        return
    publication = posting.publish(job_id=job_id, tell=_tell)
    if publication is None:
        return
    _tell(publication)
    job = publication.job
    if job.state == Job.State.QUEUED and publication.due_at is None:
        publish.delay(job_id=job_id, fence=job.fence)


@shared_task
def sweep_files() -> None:
    """Ring for what is to be packed or published and has nobody working on it."""
    now = timezone.now()
    for job_id in Job.objects.filter(kind="pack").due(now).values_list("pk", flat=True):
        pack.delay(job_id=job_id)
    for job_id, fence in Publication.objects.due(now).bells():
        publish.delay(job_id=job_id, fence=fence)


@shared_task
def check_storage() -> None:
    """Look at the files of some works, and say what is missing."""
    inspecting.ring(_tell)


def ring_packing(job: Job) -> None:
    """Call a worker to pack a CAR file, once the row is committed."""
    transaction.on_commit(partial(pack.delay, job_id=job.pk))


def ring_publication(publication: Publication) -> None:
    """Call a worker for a publication, once its row is committed."""
    job = publication.job
    transaction.on_commit(partial(publish.delay, job_id=job.pk, fence=job.fence))


def ring_storage() -> None:
    """Call a worker to look at files, once the round is committed."""
    transaction.on_commit(check_storage.delay)


def _tell(row: Publication | StorageRound) -> None:
    progress.announce_files(drop_id=row.drop_id)
