"""Sales that say nothing about worth, because whoever paid got the work or the money back.

Three patterns are flagged: a wallet that sells to itself, a work that comes back to its seller in
the next sale within 30 days, and a work that comes back after three to six sales (closed cycles:
von Wachter, Jensen, Regner and Ross, NFT Wash Trading, 2022). Unknown parties are never equal to
anybody, not even to each other. Two wallets that trade often are mostly dealers, and no pattern.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SELF_TRADE = "self_trade"
ROUND_TRIP = "round_trip"
CYCLE = "cycle"
ROUND_TRIP_WITHIN = timedelta(days=30)
MAX_CYCLE = 6
_WEIGHT = {SELF_TRADE: 0, ROUND_TRIP: 1, CYCLE: 2}


@dataclass(frozen=True)
class Trade:
    """A sale of one work.

    Parameters
    ----------
    token
        what is sold; trades of different tokens have nothing to do with each other.
    place
        orders trades of one moment, such as (block number, log index).
    seller, buyer
        empty where unknown.
    """

    token: str
    at: datetime
    place: tuple[int, ...]
    seller: str
    buyer: str


def flags(
    trades: Sequence[Trade],
    within: timedelta = ROUND_TRIP_WITHIN,
    max_cycle: int = MAX_CYCLE,
) -> list[str]:
    """The reason [N] not to believe each trade, or nothing; the order of trades does not matter.

    A trade with several reasons has the first of self_trade, round_trip, cycle.

    Parameters
    ----------
    within
        how soon a work has to come back to its seller to be a round trip.
    max_cycle
        sales of the longest cycle.
    """
    found = [""] * len(trades)
    by_token: dict[str, list[int]] = {}
    for i, trade in enumerate(trades):
        by_token.setdefault(trade.token, []).append(i)
    for places in by_token.values():
        places.sort(key=lambda i: (trades[i].at, trades[i].place))
        _flag_token(trades, places, found, within, max_cycle)
    return found


def _flag_token(
    trades: Sequence[Trade], places: list[int], found: list[str], within: timedelta, max_cycle: int
) -> None:
    """Follow the token from each of its sales, from hand to hand, until it comes back."""
    for start in range(len(places)):
        first = trades[places[start]]
        if not first.seller:
            continue
        for end in range(start, min(start + max_cycle, len(places))):
            last = trades[places[end]]
            if not last.buyer or (end > start and trades[places[end - 1]].buyer != last.seller):
                break
            if last.buyer == first.seller:
                reason = _reason(end - start + 1, last.at - first.at <= within)
                _mark(found, places[start : end + 1], reason)
                break


def _reason(n_sales: int, is_soon: bool) -> str:
    if n_sales == 1:
        return SELF_TRADE
    if n_sales == 2:
        return ROUND_TRIP if is_soon else ""
    return CYCLE


def _mark(found: list[str], places: list[int], reason: str) -> None:
    for i in places:
        if reason and (not found[i] or _WEIGHT[reason] < _WEIGHT[found[i]]):
            found[i] = reason
