"""How far the chain has been read, what keeps it from being read, and reading it again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from minting.models import Alarm, Block, Contract, Cursor
from minting.services.tokens import forget, rewind

# Rows of so many blocks are dropped in one transaction.
BLOCKS = 200


@dataclass(frozen=True)
class IndexProgress:
    """How far the logs of the contract at ``address`` have been read."""

    address: str
    first: int
    number: int
    head: int

    @property
    def n_behind(self) -> int:
        return max(0, self.head - self.number)

    @property
    def share(self) -> float:
        """Of the blocks since the contract was created, from 0 to 1."""
        n_blocks = self.head - self.first + 1
        return min(1.0, max(0.0, 1 - self.n_behind / n_blocks)) if n_blocks > 0 else 1.0


def index_progress() -> list[IndexProgress]:
    """One entry for each contract on this installation's chain, as of the last time it was read."""
    cursors = Cursor.objects.filter(contract__chain_id=settings.CHAIN_ID)
    rows = cursors.order_by("contract").values_list(
        "contract__address", "contract__deployed_block", "number", "head"
    )
    return [
        IndexProgress(address, first or 0, number, head) for address, first, number, head in rows
    ]


def note_head(*, chain_id: int, head: int) -> None:
    Cursor.objects.filter(contract__chain_id=chain_id).exclude(head=head).update(head=head)


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


def first_block(*, chain_id: int, contract: Contract | None = None) -> int:
    """The oldest block that has logs of ours, or of one contract."""
    found = Contract.objects.deployed().filter(chain_id=chain_id)
    rows = found if contract is None else found.filter(pk=contract.pk)
    return min(filter(None, rows.values_list("deployed_block", flat=True)), default=0)


def drop_rows(*, chain_id: int, first: int, contract: Contract | None = None) -> Iterator[int]:
    """Take back what blocks from ``first`` on say, newest first; yields where that has come to.

    Each step is a transaction, after which rows and cursors agree: stopped between two of them, the
    rest stays as it was.
    """
    above = Block.objects.filter(chain_id=chain_id, number__gte=first)
    if contract is not None:
        above = above.filter(transfers__token__contract=contract).distinct()
    at = None
    while at is None or at >= first:
        left = above if at is None else above.filter(number__lt=at)
        numbers = list(left.newest_first().values_list("number", flat=True)[:BLOCKS])
        at = numbers[-1] if len(numbers) == BLOCKS else first
        if contract is None:
            rewind(chain_id=chain_id, number=at - 1)
        else:
            forget(contract=contract, number=at - 1)
        yield at
        if at == first:
            return
