"""What a closed round was computed from, for whoever wants to compute it again."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle

from sentiment import services
from sentiment.api import NO_STORE, PROBLEM, IsVoter, SentimentView
from sentiment.models import Proposal, Round, Voter


class InputsView(SentimentView):
    @extend_schema(responses={200: OpenApiTypes.OBJECT, 404: PROBLEM})
    def get(self, request: Request, pk: int) -> Response:
        """All that the score of a closed round was computed from: hash it, compute it again."""
        closed = Round.objects.filter(state=Round.State.CLOSED).select_related(
            "drop__parameter_set", "drop__collection"
        )
        return Response(services.round_inputs(round=get_object_or_404(closed, pk=pk)))


class BundleView(SentimentView):
    @extend_schema(responses={200: OpenApiTypes.OBJECT, 304: None, 404: PROBLEM})
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """A closed round in one file: `manage.py replay_round` computes it again."""
        rows = Proposal.objects.select_related("score_run__round__drop__collection")
        proposal = get_object_or_404(rows, score_run__round=pk)
        current = proposal.score_run.round
        etag = f'"{proposal.score_run.input_hash}-{proposal.state}"'
        known = get_conditional_response(request._request, etag=etag)
        if known is not None:
            return known
        name = f"round-{current.drop.collection.slug}-{current.drop.number}.json"
        headers = {
            "ETag": etag,
            "Cache-Control": "public, no-cache",
            "Content-Disposition": f'attachment; filename="{name}"',
        }
        raw = services.round_bundle(round=current)
        return HttpResponse(raw, content_type="application/json", headers=headers)


class MyVotesView(SentimentView):
    permission_classes = [IsAuthenticated, IsVoter]
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "proof"

    @extend_schema(responses={200: OpenApiTypes.OBJECT} | dict.fromkeys([403, 404, 429], PROBLEM))
    def get(self, request: Request, pk: int) -> Response:
        """The voter's votes that counted in a closed round, with their Merkle proofs."""
        voter = get_object_or_404(Voter, user=request.user.pk)
        found = services.counted_votes(round=get_object_or_404(Round, pk=pk), voter=voter)
        return Response(found, headers=NO_STORE)
