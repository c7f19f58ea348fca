"""Blocks as they are stored, and the cursors that say up to where they are read."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from minting.chain.client import Header
from minting.chain.logs import Place
from minting.models import Block, Cursor, Source


class CursorMovedError(Exception):
    """Another reader moved the cursor in the meantime."""

    def __init__(self, source: Source, expected: int) -> None:
        super().__init__(f"the cursor of {source} is no longer at {expected}")
        self.source = source
        self.expected = expected


class ForkError(Exception):
    """What was read belongs to another fork than what is stored."""

    def __init__(self, number: int) -> None:
        super().__init__(f"the chain changed around block {number}")
        self.number = number


def advance_cursor(*, source: Source, first: int, last: int, window: int) -> None:
    """Compare and set: from the block before ``first`` to ``last``, or CursorMovedError."""
    cursor = Cursor.objects.of(source).filter(number=first - 1)
    if not cursor.update(number=last, window=window):
        raise CursorMovedError(source, first - 1)


def shrink_window(*, source: Source, window: int) -> None:
    """Ask for fewer blocks next time, because the node could not answer for ``window``."""
    Cursor.objects.of(source).filter(window=window).update(window=max(1, window // 2))


def prune_blocks(*, chain_id: int, below: int, since: int) -> None:
    """Forget blocks from ``since`` to ``below`` in which nothing of ours happened."""
    Block.objects.filter(
        chain_id=chain_id,
        number__gte=since,
        number__lt=below,
        transfers__isnull=True,
        minted_tokens__isnull=True,
        drop_events__isnull=True,
        stakes__isnull=True,
        ended_stakes__isnull=True,
        pool_payments__isnull=True,
        voting_powers__isnull=True,
        delegations__isnull=True,
        swaps__isnull=True,
        liquidity_snapshots__isnull=True,
        liquidity_changes__isnull=True,
        governor_proposals__isnull=True,
        governor_votes__isnull=True,
        governor_steps__isnull=True,
        bounds_changes__isnull=True,
        epochs__isnull=True,
        proven_levels__isnull=True,
        interactions__isnull=True,
        named_positions__isnull=True,
    ).delete()


def store_blocks(
    *, chain_id: int, headers: Sequence[Header], places: Iterable[Place]
) -> dict[int, Block]:
    """Blocks by number, after checking that neighbours are parent and child.

    Part of the caller's transaction. ForkError also where a log stands in another block.
    """
    Block.objects.bulk_create(
        [
            Block(
                chain_id=chain_id,
                number=header.number,
                hash=header.hash,
                parent_hash=header.parent_hash,
                mined_at=datetime.fromtimestamp(header.timestamp, UTC),
            )
            for header in headers
        ],
        ignore_conflicts=True,
    )
    numbers = [header.number for header in headers]
    around = Block.objects.filter(
        chain_id=chain_id, number__gte=min(numbers) - 1, number__lte=max(numbers) + 1
    )
    blocks = {block.number: block for block in around}
    for header in headers:
        if header.number not in blocks or blocks[header.number].hash != header.hash:
            raise ForkError(header.number)
    for number, block in blocks.items():
        if number - 1 in blocks and block.parent_hash != blocks[number - 1].hash:
            raise ForkError(number)
    for place in places:
        if place.block_hash != blocks[place.block_number].hash:
            raise ForkError(place.block_number)
    return blocks
