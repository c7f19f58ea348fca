"""The government of a collection whose works vote, and what it did; gone with its blocks."""

from typing import Any, Self

from django.db import models
from django.db.models import Q

from minting.models.chain import Block, Contract
from minting.models.fields import AmountField, WeiField


class Governance(models.Model):
    """How a collection's holders decide; it has addresses once its founding is confirmed."""

    contract = models.OneToOneField(Contract, models.PROTECT, related_name="governance")
    delay = models.PositiveBigIntegerField(help_text="blocks from a proposal to its snapshot")
    period = models.PositiveBigIntegerField(help_text="blocks that voting takes")
    threshold = models.PositiveBigIntegerField(help_text="votes that a proposer needs")
    quorum_percent = models.PositiveSmallIntegerField(help_text="of all votes")
    wait_s = models.PositiveBigIntegerField(help_text="seconds until a decision is carried out")
    timelock = models.CharField(max_length=42, blank=True)
    governor = models.CharField(max_length=42, blank=True)
    bounds = models.CharField(max_length=42, blank=True)
    founded_block = models.PositiveBigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(governor="") | Q(founded_block__isnull=False),
                name="governance_has_a_block_with_its_addresses",
            ),
        ]

    def __str__(self) -> str:
        return self.governor or f"governance of {self.contract_id}, not founded"

    @property
    def chain_id(self) -> int:
        """Of its contract, which cursors bring along."""
        return self.contract.chain_id

    @property
    def address(self) -> str:
        return self.governor


class GovernanceRowQuerySet(models.QuerySet[Any]):
    """Rows of logs, which all stand at a number in a block."""

    def in_order(self) -> Self:
        return self.order_by("block__number", "log_index", "pk")

    def newest_first(self) -> Self:
        return self.order_by("-block__number", "-log_index", "-pk")

    def until(self, number: int) -> Self:
        """Of blocks up to this one."""
        return self.filter(block__number__lte=number)


class GovernorProposal(models.Model):
    """What a holder proposed. Its state follows from its ballots, its steps, and the clock."""

    governance = models.ForeignKey(Governance, models.PROTECT, related_name="proposals")
    block = models.ForeignKey(Block, models.CASCADE, related_name="governor_proposals")
    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()
    number = models.CharField(max_length=66, help_text="what the governor calls it, 32 bytes")
    operation = models.CharField(max_length=66, help_text="what the timelock calls it")
    proposer = models.CharField(max_length=42)
    calls = models.JSONField(help_text="target, value in wei and data of each")
    snapshot = models.PositiveBigIntegerField(help_text="the block whose votes count")
    deadline = models.PositiveBigIntegerField(help_text="the last block that votes")
    description = models.TextField(blank=True)
    description_hash = models.CharField(max_length=66)

    objects = GovernanceRowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["block", "log_index"], name="governor_proposal_log"),
            models.UniqueConstraint(
                fields=["governance", "number"], name="governor_proposal_number"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class GovernorVote(models.Model):
    """A ballot on a proposal, with its weight."""

    class Support(models.IntegerChoices):
        AGAINST = 0
        FOR = 1
        ABSTAIN = 2

    governance = models.ForeignKey(Governance, models.PROTECT, related_name="ballots")
    block = models.ForeignKey(Block, models.CASCADE, related_name="governor_votes")
    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()
    number = models.CharField(max_length=66, help_text="of the proposal")
    voter = models.CharField(max_length=42)
    support = models.PositiveSmallIntegerField(choices=Support)
    weight = models.PositiveBigIntegerField()
    reason = models.TextField(blank=True)

    objects = GovernanceRowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["block", "log_index"], name="governor_vote_log"),
            models.UniqueConstraint(
                fields=["governance", "number", "voter"], name="governor_vote_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.voter} {self.get_support_display()}"


class GovernorStep(models.Model):
    """A proposal goes on: queued, executed or canceled; or the quorum is another one."""

    class Kind(models.TextChoices):
        QUEUED = "queued"
        EXECUTED = "executed"
        CANCELED = "canceled"
        QUORUM = "quorum"

    governance = models.ForeignKey(Governance, models.PROTECT, related_name="steps")
    block = models.ForeignKey(Block, models.CASCADE, related_name="governor_steps")
    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    about = models.CharField(
        max_length=66, blank=True, help_text="number or operation of the proposal"
    )
    amount = WeiField(
        default=0, help_text="seconds since 1970 from which it may be executed; per cent"
    )

    objects = GovernanceRowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["block", "log_index"], name="governor_step_log"),
        ]
        indexes = [models.Index(fields=["governance", "about"], name="governor_step_about")]

    def __str__(self) -> str:
        return f"{self.kind} {self.about}"


class BoundsChange(models.Model):
    """Between which values a parameter may lie from a log on."""

    governance = models.ForeignKey(Governance, models.PROTECT, related_name="changes")
    block = models.ForeignKey(Block, models.CASCADE, related_name="bounds_changes")
    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()
    name = models.CharField(max_length=66, help_text="32 bytes")
    low = AmountField(help_text="millionths")
    high = AmountField(help_text="millionths")

    objects = GovernanceRowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["block", "log_index"], name="bounds_change_log"),
        ]

    def __str__(self) -> str:
        return f"{self.name} from {self.low} to {self.high}"
