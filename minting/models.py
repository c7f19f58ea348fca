"""What is on chain: blocks, contracts, transactions we send, commitments, tokens and transfers."""

from typing import Any, Self

from django.db import models
from django.db.models import Q

from generation.models import Artwork, Collection, Drop
from minting.chain.logs import ZERO_ADDRESS
from minting.provenance.lineage import DropBody

WEI_DIGITS = 78


class WeiField(models.CharField[int, int]):
    """An amount in wei, as 78 digits of text that sort like numbers.

    A uint256 fits no integer of a database, and SQLite turns decimals above 2^63 into doubles.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"max_length": WEI_DIGITS})

    def deconstruct(self) -> Any:
        name, path, positional, options = super().deconstruct()
        del options["max_length"]
        return name, path, positional, options

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> int | None:
        return None if value is None else int(value)

    def to_python(self, value: Any) -> int | None:
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        if not 0 <= int(value) < 2**256:
            raise ValueError(f"{value} is not a uint256")
        return f"{int(value):0{WEI_DIGITS}d}"


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


class Contract(models.Model):
    """A collection's contract; it has an address once its creation is confirmed."""

    collection = models.OneToOneField(Collection, models.PROTECT, related_name="contract")
    chain_id = models.PositiveBigIntegerField()
    address = models.CharField(max_length=42, blank=True)
    deployed_block = models.PositiveBigIntegerField(null=True)
    treasury = models.CharField(max_length=42)
    royalty_bps = models.PositiveIntegerField()
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
                condition=Q(royalty_bps__lte=1000), name="contract_royalty_at_most_a_tenth"
            ),
        ]

    def __str__(self) -> str:
        return self.address or f"contract of {self.collection_id}, not deployed"


class Cursor(models.Model):
    """How far a contract's logs are read; moved by compare-and-set only."""

    contract = models.OneToOneField(Contract, models.PROTECT, related_name="cursor")
    number = models.PositiveBigIntegerField(help_text="the last block that is read completely")
    window = models.PositiveIntegerField(default=64, help_text="blocks asked for at once")

    def __str__(self) -> str:
        return f"{self.contract_id} at {self.number}"


class ChainTransactionQuerySet(models.QuerySet["ChainTransaction"]):
    def unsettled(self) -> Self:
        """Intents that may still have an effect, oldest first."""
        states = [ChainTransaction.State.PENDING, ChainTransaction.State.SENT]
        return self.filter(state__in=states).order_by("created_at", "pk")


class ChainTransaction(models.Model):
    """An intent in the outbox. Its key is used once, for ever; its effect happens at most once."""

    class Kind(models.TextChoices):
        DEPLOY = "deploy"
        COMMIT = "commit"
        OPEN_SALE = "open_sale"

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
        """The contract's address; None for its creation."""
        return None if self.kind == self.Kind.DEPLOY else self.contract.address


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


class CommitmentQuerySet(models.QuerySet["Commitment"]):
    def light(self) -> Self:
        """Without the manifest, which has a row for each work."""
        return self.defer("manifest")

    def on_sale(self) -> Self:
        """Commitments whose sale is open, newest first, with ``n_minted``."""
        opened = ChainTransaction.objects.filter(
            drop=models.OuterRef("drop"),
            kind=ChainTransaction.Kind.OPEN_SALE,
            state=ChainTransaction.State.CONFIRMED,
        )
        return (
            self.filter(models.Exists(opened))
            .annotate(n_minted=models.Count("drop__tokens"))
            .order_by("-number", "-pk")
        )


class Commitment(models.Model):
    """What a drop commits to: the struct on chain, and everything that was hashed for it."""

    drop = models.OneToOneField(Drop, models.PROTECT, related_name="commitment")
    collection = models.ForeignKey(Collection, models.PROTECT, related_name="commitments")
    number = models.PositiveIntegerField(help_text="the drop's number on chain, from 1")
    head = models.CharField(max_length=64, help_text="of the chain of drops, after this one")
    metadata_root = models.CharField(max_length=64)
    image_root = models.CharField(max_length=64)
    provenance = models.CharField(max_length=64)
    checkpoint_hash = models.CharField(max_length=64)
    code_hash = models.CharField(max_length=64)
    params_hash = models.CharField(max_length=64)
    parent_params_hash = models.CharField(max_length=64)
    vote_tally_root = models.CharField(max_length=64)
    curation_log_root = models.CharField(max_length=64)
    seed_commit = models.CharField(max_length=64)
    first_token_id = models.PositiveBigIntegerField()
    count = models.PositiveIntegerField()
    image_cid = models.CharField(max_length=100)
    root_cid = models.CharField(max_length=100)
    base_uri = models.CharField(max_length=200)
    manifest = models.JSONField()
    price_wei = WeiField(default=0)
    max_per_transaction = models.PositiveIntegerField(
        null=True, help_text="none before a sale is asked for"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CommitmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["collection", "number"], name="commitment_number"),
            models.UniqueConstraint(
                fields=["collection", "first_token_id"], name="commitment_first_token"
            ),
            models.CheckConstraint(condition=Q(count__gt=0), name="commitment_is_not_empty"),
        ]

    def __str__(self) -> str:
        return f"commitment {self.number} of collection {self.collection_id}"

    @property
    def end_token_id(self) -> int:
        """The first id after this drop."""
        return self.first_token_id + self.count

    @property
    def body(self) -> DropBody:
        """The struct that the contract hashes."""
        return DropBody(
            metadata_root=bytes.fromhex(self.metadata_root),
            image_root=bytes.fromhex(self.image_root),
            provenance=bytes.fromhex(self.provenance),
            checkpoint_hash=bytes.fromhex(self.checkpoint_hash),
            code_hash=bytes.fromhex(self.code_hash),
            params_hash=bytes.fromhex(self.params_hash),
            parent_params_hash=bytes.fromhex(self.parent_params_hash),
            vote_tally_root=bytes.fromhex(self.vote_tally_root),
            curation_log_root=bytes.fromhex(self.curation_log_root),
            seed_commit=bytes.fromhex(self.seed_commit),
            first_token_id=self.first_token_id,
            count=self.count,
        )


class TokenQuerySet(models.QuerySet["Token"]):
    def with_origin(self) -> Self:
        return self.select_related("contract", "drop__collection", "minted_block")


class Token(models.Model):
    """A minted work. Its owner is the recipient of its last transfer."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="tokens")
    token_id = models.PositiveBigIntegerField()
    drop = models.ForeignKey(Drop, models.PROTECT, related_name="tokens")
    artwork = models.OneToOneField(Artwork, models.PROTECT, null=True, related_name="token")
    owner = models.CharField(max_length=42, db_index=True)
    minted_block = models.ForeignKey(Block, models.CASCADE, related_name="minted_tokens")

    objects = TokenQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contract", "token_id"], name="token_of_contract"),
        ]

    def __str__(self) -> str:
        return f"token {self.token_id}"


class TransferQuerySet(models.QuerySet["Transfer"]):
    def in_order(self) -> Self:
        return self.order_by("block__number", "log_index", "pk")


class Transfer(models.Model):
    """A change of owner, the mint included."""

    block = models.ForeignKey(Block, models.CASCADE, related_name="transfers")
    token = models.ForeignKey(Token, models.CASCADE, related_name="transfers")
    chain_id = models.PositiveBigIntegerField()
    tx_hash = models.CharField(max_length=66)
    log_index = models.PositiveIntegerField()
    sender = models.CharField(max_length=42)
    recipient = models.CharField(max_length=42)

    objects = TransferQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain_id", "tx_hash", "log_index"], name="transfer_log"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tx_hash} {self.log_index}"

    @property
    def is_mint(self) -> bool:
        return self.sender == ZERO_ADDRESS
