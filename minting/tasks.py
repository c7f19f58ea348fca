"""Doorbells of minting, rung by beat. A node that is away is asked again at the next ring."""

import logging

from celery import shared_task
from django.utils import timezone

from generation import progress
from minting import indexer, sender, services
from minting.chain.client import TransportError

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


@shared_task
def index() -> None:
    """Read the contracts' logs up to the head of the chain."""
    try:
        touched = indexer.poll()
    except TransportError as error:
        logger.warning("the indexer waits: %s", error)
        return
    for drop_id in touched:
        progress.announce(drop_id=drop_id, event={"kind": "minted"})
