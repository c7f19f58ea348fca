"""Tokens, and what a wallet needs to mint one, to read."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from eth_utils.address import is_address, to_checksum_address
from rest_framework import generics, viewsets
from rest_framework.exceptions import ValidationError

from minting.models import Contract, Token
from minting.serializers import ChainSerializer, TokenSerializer


@extend_schema(
    parameters=[
        OpenApiParameter("collection", str, description="slug: tokens of this collection only"),
        OpenApiParameter("owner", str, description="address: tokens of this owner only"),
    ]
)
class TokenViewSet(viewsets.ReadOnlyModelViewSet[Token]):
    """Minted works with their owners, as far as the chain has been read."""

    queryset = Token.objects.with_origin().order_by("contract_id", "token_id", "pk")
    serializer_class = TokenSerializer

    def filter_queryset(self, queryset: Any) -> Any:
        slug = self.request.query_params.get("collection")
        owner = self.request.query_params.get("owner")
        if slug is not None:
            queryset = queryset.filter(drop__collection__slug=slug)
        if owner is not None:
            if not is_address(owner):
                raise ValidationError({"owner": "not an address"})
            queryset = queryset.filter(owner=to_checksum_address(owner))
        return queryset


class ChainView(generics.RetrieveAPIView[Contract]):
    """A collection's contract and its open sales, newest drop first."""

    queryset = Contract.objects.deployed().select_related("collection").order_by("pk")
    serializer_class = ChainSerializer
    lookup_field = "collection__slug"
    lookup_url_kwarg = "slug"
