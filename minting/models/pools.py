"""Pools in which others trade for a collection, and what happened in them; gone with their blocks.

Amounts are in the smallest units of the pool's tokens.
"""

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q

from generation.models import Collection
from minting.chain.pools import V2, V3
from minting.models.chain import Block
from minting.models.fields import AmountField, WeiField


class Pool(models.Model):
    """A Uniswap pool that a lead named; its own data were read from the chain."""

    class Kind(models.TextChoices):
        V2 = V2, "Uniswap v2"
        V3 = V3, "Uniswap v3"

    collection = models.ForeignKey(Collection, models.PROTECT, related_name="pools")
    chain_id = models.PositiveBigIntegerField()
    address = models.CharField(max_length=42)
    kind = models.CharField(max_length=2, choices=Kind)
    factory = models.CharField(max_length=42)
    token0 = models.CharField(max_length=42)
    token1 = models.CharField(max_length=42)
    symbol0 = models.CharField(max_length=20)
    symbol1 = models.CharField(max_length=20)
    decimals0 = models.PositiveSmallIntegerField()
    decimals1 = models.PositiveSmallIntegerField()
    fee_pips = models.PositiveIntegerField(help_text="of what is given, in millionths")
    created_block = models.PositiveBigIntegerField(null=True, help_text="none: unknown")
    first_block = models.PositiveBigIntegerField(help_text="from which it is read")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain_id", "address"], name="pool_address"),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def is_whole(self) -> bool:
        """Whether it is read from its creation, so that what is in it is known."""
        return self.created_block is not None and self.first_block <= self.created_block

    @property
    def units(self) -> tuple[str, str]:
        """The tokens' symbols; where these are the same, each with how its address begins."""
        if self.symbol0 != self.symbol1:
            return self.symbol0, self.symbol1
        return f"{self.symbol0} {self.token0[:6]}…", f"{self.symbol1} {self.token1[:6]}…"

    @property
    def name(self) -> str:
        return " / ".join(self.units)


class PoolRowQuerySet(models.QuerySet[Any]):
    """Rows of logs, which all stand at a number in a block."""

    def in_order(self) -> Self:
        return self.order_by("block__number", "log_index", "pk")

    def until(self, number: int) -> Self:
        """Of blocks up to this one."""
        return self.filter(block__number__lte=number)

    def since(self, start: datetime) -> Self:
        return self.filter(block__mined_at__gte=start)


class Swap(models.Model):
    """Tokens exchanged in a pool, as it gained them: what it gave is negative."""

    pool = models.ForeignKey(Pool, models.PROTECT, related_name="swaps")
    block = models.ForeignKey(Block, models.CASCADE, related_name="swaps")
    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()
    sender = models.CharField(max_length=42)
    recipient = models.CharField(max_length=42)
    amount0 = AmountField()
    amount1 = AmountField()

    objects = PoolRowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["block", "log_index"], name="swap_log"),
        ]

    def __str__(self) -> str:
        return f"{self.tx_hash} {self.log_index}"


class LiquiditySnapshot(models.Model):
    """A pool after one of its logs: reserves of a v2, price and liquidity in range of a v3 pool."""

    pool = models.ForeignKey(Pool, models.PROTECT, related_name="snapshots")
    block = models.ForeignKey(Block, models.CASCADE, related_name="liquidity_snapshots")
    log_index = models.PositiveIntegerField()
    reserve0 = WeiField(default=0)
    reserve1 = WeiField(default=0)
    sqrt_price_x96 = WeiField(default=0, help_text="sqrt(token 1 / token 0) times 2^96")
    tick = models.IntegerField(null=True, help_text="1.0001^tick is the price; none: a v2 pool")
    liquidity = WeiField(default=0, help_text="in range at that tick")

    objects = PoolRowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["block", "log_index"], name="liquidity_snapshot_log"),
            models.CheckConstraint(
                condition=Q(tick=None, sqrt_price_x96=0, liquidity=0)
                | Q(tick__isnull=False, reserve0=0, reserve1=0),
                name="liquidity_snapshot_of_a_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"pool {self.pool_id} at {self.block_id}.{self.log_index}"


class LiquidityChange(models.Model):
    """Liquidity that an owner has more, or less: a range of ticks in a v3, shares of a v2 pool."""

    pool = models.ForeignKey(Pool, models.PROTECT, related_name="changes")
    block = models.ForeignKey(Block, models.CASCADE, related_name="liquidity_changes")
    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()
    owner = models.CharField(max_length=42)
    tick_lower = models.IntegerField(null=True)
    tick_upper = models.IntegerField(null=True)
    liquidity = AmountField()
    amount0 = AmountField(default=0, help_text="0 where shares change hands")
    amount1 = AmountField(default=0)

    objects = PoolRowQuerySet.as_manager()

    class Meta:
        constraints = [
            # Shares that change hands are two rows of one log.
            models.UniqueConstraint(
                fields=["block", "log_index", "owner"], name="liquidity_change_log"
            ),
            models.CheckConstraint(
                condition=Q(tick_lower=None, tick_upper=None)
                | Q(tick_upper__gt=models.F("tick_lower")),
                name="liquidity_change_range",
            ),
        ]
        indexes = [models.Index(fields=["pool", "owner"], name="liquidity_change_owner")]

    def __str__(self) -> str:
        return f"{self.liquidity} of {self.owner}"
