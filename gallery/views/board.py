"""The curation board: what curators see of a drop, filtered, and what they decide about it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from gallery.forms import BoardForm
from gallery.serializers import Picture, picture, traits_shown
from gallery.views.console import lead_only
from generation.models import (
    Artwork,
    ArtworkQuerySet,
    ArtworkTrait,
    CurationDecision,
    Drop,
    Job,
)
from generation.services import (
    NONE,
    REVISIONS,
)

PER_PAGE = 48
MAX_ID = 2**63 - 1
KINDS = {
    "explores": "drawn to be unusual",
    "control": "steered by nobody",
    "redrawn": "sent back",
    "retouched": "retouched",
}


@dataclass(frozen=True)
class BoardTile:
    """One work on the board; ``seen`` is the decision that its colours show, 0 none.

    ``marks`` say what is special about its picture, ``revision`` which other one is on its way, and
    ``trouble`` why the last one did not come.
    """

    pk: int
    index: int
    status: str
    seen: int
    decided_by: str
    confidence_percent: int
    group: int | None
    marks: list[str]
    revision: str
    trouble: str
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
    kind: str
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
            kind=clean.get("kind", ""),
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
        if self.kind:
            found = found.special(self.kind)
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
        "kinds": KINDS,
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
        "drawn": reverse("artwork-image", args=[work.drawn_digest]) if work.drawn_digest else "",
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
    newest: dict[int | None, CurationDecision] = {}
    decisions = CurationDecision.objects.filter(artwork__in=rows).select_related("curator")
    for decision in decisions.order_by("pk"):
        newest[decision.artwork_id] = decision
    revisions = newest_revisions(drop, rows)
    return [
        BoardTile(
            pk=work.pk,
            index=work.index,
            status=work.status,
            seen=newest[work.pk].pk if work.pk in newest else 0,
            decided_by=curator_name(newest.get(work.pk)),
            confidence_percent=round(100 * work.confidence),
            group=work.similar_group,
            marks=marks(work),
            revision=on_its_way(revisions.get(work.pk)),
            trouble=trouble(revisions.get(work.pk)),
            picture=picture(work),
            traits=traits_shown(work),
            **addresses(drop, search, work),
        )
        for work in rows
    ]


def newest_revisions(drop: Drop, works: list[Artwork]) -> dict[int, Job]:
    """The last job of each work that asks for another picture."""
    wanted = {work.pk for work in works}
    jobs = drop.jobs.filter(kind__in=REVISIONS).order_by("pk")
    return {job.args["artwork"]: job for job in jobs if job.args["artwork"] in wanted}


def marks(work: Artwork) -> list[str]:
    found = ["drawn to be unusual"] if work.explores else []
    if work.is_control:
        found.append("steered by nobody")
    if work.attempt:
        found.append(f"try {work.attempt + 1}")
    return [*found, "retouched"] if work.drawn_digest else found


def on_its_way(job: Job | None) -> str:
    if job is None or job.state not in (Job.State.QUEUED, Job.State.RUNNING):
        return ""
    return "being drawn again" if job.kind == "redraw" else "its new picture is being read"


def trouble(job: Job | None) -> str:
    return job.error if job is not None and job.state == Job.State.FAILED else ""


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
