"""One published work: what it shows, how rare that is, where it comes from and where it went."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from gallery.serializers import alternative, ether, picture, work_card
from gallery.views.living import living_context
from gallery.views.past import past_chart, read_records, token_events
from gallery.views.public import revalidated
from generation.models import Artwork, Collection, Drop
from generation.services.catalogue import load_catalogue, nearest_works
from generation.traits.facets import TRAIT, Breakdown, Catalogue
from minting.models import Commitment, Listing, Seal, Token
from minting.services import find_account, find_marketplace, public_rpc_url
from sentiment.models import Comment, Round, Voter
from sentiment.services import read_liking, simulated_among

N_NEIGHBOURS = 6
N_COMMENTS = 50


@revalidated
@require_safe
def work_page(request: HttpRequest, slug: str, token_id: int) -> HttpResponse:
    collection = get_object_or_404(Collection, slug=slug)
    catalogue = load_catalogue(collection=collection)
    work = find_work(catalogue, token_id)
    page = request.build_absolute_uri(reverse("gallery:work", args=[slug, token_id]))
    found = market_context(work)
    context = {
        "collection": collection,
        "work": work,
        "drop": work.drop,
        "picture": picture(work),
        "works_url": reverse("gallery:works", args=[slug]),
        "page_url": page,
        "card_url": request.build_absolute_uri(reverse("gallery:work-card", args=[slug, token_id])),
        "share_title": f"{collection.name} #{token_id}",
        "share_text": alternative(work),
        "share": share_addresses(page, f"{collection.name} #{token_id}"),
        **beside(catalogue, collection, token_id),
        **rarity_context(catalogue, work),
        **check_context(work),
        **found,
        **living_context(found["token"]),
        "comments": comments(work),
        **opinion_context(work, request),
        "neighbours": neighbours(work),
    }
    return render(request, "gallery/work.html", context)


def opinion_context(work: Artwork, request: HttpRequest) -> dict[str, Any]:
    """What the visitor says of a work, if they may, and what others say, if they may know.

    While its drop is voted on the counts are for those who have said what they think.
    """
    voter = Voter.objects.filter(user_id=request.user.pk).first() if request.user.pk else None
    current = Round.objects.filter(drop=work.drop_id).first()
    if current is None:
        return {"may_comment": voter is not None, "is_voted_on": False}
    liking = read_liking(artwork=work, voter=voter)
    is_told = liking.own is not None or not current.is_open
    counts = f"{liking.liked} like it, {liking.disliked} do not"
    return {
        "may_comment": voter is not None,
        "is_voted_on": True,
        "opinion": {None: "", True: "up", False: "down"}[liking.own],
        "liking": counts if is_told and liking.liked + liking.disliked else "",
    }


def find_work(catalogue: Catalogue, token_id: int) -> Artwork:
    """A published work by its token id, minted or not."""
    place = catalogue.place_of(token_id)
    if place is None:
        raise Http404("no published work has this token id")
    pk = int(catalogue.artwork_ids[place])
    rows = Artwork.objects.select_related(
        "drop__collection", "drop__checkpoint", "drop__parameter_set"
    )
    return get_object_or_404(rows, pk=pk)


def beside(catalogue: Catalogue, collection: Collection, token_id: int) -> dict[str, str]:
    """Addresses of the works before and after this one, by token id."""
    place = catalogue.place_of(token_id)
    assert place is not None
    found = {}
    for name, other in (("previous_url", place - 1), ("next_url", place + 1)):
        if 0 <= other < len(catalogue):
            there = int(catalogue.token_ids[other])
            found[name] = reverse("gallery:work", args=[collection.slug, there])
    return found


def rarity_context(catalogue: Catalogue, work: Artwork) -> dict[str, Any]:
    """Each trait with its share of the drop and its bits; wishes that the picture did not grant."""
    assert work.token_id is not None
    found = catalogue.breakdown(work.drop.number, work.token_id)
    peers = Artwork.objects.filter(drop=work.drop_id, rarity_rank=work.rarity_rank)
    return {
        "traits": trait_rows(work, found),
        "rarity": found,
        "n_tied": peers.count(),
        "confidence_percent": round(100 * work.confidence),
    }


def trait_rows(work: Artwork, found: Breakdown) -> list[dict[str, Any]]:
    works = reverse("gallery:works", args=[work.drop.collection.slug])
    rows = []
    for share in found.shares:
        asked = work.requested.get(share.attribute)
        rows.append(
            {
                "name": share.attribute.replace("_", " "),
                "value": share.value,
                "asked": asked if asked not in (None, share.value) else "",
                "percent": 100 * share.share,
                "count": share.count,
                "bits": share.bits,
                "width": round(100 * share.share, 1),
                "url": f"{works}?{urlencode({TRAIT + share.attribute: share.value})}",
            }
        )
    return rows


def check_context(work: Artwork) -> dict[str, Any]:
    """Where the browser finds what it needs to check the work itself."""
    rows = Commitment.objects.light().select_related("collection__contract")
    commitment = get_object_or_404(rows, drop=work.drop_id)
    arguments = [work.drop.collection.slug, work.token_id]
    is_living = work.drop.kind == Drop.Kind.ON_THE_FLY
    sealed = Seal.objects.defer("manifest").filter(commitment=commitment).first()
    published = sealed if is_living else commitment
    metadata = "work-metadata" if published else "live-metadata"
    return {
        "is_final": published is not None,
        "published": published,
        "contract": commitment.collection.contract,
        "rpc_url": public_rpc_url(),
        "proof_url": reverse("gallery:work-proof", args=arguments),
        "metadata_url": reverse(f"gallery:{metadata}", args=arguments),
    }


def market_context(work: Artwork) -> dict[str, Any]:
    """The owner, an offer to sell, and everything that happened to the token, newest first."""
    token = (
        Token.objects.filter(artwork=work)
        .select_related("minted_block", "contract__collection")
        .first()
    )
    if token is None:
        return {"token": None, "events": []}
    offer = Listing.objects.active(timezone.now()).filter(token=token).cheapest_first().first()
    records = read_records(token)
    events = token_events(records)
    simulated = simulated_among(
        {token.owner, *(row[side] for row in events for side in ("sender", "recipient"))}
    )
    for row in events:
        row["sender_simulated"] = row["sender"] in simulated
        row["recipient_simulated"] = row["recipient"] in simulated
    return {
        "token": token,
        "account": find_account(token),
        "owner_simulated": token.owner in simulated,
        "offer": offer,
        "offer_eth": "" if offer is None else ether(offer.price_wei),
        "trade": trade_context(token, offer),
        "events": events,
        "past": past_chart(records, this_hour()),
    }


def trade_context(token: Token, offer: Listing | None) -> dict[str, str]:
    """Where a wallet learns what to sign and send; nothing where the work cannot be traded here."""
    contract = token.contract
    if not public_rpc_url() or find_marketplace(chain_id=contract.chain_id) is None:
        return {}
    if offer is None and token.stakes.running().exists():
        return {}
    arguments = [contract.address, token.token_id]
    return {
        "draft_url": reverse("listing-draft", args=arguments),
        "listings_url": reverse("token-listings", args=arguments),
        "offer_url": reverse("listing-trade", args=[offer.order_hash]) if offer else "",
        "royalty": f"{contract.royalty_bps / 100:g} %",
    }


def this_hour() -> datetime:
    """So that a page which nothing has changed stays the same for a while."""
    return timezone.now().replace(minute=0, second=0, microsecond=0)


def comments(work: Artwork) -> list[Comment]:
    return list(work.comments.visible().select_related("voter")[:N_COMMENTS])


def neighbours(work: Artwork) -> list[dict[str, Any]]:
    near = dict(nearest_works(work=work, n=N_NEIGHBOURS))
    rows = Artwork.objects.filter(drop=work.drop_id, token_id__in=near)
    cards = [work_card(row) for row in rows.select_related("drop__collection")]
    cards.sort(key=lambda card: near[card.token_id])
    return [{"card": card, "distance": near[card.token_id]} for card in cards]


def share_addresses(page: str, title: str) -> list[tuple[str, str]]:
    """(name, address) of services that take a link; nothing of theirs is loaded here."""
    return [
        ("Bluesky", f"https://bsky.app/intent/compose?{urlencode({'text': f'{title} {page}'})}"),
        ("Mastodon", f"https://mastodonshare.com/?{urlencode({'text': title, 'url': page})}"),
        ("Email", f"mailto:?{urlencode({'subject': title, 'body': page})}"),
    ]
