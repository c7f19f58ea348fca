"""What the API says about tokens and sales. Wei are text: they exceed the integers of JSON."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from minting.chain import contracts
from minting.chain.node import LOCAL_CHAIN_ID
from minting.models import Commitment, Contract, Token


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


class SaleSerializer(serializers.ModelSerializer[Commitment]):
    """A drop on sale; ``drop_number`` is its number on chain, the argument of ``mint``."""

    drop_number = serializers.IntegerField(source="number")
    price_wei = serializers.CharField()
    remaining = serializers.SerializerMethodField()

    class Meta:
        model = Commitment
        fields = [
            "drop",
            "drop_number",
            "first_token_id",
            "count",
            "remaining",
            "price_wei",
            "max_per_transaction",
        ]

    def get_remaining(self, commitment: Commitment) -> int:
        n_minted: int = commitment.n_minted  # type: ignore[attr-defined]  # annotated by on_sale
        return commitment.count - n_minted


class ChainSerializer(serializers.ModelSerializer[Contract]):
    """Everything a wallet needs to mint; the node's address only where it is on this machine."""

    collection = serializers.SlugField(source="collection.slug")
    contract = serializers.CharField(source="address")
    rpc_url = serializers.SerializerMethodField()
    sales = serializers.SerializerMethodField()
    abi = serializers.SerializerMethodField()

    class Meta:
        model = Contract
        fields = ["collection", "chain_id", "rpc_url", "contract", "sales", "abi"]

    def get_rpc_url(self, contract: Contract) -> str | None:
        return settings.CHAIN_RPC_URL if contract.chain_id == LOCAL_CHAIN_ID else None

    @extend_schema_field(SaleSerializer(many=True))
    def get_sales(self, contract: Contract) -> Any:
        open_sales = Commitment.objects.light().filter(collection=contract.collection_id).on_sale()
        return SaleSerializer(open_sales, many=True).data

    def get_abi(self, contract: Contract) -> list[dict[str, Any]]:
        return [dict(contracts.element("function", "mint"))]
