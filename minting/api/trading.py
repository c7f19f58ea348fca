"""What a wallet signs and sends to trade a work, so that a page needs to know no marketplace."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from minting import services
from minting.api import PROBLEM, RefusalError, find_token
from minting.chain.client import ChainError
from minting.chain.listings import ListingError
from minting.models import Listing, Token
from minting.serializers import DraftSerializer, TermsSerializer, TradeSerializer
from minting.services import NoMarketplaceError


class DraftView(APIView):
    """An order by which the owner of a work sells it."""

    permission_classes = [AllowAny]  # nothing happens before the owner signs it
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "interaction"

    @extend_schema(
        parameters=[
            OpenApiParameter("price_wei", str, required=True, description="with the royalty"),
            OpenApiParameter("seconds", int, required=True, description="how long it is for sale"),
        ],
        responses={200: DraftSerializer} | dict.fromkeys([400, 404, 409, 429, 503], PROBLEM),
    )
    def get(self, request: Request, contract: str, token_id: int) -> Response:
        """Sign ``typed_data``, then post ``order`` with the signature to the work's listings."""
        token = find_token(Token.objects.select_related("contract"), contract, token_id)
        asked = TermsSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        try:
            with services.connect() as node:
                found = services.draft_listing(
                    token=token, node=node, now=timezone.now(), **asked.validated_data
                )
        except ListingError as error:
            raise RefusalError(400, error.code, error.detail) from error
        except NoMarketplaceError as error:
            raise RefusalError(409, "no_marketplace", str(error)) from error
        except ChainError as error:
            detail = "The chain cannot be asked about this work now: try again."
            raise RefusalError(503, "chain_away", detail) from error
        return Response(DraftSerializer(found).data)


class TradeView(APIView):
    """A listing as transactions: to buy it, and for its seller to take it back."""

    @extend_schema(responses={200: TradeSerializer} | dict.fromkeys([404, 409], PROBLEM))
    def get(self, request: Request, order_hash: str) -> Response:
        rows = Listing.objects.select_related("contract").active(timezone.now())
        listing = generics.get_object_or_404(rows, order_hash=order_hash)
        try:
            found: dict[str, Any] = {
                "buy": services.purchase(listing),
                "take_back": services.withdrawal(listing),
            }
        except NoMarketplaceError as error:
            raise RefusalError(409, "no_marketplace", str(error)) from error
        return Response(TradeSerializer(found).data)
