"""What an order must say to be shown as a listing: one token of ours for the native currency."""

from dataclasses import dataclass

from minting.chain.logs import ZERO_ADDRESS
from minting.chain.orders import ERC721, FULL_OPEN, NATIVE, NO_WORD, Order

MAX_PAYMENTS = 10
MAX_PRICE_WEI = 2**96
MAX_DURATION_S = 366 * 24 * 3600
MAX_AHEAD_S = 31 * 24 * 3600


class ListingError(ValueError):
    """An order is no listing that we show; ``code`` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Standing:
    """What the chain said about an order after one block.

    Parameters
    ----------
    royalty_recipient, royalty_wei
        answer of ERC-2981 for the order's price.
    is_usable
        neither cancelled nor filled.
    """

    owner: str
    is_approved: bool
    counter: int
    is_usable: bool
    royalty_recipient: str
    royalty_wei: int


def price_wei(order: Order) -> int:
    """What a buyer pays, fees and royalties included."""
    return sum(item.start_amount for item in order.consideration)


def check_terms(order: Order, contract: str, token_id: int, now: int) -> None:
    """Refuse everything but a plain sale.

    Parameters
    ----------
    now : seconds since 1970.

    Raises
    ------
    ListingError
    """
    if [(i.item_type, i.token, i.identifier) for i in order.offer] != [
        (ERC721, contract, token_id)
    ] or (order.offer[0].start_amount, order.offer[0].end_amount) != (1, 1):
        raise ListingError("wrong_offer", "the order does not offer this one token")
    if not 1 <= len(order.consideration) <= MAX_PAYMENTS:
        raise ListingError("wrong_payment", f"1 to {MAX_PAYMENTS} payments are possible")
    for item in order.consideration:
        if (item.item_type, item.token, item.identifier) != (NATIVE, ZERO_ADDRESS, 0):
            raise ListingError("wrong_currency", "payments are in the native currency only")
        if item.start_amount != item.end_amount:
            raise ListingError("wrong_payment", "the price must not change with time")
        if item.recipient == ZERO_ADDRESS:
            raise ListingError("wrong_payment", "a payment has no recipient")
    if not 1 <= price_wei(order) < MAX_PRICE_WEI:
        raise ListingError("wrong_price", f"the price is not in 1..{MAX_PRICE_WEI - 1} wei")
    special = (order.order_type, order.zone, order.zone_hash, order.conduit_key)
    if special != (FULL_OPEN, ZERO_ADDRESS, NO_WORD, NO_WORD):
        raise ListingError("wrong_kind", "order type, zone, zone hash and conduit key must be 0")
    _check_times(order, now)


def _check_times(order: Order, now: int) -> None:
    if order.end_time <= max(now, order.start_time):
        raise ListingError("expired", "the listing ends before it can be bought")
    if order.start_time > now + MAX_AHEAD_S:
        raise ListingError("wrong_times", "the listing starts more than 31 days from now")
    if order.end_time > max(now, order.start_time) + MAX_DURATION_S:
        raise ListingError("wrong_times", "the listing lasts more than 366 days")


def check_standing(order: Order, standing: Standing) -> None:
    """Refuse an order that nobody could fulfil, or that leaves the royalty out.

    Raises
    ------
    ListingError
    """
    if standing.owner != order.offerer:
        raise ListingError("not_owner", f"the token belongs to {standing.owner}")
    if standing.counter != order.counter:
        raise ListingError("wrong_counter", f"the seller's counter is {standing.counter}")
    if not standing.is_usable:
        raise ListingError("not_usable", "the order has been cancelled or filled")
    if not standing.is_approved:
        raise ListingError("not_approved", "the marketplace may not move the token yet")
    paid = sum(
        item.start_amount
        for item in order.consideration
        if item.recipient == standing.royalty_recipient
    )
    if paid < standing.royalty_wei:
        raise ListingError(
            "royalty_missing",
            f"{standing.royalty_wei} wei go to {standing.royalty_recipient}, not {paid}",
        )
