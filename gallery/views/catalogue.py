"""The gallery of a collection: filters with counts, orders, and pages that never skip a work."""

import re
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import urlencode

import numpy as np
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from numpy.typing import NDArray

from gallery.serializers import WorkCard, work_card
from gallery.views.public import revalidated
from generation.models import Artwork, Collection
from generation.services import NONE
from generation.services.catalogue import load_catalogue
from generation.traits.facets import DROP, TRAIT, Catalogue, Found, Group, UnknownFacetError
from minting.models import Commitment, Contract, Listing, Token

PAGE_SIZE = 48
SORTS = {"rarity": "Rarest first", "newest": "Newest first", "price": "Cheapest first"}
STATUS = "status"
STATUS_NAMES = {"minted": "Minted", "unminted": "Not minted yet", "for_sale": "For sale"}
ONE_WORK = re.compile(r"#?(\d{1,18})")
ONE_PLACE = re.compile(r"(?:drop\s*)?(\d{1,9})\s*[:/]\s*(\d{1,9})", re.IGNORECASE)
PRICED = re.compile(r"(\d{1,78})-(\d{1,18})")
MAX_CHOSEN = 200  # values in one address


class QueryError(ValueError):
    """An address asks for something that the gallery does not have; the message names it."""


@dataclass(frozen=True)
class Query:
    """What an address of the gallery asks for.

    ``after`` and ``before`` name the work at which a page begins or ends: a token id, or in the
    order of prices ``price-token``.
    """

    chosen: dict[str, tuple[str, ...]]
    sort: str = "rarity"
    text: str = ""
    after: str = ""
    before: str = ""

    @classmethod
    def of(cls, given: QueryDict) -> Self:
        chosen = {
            name: tuple(dict.fromkeys(filter(None, given.getlist(name))))
            for name in given
            if name.startswith(TRAIT) or name in (DROP, STATUS)
        }
        if sum(map(len, chosen.values())) > MAX_CHOSEN:
            raise QueryError(f"more than {MAX_CHOSEN} filters at once")
        sort = given.get("sort") or "rarity"
        if sort not in SORTS:
            raise QueryError(f"no order is called “{sort[:40]}”")
        return cls(
            chosen={name: values for name, values in chosen.items() if values},
            sort=sort,
            text=given.get("q", "").strip()[:80],
            after=given.get("after", ""),
            before=given.get("before", ""),
        )

    def address(self, path: str) -> str:
        """The same question as an address; what is the default is left out."""
        pairs = [(name, value) for name, values in self.chosen.items() for value in values]
        if self.sort != "rarity":
            pairs.append(("sort", self.sort))
        pairs += [(k, v) for k in ("after", "before") if (v := getattr(self, k))]
        return f"{path}?{urlencode(pairs)}".rstrip("?")

    def without(self, name: str, value: str) -> Self:
        kept = {k: tuple(v for v in vs if (k, v) != (name, value)) for k, vs in self.chosen.items()}
        return replace(self.first_page(), chosen={k: vs for k, vs in kept.items() if vs})

    def first_page(self) -> Self:
        return replace(self, after="", before="", text="")


@dataclass(frozen=True)
class Market:
    """What changes while the works do not: which are minted, and what they cost."""

    groups: dict[str, Group]
    prices: list[tuple[int, int]]
    """(price in wei, token id), cheapest first; one each work that is for sale."""

    def price_order(self, catalogue: Catalogue) -> NDArray[np.int64]:
        """Places: the cheapest first, then the unlisted by their ids."""
        listed = np.searchsorted(catalogue.token_ids, [token for _, token in self.prices])
        unlisted = np.ones(len(catalogue), np.bool_)
        unlisted[listed] = False
        return np.concatenate([listed.astype(np.int64), np.flatnonzero(unlisted)])


@revalidated
@require_safe
def works(request: HttpRequest, slug: str) -> HttpResponse:
    collection = get_object_or_404(Collection, slug=slug)
    try:
        query = Query.of(request.GET)
        found = find_one(collection, query.text)
        if found is not None:
            return redirect("gallery:work", slug, found)
        return render(request, "gallery/works.html", works_context(collection, query))
    except QueryError as error:
        context = {"collection": collection, "problem": str(error), "sorts": SORTS}
        return render(request, "gallery/works.html", context, status=400)


def find_one(collection: Collection, text: str) -> int | None:
    """The token id that a search names, as ``12``, ``#12`` or ``drop:index``; None if none does."""
    if match := ONE_WORK.fullmatch(text):
        token_id = int(match[1])
        place = load_catalogue(collection=collection).place_of(token_id)
        return None if place is None else token_id
    if match := ONE_PLACE.fullmatch(text):
        work = Artwork.objects.published(collection).filter(
            drop__number=int(match[1]), index=int(match[2])
        )
        return work.values_list("token_id", flat=True).first()
    return None


def works_context(collection: Collection, query: Query) -> dict[str, Any]:
    catalogue = load_catalogue(collection=collection)
    market = load_market(collection, catalogue)
    try:
        found = catalogue.search(query.chosen, market.groups)
    except UnknownFacetError as error:
        raise QueryError(f"no work has {_plain(error.group)} “{error.value[:60]}”") from error
    path = reverse("gallery:works", args=[collection.slug])
    context = {
        "collection": collection,
        "query": query,
        "path": path,
        "sorts": SORTS,
        "facets": facet_rows(query, found),
        "chips": chips(query, path),
        "clear_url": replace(query.first_page(), chosen={}).address(path),
        "total": found.total,
        "n_works": len(catalogue),
        "missed": query.text,
        "sort_name": SORTS[query.sort],
    }
    return context | ({} if query.text else page_context(catalogue, market, query, found, path))


def load_market(collection: Collection, catalogue: Catalogue) -> Market:
    """Four questions to the database, whatever the number of works."""
    minted = minted_mask(collection, catalogue)
    active = Listing.objects.active(timezone.now()).filter(token__contract__collection=collection)
    offers = list(active.order_by().values_list("token__token_id", "price_wei"))
    known = catalogue.has([token_id for token_id, _ in offers])
    cheapest: dict[int, int] = {}
    for (token_id, price), is_known in zip(offers, known.tolist(), strict=True):
        if is_known:
            cheapest[token_id] = min(price, cheapest.get(token_id, price))
    listed = catalogue.mask_of(list(cheapest))
    masks = {"minted": minted, "unminted": ~minted, "for_sale": listed}
    prices = sorted((price, token_id) for token_id, price in cheapest.items())
    return Market({STATUS: Group.of(masks)}, prices)


def minted_mask(collection: Collection, catalogue: Catalogue) -> NDArray[np.bool_]:
    """Which works are minted. A drop is minted in the order of its ids, so its last one tells all.

    Should the number of tokens not agree with that, all ids are read: slower, and as right.
    """
    contract = Contract.objects.filter(collection=collection).first()
    tokens = Token.objects.filter(contract=contract).order_by()
    inside = tokens.filter(
        token_id__gte=OuterRef("first_token_id"),
        token_id__lt=OuterRef("first_token_id") + OuterRef("count"),
    )
    last = Subquery(inside.order_by("-token_id").values("token_id")[:1])
    commitments = Commitment.objects.filter(collection=collection).annotate(last=last)
    ends = list(commitments.exclude(last=None).values_list("first_token_id", "last"))
    if sum(end - start + 1 for start, end in ends) != tokens.count():
        return catalogue.mask_of(list(tokens.values_list("token_id", flat=True)))
    mask = np.zeros(len(catalogue), np.bool_)
    for start, end in ends:
        first, after = np.searchsorted(catalogue.token_ids, [start, end + 1])
        mask[first:after] = True
    return mask


def page_context(
    catalogue: Catalogue, market: Market, query: Query, found: Found, path: str
) -> dict[str, Any]:
    """The works of one page, and the addresses of the pages beside it."""
    order = {
        "rarity": catalogue.by_rarity,
        "newest": catalogue.newest,
        "price": market.price_order(catalogue),
    }[query.sort]
    at = cursor_place(catalogue, market, query, order)
    chosen = catalogue.slice_after(found.bits, order, at, PAGE_SIZE, backwards=bool(query.before))
    if query.before and not chosen.has_previous:
        # The first page is full, even if fewer than a page stood before.
        chosen = catalogue.slice_after(found.bits, order, 0, PAGE_SIZE)
    prices = {token: price for price, token in market.prices}
    ids = catalogue.artwork_ids[chosen.places].tolist()
    rows = Artwork.objects.select_related("drop__collection").in_bulk(ids)
    cards = [work_card(rows[pk], prices.get(rows[pk].token_id or 0)) for pk in ids]
    base = query.first_page()
    ends = [cursor(query, market, card) for card in cards[:: max(1, len(cards) - 1)]]
    return {
        "works": cards,
        "first": chosen.start + 1,
        "last": chosen.start + len(cards),
        "previous_url": replace(base, before=ends[0]).address(path) if chosen.has_previous else "",
        "next_url": replace(base, after=ends[-1]).address(path) if chosen.has_next else "",
    }


def cursor(query: Query, market: Market, card: WorkCard) -> str:
    """The name of a work's place in the order."""
    is_priced = query.sort == "price" and card.price_wei is not None
    return f"{card.price_wei}-{card.token_id}" if is_priced else str(card.token_id)


def cursor_place(
    catalogue: Catalogue, market: Market, query: Query, order: NDArray[np.int64]
) -> int:
    """The index in ``order`` at which the page begins, or before which it ends.

    In the order of prices a work may have been sold meanwhile: its price still says where it stood.
    """
    given = query.after or query.before
    if not given:
        return 0
    step = 1 if query.after else 0
    if query.sort == "price" and (match := PRICED.fullmatch(given)):
        key = (int(match[1]), int(match[2]))
        place = bisect_left(market.prices, key)
        is_there = place < len(market.prices) and market.prices[place] == key
        return place + (step if is_there else 0)
    if not ONE_WORK.fullmatch(given):
        raise QueryError(f"no page begins at “{given[:40]}”")
    token_id = int(given.removeprefix("#"))
    place_of_token = catalogue.place_of(token_id)
    if place_of_token is None:
        raise QueryError(f"no page begins at “{given[:40]}”")
    if query.sort == "price":
        n_listed = len(market.prices)
        unlisted = catalogue.token_ids[order[n_listed:]]
        return n_listed + int(np.searchsorted(unlisted, token_id + step))
    return int(np.flatnonzero(order == place_of_token)[0]) + step


def facet_rows(query: Query, found: Found) -> list[dict[str, Any]]:
    """Groups of checkboxes: what is on sale, traits, drops."""
    names = [STATUS, *(name for name in found.counts if name not in (STATUS, DROP)), DROP]
    rows = []
    for name in names:
        chosen, counts = query.chosen.get(name, ()), found.counts.get(name, {})
        values = [
            {
                "value": value,
                "name": value_name(name, value),
                "count": n,
                "is_chosen": value in chosen,
                "is_empty": n == 0 and value not in chosen,
            }
            for value, n in (reversed(counts.items()) if name == DROP else counts.items())
        ]
        rows.append(
            {"field": name, "name": _plain(name), "n_chosen": len(chosen), "choices": values}
        )
    return [row for row in rows if row["choices"]]


def chips(query: Query, path: str) -> list[dict[str, str]]:
    """The chosen values, each with the address without it."""
    return [
        {
            "name": value_name(name, value)
            if name in (STATUS, DROP)
            else f"{_plain(name)}: {value_name(name, value)}",
            "url": query.without(name, value).address(path),
        }
        for name, values in query.chosen.items()
        for value in values
    ]


def value_name(group: str, value: str) -> str:
    if group == STATUS:
        return STATUS_NAMES.get(value, value)
    if group == DROP:
        return f"Drop {value}"
    return "none" if value == NONE else value


def _plain(name: str) -> str:
    return {STATUS: "Availability", DROP: "Drop"}.get(
        name, name.removeprefix(TRAIT).replace("_", " ")
    )
