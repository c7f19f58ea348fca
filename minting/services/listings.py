"""Listings: signed orders that are kept for buyers, after the chain has been asked about them."""

from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from eth_utils.address import to_checksum_address

from minting.chain import contracts, seaport
from minting.chain.client import Client
from minting.chain.listings import (
    Standing,
    check_standing,
    check_terms,
    price_wei,
)
from minting.chain.orders import Order
from minting.models import Cursor, Listing, Token
from minting.services.chain import connect
from minting.services.market import NoMarketplaceError, find_marketplace

MAX_TRIES = 3


class ChainMovedError(Exception):
    """The logs were read past the block at which the chain was asked, again and again."""


def create_listing(*, token: Token, body: Any, signature: str, now: datetime) -> Listing:
    """Keep a signed order; the same one again is the same row.

    Raises
    ------
    OrderFormatError, SignatureError, ListingError
        It is no order, not signed by its offerer, or not one that could be fulfilled as it is.
    NoMarketplaceError, ChainMovedError, ChainError
        The chain cannot answer now.
    """
    order = Order.from_json(body)
    hashed = seaport.order_hash(order)
    known = Listing.objects.filter(order_hash=hashed).first()
    if known is not None:
        return known
    contract = token.contract
    market = find_marketplace(chain_id=contract.chain_id)
    if market is None:
        raise NoMarketplaceError(contract.chain_id)
    address = to_checksum_address(contract.address)
    check_terms(order, address, token.token_id, int(now.timestamp()))
    signer = seaport.recover(order, signature, contract.chain_id, market)
    if signer != order.offerer:
        raise seaport.SignatureError(f"signed by {signer}, offered by {order.offerer}", signer)
    with connect() as node:
        node.check_chain(contract.chain_id)
        for _ in range(MAX_TRIES):
            number = node.block_number()
            check_standing(order, _standing(node, token, order, market, number))
            listing = _keep(token, order, hashed, signature, number)
            if listing is not None:
                return listing
    raise ChainMovedError(f"block {number} is behind what has been read")


@transaction.atomic
def _keep(token: Token, order: Order, hashed: str, signature: str, number: int) -> Listing | None:
    """The row; None if logs after block ``number`` have been read, which may have voided it.

    From here on the indexer watches the listing, and it reads on from the cursor.
    """
    cursor = Cursor.objects.select_for_update().get(contract=token.contract_id)
    if cursor.number > number:
        return None
    listing, _ = Listing.objects.get_or_create(
        order_hash=hashed,
        defaults={
            "token": token,
            "contract_id": token.contract_id,
            "token_number": token.token_id,
            "seller": order.offerer,
            "price_wei": price_wei(order),
            "starts_at": datetime.fromtimestamp(order.start_time, UTC),
            "expires_at": datetime.fromtimestamp(order.end_time, UTC),
            "order": order.to_json(),
            "signature": signature,
        },
    )
    return listing


def _standing(node: Client, token: Token, order: Order, market: str, number: int) -> Standing:
    collection = token.contract.address
    calls = [
        (collection, contracts.call("ownerOf", token.token_id)),
        (collection, contracts.call("isApprovedForAll", order.offerer, market)),
        (collection, contracts.call("getApproved", token.token_id)),
        (collection, contracts.call("royaltyInfo", token.token_id, price_wei(order))),
        (market, seaport.get_counter(order.offerer)),
        (market, seaport.get_order_status(seaport.order_hash(order))),
    ]
    owner, for_all, approved, royalty, counter, status = node.read_all(calls, number)
    recipient, royalty_wei = contracts.answer("royaltyInfo", royalty)
    is_trusted = str(contracts.answer("getApproved", approved)).lower() == market.lower()
    return Standing(
        owner=str(to_checksum_address(contracts.answer("ownerOf", owner))),
        is_approved=is_trusted or contracts.answer("isApprovedForAll", for_all),
        counter=seaport.decode_counter(counter),
        is_usable=seaport.is_usable(status),
        royalty_recipient=str(to_checksum_address(recipient)),
        royalty_wei=royalty_wei,
    )


def expire_listings(*, now: datetime) -> int:
    """Close listings whose time is over; returns how many."""
    return Listing.objects.overdue(now).update(state=Listing.State.EXPIRED)
