"""What drops commit to, and the tokens that were minted of them."""

from typing import Self

from django.db import models
from django.db.models import Q

from generation.models import Artwork, Collection, Drop
from minting.chain.logs import ZERO_ADDRESS
from minting.models.chain import Block, ChainTransaction, Contract
from minting.models.fields import WeiField
from minting.provenance.lineage import DropBody


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
    folder = models.CharField(max_length=64)
    provenance = models.CharField(max_length=64)
    checkpoint_hash = models.CharField(max_length=64)
    code_hash = models.CharField(max_length=64)
    params_hash = models.CharField(max_length=64)
    parent_params_hash = models.CharField(max_length=64)
    vote_tally_root = models.CharField(max_length=64)
    curation_log_root = models.CharField(max_length=64)
    seed_commit = models.CharField(max_length=64)
    reveal_block = models.PositiveBigIntegerField(default=0)
    secret = models.CharField(
        max_length=64, blank=True, help_text="told when nothing can be minted any more"
    )
    first_token_id = models.PositiveBigIntegerField()
    count = models.PositiveIntegerField()
    image_cid = models.CharField(max_length=100, blank=True)
    root_cid = models.CharField(max_length=100, blank=True)
    manifest = models.JSONField()
    final_by = models.PositiveBigIntegerField(
        null=True, help_text="seconds since 1970, else money back; none before a sale is asked for"
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
    def base_uri(self) -> str:
        """Where the descriptions of its works are once they are final."""
        return f"ipfs://{self.root_cid}/metadata/"

    @property
    def body(self) -> DropBody:
        """The struct that the contract hashes."""
        return DropBody(
            metadata_root=bytes.fromhex(self.metadata_root),
            image_root=bytes.fromhex(self.image_root),
            folder=bytes.fromhex(self.folder),
            provenance=bytes.fromhex(self.provenance),
            checkpoint_hash=bytes.fromhex(self.checkpoint_hash),
            code_hash=bytes.fromhex(self.code_hash),
            params_hash=bytes.fromhex(self.params_hash),
            parent_params_hash=bytes.fromhex(self.parent_params_hash),
            vote_tally_root=bytes.fromhex(self.vote_tally_root),
            curation_log_root=bytes.fromhex(self.curation_log_root),
            seed_commit=bytes.fromhex(self.seed_commit),
            reveal_block=self.reveal_block,
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
    phase = models.PositiveSmallIntegerField(null=True, help_text="of the sale it was minted in")
    price_wei = WeiField(default=0, help_text="paid for it then")

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
