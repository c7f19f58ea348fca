"""What every visitor may see."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView

from gallery.serializers import (
    STEPS,
    ether,
    picture,
    render_progress,
    sale_facts,
    work_tiles,
)
from generation.models import Artwork, Collection, Drop
from minting.chain.node import LOCAL_CHAIN_ID
from minting.models import Commitment, Contract, Token
from minting.services import running_phase
from sentiment.models import Round, Vote, Voter

PAGE_SIZE = 96
DROPS_A_PAGE = 12
WALL = 18
STRIP = 6
EARLY = 24  # where a drop's first works are looked for; a curator seldom refuses all of them
MAX_OTHERS = 20


# Pages carry the visitor's token, so they are nobody else's, and change with the chain.
revalidated = cache_control(private=True, no_cache=True)


@revalidated
@require_safe
def home(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    collection = chosen_collection(slug)
    if collection is None:
        return render(request, "gallery/home.html", {"collection": None})
    others = Collection.objects.exclude(pk=collection.pk).order_by("-created_at", "-pk")
    drops = collection.drops.order_by("-number", "-pk")
    page = Paginator(drops, DROPS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "collection": collection,
        "page": page,
        "drops": drop_rows(collection, page.object_list),
        "numbers": collection_numbers(collection),
        "wall": wall(collection),
        "others": others[:MAX_OTHERS],
        "contract": Contract.objects.deployed().filter(collection=collection).first(),
        "may_simulate": settings.CHAIN_ID == LOCAL_CHAIN_ID and request.user.is_staff,
        "has_simulated": Voter.objects.filter(is_simulated=True).exists(),
        **live_context(drops.exclude(state=Drop.State.DRAFT).first()),
    }
    return render(request, "gallery/home.html", context)


def live_context(drop: Drop | None) -> dict[str, Any]:
    """The newest drop that has begun: how far it is, and what a visitor can do there."""
    if drop is None:
        return {"live": None}
    address = reverse("gallery:drop", args=[drop.collection.slug, drop.number])
    commitment = Commitment.objects.light().filter(drop=drop).first()
    calls = {
        Drop.State.RENDERING: ("Watch it being drawn", address),
        Drop.State.MINTING: ("Mint a work", f"{address}/mint"),
        Drop.State.LISTENING: ("Vote on this drop", f"{address}/vote"),
    }
    minted = Token.objects.filter(drop=drop).count()
    is_sold_out = commitment is not None and minted >= commitment.count
    if is_sold_out and drop.state == Drop.State.MINTING:
        calls = {}
    call, target = calls.get(Drop.State(drop.state), ("See its works", address))
    return {
        "live": drop,
        "live_address": address,
        "call": call,
        "call_address": target,
        "progress": render_progress(drop) if drop.state == Drop.State.RENDERING else None,
        "minted": minted,
        "commitment": commitment,
        "price_eth": price_now(commitment) if commitment and not is_sold_out else "",
        "steps": STEPS,
    }


def price_now(commitment: Commitment) -> str:
    """What a work costs now in ETH; empty where nothing is sold to everybody."""
    now = timezone.now()
    phase = running_phase(commitment, now)
    return ether(phase.phase.price_at(int(now.timestamp()))) if phase else ""


def collection_numbers(collection: Collection) -> dict[str, int]:
    """What has happened so far, counted."""
    drawn = collection.drops.exclude(state__in=[Drop.State.DRAFT, Drop.State.RENDERING])
    works = drawn.aggregate(drops=Count("pk"), works=Sum("size"))
    votes = Vote.objects.filter(round__drop__collection=collection)
    return {
        "drops": works["drops"],
        "works": works["works"] or 0,
        "votes": votes.count(),
        "voters": Voter.objects.filter(Exists(votes.filter(voter=OuterRef("pk")))).count(),
        "parameter_sets": collection.parameter_sets.count(),
        "committed": Drop.objects.committed().filter(collection=collection).count(),
        "minted": Token.objects.filter(contract__collection=collection).count(),
    }


def drop_rows(collection: Collection, drops: Iterable[Drop]) -> list[dict[str, Any]]:
    """Drops with their first works, by one question for all of them."""
    shown = list(drops)
    early = Artwork.objects.shown().filter(drop__in=shown, index__lt=EARLY).in_order()
    strips: dict[int, list[Artwork]] = {}
    for work in early:
        strip = strips.setdefault(work.drop_id, [])
        if len(strip) < STRIP:
            strip.append(work)
    return [
        {
            "number": drop.number,
            "state": drop.state,
            "size": drop.size,
            "url": reverse("gallery:drop", args=[collection.slug, drop.number]),
            "strip": [picture(work) for work in strips.get(drop.pk, [])],
        }
        for drop in shown
    ]


def wall(collection: Collection) -> list[dict[str, Any]]:
    """Works of the newest drop that has some, with the way to each."""
    has_works = Exists(Artwork.objects.shown().filter(drop=OuterRef("pk")))
    drop = collection.drops.filter(has_works).order_by("-number", "-pk").first()
    if drop is None:
        return []
    works = drop.artworks.shown().in_order()[:WALL]
    return [
        {"picture": picture(work), "url": work_address(drop, work), "index": work.index}
        for work in works
    ]


def work_address(drop: Drop, work: Artwork) -> str:
    """The page of a published work; before that, its place on the drop's page."""
    slug = drop.collection.slug
    if drop.state in Drop.COMMITTED_STATES and work.token_id is not None:
        return reverse("gallery:work", args=[slug, work.token_id])
    return f"{reverse('gallery:drop', args=[slug, drop.number])}#work-{work.index}"


def chosen_collection(slug: str | None) -> Collection | None:
    """The collection of that name, else the oldest: an installation's own comes first."""
    if slug is not None:
        return get_object_or_404(Collection, slug=slug)
    return Collection.objects.order_by("created_at", "pk").first()


@revalidated
@require_safe
def drop_page(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    drop = find_drop(slug, number)
    address = reverse("gallery:drop", args=[slug, number])
    card = reverse("gallery:drop-card", args=[slug, number])
    told = {
        "page_url": request.build_absolute_uri(address),
        "card_url": request.build_absolute_uri(card),
        "share_title": f"{drop.collection.name}, drop {number}",
        "share_text": drop.collection.story[:200] or f"Drop {number}",
    }
    return render(request, "gallery/drop.html", drop_context(request, drop) | told)


@revalidated
@require_safe
def drop_live(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The part of the drop page that changes; complete in itself."""
    drop = find_drop(slug, number)
    return render(request, "gallery/drop_live.html", drop_context(request, drop))


def find_drop(slug: str, number: int) -> Drop:
    rows = Drop.objects.select_related("collection", "parameter_set", "checkpoint")
    return get_object_or_404(rows, collection__slug=slug, number=number)


def drop_line(drop: Drop) -> str:
    return {
        Drop.State.DRAFT: "not drawn yet",
        Drop.State.RENDERING: "being drawn now",
        Drop.State.CURATING: "being curated",
        Drop.State.COMMITTED: "committed on chain",
        Drop.State.MINTING: "minting now",
        Drop.State.LISTENING: "voting is open",
        Drop.State.SCORED: "the votes are counted",
        Drop.State.CLOSED: "closed",
    }[Drop.State(drop.state)]


def drop_context(request: HttpRequest, drop: Drop) -> dict[str, Any]:
    """All that the drop page says, from the database alone."""
    page = page_of(request, drop.artworks.shown().in_order())
    tokens = Token.objects.filter(drop=drop)
    owners = dict(tokens.filter(artwork__in=page.object_list).values_list("artwork", "owner"))
    commitments = Commitment.objects.light().select_related("collection__contract")
    commitment = commitments.filter(drop=drop).first()
    minted = tokens.count()
    counts = drop.artworks.counts()
    urls = {work.pk: work_address(drop, work) for work in page.object_list}
    page_query = f"?{urlencode({'page': page.number})}" if page.number > 1 else ""
    address = reverse("gallery:drop-live", args=[drop.collection.slug, drop.number])
    return {
        "collection": drop.collection,
        "drop": drop,
        "is_published": drop.state in Drop.COMMITTED_STATES,
        "steps": STEPS,
        "live_url": address + page_query,
        "progress": render_progress(drop) if drop.state == Drop.State.RENDERING else None,
        "counts": counts | {"shown": counts["pending"] + counts["accepted"]},
        "minted": minted,
        "votes": Vote.objects.filter(round__drop=drop).count(),
        **round_facts(drop),
        "sale": sale_facts(drop, commitment, minted),
        "commitment": commitment_facts(drop, commitment),
        "page": page,
        "works": work_tiles(page.object_list, owners, urls),
    }


def round_facts(drop: Drop) -> dict[str, Any]:
    """Whether people vote on a drop now, and the round whose record can be had."""
    current = Round.objects.select_related("score_run").filter(drop=drop).first()
    run = getattr(current, "score_run", None)
    return {
        "round_state": None if current is None else current.state,
        "scored": run.round_id if run and run.tally_root else None,
    }


def commitment_facts(drop: Drop, commitment: Commitment | None) -> dict[str, Any] | None:
    """The hashes of a drop, once the chain has them."""
    if commitment is None or drop.state in (Drop.State.RENDERING, Drop.State.CURATING):
        return None
    sent = drop.transactions.filter(kind="commit").order_by("-pk").first()
    return {
        "chain_id": commitment.collection.contract.chain_id,
        "metadata_root": commitment.metadata_root,
        "image_root": commitment.image_root,
        "params_hash": commitment.params_hash,
        "tx_hash": sent.tx_hash if sent else "",
    }


def page_of(request: HttpRequest, works: Any) -> Page[Artwork]:
    return Paginator(works, PAGE_SIZE).get_page(request.GET.get("page"))


class SignIn(LoginView):
    """Wallets for voters, a password for leads."""

    template_name = "gallery/sign_in.html"
    form_class = AuthenticationForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {"chain_id": settings.CHAIN_ID, "next": self.get_redirect_url() or "/"}


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Answers when the web server and its database do."""
    return JsonResponse({"collections": Collection.objects.count()})


@extend_schema(exclude=True)
class ApiPage(SpectacularSwaggerSplitView):
    """The API's documentation; its library writes styles into the page, never scripts."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        response["Content-Security-Policy"] = (
            "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"
        )
        return response
