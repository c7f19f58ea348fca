"""Hints to open pages that rows have changed. A page is complete from the database alone."""

import logging
from threading import Lock, Timer
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

QUIET_S = 1.0
# What was told within the last second, and whether there has been more of it since.
_told: dict[tuple[str, str], bool] = {}
_lock = Lock()


def drop_group(drop_id: int) -> str:
    return f"drop.{drop_id}"


def board_group(drop_id: int) -> str:
    """Curators at the board of a drop. What is said here names them; visitors do not hear it."""
    return f"board.{drop_id}"


def files_group(drop_id: int) -> str:
    """Leads who watch a drop's files being packed, published and looked for."""
    return f"files.{drop_id}"


def run_group(job_id: int) -> str:
    """Leads who watch a training run."""
    return f"run.{job_id}"


def refine_group(checkpoint_id: int) -> str:
    """Leads who refine a checkpoint."""
    return f"refine.{checkpoint_id}"


def announce_refine(*, checkpoint_id: int) -> None:
    """Tell the pages of a checkpoint that a search or a measurement has gone on."""
    _tell(refine_group(checkpoint_id), {"kind": "refined"})


def announce_files(*, drop_id: int) -> None:
    """Tell the launch pages of a drop that something about its files has changed."""
    _tell(files_group(drop_id), {"kind": "files"})


def announce_run(*, job_id: int) -> None:
    """Tell the pages of a training run that an interval is over, or the run."""
    _tell(run_group(job_id), {"kind": "interval"})


def announce(*, drop_id: int, event: dict[str, Any]) -> None:
    """Tell the pages of a drop; a broker that is away costs the hint, nothing else."""
    _tell(drop_group(drop_id), event)


def announce_soon(*, drop_id: int, kind: str) -> None:
    """As ``announce``, for what happens many times a second: one hint a second says it of all.

    The first is told at once; those that follow within a second are told together at its end.
    """
    _soon(drop_group(drop_id), kind)


def _soon(group: str, kind: str) -> None:
    key = (group, kind)
    with _lock:
        is_first = key not in _told
        if is_first:
            _wait(key)
        else:
            _told[key] = True
    if is_first:
        _tell(group, {"kind": kind})


def _wait(key: tuple[str, str]) -> None:
    """Be quiet about ``key`` for a second."""
    _told[key] = False
    timer = Timer(QUIET_S, _end, key)
    timer.daemon = True
    timer.start()


def _end(group: str, kind: str) -> None:
    with _lock:
        is_due = _told.pop((group, kind), False)
        if is_due:
            _wait((group, kind))
    if is_due:
        _tell(group, {"kind": kind})


def tell_board(*, drop_id: int, event: dict[str, Any]) -> None:
    """Tell the curators of a drop."""
    _tell(board_group(drop_id), event)


def _tell(group: str, event: dict[str, Any]) -> None:
    layer = get_channel_layer()
    assert layer is not None
    try:
        async_to_sync(layer.group_send)(group, {"type": "drop.event", "event": event})
    except (RedisError, OSError) as error:
        logger.warning("no hint for %s: %s", group, error)
