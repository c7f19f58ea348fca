"""What every visitor may see."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView

from gallery.serializers import STEPS, render_progress, sale_facts, work_tile, work_tiles
from generation.models import Artwork, Collection, Drop
from minting.models import Commitment, Token
from sentiment.models import Round, Vote, Voter

PAGE_SIZE = 96
HERO = 6
MAX_OTHERS = 20


@require_safe
def home(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    collection = chosen_collection(slug)
    if collection is None:
        return render(request, "gallery/home.html", {"collection": None})
    others = Collection.objects.exclude(pk=collection.pk).order_by("-created_at", "-pk")
    drops = list(collection.drops.order_by("-number"))
    strips = {drop.pk: list(drop.artworks.shown().in_order()[:HERO]) for drop in drops[:20]}
    shown = [
        {
            "number": drop.number,
            "state": drop.state,
            "size": drop.size,
            "url": reverse("gallery:drop", args=[collection.slug, drop.number]),
            "strip": work_tiles(strips.get(drop.pk, [])[:4]),
        }
        for drop in drops
    ]
    hero = next((works for works in strips.values() if works), [])
    context = {
        "collection": collection,
        "drops": shown,
        "hero": work_tiles(hero),
        "others": others[:MAX_OTHERS],
    }
    return render(request, "gallery/home.html", context)


def chosen_collection(slug: str | None) -> Collection | None:
    """The collection of that name, else the oldest: an installation's own comes first."""
    if slug is not None:
        return get_object_or_404(Collection, slug=slug)
    return Collection.objects.order_by("created_at", "pk").first()


@require_safe
def drop_page(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    return render(request, "gallery/drop.html", drop_context(request, find_drop(slug, number)))


@require_safe
def drop_live(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The part of the drop page that changes; complete in itself."""
    drop = find_drop(slug, number)
    return render(request, "gallery/drop_live.html", drop_context(request, drop))


def find_drop(slug: str, number: int) -> Drop:
    rows = Drop.objects.select_related("collection", "parameter_set", "checkpoint")
    return get_object_or_404(rows, collection__slug=slug, number=number)


def drop_context(request: HttpRequest, drop: Drop) -> dict[str, Any]:
    """All that the drop page says, from the database alone."""
    page = page_of(request, drop.artworks.shown().in_order())
    tokens = Token.objects.filter(drop=drop)
    owners = dict(tokens.filter(artwork__in=page.object_list).values_list("artwork", "owner"))
    commitments = Commitment.objects.light().select_related("collection__contract")
    commitment = commitments.filter(drop=drop).first()
    minted = tokens.count()
    counts = drop.artworks.counts()
    page_query = f"?{urlencode({'page': page.number})}" if page.number > 1 else ""
    address = reverse("gallery:drop-live", args=[drop.collection.slug, drop.number])
    return {
        "drop": drop,
        "steps": STEPS,
        "live_url": address + page_query,
        "progress": render_progress(drop) if drop.state == Drop.State.RENDERING else None,
        "counts": counts | {"shown": counts["pending"] + counts["accepted"]},
        "minted": minted,
        "votes": Vote.objects.filter(round__drop=drop).count(),
        "round_open": Round.objects.filter(drop=drop, state=Round.State.OPEN).exists(),
        "sale": sale_facts(drop, commitment, minted),
        "commitment": commitment_facts(drop, commitment),
        "page": page,
        "works": work_tiles(page.object_list, owners),
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


@require_safe
def vote(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    drop = find_drop(slug, number)
    voter = Voter.objects.filter(user_id=request.user.pk or 0).first()
    current = Round.objects.filter(drop=drop).first()
    n_votes = Vote.objects.filter(round=current, voter=voter).count() if current and voter else 0
    context = {
        "drop": drop,
        "drop_url": reverse("gallery:drop", args=[slug, number]),
        "round": current,
        "voter": voter,
        "n_votes": n_votes,
    }
    return render(request, "gallery/vote.html", context)


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


def tile(request: HttpRequest, work: Artwork) -> HttpResponse:
    return render(request, "gallery/tile.html", {"work": work_tile(work)})


@extend_schema(exclude=True)
class ApiPage(SpectacularSwaggerSplitView):
    """The API's documentation; its library writes styles into the page, never scripts."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        response["Content-Security-Policy"] = (
            "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"
        )
        return response
