"""Pools: named by a lead, and what the logs of canonical blocks say of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.conf import settings
from django.db import transaction

from generation.models import Collection
from minting.chain import liquidity, pools
from minting.chain.client import ChainError, Client, Header
from minting.chain.liquidity import Change
from minting.chain.logs import ZERO_ADDRESS, Place
from minting.chain.pool_facts import PoolFacts, find_creation, read_pool
from minting.chain.pools import PriceLog, RangeLog, ShareLog, StartLog, SwapLog, SyncLog
from minting.models import Block, Cursor, LiquidityChange, LiquiditySnapshot, Pool, Swap
from minting.services.blocks import advance_cursor, store_blocks

MAX_LIQUIDITY = 2**128  # a uint128 in the pool


class PoolKnownError(Exception):
    """The pool is read already."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(f"the pool {pool} is read already, for {pool.collection.slug}")
        self.pool = pool


class CreationUnknownError(Exception):
    """The node does not say when the pool was made: a person has to say where to begin."""

    def __init__(self, address: str) -> None:
        super().__init__(f"the node does not say when {address} was made: name the first block")
        self.address = address


class PartialPoolError(Exception):
    """The pool is not read from its creation, so that what was there before is not known."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(f"the pool {pool} is read from block {pool.first_block} on only")
        self.pool = pool


@dataclass(frozen=True)
class PoolWindow:
    """What some blocks hold of a pool; ``headers`` have at least the last and those of the logs."""

    headers: Sequence[Header]
    logs: Sequence[pools.Log]

    @property
    def places(self) -> list[Place]:
        return [log.place for log in self.logs]


def register_pool(
    *, node: Client, collection: Collection, address: str, kind: str, first_block: int | None = None
) -> Pool:
    """Read a pool from now on: from its creation, or from ``first_block``.

    Raises
    ------
    NotAPoolError, PoolKnownError, CreationUnknownError, ChainError
        and then nothing is stored.
    """
    node.check_chain(settings.CHAIN_ID)
    facts = read_pool(node, address, kind)
    known = Pool.objects.select_related("collection").filter(
        chain_id=settings.CHAIN_ID, address=facts.address
    )
    for pool in known:
        raise PoolKnownError(pool)
    created = _creation(node, facts)
    first = created if first_block is None else first_block
    if first is None:
        raise CreationUnknownError(facts.address)
    return _store_pool(collection, facts, created, max(first, created or 1))


def _creation(node: Client, facts: PoolFacts) -> int | None:
    try:
        return find_creation(node, facts, node.block_number())
    except ChainError:
        return None  # many nodes search a part of the chain only


@transaction.atomic
def _store_pool(collection: Collection, facts: PoolFacts, created: int | None, first: int) -> Pool:
    token0, token1 = facts.tokens
    pool, is_new = Pool.objects.get_or_create(
        chain_id=settings.CHAIN_ID,
        address=facts.address,
        defaults={
            "collection": collection,
            "kind": facts.kind,
            "factory": facts.factory,
            "token0": token0.address,
            "token1": token1.address,
            "symbol0": token0.symbol,
            "symbol1": token1.symbol,
            "decimals0": token0.decimals,
            "decimals1": token1.decimals,
            "fee_pips": facts.fee_pips,
            "created_block": created,
            "first_block": first,
        },
    )
    if not is_new:
        raise PoolKnownError(pool)
    Cursor.objects.create(pool=pool, number=first - 1)
    return pool


@transaction.atomic
def record_pool_window(
    *, pool: Pool, first: int, last: int, window: int, found: PoolWindow
) -> None:
    """Store what happened in blocks first..last of a pool and move its cursor.

    CursorMovedError or ForkError, and then nothing is written.
    """
    advance_cursor(source=pool, first=first, last=last, window=window)
    blocks = store_blocks(chain_id=pool.chain_id, headers=found.headers, places=found.places)
    swaps = [log.swap if isinstance(log, PriceLog) else log for log in found.logs]
    Swap.objects.bulk_create(_swap(pool, blocks, log) for log in swaps if isinstance(log, SwapLog))
    LiquidityChange.objects.bulk_create(
        LiquidityChange(
            pool=pool,
            block=blocks[log.place.block_number],
            tx_hash=log.place.tx_hash,
            log_index=log.place.log_index,
            **vars(change),
            **amounts,
        )
        for log, change, amounts in _changes(found.logs)
    )
    before = pool.snapshots.in_order().last()
    LiquiditySnapshot.objects.bulk_create(_snapshots(pool, blocks, found.logs, before))


def forget_pool(*, pool: Pool, number: int) -> None:
    """Take back what blocks above ``number`` say of a pool; the blocks stay."""
    for rows in (pool.swaps, pool.snapshots, pool.changes):
        rows.filter(block__number__gt=number).delete()
    Cursor.objects.of(pool).filter(number__gt=number).update(number=number)


def _swap(pool: Pool, blocks: Mapping[int, Block], log: SwapLog) -> Swap:
    return Swap(
        pool=pool,
        block=blocks[log.place.block_number],
        tx_hash=log.place.tx_hash,
        log_index=log.place.log_index,
        sender=log.sender,
        recipient=log.recipient,
        amount0=log.amount0,
        amount1=log.amount1,
    )


def _changes(
    found: Iterable[pools.Log],
) -> Iterator[tuple[pools.Log, Change, dict[str, int]]]:
    """Each log that changes positions, with whose, and the tokens that moved where it says so."""
    for log in found:
        if isinstance(log, RangeLog):
            change = Change(log.owner, log.liquidity, log.tick_lower, log.tick_upper)
            yield log, change, {"amount0": log.amount0, "amount1": log.amount1}
        elif isinstance(log, ShareLog):
            for change in shares(log):
                yield log, change, {}


def shares(log: ShareLog) -> list[Change]:
    """Whose shares become more and fewer; the first thousand belong to the zero address."""
    is_made, is_destroyed = log.sender == ZERO_ADDRESS, log.recipient == ZERO_ADDRESS
    if log.sender == log.recipient and not is_made:
        return []
    found = [] if is_made else [Change(log.sender, -log.amount)]
    return found if is_destroyed and not is_made else [*found, Change(log.recipient, log.amount)]


def _snapshots(
    pool: Pool,
    blocks: Mapping[int, Block],
    found: Iterable[pools.Log],
    last: LiquiditySnapshot | None,
) -> Iterator[LiquiditySnapshot]:
    """The pool after each log that changes its reserves, its price, or what is in range."""
    for log in found:
        snapshot = _snapshot(log, last)
        if snapshot is not None:
            last = snapshot
            last.pool, last.block = pool, blocks[log.place.block_number]
            last.log_index = log.place.log_index
            yield last


def _snapshot(log: pools.Log, last: LiquiditySnapshot | None) -> LiquiditySnapshot | None:
    if isinstance(log, SyncLog):
        return LiquiditySnapshot(reserve0=log.reserve0, reserve1=log.reserve1)
    if isinstance(log, StartLog):
        return LiquiditySnapshot(sqrt_price_x96=log.sqrt_price_x96, tick=log.tick, liquidity=0)
    if isinstance(log, PriceLog):
        return LiquiditySnapshot(
            sqrt_price_x96=log.sqrt_price_x96, tick=log.tick, liquidity=log.liquidity
        )
    if not isinstance(log, RangeLog) or last is None or last.tick is None or not log.liquidity:
        return None
    after = last.liquidity + log.liquidity
    # A pool that is not what it says could count below zero.
    if not log.tick_lower <= last.tick < log.tick_upper or not 0 <= after < MAX_LIQUIDITY:
        return None
    return LiquiditySnapshot(sqrt_price_x96=last.sqrt_price_x96, tick=last.tick, liquidity=after)


def changes_until(pool: Pool, number: int, **of: Any) -> list[Change]:
    """Changes of liquidity up to a block that is read; PartialPoolError if some are unknown."""
    if not pool.is_whole:
        raise PartialPoolError(pool)
    rows = pool.changes.filter(**of).until(number).in_order()
    names = ("owner", "liquidity", "tick_lower", "tick_upper")
    return [Change(*row) for row in rows.values_list(*names)]


def position_in_range(
    *, pool: Pool, owner: str, tick_lower: int, tick_upper: int, number: int
) -> int:
    """The liquidity that a v3 position offers at the price after a block; 0 out of its range."""
    last = pool.snapshots.until(number).in_order().last()
    if last is None or last.tick is None or not tick_lower <= last.tick < tick_upper:
        return 0
    changes = changes_until(pool, number, owner=owner, tick_lower=tick_lower, tick_upper=tick_upper)
    return liquidity.position(changes, owner, tick_lower, tick_upper)


def pool_share(*, pool: Pool, owner: str, number: int) -> Fraction:
    """The part of a v2 pool that is an owner's after a block, from 0 to 1."""
    return liquidity.share(changes_until(pool, number), owner)
