"""How far the chain is read."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from minting.models.chain import Contract
from minting.models.governance import Governance
from minting.models.pools import Pool

# What has logs of its own, and is read with a cursor of its own.
Source = Contract | Pool | Governance


class CursorQuerySet(models.QuerySet["Cursor"]):
    def of(self, source: Source) -> Self:
        if isinstance(source, Pool):
            return self.filter(pool=source)
        if isinstance(source, Governance):
            return self.filter(governance=source)
        return self.filter(contract=source)

    def on_chain(self, chain_id: int) -> Self:
        return self.filter(
            Q(contract__chain_id=chain_id)
            | Q(pool__chain_id=chain_id)
            | Q(governance__contract__chain_id=chain_id)
        )

    def in_order(self) -> Self:
        """Contracts, pools, governments, each in the order in which they came."""
        last, later = (F(name).asc(nulls_first=True) for name in ("governance", "pool"))
        found = self.select_related("contract", "pool", "governance__contract")
        return found.order_by(last, later, "pk")


class Cursor(models.Model):
    """How far the logs of a source are read; moved by compare-and-set only."""

    contract = models.OneToOneField(Contract, models.PROTECT, null=True, related_name="cursor")
    pool = models.OneToOneField(Pool, models.PROTECT, null=True, related_name="cursor")
    governance = models.OneToOneField(Governance, models.PROTECT, null=True, related_name="cursor")
    number = models.PositiveBigIntegerField(help_text="the last block that is read completely")
    window = models.PositiveIntegerField(default=64, help_text="blocks asked for at once")
    head = models.PositiveBigIntegerField(
        default=0, help_text="the newest block when the node was last asked"
    )

    objects = CursorQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(contract__isnull=False, pool=None, governance=None)
                | Q(contract=None, pool__isnull=False, governance=None)
                | Q(contract=None, pool=None, governance__isnull=False),
                name="cursor_of_one_source",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract_id or self.pool_id or self.governance_id} at {self.number}"

    @property
    def source(self) -> Source:
        found = self.contract or self.pool or self.governance
        assert found is not None
        return found

    @property
    def first(self) -> int:
        """The first block that has logs to read."""
        source = self.source
        if isinstance(source, Pool):
            return source.first_block
        if isinstance(source, Governance):
            return source.founded_block or 0
        return source.deployed_block or 0
