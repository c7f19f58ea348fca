"""Interactions with works that move: their holders sign, the installation sends and pays."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from minting import services
from minting.api import PROBLEM, RefusalError, find_token
from minting.chain.client import ChainError
from minting.models import Token
from minting.serializers import InteractionSerializer, SentSerializer, SignedSerializer
from minting.services import RelayError

STATUS = {"not_relayed": 404, "limit": 429, "bad_signature": 400}
AWAY = "The chain cannot be asked about this work now: try again."


class InteractionView(APIView):
    """The next interaction with a work."""

    permission_classes = [AllowAny]  # the signature says whose work it is
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "interaction"

    @extend_schema(responses={200: InteractionSerializer} | dict.fromkeys([404, 429, 503], PROBLEM))
    def get(self, request: Request, contract: str, token_id: int) -> Response:
        """What its holder signs for it, and from when on."""
        token = find_token(Token.objects.select_related("contract"), contract, token_id)
        found = _asked(services.offer_interaction, token=token)
        return Response(InteractionSerializer(found).data)

    @extend_schema(
        request=SignedSerializer,
        responses={202: SentSerializer} | dict.fromkeys([400, 404, 409, 429, 503], PROBLEM),
    )
    def post(self, request: Request, contract: str, token_id: int) -> Response:
        """Have it sent; the same one again is the same transaction."""
        token = find_token(Token.objects.select_related("contract"), contract, token_id)
        body = SignedSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = _asked(services.relay_interaction, token=token, **body.validated_data)
        return Response(SentSerializer(sent).data, status=202)


def _asked(service: Any, **given: Any) -> Any:
    try:
        with services.connect() as node:
            return service(node=node, now=timezone.now(), **given)
    except RelayError as error:
        raise RefusalError(STATUS.get(error.code, 409), error.code, error.detail) from error
    except ChainError as error:
        raise RefusalError(503, "chain_away", AWAY) from error
