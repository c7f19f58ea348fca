"""Seaport's events, and which tokens were sold by them for how much.

OrderFulfilled (seaport-types, SeaportInterface.sol) names what the offerer gave and what was
received in return, fees and royalties included. Orders that were matched with each other
(matchOrders) emit an event each and are named together by OrdersMatched: a token that one of them
offers and another asks for was sold once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address

from minting.chain.logs import LogError, Place, TransferLog, in_chain, party, read_place
from minting.chain.orders import Item
from minting.provenance.keccak import keccak256

_SPENT = "(uint8,address,uint256,uint256)"
_RECEIVED = "(uint8,address,uint256,uint256,address)"
_FULFILLED = f"OrderFulfilled(bytes32,address,address,address,{_SPENT}[],{_RECEIVED}[])"


def _topic(signature: str) -> str:
    return "0x" + keccak256(signature.encode()).hex()


FULFILLED_TOPIC = _topic(_FULFILLED)
MATCHED_TOPIC = _topic("OrdersMatched(bytes32[])")
CANCELLED_TOPIC = _topic("OrderCancelled(bytes32,address,address)")
COUNTER_TOPIC = _topic("CounterIncremented(uint256,address)")


@dataclass(frozen=True)
class FulfilledLog:
    place: Place
    order_hash: str
    offerer: str
    recipient: str
    offer: tuple[Item, ...]
    consideration: tuple[Item, ...]


@dataclass(frozen=True)
class MatchedLog:
    place: Place
    order_hashes: frozenset[str]


@dataclass(frozen=True)
class CancelledLog:
    place: Place
    order_hash: str


@dataclass(frozen=True)
class CounterLog:
    """All orders of ``offerer`` with a lower counter are void."""

    place: Place
    offerer: str
    counter: int


MarketLog = FulfilledLog | MatchedLog | CancelledLog | CounterLog


@dataclass(frozen=True)
class SaleLog:
    """One token of the collection, sold.

    Parameters
    ----------
    place, position
        the log that names the token, and its number among the tokens that the log moves.
    buyer
        empty where the transaction does not show one.
    currency
        the zero address for the native one.
    is_bundle
        whether the price is an even share of what several tokens cost together.
    """

    place: Place
    position: int
    order_hash: str
    token_id: int
    seller: str
    buyer: str
    currency: str
    price_wei: int
    is_bundle: bool


def decode_market(raw: Iterable[Mapping[str, Any]]) -> list[MarketLog]:
    """Seaport's logs that concern sales and listings, in the order of the chain; others left out.

    Raises
    ------
    LogError
        A log has one of the topics and is damaged.
    """
    known = {FULFILLED_TOPIC, MATCHED_TOPIC, CANCELLED_TOPIC, COUNTER_TOPIC}
    found = [_decode(entry) for entry in raw if entry["topics"] and entry["topics"][0] in known]
    return sorted(found, key=in_chain)


def sales(
    market: Sequence[MarketLog], transfers: Sequence[TransferLog], contract: str
) -> list[SaleLog]:
    """What was sold of ``contract``, in the order of the chain.

    Who gave and who got a token is read from the token's own transfers. A token that changed hands
    without a payment in one currency, or for another token, was not sold: a gift, an exchange.
    """
    found: list[SaleLog] = []
    for tx_hash in dict.fromkeys(log.place.tx_hash for log in transfers):
        moves = [log for log in transfers if log.place.tx_hash == tx_hash]
        here = [log for log in market if log.place.tx_hash == tx_hash]
        for group in _groups(here):
            found += _sales_of(group, moves, contract)
    return found


def _groups(logs: Sequence[MarketLog]) -> Iterator[list[FulfilledLog]]:
    """Fulfilled orders of one transaction: those matched together, and each other one alone."""
    fulfilled = [log for log in logs if isinstance(log, FulfilledLog)]
    for log in logs:
        if isinstance(log, MatchedLog):
            before = [f for f in fulfilled if f.place.log_index < log.place.log_index]
            together = [f for f in before if f.order_hash in log.order_hashes]
            fulfilled = [f for f in fulfilled if f not in together]
            yield together
    for log in fulfilled:
        yield [log]


def _sales_of(
    group: Sequence[FulfilledLog], moves: Sequence[TransferLog], contract: str
) -> Iterator[SaleLog]:
    offered: set[int] = set()
    for log in group:
        tokens = _tokens(log.offer)
        for position, item in enumerate(tokens):
            if item.token != contract:
                continue
            offered.add(item.identifier)
            bid = _bid_for(item, group)
            if bid is None and _is_exchange(log):
                continue
            paid = _paid(bid.offer if bid else log.consideration)
            n_tokens = len(_tokens(bid.consideration)) if bid else len(tokens)
            move = _move(moves, item.identifier, sender=log.offerer)
            buyer = move.recipient if move else ""
            yield from _sale(log, position, item, log.offerer, buyer, paid, n_tokens)
    for log in group:
        tokens = _tokens(log.consideration)
        for position, item in enumerate(tokens):
            if item.token != contract or item.identifier in offered or _tokens(log.offer):
                continue
            move = _move(moves, item.identifier, recipient=item.recipient)
            seller = move.sender if move else log.recipient
            paid = _paid(log.offer)
            yield from _sale(log, position, item, seller, item.recipient, paid, len(tokens))


def _bid_for(item: Item, group: Sequence[FulfilledLog]) -> FulfilledLog | None:
    """The matched order that pays for a token and asks for it."""
    for log in group:
        asks = any(_same(item, asked) for asked in log.consideration)
        if asks and _paid(log.offer) is not None:
            return log
    return None


def _is_exchange(log: FulfilledLog) -> bool:
    """Whether other tokens are asked for; the offered ones themselves are in a private sale."""
    return any(
        not any(_same(asked, given) for given in log.offer) for asked in _tokens(log.consideration)
    )


def _same(one: Item, other: Item) -> bool:
    return other.is_token and (one.token, one.identifier) == (other.token, other.identifier)


def _tokens(items: Sequence[Item]) -> list[Item]:
    return [item for item in items if item.is_token]


def _paid(items: Sequence[Item]) -> tuple[str, int] | None:
    """Currency and amount; None where nothing or several currencies are paid."""
    payments = [item for item in items if not item.is_token]
    currencies = {item.token for item in payments}
    if len(currencies) != 1:
        return None
    return currencies.pop(), sum(item.start_amount for item in payments)


def _move(
    moves: Sequence[TransferLog], token_id: int, sender: str = "", recipient: str = ""
) -> TransferLog | None:
    for log in moves:
        if log.token_id == token_id and (log.sender == sender or log.recipient == recipient):
            return log
    return None


def _sale(
    log: FulfilledLog,
    position: int,
    item: Item,
    seller: str,
    buyer: str,
    paid: tuple[str, int] | None,
    n_tokens: int,
) -> Iterator[SaleLog]:
    """The sale with an even share of the price, the first tokens taking the odd wei."""
    if paid is None:
        return
    currency, total_wei = paid
    share, odd = divmod(total_wei, n_tokens)
    yield SaleLog(
        place=log.place,
        position=position,
        order_hash=log.order_hash,
        token_id=item.identifier,
        seller=seller,
        buyer=buyer,
        currency=currency,
        price_wei=share + (position < odd),
        is_bundle=n_tokens > 1,
    )


def _decode(raw: Mapping[str, Any]) -> MarketLog:
    try:
        body = bytes.fromhex(raw["data"][2:])
        return _decode_body(raw["topics"], read_place(raw), body)
    except (KeyError, IndexError, TypeError, ValueError, DecodingError) as error:
        raise LogError(f"not a log of Seaport: {error}") from error


def _decode_body(topics: Sequence[str], place: Place, body: bytes) -> MarketLog:
    match topics[0]:
        case topic if topic == FULFILLED_TOPIC:
            kinds = ["bytes32", "address", f"{_SPENT}[]", f"{_RECEIVED}[]"]
            hashed, recipient, offer, received = decode(kinds, body)
            return FulfilledLog(
                place,
                "0x" + hashed.hex(),
                party(topics[1]),
                str(to_checksum_address(recipient)),
                tuple(_item(*item) for item in offer),
                tuple(_item(*item) for item in received),
            )
        case topic if topic == MATCHED_TOPIC:
            (hashes,) = decode(["bytes32[]"], body)
            return MatchedLog(place, frozenset("0x" + hashed.hex() for hashed in hashes))
        case topic if topic == CANCELLED_TOPIC:
            return CancelledLog(place, "0x" + decode(["bytes32"], body)[0].hex())
        case _:
            return CounterLog(place, party(topics[1]), decode(["uint256"], body)[0])


def _item(kind: int, token: str, identifier: int, amount: int, recipient: str = "") -> Item:
    return Item(
        kind,
        str(to_checksum_address(token)),
        identifier,
        amount,
        amount,
        str(to_checksum_address(recipient)) if recipient else "",
    )
