"""What voters say about works, over HTTP."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.permissions import AllowAny, IsAdminUser, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from generation.models import Artwork
from sentiment import services
from sentiment.api import PROBLEM, IsVoter, SentimentView, voter_of
from sentiment.models import Comment
from sentiment.serializers import (
    CommentSerializer,
    HideSerializer,
    LikingSerializer,
    OpinionSerializer,
    WordsSerializer,
)


class CommentThrottle(ScopedRateThrottle):
    """Counts what is sent, not what is read."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        return request.method != "POST" or super().allow_request(request, view)


class CommentsView(SentimentView, generics.ListAPIView[Comment]):
    """What voters say about a work, newest first."""

    serializer_class = CommentSerializer
    throttle_classes = [CommentThrottle]
    throttle_scope = "comment"

    def get_permissions(self) -> list[Any]:
        asked = [IsAuthenticated, IsVoter] if self.request.method == "POST" else [AllowAny]
        return [permission() for permission in asked]

    def get_queryset(self) -> QuerySet[Comment]:
        return Comment.objects.visible().filter(artwork=self._work()).select_related("voter")

    @extend_schema(
        request=WordsSerializer,
        responses={201: CommentSerializer, 200: CommentSerializer}
        | dict.fromkeys([400, 403, 404, 429, 503], PROBLEM),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Say something about a work; the same words again are the same comment."""
        body = WordsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        comment, is_new = services.write_comment(
            voter=voter_of(request),
            artwork=self._work(),
            text=body.validated_data["text"],
        )
        return Response(CommentSerializer(comment).data, status=201 if is_new else 200)

    def _work(self) -> Artwork:
        return get_object_or_404(Artwork.objects.shown(), pk=self.kwargs["pk"])


class OpinionView(SentimentView):
    permission_classes = [IsAuthenticated, IsVoter]
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "opinion"

    @extend_schema(
        request=OpinionSerializer,
        responses={200: LikingSerializer} | dict.fromkeys([400, 403, 404, 409, 429], PROBLEM),
    )
    def put(self, request: Request, pk: int) -> Response:
        """Like a work, dislike it, or have no opinion; the last one holds."""
        body = OpinionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        found = services.say_opinion(
            voter=voter_of(request),
            artwork=get_object_or_404(Artwork.objects.shown(), pk=pk),
            liked=body.validated_data["liked"],
        )
        return Response(LikingSerializer(found).data)


class HideView(SentimentView):
    permission_classes = [IsAdminUser]

    @extend_schema(
        request=HideSerializer,
        responses={200: CommentSerializer} | dict.fromkeys([400, 403, 404], PROBLEM),
    )
    def post(self, request: Request, pk: int) -> Response:
        """Hide a comment from readers, or show it again."""
        body = HideSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        comment = get_object_or_404(Comment.objects.select_related("voter"), pk=pk)
        hidden = body.validated_data["hidden"]
        hidden_or_not = services.hide_comment(comment=comment, is_hidden=hidden)
        return Response(CommentSerializer(hidden_or_not).data)
