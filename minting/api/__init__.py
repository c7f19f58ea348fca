"""Tokens, what a wallet needs to mint one, and listings: who signs an order may leave it here."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from eth_utils.address import is_address, to_checksum_address
from rest_framework import generics, viewsets
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from generation.models import Drop
from minting import services
from minting.chain.client import ChainError
from minting.chain.listings import ListingError
from minting.chain.orders import OrderFormatError
from minting.chain.seaport import SignatureError
from minting.evolution import moved
from minting.models import Commitment, Contract, Listing, Snapshot, Token
from minting.provenance.canonical import canonicalize
from minting.serializers import (
    ChainSerializer,
    ListingProblemSerializer,
    ListingSerializer,
    MintedSerializer,
    OfferSerializer,
    PhaseSerializer,
    TokenSerializer,
)

# An order with ten payments takes about 3,000 bytes.
MAX_OFFER_BYTES = 16_384
MAX_ID = 2**63 - 1
PROBLEM = OpenApiResponse(ListingProblemSerializer, "A problem with a stable code.")


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


class SnapshotView(APIView):
    """What an epoch's levels were computed from, in the bytes that its hash on the chain is of."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, snapshot_hash: str) -> HttpResponse:
        row = generics.get_object_or_404(
            Snapshot.objects.order_by("pk"), snapshot_hash=snapshot_hash
        )
        return HttpResponse(canonicalize(row.document), content_type="application/json")


class MovedView(APIView):
    """The large pictures of a work as its life has moved it, as `manage.py verify` takes them."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, contract: str, token_id: int) -> HttpResponse:
        rows = Token.objects.select_related("contract", "drop__checkpoint")
        token = find_token(rows.exclude(contract__evolution_address=""), contract, token_id)
        try:
            raw = moved.write(services.moved_work(token))
        except services.NotPaintedError as error:
            raise Http404(str(error)) from error
        return HttpResponse(raw, content_type="application/json")


class DropSaleView(APIView):
    """A drop's sale: its phases now, and what a wallet may buy in each."""

    @extend_schema(
        parameters=[OpenApiParameter("wallet", str, description="an address")],
        responses={200: PhaseSerializer(many=True)},
    )
    def get(self, request: Request, slug: str, number: int) -> Response:
        rows = Commitment.objects.light().filter(drop__state__in=Drop.COMMITTED_STATES)
        commitment = generics.get_object_or_404(rows, collection__slug=slug, drop__number=number)
        wallet = request.query_params.get("wallet", "")
        if wallet and not is_address(wallet):
            raise ValidationError({"wallet": "not an address"})
        left = commitment.count - Token.objects.filter(drop=commitment.drop_id).count()
        context = {
            "time": int(timezone.now().timestamp()),
            "wallet": to_checksum_address(wallet) if wallet else "",
            "left": left,
        }
        phases = commitment.phases.in_order()
        return Response(
            {
                "time": context["time"],
                "left": left,
                "phases": PhaseSerializer(phases, many=True, context=context).data,
            }
        )


class MintView(generics.ListAPIView[Token]):
    """The works that a transaction minted, as far as the chain has been read."""

    serializer_class = MintedSerializer
    pagination_class = None

    def get_queryset(self) -> QuerySet[Token]:
        if getattr(self, "swagger_fake_view", False):
            return Token.objects.none()
        return services.minted_in(self.kwargs["tx_hash"])


@extend_schema(responses={(200, "application/vnd.ipld.car"): bytes})
class DropCarView(APIView):
    """A committed drop's pictures and metadata as one file, to be pinned under the root it names.

    Its blocks are checked against what was committed before it is packed, once.
    """

    def get(self, request: Request, slug: str, number: int) -> FileResponse:
        rows = Commitment.objects.exclude(drop__state=Drop.State.CURATING)
        commitment = generics.get_object_or_404(rows, collection__slug=slug, drop__number=number)
        try:
            path = services.drop_car(commitment=commitment)
        except services.NotSealedError as error:
            raise RefusalError(404, "not-sealed", str(error)) from error
        except (services.ExportMismatchError, FileNotFoundError) as error:
            raise RefusalError(
                503, "damaged", f"The drop's files are not whole: {error}"
            ) from error
        response = FileResponse(
            path.open("rb"),
            as_attachment=True,
            filename=f"{slug}-{number}.car",
            content_type="application/vnd.ipld.car; version=1",
        )
        response["Cache-Control"] = "public, max-age=31536000, immutable"
        response["ETag"] = f'"{path.stem}"'
        return response


class RefusalError(APIException):
    """An answer with its own status and a stable code."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status_code = status
        super().__init__(detail, code)


class ListingThrottle(ScopedRateThrottle):
    """As many listings as votes, counted apart from them and on sending only."""

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        if request.method != "POST":
            return None
        return f"listing_{super().get_cache_key(request, view)}"


class ListingsView(generics.ListAPIView[Listing]):
    """Listings that can be bought now, the cheapest first."""

    serializer_class = ListingSerializer
    queryset = Listing.objects.select_related("contract")

    def active(self) -> QuerySet[Listing]:
        now = timezone.now()
        return Listing.objects.select_related("contract").active(now).cheapest_first()


class CollectionListingsView(ListingsView):
    def get_queryset(self) -> QuerySet[Listing]:
        return self.active().filter(contract__collection__slug=self.kwargs["slug"])


class TokenListingsView(ListingsView):
    permission_classes = [AllowAny]  # the signature says who sells
    throttle_classes = [ListingThrottle]
    throttle_scope = "vote"

    def get_queryset(self) -> QuerySet[Listing]:
        return self.active().filter(token=self._token())

    @extend_schema(
        request=OfferSerializer,
        responses={201: ListingSerializer, 200: ListingSerializer}
        | dict.fromkeys([400, 404, 409, 413, 429, 503], PROBLEM),
    )
    def post(self, request: Request, contract: str, token_id: int) -> Response:
        """Offer a token for sale; the same order again is the same listing."""
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_OFFER_BYTES:
            raise RefusalError(413, "too_large", f"at most {MAX_OFFER_BYTES} bytes")
        body = OfferSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        offer = body.validated_data
        now = timezone.now()
        listing = _create(self._token(), offer["order"], offer["signature"], now)
        status = 201 if listing.created_at >= now else 200
        return Response(ListingSerializer(listing).data, status=status)

    def _token(self) -> Token:
        rows = Token.objects.select_related("contract")
        return find_token(rows, self.kwargs["contract"], self.kwargs["token_id"])


def find_token(rows: QuerySet[Token], contract: str, token_id: int) -> Token:
    """Of a contract of our chain, by its address; else 404."""
    if not is_address(contract) or token_id > MAX_ID:
        raise Http404("no such token")
    return generics.get_object_or_404(
        rows,
        contract__address__iexact=contract,
        contract__chain_id=settings.CHAIN_ID,
        token_id=token_id,
    )


def _create(token: Token, order: Any, signature: str, now: Any) -> Listing:
    """The listing, or why there is none as a problem."""
    try:
        return services.create_listing(token=token, body=order, signature=signature, now=now)
    except OrderFormatError as error:
        raise RefusalError(400, "bad_order", str(error)) from error
    except SignatureError as error:
        raise RefusalError(400, "bad_signature", str(error)) from error
    except ListingError as error:
        raise RefusalError(409, error.code, error.detail) from error
    except services.NoMarketplaceError as error:
        raise RefusalError(409, "no_marketplace", str(error)) from error
    except (ChainError, services.ChainMovedError) as error:
        detail = "The chain cannot be asked about this order now: try again."
        raise RefusalError(503, "chain_away", detail) from error
