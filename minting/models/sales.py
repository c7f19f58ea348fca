"""How a drop is sold, and what became of it on chain."""

from typing import Self

from django.db import models
from django.db.models import Q

from minting.chain.phases import Phase, PhaseKind
from minting.models.chain import Block
from minting.models.fields import WeiField
from minting.models.tokens import Commitment


class SalePhaseQuerySet(models.QuerySet["SalePhase"]):
    def in_order(self) -> Self:
        return self.order_by("commitment", "number")


class SalePhase(models.Model):
    """Whom a drop is sold to for a time; fixed on chain when the sale opens."""

    class Kind(models.IntegerChoices):
        PUBLIC = PhaseKind.PUBLIC, "public"
        LISTED = PhaseKind.LISTED, "allow list"
        AUCTION = PhaseKind.AUCTION, "falling price"
        SIGNED = PhaseKind.SIGNED, "signed tickets"

    commitment = models.ForeignKey(Commitment, models.PROTECT, related_name="phases")
    number = models.PositiveSmallIntegerField(help_text="on chain, from 0")
    kind = models.PositiveSmallIntegerField(choices=Kind)
    price_wei = WeiField()
    start = models.PositiveBigIntegerField(help_text="seconds since 1970")
    end = models.PositiveBigIntegerField(help_text="seconds since 1970, not included")
    max_per_transaction = models.PositiveIntegerField()
    max_per_wallet = models.PositiveIntegerField(default=0, help_text="0: no cap")
    terms = models.CharField(max_length=64, help_text="as on chain, in hex")

    objects = SalePhaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["commitment", "number"], name="sale_phase_number"),
            models.CheckConstraint(
                condition=Q(end__gt=models.F("start")), name="sale_phase_starts_then_ends"
            ),
        ]

    def __str__(self) -> str:
        return f"phase {self.number} of {self.commitment_id}, {self.get_kind_display()}"

    @property
    def phase(self) -> Phase:
        """The terms as the contract has them."""
        return Phase(
            kind=PhaseKind(self.kind),
            price_wei=self.price_wei,
            start=self.start,
            end=self.end,
            max_per_transaction=self.max_per_transaction,
            max_per_wallet=self.max_per_wallet,
            terms=int(self.terms, 16),
        )


class ListEntry(models.Model):
    """A place on a phase's allow list: a leaf of its tree."""

    phase = models.ForeignKey(SalePhase, models.CASCADE, related_name="entries")
    wallet = models.CharField(max_length=42)
    max_quantity = models.PositiveIntegerField()
    price_wei = WeiField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["phase", "wallet"], name="list_entry_wallet"),
            models.CheckConstraint(
                condition=Q(max_quantity__gt=0), name="list_entry_is_for_some_works"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.wallet} of phase {self.phase_id}"


class DropEvent(models.Model):
    """A step of a drop's reveal, as a canonical block says; gone with its block."""

    class Kind(models.TextChoices):
        CAPTURED = "captured", "the hash of the reveal block is kept"
        REARMED = "rearmed", "a later block takes the place of the reveal block"
        REVEALED = "revealed", "the secret was told"
        SEALED = "sealed", "the works are fixed"
        FAILED = "failed", "not final in time"

    commitment = models.ForeignKey(Commitment, models.PROTECT, related_name="events")
    block = models.ForeignKey(Block, models.CASCADE, related_name="drop_events")
    kind = models.CharField(max_length=10, choices=Kind)
    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()
    word = models.CharField(
        max_length=64, blank=True, help_text="the block's hash, the drop's seed, or the root"
    )
    reveal_block = models.PositiveBigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["block", "log_index"], name="drop_event_log"),
            models.UniqueConstraint(
                fields=["commitment", "kind"],
                condition=~Q(kind="rearmed"),
                name="drop_event_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.commitment_id}"


class Seal(models.Model):
    """What the works of a drop that was drawn on the fly turned out to be."""

    commitment = models.OneToOneField(Commitment, models.PROTECT, related_name="seal")
    metadata_root = models.CharField(max_length=64)
    image_root = models.CharField(max_length=64)
    folder = models.CharField(max_length=64)
    provenance = models.CharField(max_length=64)
    image_cid = models.CharField(max_length=100)
    root_cid = models.CharField(max_length=100)
    count = models.PositiveIntegerField()
    manifest = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"seal of {self.commitment_id}"
