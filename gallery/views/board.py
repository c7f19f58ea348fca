"""The curation board: what curators see of a drop, filtered, and what they decide about it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery.forms import BoardForm
from gallery.serializers import Picture, picture, traits_shown
from gallery.views.console import lead_only
from generation import progress
from generation.models import Artwork, ArtworkQuerySet, ArtworkTrait, CurationDecision, Drop
from generation.services import (
    MAX_DROP_SIZE,
    NONE,
    ChangedMeanwhileError,
    Wish,
    WrongStateError,
    decide_works,
)

PER_PAGE = 48
MAX_NAMED = 200  # works that a hint names; of more it says how many
MAX_CONFLICTS = 5
MAX_ID = 2**63 - 1
DECIDABLE = [status for status in Artwork.Status if status != Artwork.Status.DUPLICATE]


@dataclass(frozen=True)
class BoardTile:
    """One work on the board; ``seen`` is the decision that its colours show, 0 none."""

    pk: int
    index: int
    status: str
    seen: int
    decided_by: str
    confidence_percent: int
    group: int | None
    picture: Picture
    traits: list[tuple[str, str]]
    url: str
    part_url: str


@dataclass(frozen=True)
class Search:
    """What of a drop the board shows: its filter, its order, and the work its page comes after."""

    status: str
    below: int | None
    alike: bool
    trait: str
    sort: str
    after: int | None

    @classmethod
    def parse(cls, asked: QueryDict) -> "Search":
        """Of a query; a field that makes no sense is left at what it is without one."""
        form = BoardForm(asked)
        form.is_valid()
        clean = form.cleaned_data
        alike = clean.get("alike", False)
        return cls(
            status=clean.get("status") or Artwork.Status.PENDING,
            below=clean.get("below"),
            alike=alike,
            trait=clean.get("trait", ""),
            sort=clean.get("sort") or ("group" if alike else "index"),
            after=clean.get("after"),
        )

    def query(self, **more: Any) -> str:
        fields = {**asdict(self), "alike": "on" if self.alike else "", **more}
        return urlencode({key: value for key, value in fields.items() if value not in (None, "")})

    def works(self, drop: Drop) -> ArtworkQuerySet:
        """All works that the filter lets through."""
        found = drop.artworks.curable()
        if self.status != "all":
            found = drop.artworks.filter(status=self.status)
        if self.below is not None:
            found = found.filter(confidence__lt=self.below / 100)
        if self.alike:
            found = found.alike()
        attribute, _, value = self.trait.partition(":")
        if not value:
            return found
        is_absent = value == NONE
        return found.without_trait(attribute) if is_absent else found.with_trait(attribute, value)


@lead_only
@require_safe
def board(request: HttpRequest, pk: int) -> HttpResponse:
    drop = get_object_or_404(Drop.objects.select_related("collection", "checkpoint"), pk=pk)
    search = Search.parse(request.GET)
    context = board_context(request, drop, search) | {
        "collection": drop.collection,
        "filter": search,
        "traits": trait_choices(drop),
        "statuses": [*Artwork.Status.values, "all"],
    }
    return render(request, "gallery/board.html", context)


@lead_only
@require_safe
def board_part(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the board that changes; with ``ids`` the works that are on the page already."""
    drop = get_object_or_404(Drop.objects.select_related("collection"), pk=pk)
    context = board_context(request, drop, Search.parse(request.GET))
    return render(request, "gallery/board_part.html", context)


def board_context(request: HttpRequest, drop: Drop, search: Search) -> dict[str, Any]:
    undecided = drop.artworks.undecided().count()
    inside = search.works(drop).undecided().count()
    counts = drop.artworks.counts()
    context = {
        "drop": drop,
        "search": search,
        "query": search.query(),
        "counts": counts,
        "undecided": undecided,
        "outside": undecided - inside,
        "total": sum(counts.values()) - counts[Artwork.Status.DUPLICATE],
        "found": search.works(drop).count(),
        "is_open": drop.state == Drop.State.CURATING and drop.curated_at is None,
    }
    work = asked_work(request, drop)
    if work is None:
        return context | grid_context(request, drop, search)
    return context | single_context(drop, search, work)


def asked_work(request: HttpRequest, drop: Drop) -> Artwork | None:
    """The work of the single view."""
    asked = number(request.GET.get("work", ""))
    return None if asked is None else get_object_or_404(drop.artworks, pk=asked)


def grid_context(request: HttpRequest, drop: Drop, search: Search) -> dict[str, Any]:
    """A page of works. Pages hang on a work, not on a number: deciding does not move them."""
    found = search.works(drop)
    start = drop.artworks.filter(pk=search.after).first() if search.after else None
    ids = [n for n in map(number, request.GET.get("ids", "").split(",")) if n][:PER_PAGE]
    if ids:
        works = list(drop.artworks.filter(pk__in=ids).placed(search.sort))
    else:
        rows = found.after(start, search.sort) if start else found.placed(search.sort)
        works = list(rows[:PER_PAGE])
    has_more = bool(works) and found.after(works[-1], search.sort).exists()
    has_earlier = bool(works) and found.before(works[0], search.sort).exists()
    shown = ",".join(str(work.pk) for work in works)
    address = reverse("gallery:board-part", args=[drop.pk])
    return {
        "work": None,
        "tiles": tiles(drop, search, works),
        "live_url": f"{address}?{search.query(ids=shown)}",
        "next_query": search.query(after=works[-1].pk) if has_more else "",
        "earlier_query": earlier_query(found, search, works[0]) if has_earlier else "",
    }


def earlier_query(found: ArtworkQuerySet, search: Search, first: Artwork) -> str:
    """The page that ends just before ``first``."""
    rows = list(found.before(first, search.sort)[: PER_PAGE + 1])
    return search.query(after=rows[PER_PAGE].pk if len(rows) > PER_PAGE else "")


def single_context(drop: Drop, search: Search, work: Artwork) -> dict[str, Any]:
    """One work, its history, its neighbours in the filter, and the works it looks like."""
    found = search.works(drop)
    earlier = found.before(work, search.sort).first()
    later = found.after(work, search.sort).first()
    alike: list[Artwork] = []
    if work.similar_group is not None:
        rows = drop.artworks.curable().filter(similar_group=work.similar_group)
        alike = list(rows.exclude(pk=work.pk).in_order()[:PER_PAGE])
    tile, *similar = tiles(drop, search, [work, *alike])
    return {
        "work": tile,
        "similar": similar,
        "history": work.decisions.newest_first(),
        "live_url": tile.part_url,
        "earlier": neighbour(drop, search, earlier),
        "later": neighbour(drop, search, later),
    }


def neighbour(drop: Drop, search: Search, work: Artwork | None) -> dict[str, str] | None:
    return None if work is None else addresses(drop, search, work)


def addresses(drop: Drop, search: Search, work: Artwork) -> dict[str, str]:
    query = search.query(work=work.pk)
    page, part = (reverse(f"gallery:{name}", args=[drop.pk]) for name in ("board", "board-part"))
    return {"url": f"{page}?{query}", "part_url": f"{part}?{query}"}


def tiles(drop: Drop, search: Search, works: Iterable[Artwork]) -> list[BoardTile]:
    """Works with who decided about them last; one question for all."""
    rows = list(works)
    newest: dict[int, CurationDecision] = {}
    decisions = CurationDecision.objects.filter(artwork__in=rows).select_related("curator")
    for decision in decisions.order_by("pk"):
        newest[decision.artwork_id] = decision
    return [
        BoardTile(
            pk=work.pk,
            index=work.index,
            status=work.status,
            seen=newest[work.pk].pk if work.pk in newest else 0,
            decided_by=curator_name(newest.get(work.pk)),
            confidence_percent=round(100 * work.confidence),
            group=work.similar_group,
            picture=picture(work),
            traits=traits_shown(work),
            **addresses(drop, search, work),
        )
        for work in rows
    ]


def curator_name(decision: CurationDecision | None) -> str:
    if decision is None or decision.curator is None:
        return ""
    return decision.curator.get_username()


def trait_choices(drop: Drop) -> list[tuple[str, list[tuple[str, str, int]]]]:
    """Every value of every attribute with how many works have it; an absent one is ``none``."""
    works = drop.artworks.curable()
    traits = ArtworkTrait.objects.filter(artwork__in=works).order_by("trait_type", "value")
    counted = traits.values_list("trait_type", "value").annotate(n=Count("pk"))
    by_value = {(attribute, value): n for attribute, value, n in counted}
    n_works = works.count()
    choices = []
    for attribute, values in drop.checkpoint.schema.items():
        have = sum(n for (name, _), n in by_value.items() if name == attribute)
        counts = {value: by_value.get((attribute, value), 0) for value in values}
        if NONE in counts:
            counts[NONE] = n_works - have
        rows = [(f"{attribute}:{value}", value, n) for value, n in counts.items()]
        choices.append((attribute.replace("_", " "), rows))
    return choices


def number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and int(text) <= MAX_ID else None


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
    done = "reopened" if decision.status == Artwork.Status.PENDING else decision.status
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
        "works": [decision.artwork.index for decision in decisions[:MAX_NAMED]],
    }
    progress.tell_board(drop_id=drop.pk, event=event)
    progress.announce(drop_id=drop.pk, event={"kind": "curated"})
