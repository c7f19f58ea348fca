"""Other pictures for works on the curation board: sent back to be drawn again, or retouched."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery.forms import RetouchForm
from gallery.views.board import MAX_ID
from gallery.views.console import lead_only
from gallery.views.decisions import MAX_NAMED, Closed, Conflict
from generation import progress
from generation.imaging import codec
from generation.imaging.codec import ImageRefusedError
from generation.models import Artwork, Drop
from generation.services import (
    ChangedMeanwhileError,
    WrongStateError,
    ask_retouch,
    keep_picture,
    send_back,
)
from generation.tasks import ring_revision

MAX_SENT_BACK = 200  # works at once: each costs a batch of pictures


class SeenSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    seen = serializers.IntegerField(min_value=0, max_value=MAX_ID)


class SentBackSerializer(serializers.Serializer[Any]):
    works = SeenSerializer(many=True, allow_empty=False)

    def validate_works(self, works: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(works) > MAX_SENT_BACK or len({work["id"] for work in works}) != len(works):
            raise serializers.ValidationError(f"each work once, {MAX_SENT_BACK} at most")
        return works


@extend_schema(exclude=True)
class SendBack(APIView):
    """Works to be drawn again, as a curator saw them: all, or 409 and none."""

    permission_classes = [IsAdminUser]

    def post(self, request: Request, pk: int) -> Response:
        drop = get_object_or_404(Drop, pk=pk)
        body = SentBackSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        seen = {work["id"]: work["seen"] for work in body.validated_data["works"]}
        curator = cast("User", request.user)
        try:
            with transaction.atomic():
                jobs = send_back(drop=drop, seen=seen, curator=curator)
                for job in jobs:
                    ring_revision(job)
        except ChangedMeanwhileError as error:
            raise Conflict(error) from error
        except WrongStateError as error:
            raise Closed(error) from error
        tell(drop, curator, "sent back", [job.args["artwork"] for job in jobs])
        return Response({"asked": len(jobs)})


@lead_only
@require_POST
def retouch(request: HttpRequest, pk: int) -> HttpResponse:
    """An edited picture for a work, or the drawn one again; a worker reads its traits."""
    work = get_object_or_404(Artwork.objects.select_related("drop__checkpoint"), pk=pk)
    curator = cast("User", request.user)
    form = RetouchForm(request.POST, request.FILES)
    try:
        if not form.is_valid():
            raise ValueError(form.first_error())
        digest, note = given(work, form)
        with transaction.atomic():
            job = ask_retouch(
                work=work,
                digest=digest,
                note=note,
                seen=form.cleaned_data["seen"],
                curator=curator,
            )
            ring_revision(job)
    except ChangedMeanwhileError as error:
        messages.error(request, str(Conflict(error).detail))
    except (WrongStateError, ValueError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The traits of the new picture of #{work.index} are being read.")
        tell(work.drop, curator, "retouched", [work.pk])
    board = reverse("gallery:board", args=[work.drop_id])
    return redirect(f"{board}?status=all&work={work.pk}")


def given(work: Artwork, form: RetouchForm) -> tuple[str, str]:
    """Digest of the picture that is to take the work's place, on disk by now, and the note."""
    if form.cleaned_data["restore"]:
        if not work.drawn_digest:
            raise ValueError(f"#{work.index} shows the picture that was drawn")
        return work.drawn_digest, "the drawn picture again"
    file = form.cleaned_data["picture"]
    picture = codec.decode(file.read(), file.name)
    side = codec.read_stored(work.image_path).shape[0]
    if picture.shape != (side, side, 3):
        height, width, _ = picture.shape
        raise ImageRefusedError(file.name, f"{width} x {height} px, not {side} x {side}")
    return keep_picture(picture=picture), form.cleaned_data["note"]


def tell(drop: Drop, curator: User, status: str, works: list[int]) -> None:
    """Tell the other curators what happened to which works."""
    if not works:
        return
    numbers = drop.artworks.filter(pk__in=works).order_by("index").values_list("index", flat=True)
    event = {
        "kind": "decided",
        "by": curator.get_username(),
        "status": status,
        "n": len(works),
        "works": list(numbers[:MAX_NAMED]),
    }
    progress.tell_board(drop_id=drop.pk, event=event)
    progress.announce(drop_id=drop.pk, event={"kind": "curated"})
