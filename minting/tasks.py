"""Doorbells of minting, rung by beat. A node that is away is asked again at the next ring."""

import logging

from celery import shared_task
from django.utils import timezone

from generation import progress
from minting import indexer, revealing, sender, services
from minting.chain.client import ChainError, TransportError

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
