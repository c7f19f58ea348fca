"""Pools in which others trade: price, depth, volume and swaps from rows; and naming one."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from gallery.forms.pools import PoolForm
from gallery.views.console import lead_only
from gallery.views.plots import HEIGHT, WIDTH, scaled
from gallery.views.public import revalidated
from generation.models import Collection
from minting.chain.client import ChainError
from minting.chain.liquidity import price_of_reserves, price_of_root
from minting.chain.pools import V2
from minting.models import LiquiditySnapshot, Pool, Swap
from minting.services import CreationUnknownError, PoolKnownError, connect, register_pool
from sentiment.services import simulated_among

DAYS = 14
MAX_SWAPS = 20_000  # the newest ones of those days
MAX_SNAPSHOTS = 4_000
N_POINTS = 320  # two pixels each
N_SWAPS = 5
PAGE = 50
Q96 = 2**96

Traded = tuple[datetime, int]  # when, and the amount of token 0


@dataclass(frozen=True)
class Line:
    """A quantity over time, as the points of a polyline, and its ends in words."""

    points: str
    lowest: str
    highest: str


@dataclass(frozen=True)
class Bar:
    """What was traded on a day."""

    x: float
    y: float
    width: float
    height: float
    says: str


def pool_cards(collection: Collection) -> list[dict[str, Any]]:
    rows = collection.pools.select_related("cursor").order_by("created_at", "pk")
    return [card(pool, newest_swaps(pool)[:N_SWAPS]) for pool in rows]


def card(pool: Pool, swaps: Iterable[Swap]) -> dict[str, Any]:
    """What a page shows of a pool, from rows alone."""
    newest = pool.snapshots.select_related("block").in_order().reverse()[:MAX_SNAPSHOTS]
    snapshots = list(newest)[::-1]
    traded = list(
        pool.swaps.since(timezone.now() - timedelta(days=DAYS))
        .in_order()
        .reverse()
        .values_list("block__mined_at", "amount0")[:MAX_SWAPS]
    )
    volumes = bars(pool, traded)
    return {
        "pool": pool,
        "fee_percent": f"{pool.fee_pips / 10_000:g}",
        "facts": facts(pool, snapshots, traded),
        "prices": line([price(pool, one) for one in snapshots], snapshots),
        "depths": line([depth(pool, one) for one in snapshots], snapshots),
        "since": snapshots[0].block.mined_at if snapshots else None,
        "until": snapshots[-1].block.mined_at if snapshots else None,
        "volumes": volumes,
        "busiest": max(volumes, key=lambda bar: bar.height).says if volumes else "",
        "days": DAYS,
        "is_cut": len(traded) == MAX_SWAPS,
        "swaps": swap_rows(pool, list(swaps)),
        "width": WIDTH,
        "height": HEIGHT,
    }


def newest_swaps(pool: Pool) -> Any:
    return pool.swaps.select_related("block").in_order().reverse()


def price(pool: Pool, snapshot: LiquiditySnapshot) -> float:
    """Token 1 for one token 0."""
    decimals = (pool.decimals0, pool.decimals1)
    if pool.kind == V2:
        return price_of_reserves(snapshot.reserve0, snapshot.reserve1, *decimals)
    return price_of_root(snapshot.sqrt_price_x96, *decimals)


def reserves(pool: Pool, snapshot: LiquiditySnapshot) -> tuple[int, int]:
    """What a v2 pool has; of a v3 pool the v2 reserves that would be as deep at its price.

    L / sqrt(P) and L * sqrt(P): Uniswap v3 Core, equations 6.3 and 6.4.
    """
    if pool.kind == V2:
        return snapshot.reserve0, snapshot.reserve1
    root = snapshot.sqrt_price_x96 or 1
    return snapshot.liquidity * Q96 // root, snapshot.liquidity * root // Q96


def depth(pool: Pool, snapshot: LiquiditySnapshot) -> float:
    """sqrt(x * y) of the reserves, in whole tokens."""
    reserve0, reserve1 = reserves(pool, snapshot)
    return math.sqrt(whole(reserve0, pool.decimals0) * whole(reserve1, pool.decimals1))


def facts(
    pool: Pool, snapshots: Sequence[LiquiditySnapshot], traded: Sequence[Traded]
) -> list[tuple[str, str]]:
    week = timezone.now() - timedelta(days=7)
    recent = [abs(amount0) for at, amount0 in traded if at >= week]
    told = [
        ("Swaps, 7 days", f"{len(recent):,}"),
        ("Volume, 7 days", f"{amount(sum(recent), pool.decimals0)} {pool.units[0]}"),
        ("Read to block", f"{pool.cursor.number:,}"),
    ]
    if not snapshots:
        return told
    last = snapshots[-1]
    reserve0, reserve1 = reserves(pool, last)
    name = "Reserves" if pool.kind == V2 else "In range, as deep as"
    return [
        (f"Price of 1 {pool.units[0]}", f"{short(price(pool, last))} {pool.units[1]}"),
        (
            name,
            f"{amount(reserve0, pool.decimals0)} {pool.units[0]} and "
            f"{amount(reserve1, pool.decimals1)} {pool.units[1]}",
        ),
        *told,
    ]


def line(values: Sequence[float], snapshots: Sequence[LiquiditySnapshot]) -> Line | None:
    """Values at their times, each until the next; some are left out where they are too many."""
    step = max(1, len(values) // N_POINTS)
    kept = list(zip(values, snapshots, strict=True))[::-step][::-1]
    if not kept:
        return None
    x = scaled([one.block.mined_at.timestamp() for _, one in kept], WIDTH)
    y = HEIGHT - scaled([value for value, _ in kept], HEIGHT)
    points, before = [], None
    for left, top in zip(x, y, strict=True):
        if before is not None:
            points.append(f"{left:.1f},{before:.1f}")
        points.append(f"{left:.1f},{top:.1f}")
        before = top
    shown = [value for value, _ in kept]
    return Line(" ".join(points), short(min(shown)), short(max(shown)))


def bars(pool: Pool, traded: Sequence[Traded]) -> list[Bar]:
    """Volume of the last days in token 0, the newest on the right; none where nothing was traded.

    A day is one of UTC.
    """
    if not traded:
        return []
    by_day: Counter[date] = Counter()
    for at, amount0 in traded:
        by_day[at.date()] += abs(amount0)
    today = timezone.now().date()
    days = [today - timedelta(days=back) for back in range(DAYS)][::-1]
    most = max(by_day.values()) or 1
    each = WIDTH / DAYS
    found = []
    for place, day in enumerate(days):
        height = by_day[day] / most * (HEIGHT - 20)
        says = f"{day:%d %b %Y}: {amount(by_day[day], pool.decimals0)} {pool.units[0]}"
        found.append(
            Bar(round(place * each + 4, 1), round(HEIGHT - height, 1), each - 8, height, says)
        )
    return found


def amount(units: int, decimals: int) -> str:
    """An amount in whole tokens."""
    return short(whole(units, decimals))


def whole(units: int, decimals: int) -> float:
    return float(Decimal(units).scaleb(-decimals))


def short(value: float) -> str:
    """Six digits, or all before the point; below one, four that matter."""
    if 0 < abs(value) < 1:
        return f"{value:.4g}"
    n_after = max(0, 6 - len(f"{abs(value):.0f}"))
    text = f"{value:,.{n_after}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def swap_rows(pool: Pool, swaps: Sequence[Swap]) -> list[dict[str, Any]]:
    simulated = simulated_among(swap.recipient for swap in swaps)
    return [swap_row(pool, swap) | {"is_simulated": swap.recipient in simulated} for swap in swaps]


def swap_row(pool: Pool, swap: Swap) -> dict[str, Any]:
    """A swap in words: what was given for what, by whom it was got."""
    first = (amount(abs(swap.amount0), pool.decimals0), pool.units[0])
    second = (amount(abs(swap.amount1), pool.decimals1), pool.units[1])
    given, got = (first, second) if swap.amount0 > 0 else (second, first)
    return {
        "at": swap.block.mined_at,
        "given": " ".join(given),
        "got": " ".join(got),
        "who": swap.recipient,
        "tx_hash": swap.tx_hash,
    }


@revalidated
@require_safe
def pool_page(request: HttpRequest, slug: str, address: str) -> HttpResponse:
    """A pool with all its swaps, the newest first."""
    rows = Pool.objects.select_related("collection", "cursor")
    pool = get_object_or_404(rows, collection__slug=slug, address=address)
    page = Paginator(newest_swaps(pool), PAGE).get_page(request.GET.get("page"))
    context = {
        "collection": pool.collection,
        "card": card(pool, page.object_list),
        "page": page,
    }
    return render(request, "gallery/pool_page.html", context)


@lead_only
def pools(request: HttpRequest, slug: str) -> HttpResponse:
    """A collection's pools, how far they are read, and another one."""
    collection = get_object_or_404(Collection, slug=slug)
    form = PoolForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with connect() as node:
                pool = register_pool(node=node, collection=collection, **form.cleaned_data)
        except (ValueError, PoolKnownError, CreationUnknownError, ChainError) as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{pool.name} is read from block {pool.first_block:,} on.")
            return redirect("gallery:pools", collection.slug)
    status = 400 if request.method == "POST" else 200
    rows = collection.pools.select_related("cursor").order_by("created_at", "pk")
    context = {"collection": collection, "form": form, "pools": rows}
    return render(request, "gallery/pools.html", context, status=status)
