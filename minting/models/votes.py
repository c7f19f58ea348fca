"""Votes of works on chain: who has how many since which block; gone with their blocks."""

from typing import Self

from django.db import models

from minting.models.chain import Block, Contract


class VotingPowerQuerySet(models.QuerySet["VotingPower"]):
    def in_order(self) -> Self:
        return self.order_by("block__number", "log_index", "pk")

    def until(self, number: int) -> Self:
        """Of blocks up to this one."""
        return self.filter(block__number__lte=number)


class VotingPower(models.Model):
    """A wallet's votes from a log on: its own works and those that others delegated to it."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="powers")
    block = models.ForeignKey(Block, models.CASCADE, related_name="voting_powers")
    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()
    wallet = models.CharField(max_length=42)
    votes = models.PositiveBigIntegerField()

    objects = VotingPowerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["block", "log_index"], name="voting_power_log"),
        ]
        indexes = [models.Index(fields=["contract", "wallet"], name="voting_power_wallet")]

    def __str__(self) -> str:
        return f"{self.votes} of {self.wallet}"


class DelegationQuerySet(models.QuerySet["Delegation"]):
    def in_order(self) -> Self:
        return self.order_by("block__number", "log_index", "pk")

    def until(self, number: int) -> Self:
        """Of blocks up to this one."""
        return self.filter(block__number__lte=number)


class Delegation(models.Model):
    """Whom a holder lets vote from a log on."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="delegations")
    block = models.ForeignKey(Block, models.CASCADE, related_name="delegations")
    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()
    holder = models.CharField(max_length=42)
    delegate = models.CharField(max_length=42, help_text="the zero address: nobody")

    objects = DelegationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["block", "log_index"], name="delegation_log"),
        ]
        indexes = [models.Index(fields=["contract", "holder"], name="delegation_holder")]

    def __str__(self) -> str:
        return f"{self.holder} to {self.delegate}"
