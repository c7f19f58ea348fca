"""Hints to open pages that rows have changed. A page is complete from the database alone."""

import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def drop_group(drop_id: int) -> str:
    return f"drop.{drop_id}"


def announce(*, drop_id: int, event: dict[str, Any]) -> None:
    """Tell the pages of a drop; a broker that is away costs the hint, nothing else."""
    layer = get_channel_layer()
    assert layer is not None
    try:
        async_to_sync(layer.group_send)(drop_group(drop_id), {"type": "drop.event", "event": event})
    except (RedisError, OSError) as error:
        logger.warning("no hint for drop %s: %s", drop_id, error)
