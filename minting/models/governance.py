"""The government of a collection whose works vote."""

from django.db import models

from minting.models.chain import Contract


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
                condition=models.Q(governor="") | models.Q(founded_block__isnull=False),
                name="governance_has_a_block_with_its_addresses",
            ),
        ]

    def __str__(self) -> str:
        return self.governor or f"governance of {self.contract_id}, not founded"
