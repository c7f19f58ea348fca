"""What wallets sign and send to sell works, buy them, and take them off sale again."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from eth_utils.address import to_checksum_address

from minting.chain import contracts, orders, seaport
from minting.chain.client import Client
from minting.chain.listings import check_terms
from minting.chain.orders import Order
from minting.models import Listing, Token
from minting.services.market import NoMarketplaceError, find_marketplace

SALT_BITS = 64
EARLIER_S = 60  # begins a little before now, for clocks that are behind


@dataclass(frozen=True)
class Call:
    """A transaction: to whom, its input, and what is paid with it."""

    to: str
    data: bytes
    value_wei: int = 0


@dataclass(frozen=True)
class Draft:
    """An order that its seller has to sign.

    ``approval``: what lets the marketplace move works of the seller's, to be sent before; None
    where it may already.
    """

    order: Order
    typed_data: dict[str, Any]
    approval: Call | None
    royalty_wei: int


def draft_listing(
    *, token: Token, price_wei: int, seconds: int, node: Client, now: datetime
) -> Draft:
    """An order by which a work's owner sells it, the royalty included.

    Raises
    ------
    ListingError
        Nobody would show it: a price or a time out of bounds.
    NoMarketplaceError, ChainError
    """
    contract, seller = token.contract, token.owner
    market = find_marketplace(chain_id=contract.chain_id)
    if market is None:
        raise NoMarketplaceError(contract.chain_id)
    address = str(to_checksum_address(contract.address))
    head = node.header("latest")
    assert head is not None
    first, last = sorted((head.timestamp, int(now.timestamp())))  # a local chain's may be ahead
    royalty, allowed, counter = node.read_all(
        [
            (address, contracts.call("royaltyInfo", token.token_id, price_wei)),
            (address, contracts.call("isApprovedForAll", seller, market)),
            (market, seaport.get_counter(seller)),
        ],
        "latest",
    )
    receiver, royalty_wei = contracts.answer("royaltyInfo", royalty)
    payments = [(seller, price_wei - royalty_wei)]
    if royalty_wei:
        payments.append((str(to_checksum_address(receiver)), royalty_wei))
    order = orders.listing(
        offerer=seller,
        contract=address,
        token_id=token.token_id,
        payments=payments,
        start_time=first - EARLIER_S,
        end_time=last + seconds,
        salt=secrets.randbits(SALT_BITS),
        counter=seaport.decode_counter(counter),
    )
    check_terms(order, address, token.token_id, last)
    may = contracts.answer("isApprovedForAll", allowed)
    approval = None if may else Call(address, contracts.call("setApprovalForAll", market, True))
    typed = seaport.typed_data(order, contract.chain_id, market)
    return Draft(order, typed, approval, royalty_wei)


def purchase(listing: Listing) -> Call:
    """What a buyer sends; the marketplace refuses what was sold or taken back."""
    call = seaport.fulfil_order(Order.from_json(listing.order), listing.signature)
    return Call(_market(listing), call, listing.price_wei)


def withdrawal(listing: Listing) -> Call:
    """What a seller sends to take a listing back."""
    return Call(_market(listing), seaport.cancel([Order.from_json(listing.order)]))


def _market(listing: Listing) -> str:
    market = find_marketplace(chain_id=listing.contract.chain_id)
    if market is None:
        raise NoMarketplaceError(listing.contract.chain_id)
    return market
