"""What became of a token: its mint, sales, transfers and stakes, as a list and as a picture."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gallery.serializers import ether
from minting.chain.logs import ZERO_ADDRESS
from minting.models import Block, Sale, Stake, Token, Transfer

N_EVENTS = 100
WIDTH, HEIGHT = 640, 150
TOP, FLOOR = 14, 118  # where the dearest price and a price of nothing stand


@dataclass(frozen=True)
class Paid:
    """A price in the picture, with what it says."""

    x: float
    y: float
    says: str


@dataclass(frozen=True)
class Staked:
    """A time in which the work was staked, as a bar below the prices."""

    x: float
    width: float
    says: str


@dataclass(frozen=True)
class Past:
    """From the mint on the left to now on the right; ``line`` is the last price at each time."""

    line: str
    prices: list[Paid]
    stakes: list[Staked]
    begins: datetime
    ends: datetime
    top_eth: str
    says: str
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Records:
    """The newest rows of a token, the newest first."""

    token: Token
    sales: list[Sale]
    moves: list[Transfer]
    stakes: list[Stake]


def read_records(token: Token) -> Records:
    sales = Sale.objects.filter(token=token).select_related("block")
    moves = Transfer.objects.filter(token=token).select_related("block")
    stakes = Stake.objects.filter(token=token).select_related("block", "ended_block")
    return Records(
        token,
        list(sales.in_order().reverse()[:N_EVENTS]),
        list(moves.in_order().reverse()[:N_EVENTS]),
        list(stakes.in_order().reverse()[:N_EVENTS]),
    )


def token_events(records: Records) -> list[dict[str, Any]]:
    """Mint, sales, transfers and stakes; a transfer that paid for a sale is the sale."""
    token, sales = records.token, records.sales
    sold = {sale.tx_hash for sale in sales}
    rows = [event("Sold", sale.seller, sale.buyer, sale, price_of(sale)) for sale in sales]
    for move in records.moves:
        if move.is_mint:
            paid = "" if token.phase is None else f"{ether(token.price_wei)} ETH"
            rows.append(event("Minted", "", move.recipient, move, paid))
        elif move.tx_hash not in sold:
            rows.append(event("Transferred", move.sender, move.recipient, move, ""))
    for stake in records.stakes:
        rows.append(event("Staked", "", stake.owner, stake, ""))
        if stake.ended_block is not None:
            ended = event("Taken back", "", stake.owner, stake, "")
            rows.append(ended | of_block(stake.ended_block))
    return sorted(rows, key=lambda row: row["block"], reverse=True)


def price_of(sale: Sale) -> str:
    unit = "ETH" if sale.currency == ZERO_ADDRESS else f"of token {sale.currency}"
    share = " (share of a bundle)" if sale.is_bundle else ""
    return f"{ether(sale.price_wei)} {unit}{share}"


def event(
    kind: str, sender: str, recipient: str, row: Sale | Transfer | Stake, price: str
) -> dict[str, Any]:
    return {
        "kind": kind,
        "sender": sender,
        "recipient": recipient,
        "price": price,
        "tx_hash": row.tx_hash,
        **of_block(row.block),
    }


def of_block(block: Block) -> dict[str, Any]:
    return {"at": block.mined_at, "block": block.number}


def past_chart(records: Records, now: datetime) -> Past | None:
    """Prices in ETH and stakes over time; nothing where no price is known."""
    token = records.token
    minted_at = token.minted_block.mined_at
    paid = [
        (sale.block.mined_at, sale.price_wei, "sold")
        for sale in reversed(records.sales)
        if sale.currency == ZERO_ADDRESS
    ]
    if token.phase is not None:
        paid.insert(0, (minted_at, token.price_wei, "minted"))
    if not paid:
        return None
    span = max((now - minted_at).total_seconds(), 1)
    top_wei = max(max(price for _, price, _ in paid), 1)

    def x(at: datetime) -> float:
        return round(WIDTH * min(max((at - minted_at).total_seconds() / span, 0), 1), 1)

    prices = [
        Paid(
            x(at),
            round(FLOOR - (FLOOR - TOP) * price_wei / top_wei, 1),
            f"{kind} for {ether(price_wei)} ETH, {day(at)}, {at:%H:%M}",
        )
        for at, price_wei, kind in paid
    ]
    bars = [bar(stake, now, x) for stake in reversed(records.stakes)]
    n_sales = sum(kind == "sold" for _, _, kind in paid)
    return Past(
        line=steps(prices),
        prices=prices,
        stakes=bars,
        begins=minted_at,
        ends=now,
        top_eth=ether(top_wei),
        says=f"{counted(n_sales, 'sale')} and {counted(len(bars), 'stake')} since the mint",
    )


def day(at: datetime) -> str:
    return f"{at.day} {at:%b %Y}"


def counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def bar(stake: Stake, now: datetime, x: Callable[[datetime], float]) -> Staked:
    ended = stake.ended_block.mined_at if stake.ended_block else None
    left = x(stake.block.mined_at)
    until = f"to {day(ended)}" if ended else "until now"
    return Staked(
        left,
        max(x(ended or now) - left, 2),
        f"staked from {day(stake.block.mined_at)} {until}",
    )


def steps(prices: list[Paid]) -> str:
    """Points of a line that keeps each price until the next one."""
    points: list[str] = []
    for before, after in zip([None, *prices], prices, strict=False):
        if before is not None:
            points.append(f"{after.x},{before.y}")
        points.append(f"{after.x},{after.y}")
    return " ".join([*points, f"{WIDTH},{prices[-1].y}"])
