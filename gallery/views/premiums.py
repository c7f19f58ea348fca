"""What the market pays for: premiums of traits, the price index, and sales that do not count."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from math import exp, log, log1p
from statistics import median
from typing import Any

import numpy as np
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.urls import reverse

from gallery.serializers import about_ether
from gallery.views.plots import HEIGHT, MARGIN, PLOT_PX, WIDTH, interval, scaled, verdict_of
from generation.models import Collection
from minting.models import Sale
from sentiment.models import ScoreRun
from sentiment.services import PeriodPrice, newest_score, read_price_index

FLAGGED_A_PAGE = 25
REASONS = {
    "self_trade": ("self-trade", "self-trades", "sold by a wallet to itself"),
    "round_trip": ("round trip", "round trips", "came back to its seller within 30 days"),
    "cycle": ("cycle", "cycles", "came back to its seller after three to six sales"),
    "outlier": ("outlier", "outliers", "a price that nothing else explains"),
    "bundle": ("bundle share", "bundle shares", "an even share of a common price"),
    "no_price": ("sale without a price", "sales without a price", "the price was 0"),
    "other_currency": ("in another currency", "in other currencies", "not paid in ETH"),
    "no_work": ("of an undrawn work", "of undrawn works", "sold before it was drawn"),
    "unknown_trait": ("with unknown traits", "with unknown traits", "no attribute knows its value"),
}


def premium_context(request: HttpRequest, collection: Collection) -> dict[str, Any]:
    """What the newest score found in the sales, as of the block it read to."""
    run = newest_score(collection)
    if run is None:
        return {"scored": None}
    return {
        "scored": {
            "drop": run.round.drop.number,
            "until_block": run.market["until_block"],
            "n_sales": run.market["n_sales"],
            "results_url": reverse(
                "gallery:results", args=[collection.slug, run.round.drop.number]
            ),
        },
        "premiums": premium_rows(run.market.get("premiums", [])),
        "index": index_plot(read_price_index(run)),
        "flagged": flagged(request, collection, run),
        "plot_px": PLOT_PX,
    }


def premium_rows(premiums: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each attribute with a dot and an interval for each value, the dearest first.

    On a logarithmic scale around nothing, the same for all: twice as dear is as far as half.
    """
    ends = [abs(log1p(row[side])) for row in premiums for side in ("low", "high")]
    reach = max([0.1, *ends])
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(premiums, key=lambda row: -row["premium"]):
        middle, low, high = (log1p(row[name]) for name in ("premium", "low", "high"))
        rows[row["attribute"]].append(
            interval((middle, low, high), reach)
            | {
                "value": row["value"].replace("_", " "),
                "percent": signed(row["premium"]),
                "low": signed(row["low"]),
                "high": signed(row["high"]),
                "n_sales": row["n_sales"],
                "verdict": verdict_of(low, high),
            }
        )
    order = dict.fromkeys(row["attribute"] for row in premiums)
    return [{"title": name.replace("_", " "), "rows": rows[name]} for name in order]


def signed(share: float) -> str:
    """A change in percent, with its sign."""
    return f"{round(100 * share):+d}"


def index_plot(periods: list[PeriodPrice]) -> dict[str, Any] | None:
    """The index of each period with its interval, on a logarithmic scale; nothing for one alone."""
    if len(periods) < 2:
        return None
    bottom, top = log(min(one.low for one in periods)), log(max(one.high for one in periods))
    span = max(top - bottom, 1e-9)
    xs = scaled(range(len(periods)), WIDTH).tolist()

    def y(factor: float) -> float:
        return round(HEIGHT - MARGIN - (log(factor) - bottom) / span * (HEIGHT - 2 * MARGIN), 1)

    points = [
        {
            "x": round(x, 1),
            "y": y(one.index),
            "top": y(one.high),
            "bottom": y(one.low),
            "drop": one.drop_number,
            "first_at": one.first_at,
            "n_sales": one.n_sales,
            "index": f"{100 * one.index:.0f}",
            "low": f"{100 * one.low:.0f}",
            "high": f"{100 * one.high:.0f}",
        }
        for x, one in zip(xs, periods, strict=True)
    ]
    return {
        "line": " ".join(f"{point['x']},{point['y']}" for point in points),
        "points": points,
        "lowest": f"{100 * exp(bottom):.0f}",
        "highest": f"{100 * exp(top):.0f}",
    }


def weekly(sales: Sequence[Sale]) -> dict[str, Any] | None:
    """The median price of each week that had sales, whatever was sold; oldest first."""
    weeks: dict[Any, list[int]] = defaultdict(list)
    for sale in sales:
        at = sale.block.mined_at.date()
        weeks[at - timedelta(days=at.weekday())].append(sale.price_wei)
    if not weeks:
        return None
    order = sorted(weeks)
    medians = [int(median(weeks[week])) for week in order]
    xs = scaled([week.toordinal() for week in order], WIDTH)
    ys = scaled(np.log10([max(price, 1) for price in medians]), HEIGHT)
    return {
        "line": " ".join(f"{x:.1f},{HEIGHT - y:.1f}" for x, y in zip(xs, ys, strict=True)),
        "points": [
            {"x": round(float(x), 1), "y": round(float(HEIGHT - y), 1)}
            for x, y in zip(xs, ys, strict=True)
        ],
        "rows": [
            {"week": week, "median_eth": about_ether(price), "n_sales": len(weeks[week])}
            for week, price in zip(order, medians, strict=True)
        ],
    }


def flagged(request: HttpRequest, collection: Collection, run: ScoreRun) -> dict[str, Any]:
    """Sales that the score left out: how many for which reason, and a page of them."""
    found = run.market.get("discarded", [])
    counts = Counter(row["reason"] for row in found)
    said = [f"{n} {name(reason, n)}" for reason, n in counts.most_common()]
    page = Paginator(found, FLAGGED_A_PAGE).get_page(request.GET.get("flagged"))
    hashes = [row["tx"] for row in page.object_list]
    rows = Sale.objects.filter(token__contract__collection=collection, tx_hash__in=hashes)
    sales = {
        (sale.tx_hash, sale.log_index, sale.position): sale
        for sale in rows.select_related("token", "block").in_order()
    }
    return {
        "n": len(found),
        "says": ", ".join(said),
        "page": page,
        "rows": [
            flagged_row(
                collection, row["reason"], sales.get((row["tx"], row["log"], row["position"]))
            )
            for row in page.object_list
        ],
    }


def name(reason: str, n: int) -> str:
    one, many, _ = REASONS.get(reason, (reason, reason, ""))
    return one if n == 1 else many


def flagged_row(collection: Collection, reason: str, sale: Sale | None) -> dict[str, Any]:
    """A sale left out, and why; a reorganisation may have taken the sale away since."""
    told = {"reason": name(reason, 1), "why": REASONS.get(reason, ("", "", ""))[2]}
    if sale is None:
        return told | {"token_id": None}
    return told | {
        "token_id": sale.token.token_id,
        "url": reverse("gallery:work", args=[collection.slug, sale.token.token_id]),
        "price_eth": about_ether(sale.price_wei),
        "at": sale.block.mined_at,
    }
