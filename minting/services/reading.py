"""How far the chain has been read, what keeps it from being read, and reading it again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.conf import settings
from django.db.models import Q

from minting.models import Alarm, Block, Cursor, Governance, Pool, Source
from minting.services.governor import forget_government
from minting.services.pools import forget_pool
from minting.services.tokens import forget, rewind

# Rows of so many blocks are dropped in one transaction.
BLOCKS = 200


@dataclass(frozen=True)
class IndexProgress:
    """How far the logs of what is at ``address`` have been read."""

    address: str
    first: int
    number: int
    head: int

    @property
    def n_behind(self) -> int:
        return max(0, self.head - self.number)

    @property
    def share(self) -> float:
        """Of the blocks since the first one with logs, from 0 to 1."""
        n_blocks = self.head - self.first + 1
        return min(1.0, max(0.0, 1 - self.n_behind / n_blocks)) if n_blocks > 0 else 1.0


def index_progress() -> list[IndexProgress]:
    """One entry for each source on this chain, as of the last time it was read."""
    cursors = Cursor.objects.on_chain(settings.CHAIN_ID).in_order()
    return [
        IndexProgress(cursor.source.address, cursor.first, cursor.number, cursor.head)
        for cursor in cursors
    ]


def note_head(*, chain_id: int, head: int) -> None:
    Cursor.objects.on_chain(chain_id).exclude(head=head).update(head=head)


def chain_alarms() -> list[str]:
    """Why nothing is read of this installation's chain; empty where it is."""
    alarms = Alarm.objects.standing(settings.CHAIN_ID)
    return list(alarms.values_list("reason", flat=True))


def raise_alarm(*, chain_id: int, reason: str, now: datetime) -> Alarm:
    """Read nothing of a chain until the alarm is cleared; the first reason stands."""
    alarm, _ = Alarm.objects.get_or_create(
        chain_id=chain_id, cleared_at=None, defaults={"reason": reason, "raised_at": now}
    )
    return alarm


def clear_alarms(*, chain_id: int, now: datetime) -> None:
    Alarm.objects.standing(chain_id).update(cleared_at=now)


def first_block(*, chain_id: int, source: Source | None = None) -> int:
    """The oldest block that has logs of ours, or of one contract or pool."""
    found = Cursor.objects.on_chain(chain_id)
    rows = found if source is None else found & Cursor.objects.of(source)
    return min(filter(None, (cursor.first for cursor in rows.in_order())), default=0)


def drop_rows(*, chain_id: int, first: int, source: Source | None = None) -> Iterator[int]:
    """Take back what blocks from ``first`` on say, newest first; yields where that has come to.

    Each step is a transaction, after which rows and cursors agree: stopped between two of them, the
    rest stays as it was.
    """
    above = Block.objects.filter(chain_id=chain_id, number__gte=first)
    if source is not None:
        above = above.filter(_mentions(source)).distinct()
    at = None
    while at is None or at >= first:
        left = above if at is None else above.filter(number__lt=at)
        numbers = list(left.newest_first().values_list("number", flat=True)[:BLOCKS])
        at = numbers[-1] if len(numbers) == BLOCKS else first
        _drop(chain_id, source, at - 1)
        if at == first:
            _skip(chain_id)
        yield at
        if at == first:
            return


def _mentions(source: Source) -> Q:
    if isinstance(source, Pool):
        return Q(liquidity_snapshots__pool=source) | Q(liquidity_changes__pool=source)
    if isinstance(source, Governance):
        rows = ("governor_proposals", "governor_votes", "governor_steps", "bounds_changes")
        return reduce(or_, (Q(**{f"{name}__governance": source}) for name in rows))
    return Q(transfers__token__contract=source) | Q(epochs__contract=source)


def _drop(chain_id: int, source: Source | None, number: int) -> None:
    if source is None:
        rewind(chain_id=chain_id, number=number)
    elif isinstance(source, Pool):
        forget_pool(pool=source, number=number)
    elif isinstance(source, Governance):
        forget_government(governance=source, number=number)
    else:
        forget(contract=source, number=number)


def _skip(chain_id: int) -> None:
    """Nothing is to be read of blocks before a contract or pool was there."""
    for cursor in Cursor.objects.on_chain(chain_id).in_order():
        older = Cursor.objects.filter(pk=cursor.pk, number__lt=cursor.first - 1)
        older.update(number=cursor.first - 1)
