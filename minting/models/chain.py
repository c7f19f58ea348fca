"""Blocks, contracts, and the transactions that we send."""

from typing import Self

from django.db import models
from django.db.models import Q

from generation.models import Collection, Drop
from minting.chain.abi import FACTORY
from minting.models.fields import WeiField


class BlockQuerySet(models.QuerySet["Block"]):
    def newest_first(self) -> Self:
        return self.order_by("-number", "-pk")


class Block(models.Model):
    """A block that was canonical when it was read. Deleting it takes back what stood in it."""

    chain_id = models.PositiveBigIntegerField()
    number = models.PositiveBigIntegerField()
    hash = models.CharField(max_length=66)
    parent_hash = models.CharField(max_length=66)
    mined_at = models.DateTimeField()

    objects = BlockQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain_id", "number"], name="block_number"),
            models.UniqueConstraint(fields=["chain_id", "hash"], name="block_hash"),
        ]

    def __str__(self) -> str:
        return f"block {self.number}"


class Sender(models.Model):
    """An account we sign for; its row is the lock under which a nonce is taken."""

    chain_id = models.PositiveBigIntegerField()
    address = models.CharField(max_length=42)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain_id", "address"], name="sender_address"),
        ]

    def __str__(self) -> str:
        return self.address


class ContractQuerySet(models.QuerySet["Contract"]):
    def deployed(self) -> Self:
        return self.exclude(address="")

    def being_made(self) -> Self:
        """Asked for, drawn inside the chain, and not complete on it yet."""
        own = ChainTransaction.objects.filter(contract=models.OuterRef("pk"))
        named = own.filter(kind=ChainTransaction.Kind.LAW)
        lawless = Q(law__isnull=False) & ~models.Exists(named)
        rows = self.exclude(painter_address="").filter(Q(address="") | lawless)
        return rows.filter(models.Exists(own)).order_by("pk")


class Contract(models.Model):
    """A collection's contract; it has an address once its creation is confirmed."""

    collection = models.OneToOneField(Collection, models.PROTECT, related_name="contract")
    chain_id = models.PositiveBigIntegerField()
    address = models.CharField(max_length=42, blank=True)
    deployed_block = models.PositiveBigIntegerField(null=True)
    treasury = models.CharField(max_length=42)
    royalty_bps = models.PositiveIntegerField()
    has_votes = models.BooleanField(default=False, help_text="each work is a vote of its holder")
    staking_address = models.CharField(
        max_length=42, blank=True, help_text="the contract that stakes its works, if there is one"
    )
    staking_block = models.PositiveBigIntegerField(null=True)
    painter_address = models.CharField(
        max_length=42, blank=True, help_text="what draws its works inside the chain, if they are"
    )
    law = models.JSONField(null=True, help_text="how its works move (minting.evolution.laws)")
    evolution_address = models.CharField(
        max_length=42, blank=True, help_text="the contract that moves them, once it is asked for"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ContractQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain_id", "address"],
                condition=~Q(address=""),
                name="contract_address",
            ),
            models.CheckConstraint(
                condition=Q(address="") | Q(deployed_block__isnull=False),
                name="contract_has_a_block_with_its_address",
            ),
            models.CheckConstraint(
                condition=Q(staking_address="") | Q(staking_block__isnull=False),
                name="contract_has_a_block_with_its_staking",
            ),
            models.CheckConstraint(
                condition=Q(painter_address="") | Q(has_votes=False),
                name="contract_paints_or_votes",
            ),
            models.CheckConstraint(
                condition=Q(law__isnull=True) | ~Q(painter_address=""),
                name="contract_with_a_law_paints",
            ),
            models.CheckConstraint(
                condition=Q(royalty_bps__lte=1000), name="contract_royalty_at_most_a_tenth"
            ),
        ]

    def __str__(self) -> str:
        return self.address or f"contract of {self.collection_id}, not deployed"

    @property
    def is_painted(self) -> bool:
        """Whether its works are drawn inside the chain."""
        return bool(self.painter_address)


class Marketplace(models.Model):
    """Where Seaport stands on a chain; a row only where it is not at its usual address."""

    chain_id = models.PositiveBigIntegerField(unique=True)
    address = models.CharField(max_length=42)
    deployed_block = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return self.address


class AlarmQuerySet(models.QuerySet["Alarm"]):
    def standing(self, chain_id: int) -> Self:
        return self.filter(chain_id=chain_id, cleared_at=None).order_by("raised_at", "pk")


class Alarm(models.Model):
    """Why nothing is read of a chain until a person has looked."""

    chain_id = models.PositiveBigIntegerField()
    reason = models.TextField()
    raised_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)

    objects = AlarmQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain_id"], condition=Q(cleared_at=None), name="alarm_stands_once"
            ),
        ]

    def __str__(self) -> str:
        return self.reason


class ChainTransactionQuerySet(models.QuerySet["ChainTransaction"]):
    def unsettled(self) -> Self:
        """Intents that may still have an effect, oldest first."""
        states = [ChainTransaction.State.PENDING, ChainTransaction.State.SENT]
        return self.filter(state__in=states).order_by("created_at", "pk")

    def due(self) -> Self:
        """Unsettled, but for first drops whose collection has not named its law yet."""
        named = ChainTransaction.objects.filter(
            contract=models.OuterRef("contract"),
            kind=ChainTransaction.Kind.LAW,
            state=ChainTransaction.State.CONFIRMED,
        )
        early = Q(kind=ChainTransaction.Kind.COMMIT, contract__law__isnull=False)
        return self.unsettled().exclude(early & ~models.Exists(named))


class ChainTransaction(models.Model):
    """An intent in the outbox. Its key is used once, for ever; its effect happens at most once."""

    class Kind(models.TextChoices):
        LIBRARY = "library", "code that collections are linked to, once for a chain"
        DEPLOY = "deploy"
        COMMIT = "commit"
        OPEN_SALE = "open_sale"
        CAPTURE = "capture", "keep the hash of the reveal block"
        REVEAL = "reveal", "tell the secret"
        SEAL = "seal", "fix the works of a drop that was drawn on the fly"
        ANNOUNCE = "announce", "say that metadata changed"
        PAUSE = "pause", "hold a sale, or let it go on"
        SETTLE = "settle", "close an auction"
        WITHDRAW = "withdraw", "send what a drop earned to the treasury"
        MINT = "mint", "mint works for our own account"
        CONDUIT = "conduit", "Seaport's conduit controller, on a local chain"
        MARKET = "market", "Seaport itself, on a local chain"
        STAKING = "staking", "create the contract that stakes its works"
        LOCKER = "locker", "let that contract stake its works, for good"
        FOUNDING = "founding", "create the government of its holders"
        TREASURY = "treasury", "name where withdrawals go"
        ROYALTY = "royalty", "name where royalties go"
        EVOLUTION = "evolution", "create the contract that moves its works"
        LAW = "law", "let that contract move its works, for good"
        EPOCH = "epoch", "publish what levels can be proven"
        PROVE = "prove", "prove the levels of a work"
        INTERACT = "interact", "send what a work's holder signed"

    CREATIONS = (Kind.DEPLOY, Kind.CONDUIT, Kind.MARKET, Kind.STAKING, Kind.FOUNDING)
    # What other intents call has to be there first.
    FIRST = (Kind.LIBRARY, Kind.EVOLUTION, *CREATIONS)

    class State(models.TextChoices):
        PENDING = "pending", "not signed yet"
        SENT = "sent", "signed, stored and on its way"
        CONFIRMED = "confirmed"
        REVERTED = "reverted", "refused by the contract, without effect"

    key = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    contract = models.ForeignKey(Contract, models.PROTECT, related_name="transactions")
    drop = models.ForeignKey(Drop, models.PROTECT, null=True, related_name="transactions")
    chain_id = models.PositiveBigIntegerField()
    sender = models.CharField(max_length=42)
    call = models.BinaryField(help_text="the input: constructor or function with its arguments")
    value_wei = WeiField(default=0)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    error = models.TextField(blank=True)
    tx_hash = models.CharField(max_length=66, blank=True, help_text="of the attempt in a block")
    block_number = models.PositiveBigIntegerField(null=True)
    block_hash = models.CharField(max_length=66, blank=True)
    gas_used = models.PositiveBigIntegerField(null=True)
    fee_wei = models.PositiveBigIntegerField(null=True, help_text="gas times its price")
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)

    objects = ChainTransactionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="confirmed") | Q(block_number__isnull=False),
                name="chain_transaction_confirmed_in_a_block",
            ),
        ]
        indexes = [models.Index(fields=["state", "created_at"], name="chain_transaction_state")]

    def __str__(self) -> str:
        return f"{self.key} ({self.state})"

    @property
    def to(self) -> str | None:
        """The address that is called, empty while there is none yet; None for a creation."""
        if self.kind in (self.Kind.LIBRARY, self.Kind.EVOLUTION):
            return FACTORY
        if self.kind in (self.Kind.EPOCH, self.Kind.PROVE, self.Kind.INTERACT):
            return self.contract.evolution_address
        return None if self.kind in self.CREATIONS else self.contract.address


class AttemptQuerySet(models.QuerySet["Attempt"]):
    def live(self) -> Self:
        """Those whose nonce is still theirs."""
        return self.filter(is_live=True)


class Attempt(models.Model):
    """Signed bytes of an intent, stored before they were first broadcast and never signed again."""

    transaction = models.ForeignKey(ChainTransaction, models.PROTECT, related_name="attempts")
    chain_id = models.PositiveBigIntegerField()
    sender = models.CharField(max_length=42)
    nonce = models.PositiveBigIntegerField()
    raw = models.BinaryField()
    tx_hash = models.CharField(max_length=66, unique=True)
    gas = models.PositiveBigIntegerField()
    max_fee_wei = WeiField()
    tip_wei = WeiField()
    is_live = models.BooleanField(default=True, help_text="not replaced, its nonce not lost")
    created_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, help_text="when a node last took the bytes")

    objects = AttemptQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain_id", "sender", "nonce"],
                condition=Q(is_live=True),
                name="attempt_nonce_used_once",
            ),
        ]

    def __str__(self) -> str:
        return self.tx_hash
