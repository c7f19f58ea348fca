"""What the API says about tokens and sales. Wei are text: they exceed the integers of JSON."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from minting import services
from minting.chain import contracts
from minting.chain.listings import MAX_DURATION_S, MAX_PRICE_WEI
from minting.chain.node import LOCAL_CHAIN_ID
from minting.evolution import rules
from minting.evolution.rules import Source
from minting.models import ChainTransaction, Commitment, Contract, Listing, SalePhase, Token


class TokenSerializer(serializers.ModelSerializer[Token]):
    collection = serializers.SlugField(source="drop.collection.slug")
    contract = serializers.CharField(source="contract.address")
    chain_id = serializers.IntegerField(source="contract.chain_id")
    minted_block = serializers.IntegerField(source="minted_block.number")

    class Meta:
        model = Token
        fields = [
            "id",
            "collection",
            "chain_id",
            "contract",
            "token_id",
            "owner",
            "drop",
            "artwork",
            "minted_block",
        ]


class PhaseSerializer(serializers.ModelSerializer[SalePhase]):
    """One phase of a sale; times are seconds since 1970, prices wei."""

    kind = serializers.CharField(source="get_kind_display")
    price_wei = serializers.SerializerMethodField(help_text="of one work, now")
    state = serializers.SerializerMethodField(help_text="coming, running or over")
    wallet = serializers.SerializerMethodField(help_text="what the wallet asked for may buy")

    class Meta:
        model = SalePhase
        fields = [
            "number",
            "kind",
            "price_wei",
            "start",
            "end",
            "max_per_transaction",
            "max_per_wallet",
            "state",
            "wallet",
        ]

    def get_price_wei(self, phase: SalePhase) -> str:
        return str(phase.phase.price_at(self.context["time"]))

    def get_state(self, phase: SalePhase) -> str:
        time = self.context["time"]
        if time < phase.start:
            return "coming"
        return "running" if time < phase.end else "over"

    @extend_schema_field(serializers.DictField(allow_null=True))
    def get_wallet(self, phase: SalePhase) -> dict[str, Any] | None:
        wallet = self.context["wallet"]
        if not wallet:
            return None
        found = services.find_eligibility(
            phase=phase, wallet=wallet, left=self.context["left"], time=self.context["time"]
        )
        return {
            "may_buy": found.may_buy,
            "price_wei": str(found.price_wei),
            "reason": found.reason,
            "max_quantity": found.max_quantity,
            "proof": [f"0x{node.hex()}" for node in found.proof],
        }


class MintedSerializer(serializers.ModelSerializer[Token]):
    """A minted work on its way to its picture."""

    image = serializers.SerializerMethodField()
    place = serializers.SerializerMethodField(help_text="in the queue; 0: drawn")

    class Meta:
        model = Token
        fields = ["token_id", "owner", "image", "place"]

    def get_image(self, token: Token) -> str | None:
        return (
            reverse("artwork-image", args=[token.artwork.image_digest]) if token.artwork else None
        )

    def get_place(self, token: Token) -> int:
        return services.place_in_queue(token)


class SaleSerializer(serializers.ModelSerializer[Commitment]):
    """A drop on sale; ``drop_number`` is its number on chain, the argument of ``mint``."""

    drop_number = serializers.IntegerField(source="number")
    price_wei = serializers.SerializerMethodField()
    max_per_transaction = serializers.SerializerMethodField()
    phase = serializers.SerializerMethodField()
    remaining = serializers.SerializerMethodField()

    class Meta:
        model = Commitment
        fields = [
            "drop",
            "drop_number",
            "first_token_id",
            "count",
            "remaining",
            "phase",
            "price_wei",
            "max_per_transaction",
        ]

    def get_phase(self, commitment: Commitment) -> int | None:
        """The number of a phase that sells to everybody now, the argument of ``mint``."""
        phase = _open_to_all(commitment)
        return phase.number if phase else None

    def get_price_wei(self, commitment: Commitment) -> str | None:
        """What a work costs in that phase now."""
        phase = _open_to_all(commitment)
        now = int(timezone.now().timestamp())
        return str(phase.phase.price_at(now)) if phase else None

    def get_max_per_transaction(self, commitment: Commitment) -> int | None:
        phase = _open_to_all(commitment)
        return phase.max_per_transaction if phase else None

    def get_remaining(self, commitment: Commitment) -> int:
        n_minted: int = commitment.n_minted  # type: ignore[attr-defined]  # annotated by on_sale
        return commitment.count - n_minted


def _open_to_all(commitment: Commitment) -> SalePhase | None:
    phase = services.running_phase(commitment, timezone.now())
    return phase if phase and phase.phase.is_for_everybody else None


class ListingSerializer(serializers.ModelSerializer[Listing]):
    """An order with its signature: all that a buyer needs to fulfil it."""

    token_id = serializers.IntegerField(source="token_number")
    contract = serializers.CharField(source="contract.address")
    price_wei = serializers.CharField()

    class Meta:
        model = Listing
        fields = [
            "order_hash",
            "contract",
            "token_id",
            "seller",
            "price_wei",
            "starts_at",
            "expires_at",
            "state",
            "order",
            "signature",
            "created_at",
        ]


class OfferSerializer(serializers.Serializer[Any]):
    """A signed order of Seaport 1.6 that sells one token for the native currency."""

    order = serializers.JSONField(
        help_text="OrderComponents in the names of EIP-712, integers as numbers or text"
    )
    signature = serializers.CharField(
        max_length=132, trim_whitespace=False, help_text="64 or 65 bytes in hex, with 0x"
    )

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(map(str, data)) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            raise serializers.ValidationError({name: ["No such field."] for name in unknown})
        return super().to_internal_value(data)


class CallSerializer(serializers.Serializer[Any]):
    """A transaction for a wallet to send."""

    to = serializers.CharField()
    input = serializers.SerializerMethodField(help_text="in hex with 0x")
    value_wei = serializers.CharField()

    def get_input(self, call: Any) -> str:
        return "0x" + str(call.data.hex())


class TermsSerializer(serializers.Serializer[Any]):
    """At what price a work is for sale, and for how long."""

    price_wei = serializers.IntegerField(min_value=1, max_value=MAX_PRICE_WEI - 1)
    seconds = serializers.IntegerField(min_value=60, max_value=MAX_DURATION_S - 60)


class DraftSerializer(serializers.Serializer[Any]):
    """An order of Seaport 1.6 that its seller has to sign."""

    order = serializers.SerializerMethodField()
    typed_data = serializers.JSONField(help_text="what the seller signs (EIP-712)")
    approval = CallSerializer(
        allow_null=True, help_text="to be sent before: it lets the marketplace move the work"
    )
    royalty_wei = serializers.CharField(help_text="of the price")

    def get_order(self, draft: Any) -> dict[str, Any]:
        return dict(draft.order.to_json())


class TradeSerializer(serializers.Serializer[Any]):
    """What a buyer sends, and what the seller sends to take the listing back."""

    buy = CallSerializer()
    take_back = CallSerializer()


class ListingProblemSerializer(serializers.Serializer[Any]):
    """An RFC 9457 problem; ``code`` is stable."""

    type = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()


class SentSerializer(serializers.ModelSerializer[ChainTransaction]):
    """A transaction that the installation sends; without its hash before it is in a block."""

    class Meta:
        model = ChainTransaction
        fields = ["state", "tx_hash", "error"]


class InteractionSerializer(serializers.Serializer[Any]):
    """The next interaction with a work, and what of it was sent already."""

    count = serializers.IntegerField(help_text="its number, from 1")
    opens_at = serializers.DateTimeField(allow_null=True, help_text="null: it may be done now")
    typed_data = serializers.JSONField(
        allow_null=True, help_text="what the holder signs (EIP-712); null: nothing would be sent"
    )
    left = serializers.IntegerField(help_text="how many are sent for this collection today")
    sent = SentSerializer(allow_null=True)


class SignedSerializer(serializers.Serializer[Any]):
    """A holder's signature of ``typed_data``, with its deadline."""

    deadline = serializers.IntegerField(min_value=0, help_text="seconds since 1970")
    signature = serializers.RegexField(
        r"\A0x([0-9a-fA-F]{2}){1,2048}\Z", max_length=4098, help_text="in hex, with 0x"
    )

    def validate_signature(self, text: str) -> bytes:
        return bytes.fromhex(text[2:])


class RuleSerializer(serializers.Serializer[Any]):
    """A quantity of 2^offset is level 1, twice as much level 2, and so on up to the highest."""

    source = serializers.ChoiceField(  # type: ignore[assignment]  # a name of a field's own, too
        choices=[source.name.lower() for source in Source]
    )
    name = serializers.CharField(help_text="of the trait")
    offset = serializers.IntegerField()
    highest = serializers.IntegerField()
    direction = serializers.ListField(
        child=serializers.IntegerField(), help_text="what one level adds to each of the 32 latents"
    )
    peer = serializers.CharField(
        help_text="the staking contract, the manager of v3 positions or the v2 pair; else zero"
    )
    pool = serializers.CharField(help_text="of v3 positions; else the zero address")


class LawSerializer(serializers.Serializer[Any]):
    """How works move; a rule's number on chain is its place, from 0."""

    period_s = serializers.IntegerField(help_text="from one interaction with a work to the next")
    rules = RuleSerializer(many=True)


class ChainSerializer(serializers.ModelSerializer[Contract]):
    """What a wallet needs to mint and trade; the node's address only where it is on this machine.

    ``marketplace`` is Seaport's address, to be approved by sellers; null where there is none yet.
    """

    collection = serializers.SlugField(source="collection.slug")
    contract = serializers.CharField(source="address")
    rpc_url = serializers.SerializerMethodField()
    marketplace = serializers.SerializerMethodField()
    evolution = serializers.SerializerMethodField(help_text="what moves its works; null: nothing")
    law = serializers.SerializerMethodField(help_text="how; null where there is no evolution")
    sales = serializers.SerializerMethodField()
    abi = serializers.SerializerMethodField()

    class Meta:
        model = Contract
        fields = [
            "collection",
            "chain_id",
            "rpc_url",
            "contract",
            "marketplace",
            "evolution",
            "law",
            "sales",
            "abi",
        ]

    def get_rpc_url(self, contract: Contract) -> str | None:
        return settings.CHAIN_RPC_URL if contract.chain_id == LOCAL_CHAIN_ID else None

    def get_marketplace(self, contract: Contract) -> str | None:
        return services.find_marketplace(chain_id=contract.chain_id)

    def get_evolution(self, contract: Contract) -> str | None:
        return contract.evolution_address or None

    @extend_schema_field(LawSerializer(allow_null=True))
    def get_law(self, contract: Contract) -> dict[str, Any] | None:
        if contract.law is None or not contract.evolution_address:
            return None
        return rules.document(services.law_of(contract))

    @extend_schema_field(SaleSerializer(many=True))
    def get_sales(self, contract: Contract) -> Any:
        open_sales = Commitment.objects.light().filter(collection=contract.collection_id).on_sale()
        return SaleSerializer(open_sales, many=True).data

    def get_abi(self, contract: Contract) -> list[dict[str, Any]]:
        return [dict(contracts.collection().element("function", "mint"))]
