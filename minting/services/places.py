"""Where a drop follows on in its collection: number, first id, and the chain of hashes."""

from dataclasses import dataclass

from generation.models import Drop
from minting.models import Commitment
from minting.provenance.keccak import ZERO


class CommitmentPendingError(Exception):
    """An earlier drop of the collection has a commitment that is not on chain yet."""

    def __init__(self, number: int) -> None:
        super().__init__(f"commitment {number} has to be on chain first")
        self.number = number


@dataclass(frozen=True)
class Start:
    """Where a drop's commitment follows on."""

    number: int
    first_token_id: int
    head: bytes


def find_start(drop: Drop) -> Start:
    """The place after the collection's last commitment; CommitmentPendingError if it waits."""
    earlier = Commitment.objects.light().filter(collection=drop.collection_id)
    pending = earlier.exclude(drop__state__in=Drop.COMMITTED_STATES).first()
    if pending is not None:
        raise CommitmentPendingError(pending.number)
    last = earlier.order_by("-number").first()
    if last is None:
        return Start(1, 1, ZERO)
    return Start(last.number + 1, last.end_token_id, bytes.fromhex(last.head))
