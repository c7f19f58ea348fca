"""Buying works of a drop: its phases, what the wallet may have, and what becomes of a mint."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from gallery.serializers import ether, picture, sale_facts
from gallery.views.public import drop_line, find_drop, revalidated, work_address
from generation.models import Artwork, Drop
from minting.chain.phases import PhaseKind
from minting.models import Commitment, DropEvent, SalePhase, Token
from minting.services import NO_END, awaited_block, place_in_queue

NEWEST = 12
WAITS = "waits"  # in the address of what a page asks for that has no sale yet
CURVE_WIDTH, CURVE_HEIGHT, CURVE_STEPS = 600, 120, 120
WHO = {
    PhaseKind.PUBLIC: "Everybody",
    PhaseKind.LISTED: "Allow list",
    PhaseKind.AUCTION: "Everybody, at a falling price",
    PhaseKind.SIGNED: "Whoever has a ticket",
}


@dataclass(frozen=True)
class PhaseFacts:
    """A phase in words; ``curve`` are the points of an auction's price over time."""

    number: int
    who: str
    state: str
    price_eth: str
    price_says: str
    caps: str
    start: datetime
    end: datetime | None
    curve: str = ""
    now_x: float | None = None
    floor_eth: str = ""
    list_size: int = 0


@revalidated
@require_safe
def mint_page(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    drop = find_drop(slug, number)
    if context := mint_context(drop):
        return render(request, "gallery/mint.html", context)
    return render(request, "gallery/mint_waits.html", waiting_context(drop))


@revalidated
@require_safe
def mint_live(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The part of the page that changes as others mint; a page that waits becomes another one."""
    drop = find_drop(slug, number)
    context = mint_context(drop)
    if context is None:
        return render(request, "gallery/mint_waits_live.html", waiting_context(drop))
    response = render(request, "gallery/mint_live.html", context)
    if WAITS in request.GET:
        response["HX-Refresh"] = "true"
    return response


def waiting_context(drop: Drop) -> dict[str, Any]:
    arguments = [drop.collection.slug, drop.number]
    return {
        "collection": drop.collection,
        "drop": drop,
        "line": drop_line(drop),
        "drop_url": reverse("gallery:drop", args=arguments),
        "live_url": f"{reverse('gallery:mint-live', args=arguments)}?{WAITS}",
    }


def mint_context(drop: Drop) -> dict[str, Any] | None:
    """What the page says of a sale; None before there is one."""
    known = Commitment.objects.light().select_related("collection__contract")
    commitment = known.filter(drop=drop).first()
    minted = Token.objects.filter(drop=drop).count()
    sale = sale_facts(drop, commitment, minted)
    if commitment is None or sale is None:
        return None
    now = timezone.now()
    phases = [
        phase_facts(row, now, is_sold_out=not sale.remaining)
        for row in commitment.phases.in_order()
    ]
    is_final = commitment.events.filter(kind=DropEvent.Kind.SEALED).exists()
    arguments = [drop.collection.slug, drop.number]
    return {
        "collection": drop.collection,
        "drop": drop,
        "is_living": drop.kind == Drop.Kind.ON_THE_FLY,
        "sale": sale,
        "minted": minted,
        "phases": phases,
        "final_by": datetime.fromtimestamp(commitment.final_by, UTC)
        if commitment.final_by and commitment.final_by < NO_END and not is_final
        else None,
        "awaited": awaited(commitment) if drop.kind == Drop.Kind.ON_THE_FLY else None,
        "newest": newest_mints(drop),
        "drop_url": reverse("gallery:drop", args=arguments),
        "live_url": reverse("gallery:mint-live", args=arguments),
        "sale_url": reverse("drop-sale", args=arguments),
        "explorer": settings.CHAIN_EXPLORER_URL,
    }


def awaited(commitment: Commitment) -> int | None:
    """The block that decides the works, until it has."""
    is_decided = commitment.events.filter(kind=DropEvent.Kind.CAPTURED).exists()
    return None if is_decided else awaited_block(commitment)


def phase_facts(
    row: SalePhase, now: datetime, *, is_planned: bool = False, is_sold_out: bool = False
) -> PhaseFacts:
    terms, time = row.phase, int(now.timestamp())
    kind = PhaseKind(row.kind)
    begun = "over" if time >= row.end else "sold out" if is_sold_out else "running"
    is_auction = kind == PhaseKind.AUCTION
    return PhaseFacts(
        number=row.number,
        who=WHO[kind],
        state="planned" if is_planned else "coming" if time < row.start else begun,
        price_eth=ether(terms.price_at(time)),
        price_says=price_says(row),
        caps=caps(row),
        start=datetime.fromtimestamp(row.start, UTC),
        end=datetime.fromtimestamp(row.end, UTC) if row.end < NO_END else None,
        curve=auction_curve(row) if is_auction else "",
        now_x=auction_place(row, time) if is_auction else None,
        floor_eth=ether(terms.floor_wei) if is_auction else "",
        list_size=row.entries.count() if kind == PhaseKind.LISTED else 0,
    )


def price_says(row: SalePhase) -> str:
    terms = row.phase
    if row.kind == PhaseKind.AUCTION:
        return (
            f"From {ether(terms.price_wei)} down to {ether(terms.floor_wei)} ETH, "
            f"by {ether(terms.fall_wei)} ETH every {span(terms.every_s)}; "
            "in the end everybody pays the last price; the rest is claimed back on one's own page"
        )
    if row.kind == PhaseKind.LISTED:
        return "The list has a price for each wallet"
    return "Free" if not row.price_wei else f"{ether(row.price_wei)} ETH a work"


def caps(row: SalePhase) -> str:
    said = [f"{row.max_per_transaction} a transaction"]
    if row.kind == PhaseKind.LISTED:
        said.append("as many a wallet as the list says")
    elif row.max_per_wallet:
        said.append(f"{row.max_per_wallet} a wallet")
    return ", ".join(said)


def span(seconds: int) -> str:
    for name, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {name}"
    return f"{seconds} s"


def auction_end(row: SalePhase) -> int:
    """Where the curve ends: when the price has stopped falling, or the phase is over."""
    terms = row.phase
    falls = -(-(terms.price_wei - terms.floor_wei) // terms.fall_wei)
    return max(min(row.end, row.start + (falls + 1) * terms.every_s), row.start + 1)


def auction_curve(row: SalePhase) -> str:
    """Points x,y of the price as steps, for a polyline of 600 by 120."""
    terms, end = row.phase, auction_end(row)
    span_s, top = end - row.start, max(terms.price_wei, 1)
    points = []
    last_y = None
    for step in range(CURVE_STEPS + 1):
        time = row.start + span_s * step // CURVE_STEPS
        x = CURVE_WIDTH * step / CURVE_STEPS
        y = CURVE_HEIGHT * (1 - terms.price_at(time) / top)
        if last_y is not None and y != last_y:
            points.append(f"{x:.1f},{last_y:.1f}")
        points.append(f"{x:.1f},{y:.1f}")
        last_y = y
    return " ".join(points)


def auction_place(row: SalePhase, time: int) -> float | None:
    if not row.start <= time < row.end:
        return None
    return min(CURVE_WIDTH * (time - row.start) / (auction_end(row) - row.start), CURVE_WIDTH)


def newest_mints(drop: Drop) -> list[dict[str, Any]]:
    """The last works that were minted, with a picture or their place in the queue."""
    tokens = Token.objects.filter(drop=drop).select_related("artwork").order_by("-token_id")
    return [
        {
            "token_id": token.token_id,
            "owner": token.owner,
            "picture": picture(token.artwork) if token.artwork else None,
            "url": _address(drop, token.artwork),
            "place": place_in_queue(token),
        }
        for token in tokens[:NEWEST]
    ]


def _address(drop: Drop, work: Artwork | None) -> str:
    return work_address(drop, work) if work else ""
