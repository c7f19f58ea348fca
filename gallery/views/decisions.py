"""What curators decide on the board, and what they may decide about."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery.views.board import MAX_ID, Search, curator_name
from generation import progress
from generation.models import Artwork, CurationDecision, Drop
from generation.services import (
    MAX_DROP_SIZE,
    ChangedMeanwhileError,
    Wish,
    WrongStateError,
    decide_works,
)

MAX_NAMED = 200  # works that a hint names; of more it says how many
MAX_CONFLICTS = 5
DECIDABLE = [status for status in Artwork.Status if status != Artwork.Status.DUPLICATE]


class WishSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    status = serializers.ChoiceField(choices=[(s.value, s.value) for s in DECIDABLE])
    seen = serializers.IntegerField(min_value=0, max_value=MAX_ID)


class WishesSerializer(serializers.Serializer[Any]):
    works = WishSerializer(many=True, allow_empty=False)

    def validate_works(self, works: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(works) > MAX_DROP_SIZE or len({work["id"] for work in works}) != len(works):
            raise serializers.ValidationError("each work once, and no more than a drop has")
        return works


class Conflict(APIException):
    status_code = 409

    def __init__(self, error: ChangedMeanwhileError) -> None:
        said = [told(decision) for decision in error.decisions[:MAX_CONFLICTS]]
        more = len(error.decisions) - len(said)
        rest = f" and {more} more" if more else ""
        super().__init__(
            f"Changed since you looked: {', '.join(said)}{rest}. Nothing of yours was written; "
            "look again, and decide again to overrule.",
            "changed_meanwhile",
        )


class Closed(APIException):
    status_code = 409

    def __init__(self, error: WrongStateError) -> None:
        super().__init__(str(error), "wrong_state")


def told(decision: CurationDecision) -> str:
    assert decision.artwork is not None  # those about a whole drop come after all others
    done = decision.done
    return f"#{decision.artwork.index} was {done} by {curator_name(decision) or 'nobody'}"


@extend_schema(exclude=True)
class FoundWorks(APIView):
    """All works of a filter, for a decision about all of them."""

    permission_classes = [IsAdminUser]

    def get(self, request: Request, pk: int) -> Response:
        drop = get_object_or_404(Drop, pk=pk)
        search = Search.parse(request.query_params)
        works = search.works(drop).curable().placed(search.sort)
        seen = CurationDecision.objects.filter(artwork__drop=drop).newest_ids()
        return Response(
            {
                "works": [
                    {"id": pk, "index": index, "status": status, "seen": seen.get(pk, 0)}
                    for pk, index, status in works.values_list("pk", "index", "status")
                ]
            }
        )


@extend_schema(exclude=True)
class Decide(APIView):
    """Decisions about works as a curator saw them: all, or 409 and none."""

    permission_classes = [IsAdminUser]

    def post(self, request: Request, pk: int) -> Response:
        drop = get_object_or_404(Drop, pk=pk)
        body = WishesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        curator = cast("User", request.user)
        wishes = [
            Wish(work["id"], Artwork.Status(work["status"]), work["seen"])
            for work in body.validated_data["works"]
        ]
        try:
            decisions = decide_works(drop=drop, wishes=wishes, curator=curator)
        except ChangedMeanwhileError as error:
            raise Conflict(error) from error
        except WrongStateError as error:
            raise Closed(error) from error
        announce(drop, decisions, curator)
        return Response({"decisions": [{"id": d.artwork_id, "seen": d.pk} for d in decisions]})


def announce(drop: Drop, decisions: list[CurationDecision], curator: User) -> None:
    """Tell the other curators who decided what, and the drop's pages that something changed."""
    if not decisions:
        return
    event = {
        "kind": "decided",
        "by": curator.get_username(),
        "status": decisions[0].status,
        "n": len(decisions),
        "works": [d.artwork.index for d in decisions[:MAX_NAMED] if d.artwork is not None],
    }
    progress.tell_board(drop_id=drop.pk, event=event)
    progress.announce(drop_id=drop.pk, event={"kind": "curated"})
