"""Sales and listings of tokens."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from minting.chain.logs import ZERO_ADDRESS
from minting.models.chain import Block, Contract
from minting.models.fields import WeiField
from minting.models.tokens import Token


class SaleQuerySet(models.QuerySet["Sale"]):
    def in_order(self) -> Self:
        return self.order_by("block__number", "log_index", "position", "pk")

    def between(self, start: datetime, end: datetime) -> Self:
        """Sales in blocks mined from ``start`` to before ``end``."""
        return self.filter(block__mined_at__gte=start, block__mined_at__lt=end)


class Sale(models.Model):
    """A token that was paid for through the marketplace; the price includes fees and royalties."""

    block = models.ForeignKey(Block, models.CASCADE, related_name="sales")
    token = models.ForeignKey(Token, models.CASCADE, related_name="sales")
    chain_id = models.PositiveBigIntegerField()
    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()
    position = models.PositiveSmallIntegerField(
        default=0, help_text="among the tokens that one log sells"
    )
    order_hash = models.CharField(max_length=66)
    seller = models.CharField(max_length=42)
    buyer = models.CharField(max_length=42, blank=True, help_text="blank: unknown")
    currency = models.CharField(max_length=42, default=ZERO_ADDRESS, help_text="zero: native")
    price_wei = WeiField()
    is_bundle = models.BooleanField(default=False, help_text="an even share of a common price")

    objects = SaleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain_id", "tx_hash", "log_index", "position"], name="sale_log"
            ),
            models.CheckConstraint(
                condition=~Q(buyer=ZERO_ADDRESS), name="sale_unknown_buyer_is_blank"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tx_hash} {self.log_index}.{self.position}"


class ListingQuerySet(models.QuerySet["Listing"]):
    def active(self, now: datetime) -> Self:
        """Offers that can be bought at ``now``, as far as the chain has been read."""
        running = self.filter(state=Listing.State.OPEN, starts_at__lte=now, expires_at__gt=now)
        return running.exclude(token=None)

    def overdue(self, now: datetime) -> Self:
        return self.filter(state=Listing.State.OPEN, expires_at__lte=now)

    def cheapest_first(self) -> Self:
        return self.order_by("price_wei", "pk")


class Listing(models.Model):
    """A seller's signed order to sell one token; anybody can fulfil it on chain."""

    class State(models.TextChoices):
        OPEN = "open"
        FILLED = "filled"
        CANCELLED = "cancelled"
        EXPIRED = "expired"
        INVALID = "invalid", "the seller no longer has the token"

    token = models.ForeignKey(
        Token,
        models.SET_NULL,
        null=True,
        related_name="listings",
        help_text="none while the block that minted it is gone",
    )
    contract = models.ForeignKey(Contract, models.PROTECT, related_name="listings")
    token_number = models.PositiveBigIntegerField(help_text="the token's id on chain")
    seller = models.CharField(max_length=42, db_index=True)
    order_hash = models.CharField(max_length=66, unique=True)
    price_wei = WeiField()
    starts_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    order = models.JSONField(help_text="Seaport's order components, integers as text")
    signature = models.CharField(max_length=132)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    closed_block = models.PositiveBigIntegerField(
        null=True, help_text="the block that closed it, if one did"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ListingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("starts_at")), name="listing_starts_then_ends"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "price_wei"], name="listing_state_price"),
            models.Index(fields=["contract", "token_number"], name="listing_token_number"),
        ]

    def __str__(self) -> str:
        return f"{self.order_hash} ({self.state})"
