"""What a wallet has, did and is owed, from public rows."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from eth_utils.address import is_address, to_checksum_address

from gallery.serializers import about_ether, ether, picture
from gallery.views.public import revalidated, work_address
from generation.models import Collection
from minting.chain.client import ChainError
from minting.chain.logs import ZERO_ADDRESS
from minting.models import (
    Contract,
    Delegation,
    Listing,
    Sale,
    Stake,
    Token,
    Transfer,
    VotingPower,
)
from minting.services import (
    Owed,
    connect,
    find_delegate,
    find_owed,
    may_owe,
    public_rpc_url,
    voting_power,
)
from sentiment.models import Vote, Voter
from sentiment.services import simulated_among

PAGE = 48
N_EVENTS = 60
# What each call to a collection is for, and what its button says.
CLAIMS = {
    "settle": (
        "The auction is over. Settle it first, as anybody may: then the last price is everybody's.",
        "Settle it",
    ),
    "claimRefund": ("You paid more than the auction's last price.", "Claim it back"),
    "fail": (
        "The works were not final in time. Say so first, as anybody may: then they can go back.",
        "Declare it failed",
    ),
    "refund": (
        "The drop has failed. Your works go back for what they cost, and are burnt.",
        "Give them back",
    ),
}


@revalidated
@require_safe
def holder(request: HttpRequest, address: str) -> HttpResponse:
    if not is_address(address):
        raise Http404("not an address")
    wallet = str(to_checksum_address(address))
    voter = Voter.objects.filter(address=wallet).first()
    owned = Token.objects.filter(owner=wallet)
    slug = request.GET.get("collection", "")
    collections = Collection.objects.filter(drops__tokens__owner=wallet).annotate(
        n_owned=Count("drops__tokens", filter=Q(drops__tokens__owner=wallet))
    )
    shown = owned.filter(drop__collection__slug=slug) if slug else owned
    rows = shown.select_related("artwork", "drop__collection", "contract").order_by("-pk")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    is_own = request.user.get_username() == wallet
    staking = pools(collections) if is_own else []
    owed = owed_context(wallet) if is_own else {"owed": []}
    votes = voting(wallet)
    idle = [one for one in votes if one["delegate"] != wallet]
    context = {
        "wallet": wallet,
        "is_own": is_own,
        "voter": voter,
        "collections": collections.order_by("name"),
        "chosen": slug,
        "page": page,
        "works": work_rows(page.object_list),
        "pools": staking,
        "voting": votes,
        **owed,
        "wallet_acts": is_own and bool(staking or idle or owed["owed"]),
        "chain_id": settings.CHAIN_ID,
        "rpc_url": public_rpc_url(),
        "numbers": numbers(wallet, owned, voter),
        "events": events(wallet),
    }
    return render(request, "gallery/holder.html", context)


def work_rows(tokens: Iterable[Token]) -> list[dict[str, Any]]:
    shown = list(tokens)
    running = Stake.objects.running().filter(token__in=shown).select_related("block")
    since = {stake.token_id: stake.block.mined_at for stake in running}
    return [work_row(token, since.get(token.pk)) for token in shown]


def work_row(token: Token, staked_since: datetime | None) -> dict[str, Any]:
    work = token.artwork
    return {
        "staked_since": staked_since,
        "staking": token.contract.staking_address,
        "token_id": token.token_id,
        "collection": token.drop.collection,
        "drop": token.drop.number,
        "picture": picture(work) if work else None,
        "rank": work.rarity_rank if work else None,
        "url": work_address(token.drop, work) if work else mint_address(token),
    }


def pools(collections: Iterable[Collection]) -> list[dict[str, str]]:
    """Where works of these collections can be staked."""
    contracts = Contract.objects.filter(collection__in=collections).exclude(staking_address="")
    return [
        {"name": one.collection.name, "address": one.staking_address}
        for one in contracts.select_related("collection").order_by("collection__name")
    ]


def owed_context(wallet: str) -> dict[str, Any]:
    """What contracts owe the wallet; they are asked only where the rows say that they may."""
    if not may_owe(wallet=wallet):
        return {"owed": []}
    try:
        with connect() as node:
            found = find_owed(wallet=wallet, node=node)
    except ChainError as error:
        return {"owed": [], "trouble": f"The chain cannot be asked what it owes you: {error}"}
    return {"owed": [owed_row(owed) for owed in found]}


def owed_row(owed: Owed) -> dict[str, Any]:
    says, button = CLAIMS[owed.function]
    return {
        "title": f"{owed.collection}, drop {owed.drop_number}",
        "says": says,
        "button": button,
        "amount_eth": ether(owed.amount_wei),
        "contract": owed.contract,
        "function": owed.function,
        "arguments": json.dumps(owed.arguments),
    }


def voting(wallet: str) -> list[dict[str, Any]]:
    """The wallet's votes on chain, of each collection whose works vote and that it has to do with.

    The newest blocks that are read count; a work votes once its owner has named a delegate.
    """
    powers = VotingPower.objects.filter(contract=OuterRef("pk"), wallet=wallet)
    named = Delegation.objects.filter(contract=OuterRef("pk"), holder=wallet)
    owned = Token.objects.filter(contract=OuterRef("pk"), owner=wallet)
    mine = Exists(powers) | Exists(named) | Exists(owned)
    rows = Contract.objects.deployed().filter(mine, has_votes=True)
    return [
        {
            "collection": one.collection,
            "contract": one.address,
            "votes": voting_power(contract=one, wallet=wallet, number=one.cursor.number),
            "delegate": find_delegate(contract=one, holder=wallet),
        }
        for one in rows.select_related("collection", "cursor").order_by("collection__name", "pk")
    ]


def mint_address(token: Token) -> str:
    return reverse("gallery:mint-page", args=[token.drop.collection.slug, token.drop.number])


def numbers(wallet: str, owned: QuerySet[Token], voter: Voter | None) -> list[tuple[str, str]]:
    """What there is to say in figures."""
    now = timezone.now()
    minted = Transfer.objects.filter(sender=ZERO_ADDRESS, recipient=wallet)
    native = Q(currency=ZERO_ADDRESS)
    bought = Sale.objects.filter(native, buyer=wallet)
    sold = Sale.objects.filter(native, seller=wallet)
    offered = Listing.objects.active(now).filter(seller=wallet)
    votes = Vote.objects.filter(voter=voter) if voter else Vote.objects.none()
    return [
        ("Works", f"{owned.count():,}"),
        ("Minted", f"{minted.count():,}"),
        ("Bought", told(bought)),
        ("Sold", told(sold)),
        ("Staked", f"{Stake.objects.running().filter(owner=wallet).count():,}"),
        ("For sale now", f"{offered.count():,}"),
        ("Votes cast", f"{votes.count():,}"),
    ]


def told(sales: QuerySet[Sale]) -> str:
    """How many, and for how much together."""
    prices = list(sales.values_list("price_wei", flat=True))
    return f"{len(prices):,} for {about_ether(sum(prices))} ETH" if prices else "0"


def events(wallet: str) -> list[dict[str, Any]]:
    """What happened to the wallet's works, the newest first."""
    mine = Q(sender=wallet) | Q(recipient=wallet)
    moves = Transfer.objects.filter(mine).select_related("block", "token__drop__collection")
    newest = list(moves.in_order().reverse()[:N_EVENTS])
    hashes = {move.tx_hash for move in newest}
    sales = {
        (sale.tx_hash, sale.token_id): sale for sale in Sale.objects.filter(tx_hash__in=hashes)
    }
    rows = [event(wallet, move, sales.get((move.tx_hash, move.token_id))) for move in newest]
    simulated = simulated_among(row["other"] for row in rows)
    return [row | {"is_simulated": row["other"] in simulated} for row in rows]


def event(wallet: str, move: Transfer, sale: Sale | None) -> dict[str, Any]:
    got = move.recipient == wallet
    other = move.sender if got else move.recipient
    if move.is_mint:
        kind, price = "Minted", f"{ether(move.token.price_wei)} ETH"
        price = price if move.token.phase is not None else ""
        other = ""
    elif sale is not None:
        unit = "ETH" if sale.currency == ZERO_ADDRESS else f"of token {sale.currency}"
        kind, price = "Bought" if got else "Sold", f"{ether(sale.price_wei)} {unit}"
    else:
        kind, price = "Received" if got else "Sent", ""
    return {
        "kind": kind,
        "price": price,
        "other": other,
        "preposition": "from" if got else "to",
        "token_id": move.token.token_id,
        "collection": move.token.drop.collection,
        "at": move.block.mined_at,
        "tx_hash": move.tx_hash,
    }
