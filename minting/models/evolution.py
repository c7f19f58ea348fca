"""How works move: what was published, proven, done with them and named; gone with their blocks."""

from typing import Any, Self

from django.db import models

from generation.models.evidence import ImmutableRow
from minting.models.chain import Block, Contract
from minting.models.tokens import Token


class Snapshot(ImmutableRow):
    """What the levels of an epoch are computed from, stored before the epoch is published."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="snapshots")
    number = models.PositiveIntegerField(help_text="of the epoch, from 1")
    until_block = models.PositiveBigIntegerField(help_text="the last one whose logs count")
    document = models.JSONField()
    snapshot_hash = models.CharField(max_length=66, unique=True)
    root = models.CharField(max_length=66)
    levels = models.JSONField(help_text="rows: token id, and a level for each proven rule")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contract", "number"], name="snapshot_number"),
        ]

    def __str__(self) -> str:
        return f"epoch {self.number} of {self.contract_id}"


class LogRowQuerySet(models.QuerySet[Any]):
    def in_order(self) -> Self:
        return self.order_by("block__number", "log_index", "pk")


class LogRow(models.Model):
    """A log of an evolution."""

    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()

    objects = LogRowQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.tx_hash} {self.log_index}"


class Epoch(LogRow):
    """From its block on, the levels of an epoch can be proven."""

    block = models.ForeignKey(Block, models.CASCADE, related_name="epochs")
    contract = models.ForeignKey(Contract, models.PROTECT, related_name="epochs")
    number = models.PositiveIntegerField()
    root = models.CharField(max_length=66)
    snapshot_hash = models.CharField(max_length=66)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contract", "number"], name="epoch_number"),
        ]


class ProvenLevels(LogRow):
    """A level for each proven rule, in the order of the rules; the newest ones count."""

    block = models.ForeignKey(Block, models.CASCADE, related_name="proven_levels")
    token = models.ForeignKey(Token, models.CASCADE, related_name="proven_levels")
    epoch = models.PositiveIntegerField()
    levels = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token", "epoch"], name="proven_levels_once"),
        ]


class Interaction(LogRow):
    """What a holder did with a work; ``count`` is the number of it."""

    block = models.ForeignKey(Block, models.CASCADE, related_name="interactions")
    token = models.ForeignKey(Token, models.CASCADE, related_name="interactions")
    holder = models.CharField(max_length=42)
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token", "count"], name="interaction_count"),
        ]


class NamedPosition(LogRow):
    """The position of a pool that counts for a work under a rule from here on."""

    block = models.ForeignKey(Block, models.CASCADE, related_name="named_positions")
    token = models.ForeignKey(Token, models.CASCADE, related_name="named_positions")
    rule = models.PositiveSmallIntegerField()
    position_id = models.CharField(max_length=78, help_text="0: none any more")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["block", "log_index"], name="named_position_log"),
        ]
