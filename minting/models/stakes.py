"""Works that their owners have staked, and what was paid into and out of the pool."""

from typing import Self

from django.db import models
from django.db.models import Q

from minting.models.chain import Block, Contract
from minting.models.fields import WeiField
from minting.models.tokens import Token


class StakeQuerySet(models.QuerySet["Stake"]):
    def running(self) -> Self:
        return self.filter(ended_block=None)

    def in_order(self) -> Self:
        return self.order_by("block__number", "log_index", "pk")


class Stake(models.Model):
    """A work that cannot be transferred, from a block on until it is taken back.

    It is gone with its first block; with its last, it goes on.
    """

    block = models.ForeignKey(Block, models.CASCADE, related_name="stakes")
    ended_block = models.ForeignKey(
        Block, models.SET_NULL, null=True, related_name="ended_stakes", help_text="none: it runs"
    )
    token = models.ForeignKey(Token, models.CASCADE, related_name="stakes")
    owner = models.CharField(max_length=42, db_index=True)
    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()

    objects = StakeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["block", "log_index"], name="stake_log"),
            models.UniqueConstraint(
                fields=["token"], condition=Q(ended_block=None), name="stake_runs_once"
            ),
        ]

    def __str__(self) -> str:
        return f"stake of {self.token_id} by {self.owner}"


class PoolPaymentQuerySet(models.QuerySet["PoolPayment"]):
    def in_order(self) -> Self:
        return self.order_by("block__number", "log_index", "pk")


class PoolPayment(models.Model):
    """Wei that joined a pool of rewards, or left it for a wallet; gone with its block."""

    class Kind(models.TextChoices):
        FUNDED = "funded", "paid in"
        CLAIMED = "claimed", "paid out"

    block = models.ForeignKey(Block, models.CASCADE, related_name="pool_payments")
    contract = models.ForeignKey(Contract, models.PROTECT, related_name="pool_payments")
    kind = models.CharField(max_length=10, choices=Kind)
    wallet = models.CharField(max_length=42, blank=True, help_text="who was paid")
    amount_wei = WeiField()
    ends_at = models.PositiveBigIntegerField(
        null=True, help_text="seconds since 1970: until when the pool is spread"
    )
    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()

    objects = PoolPaymentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["block", "log_index"], name="pool_payment_log"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_wei}"
