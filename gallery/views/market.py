"""A collection's market: the floor, what was paid, who holds, and what rarity is worth."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import numpy as np
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from gallery.serializers import about_ether, ether
from gallery.views.plots import HEIGHT, WIDTH, scaled
from gallery.views.pools import pool_cards
from gallery.views.premiums import premium_context, weekly
from gallery.views.public import revalidated
from generation.models import Collection
from minting.chain.logs import ZERO_ADDRESS
from minting.models import Listing, Sale, Token
from sentiment.services import simulated_among

WEEK = timedelta(days=7)
MAX_SALES = 5_000  # the newest ones; a plot shows no more
N_SALES = 20
AT = ("block__number", "log_index", "position", "pk")
SORTS = {
    "newest": tuple(f"-{field}" for field in AT),
    "dearest": ("-price_wei", *AT),
    "cheapest": ("price_wei", *AT),
}
SORT_NAMES = {"newest": "Newest", "dearest": "Dearest", "cheapest": "Cheapest"}


@dataclass(frozen=True)
class Dot:
    """A sale in a plot: where it stands and what it says."""

    x: float
    y: float
    says: str
    url: str


@revalidated
@require_safe
def market(request: HttpRequest, slug: str) -> HttpResponse:
    collection = get_object_or_404(Collection, slug=slug)
    rows = Sale.objects.filter(token__contract__collection=collection, currency=ZERO_ADDRESS)
    related = rows.select_related("block", "token__artwork")
    sales = list(related.in_order().reverse()[:MAX_SALES])
    context = {
        "collection": collection,
        "numbers": numbers(collection),
        "weekly": weekly(sales),
        **premium_context(request, collection),
        **sale_list(request, collection, rows),
        "over_time": over_time(collection, sales),
        "by_rarity": by_rarity(collection, sales),
        "holders": holders(collection),
        "pools": pool_cards(collection),
        "lowest_eth": about_ether(min((sale.price_wei for sale in sales), default=0)),
        "highest_eth": about_ether(max((sale.price_wei for sale in sales), default=0)),
        "width": WIDTH,
        "height": HEIGHT,
    }
    return render(request, "gallery/market.html", context)


def sale_list(request: HttpRequest, collection: Collection, rows: QuerySet[Sale]) -> dict[str, Any]:
    """A page of the sales, of one drop or all, in the order that was asked for."""
    sort, drop = request.GET.get("sort", ""), request.GET.get("drop", "")
    sort = sort if sort in SORTS else "newest"
    numbers = collection.drops.filter(tokens__sales__isnull=False).distinct()
    drops = list(numbers.order_by("number").values_list("number", flat=True))
    chosen = next((number for number in drops if str(number) == drop), None)
    kept = rows if chosen is None else rows.filter(token__drop__number=chosen)
    related = kept.select_related("block", "token__artwork").order_by(*SORTS[sort])
    page = Paginator(related, N_SALES).get_page(request.GET.get("page"))
    asked = {"sort": sort} if sort != "newest" else {}
    asked |= {"drop": str(chosen)} if chosen is not None else {}
    shown = list(page.object_list)
    simulated = simulated_among({side for sale in shown for side in (sale.seller, sale.buyer)})
    return {
        "sales": [sale_row(sale, simulated) for sale in shown],
        "page": page,
        "page_query": f"{urlencode(asked)}&" if asked else "",
        "page_anchor": "#sales",
        "sort": sort,
        "sorts": SORT_NAMES,
        "sold_drops": drops,
        "chosen_drop": chosen,
    }


def numbers(collection: Collection) -> list[tuple[str, str]]:
    now = timezone.now()
    offers = Listing.objects.active(now).filter(token__contract__collection=collection)
    cheapest = offers.cheapest_first().first()
    ever = Sale.objects.filter(token__contract__collection=collection, currency=ZERO_ADDRESS)
    prices = list(ever.values_list("price_wei", flat=True))
    recent = list(ever.between(now - WEEK, now).values_list("price_wei", flat=True))
    tokens = Token.objects.filter(contract__collection=collection).exclude(owner=ZERO_ADDRESS)
    n_holders = tokens.values("owner").distinct().count()
    return [
        ("Floor", f"{about_ether(cheapest.price_wei)} ETH" if cheapest else "nothing for sale"),
        ("For sale", f"{offers.count():,}"),
        ("Volume, 7 days", f"{about_ether(sum(recent))} ETH"),
        ("Sales, 7 days", f"{len(recent):,}"),
        ("Volume, ever", f"{about_ether(sum(prices))} ETH"),
        ("Sales, ever", f"{len(prices):,}"),
        ("Minted", f"{tokens.count():,}"),
        ("Holders", f"{n_holders:,}"),
    ]


def over_time(collection: Collection, sales: list[Sale]) -> list[Dot]:
    """Each sale at its time; prices on a logarithmic scale."""
    return plot(
        [sale.block.mined_at.timestamp() for sale in sales],
        [sale.price_wei for sale in sales],
        [says(sale, f"{sale.block.mined_at:%d %b %Y, %H:%M}") for sale in sales],
        [address(collection, sale) for sale in sales],
    )


def by_rarity(collection: Collection, sales: list[Sale]) -> list[Dot]:
    """Each sale of a ranked work at its rank, the rarest on the left."""
    ranked = [sale for sale in sales if sale.token.artwork and sale.token.artwork.rarity_rank]
    ranks = [float(sale.token.artwork.rarity_rank or 0) for sale in ranked if sale.token.artwork]
    return plot(
        ranks,
        [sale.price_wei for sale in ranked],
        [says(sale, f"rank {rank:.0f}") for sale, rank in zip(ranked, ranks, strict=True)],
        [address(collection, sale) for sale in ranked],
    )


def says(sale: Sale, where: str) -> str:
    return f"#{sale.token.token_id}: {ether(sale.price_wei)} ETH, {where}"


def address(collection: Collection, sale: Sale) -> str:
    return reverse("gallery:work", args=[collection.slug, sale.token.token_id])


def plot(xs: list[float], prices: list[int], words: list[str], urls: list[str]) -> list[Dot]:
    """Dots in a field of 640 by 240, the dearest on top."""
    if not xs:
        return []
    x = scaled(xs, WIDTH)
    y = scaled(np.log10([max(price, 1) for price in prices]), HEIGHT)
    return [
        Dot(round(float(left), 1), round(HEIGHT - float(up), 1), word, url)
        for left, up, word, url in zip(x, y, words, urls, strict=True)
    ]


def holders(collection: Collection) -> list[dict[str, Any]]:
    """How many wallets have how many works."""
    rows = Token.objects.filter(contract__collection=collection).exclude(owner=ZERO_ADDRESS)
    counts = rows.values_list("owner").annotate(n=Count("pk")).order_by()
    buckets = Counter(bucket(n) for _, n in counts)
    most = max(buckets.values(), default=1)
    return [
        {"works": name, "wallets": buckets[name], "percent": round(100 * buckets[name] / most)}
        for name in ("1", "2 to 5", "6 to 20", "more than 20")
    ]


def bucket(n: int) -> str:
    if n == 1:
        return "1"
    return "2 to 5" if n <= 5 else "6 to 20" if n <= 20 else "more than 20"


def sale_row(sale: Sale, simulated: set[str]) -> dict[str, Any]:
    return {
        "token_id": sale.token.token_id,
        "price_eth": about_ether(sale.price_wei),
        "seller": sale.seller,
        "seller_simulated": sale.seller in simulated,
        "buyer": sale.buyer,
        "buyer_simulated": sale.buyer in simulated,
        "at": sale.block.mined_at,
        "rank": sale.token.artwork.rarity_rank if sale.token.artwork else None,
    }
