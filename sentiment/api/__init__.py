"""Sign-in with a wallet, voting, and proposals, over HTTP.

Sessions carry the sign-in, so every POST is checked for CSRF, the sign-in itself included.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny, BasePermission, IsAdminUser, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from generation import progress
from generation.services import WrongStateError
from generation.traits.parameters import ParametersError
from minting.chain import siwe
from minting.chain.node import LOCAL_CHAIN_ID
from sentiment import services
from sentiment.derivation.derive import DerivationError
from sentiment.models import Proposal, Round, Voter
from sentiment.serializers import (
    MAX_ID,
    BallotSerializer,
    DecisionSerializer,
    MeSerializer,
    NonceSerializer,
    PairQuerySerializer,
    PairSerializer,
    ProblemSerializer,
    ProposalSerializer,
    RoundSerializer,
    VerifySerializer,
    VoteSerializer,
)
from sentiment.text.classifier import ScorerError

NONCE_LIFETIME = timedelta(minutes=10)
SESSION_KEY = "sign_in"
BACKEND = "sentiment.backends.VoterBackend"
PROBLEM = OpenApiResponse(ProblemSerializer, "A problem with a stable code.")
REFUSALS: dict[type[Exception], tuple[int, str]] = {
    Round.DoesNotExist: (404, "not_found"),
    services.NotAPairError: (400, "not_a_pair"),
    services.UnknownWorkError: (404, "unknown_work"),
    services.WrongSignatureError: (400, "bad_signature"),
    services.RoundClosedError: (409, "round_closed"),
    services.AlreadyVotedError: (409, "already_voted"),
    services.CommentRefusedError: (400, "bad_comment"),
    ScorerError: (503, "no_scorer"),
    services.NotVotedOnError: (409, "not_voted_on"),
    services.NoBundleError: (404, "no_bundle"),
    services.NotALeadError: (403, "not_a_lead"),
    services.AlreadyDecidedError: (409, "already_decided"),
    services.StaleProposalError: (409, "stale_proposal"),
    services.OutOfBoundsError: (400, "out_of_bounds"),
    DerivationError: (409, "nothing_follows"),
    WrongStateError: (409, "wrong_state"),
    ParametersError: (400, "bad_parameters"),
}


class RefusalError(APIException):
    """An answer with its own status and a stable code."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status_code = status
        super().__init__(detail, code)


class SentimentView(APIView):
    """Translates what the services refuse into problems."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, siwe.SiweError):
            exc = RefusalError(400, exc.code, exc.detail)
        elif type(exc) in REFUSALS:
            exc = RefusalError(*REFUSALS[type(exc)], str(exc))
        return super().handle_exception(exc)


class IsVoter(BasePermission):
    """A wallet has signed in."""

    message = "Sign in with a wallet to vote."
    code = "not_a_voter"

    def has_permission(self, request: Request, view: APIView) -> bool:
        return _find_voter(request.user) is not None


class AddressThrottle(ScopedRateThrottle):
    """Counts by the address a request comes from, also for those who are signed in."""

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return f"throttle_{self.scope}_{self.get_ident(request)}"


class VoteAddressThrottle(AddressThrottle):
    """All votes from an address, beside the limit of each account; a rate of None is none."""

    scope_attr = "address_scope"


class NonceView(SentimentView):
    permission_classes = [AllowAny]

    @extend_schema(responses=NonceSerializer)
    def get(self, request: Request) -> Response:
        """Start a sign-in: what the message must say. Also sets the CSRF cookie."""
        get_token(request._request)
        expires_at = timezone.now() + NONCE_LIFETIME
        nonce = secrets.token_hex(16)
        request.session[SESSION_KEY] = {"nonce": nonce, "expires_at": expires_at.isoformat()}
        asked = {"nonce": nonce, "expires_at": expires_at, "chain_id": settings.CHAIN_ID}
        return _answer(NonceSerializer(asked | _origin(request)), headers=NO_STORE)


class VerifyView(SentimentView):
    permission_classes = [AllowAny]
    throttle_classes = [AddressThrottle]
    throttle_scope = "sign-in"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """DRF checks CSRF for those who are signed in; here for those who sign in, too."""
        super().initial(request, *args, **kwargs)
        SessionAuthentication().enforce_csrf(request)

    @extend_schema(
        request=VerifySerializer, responses={200: MeSerializer, 400: PROBLEM, 403: PROBLEM}
    )
    def post(self, request: Request) -> Response:
        """Finish a sign-in with a signed EIP-4361 message; the nonce is used up in any case."""
        asked = request.session.pop(SESSION_KEY, None)
        body = VerifySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        now = timezone.now()
        if asked is None or datetime.fromisoformat(asked["expires_at"]) <= now:
            raise RefusalError(400, "no_nonce", "Ask for a nonce first; each is good once.")
        address = siwe.verify(
            body.validated_data["message"],
            body.validated_data["signature"],
            **_origin(request),
            chain_id=settings.CHAIN_ID,
            nonce=asked["nonce"],
            now=now,
        )
        voter = services.register_wallet(address=address)
        if says_simulated(body.validated_data["message"]):
            services.mark_simulated(addresses=[address])
        if not voter.user.is_active:
            raise RefusalError(403, "account_disabled", "This account has been disabled.")
        login(request._request, voter.user, BACKEND)
        return _answer(MeSerializer(_me(voter.user)))


class LogoutView(SentimentView):
    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses={204: None, 403: PROBLEM})
    def post(self, request: Request) -> Response:
        logout(request._request)
        return Response(status=204)


class MeView(SentimentView):
    permission_classes = [AllowAny]

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        return _answer(MeSerializer(_me(request.user)), headers=NO_STORE)


class PairView(SentimentView):
    permission_classes = [IsAuthenticated, IsVoter]

    @extend_schema(
        parameters=[PairQuerySerializer],
        responses={
            200: PairSerializer,
            204: OpenApiResponse(description="Every pair is decided."),
            400: PROBLEM,
            403: PROBLEM,
            404: PROBLEM,
            409: PROBLEM,
        },
    )
    def get(self, request: Request, pk: int) -> Response:
        """Two works to choose between: of a few pairs by lot the one most worth asking about."""
        query = PairQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        pair = services.next_pair(
            round=_find_round(pk),
            voter=voter_of(request),
            rng=np.random.default_rng(),
            without=_pairs(query.validated_data.get("without", "")),
        )
        if pair is None:
            return Response(status=204)
        return _answer(PairSerializer({"left": pair[0], "right": pair[1]}), headers=NO_STORE)


class RoundsView(generics.ListAPIView[Round]):
    """Rounds that are open to votes, newest first."""

    queryset = (
        Round.objects.filter(state=Round.State.OPEN)
        .select_related("drop__collection")
        .order_by("-opened_at", "-pk")
    )
    serializer_class = RoundSerializer


class VotesView(SentimentView):
    permission_classes = [IsAuthenticated, IsVoter]
    throttle_classes = [ScopedRateThrottle, VoteAddressThrottle]
    throttle_scope = "vote"
    address_scope = "vote-address"

    @extend_schema(
        request=BallotSerializer,
        responses={201: VoteSerializer} | dict.fromkeys([400, 403, 404, 409, 429], PROBLEM),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Choose between two works, signed or not; each pair once a round."""
        body = BallotSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        ballot = body.validated_data
        vote = services.cast_vote(
            round=_name_round(pk),
            voter=voter_of(request),
            left_id=ballot["left"],
            right_id=ballot["right"],
            winner_id=ballot["winner"],
            signature=ballot.get("signature", ""),
        )
        progress.announce_soon(drop_id=vote.round.drop_id, kind="voted")
        return _answer(VoteSerializer(vote), status=201)


class CloseView(SentimentView):
    permission_classes = [IsAdminUser]

    @extend_schema(
        request=None, responses={200: ProposalSerializer, 403: PROBLEM, 404: PROBLEM, 409: PROBLEM}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Close a round, score it and propose; again, it gives the same proposal."""
        proposal = services.close_round(round=_find_round(pk))
        progress.announce(drop_id=proposal.drop_id, event={"kind": "state"})
        return _answer(ProposalSerializer(proposal))


class ProposalView(SentimentView):
    @extend_schema(responses={200: ProposalSerializer, 404: PROBLEM})
    def get(self, request: Request, pk: int) -> Response:
        """What the votes propose, why, and what a lead decided."""
        return _answer(ProposalSerializer(_find_proposal(pk)))


class DecisionView(SentimentView):
    permission_classes = [IsAdminUser]

    @extend_schema(
        request=DecisionSerializer,
        responses={200: ProposalSerializer} | dict.fromkeys([400, 403, 404, 409], PROBLEM),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Approve, edit or reject a proposal, once."""
        body = DecisionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        proposal = _find_proposal(pk)
        lead = _user(request)
        reason = asked["reason"]
        match asked["decision"]:
            case "approve":
                decided = services.approve_proposal(proposal=proposal, lead=lead, reason=reason)
            case "edit":
                parameters = asked["parameters"]
                decided = services.edit_proposal(
                    proposal=proposal, parameters=parameters, lead=lead, reason=reason
                )
            case _:
                decided = services.reject_proposal(proposal=proposal, lead=lead, reason=reason)
        progress.announce(drop_id=decided.drop_id, event={"kind": "state"})
        return _answer(ProposalSerializer(decided))


def says_simulated(message: str) -> bool:
    """Whether a signed message says that nobody sits behind its wallet; local chains only."""
    return (
        settings.CHAIN_ID == LOCAL_CHAIN_ID and services.SIMULATED in siwe.parse(message).resources
    )


NO_STORE = {"Cache-Control": "no-store"}


def _answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body.data, status=status, headers=headers)


def _origin(request: Request) -> dict[str, str]:
    """The site as the visitor's browser names it."""
    host = request.get_host()
    return {"domain": host, "uri": f"{request.scheme}://{host}"}


def _user(request: Request) -> User:
    """Who is signed in, past a permission that asked for somebody."""
    assert isinstance(request.user, User)
    return request.user


def _find_voter(user: User | AnonymousUser) -> Voter | None:
    return None if user.is_anonymous else getattr(user, "voter", None)


def voter_of(request: Request) -> Voter:
    """Who votes, past a permission that asked for a voter, and remembered from there."""
    return _user(request).voter


def _me(user: User | AnonymousUser) -> dict[str, Any]:
    voter = _find_voter(user)
    return {
        "signed_in": user.is_authenticated,
        "address": voter.address if voter else None,
        "is_staff": user.is_staff,
        "is_simulated": bool(voter and voter.is_simulated),
    }


def _find_round(pk: int) -> Round:
    return get_object_or_404(Round.objects.select_related("drop__parameter_set"), pk=pk)


def _pairs(text: str) -> list[tuple[int, int]]:
    """Of a text such as 3-7,7-12."""
    pairs = [pair.split("-") for pair in text.split(",") if pair]
    return [(int(a), int(b)) for a, b in pairs]


def _name_round(pk: int) -> Round:
    """A round of which nothing is known yet but its number."""
    if pk > MAX_ID:
        raise Http404
    return Round(pk=pk)


def _find_proposal(pk: int) -> Proposal:
    return get_object_or_404(Proposal.objects.select_related("score_run", "resulting"), pk=pk)
