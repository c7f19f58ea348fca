"""What keeps a count honest: works held at a block, and voters whom a lead lets count less."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q, Subquery

from minting.models import WeiField
from sentiment.models.voting import Round, Voter


class Holding(models.Model):
    """How many works of its collection a wallet held at the block that a round goes by."""

    round = models.ForeignKey(Round, models.PROTECT, related_name="holdings")
    wallet = models.CharField(max_length=42)
    n_works = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["round", "wallet"], name="holding_of_round"),
            models.CheckConstraint(condition=Q(n_works__gt=0), name="holding_is_something"),
        ]

    def __str__(self) -> str:
        return f"{self.n_works} of {self.wallet}"


class DiscountQuerySet(models.QuerySet["Discount"]):
    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")

    def in_force(self) -> Self:
        """Of each voter in each round the newest row, where it takes something away."""
        same = Discount.objects.filter(round=OuterRef("round"), voter=OuterRef("voter"))
        newest = same.order_by("-pk").values("pk")[:1]
        return self.filter(pk=Subquery(newest), factor__lt=1).order_by("round_id", "voter_id", "pk")


class Discount(models.Model):
    """A lead lets the votes of a voter in one round count less, or again in full.

    The newest row holds; none is ever changed.
    """

    round = models.ForeignKey(Round, models.PROTECT, related_name="discounts")
    voter = models.ForeignKey(Voter, models.PROTECT, related_name="discounts")
    factor = models.FloatField(help_text="of the weight, from 0 to 1; 1 takes a discount back")
    rule = models.CharField(max_length=20, help_text="the signal that the lead went by")
    reason = models.CharField(max_length=200)
    lead = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DiscountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(factor__gte=0, factor__lte=1), name="discount_is_a_share"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="discount_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.voter_id} counts {self.factor:g} in round {self.round_id}"


class FundingScan(models.Model):
    """How far the chain was read for who sent money to the voters of a round."""

    round = models.OneToOneField(Round, models.PROTECT, related_name="funding_scan")
    first_block = models.PositiveBigIntegerField()
    number = models.PositiveBigIntegerField(help_text="the newest block that was read")
    last_block = models.PositiveBigIntegerField(help_text="where this reading ends")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(number__lte=models.F("last_block")), name="funding_scan_ends"
            ),
        ]

    def __str__(self) -> str:
        return f"funding of round {self.round_id} up to block {self.number}"

    @property
    def is_done(self) -> bool:
        return self.number == self.last_block


class Funding(models.Model):
    """The first plain transfer of value to a wallet in the blocks that were read."""

    chain_id = models.PositiveBigIntegerField()
    wallet = models.CharField(max_length=42)
    funder = models.CharField(max_length=42, db_index=True)
    block_number = models.PositiveBigIntegerField()
    tx_hash = models.CharField(max_length=66)
    value_wei = WeiField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain_id", "wallet"], name="funding_first_of_wallet"),
        ]

    def __str__(self) -> str:
        return f"{self.wallet} by {self.funder}"
