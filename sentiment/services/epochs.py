"""What the chain cannot know of works that move: what was paid for them, and which votes they won.

Volume counts all sales so far in the chain's own money, bare or wrapped, but those that say
nothing about worth (``sentiment.market.wash``). Votes are those that a work won in rounds that are
closed, but those of voters whose weight a lead took away.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, QuerySet

from minting.chain.logs import ZERO_ADDRESS
from minting.chain.seaport import WRAPPED_NATIVE
from minting.evolution.rules import Source
from minting.models import Contract, Cursor, Sale, Snapshot
from minting.services import law_of, request_epoch
from sentiment.market import wash
from sentiment.models import Discount, Round, Vote

EPOCH = timedelta(days=1)
OTHER_CURRENCY = "other currency"


def close_epoch(*, contract: Contract) -> Snapshot | None:
    """The next epoch of a collection whose works move; None where it would say nothing new.

    Called again before the epoch is read from the chain, it gives the same one.
    """
    law = law_of(contract)
    if not law.proven or not contract.evolution_address:
        return None
    until = Cursor.objects.get(contract=contract).number - settings.CHAIN_CONFIRMATIONS + 1
    rows, volume = _volumes(contract, until)
    votes = _votes(contract)
    found = {Source.VOLUME: volume, Source.VOTES: votes}
    minted = contract.tokens.filter(minted_block__number__lte=until).order_by("token_id")
    quantities = {
        number: [found[rule.source][number] for rule in law.proven]
        for number in minted.values_list("token_id", flat=True)
    }
    if not quantities:
        return None
    evidence = {"sales": rows}
    return request_epoch(
        contract=contract, until_block=until, evidence=evidence, quantities=quantities
    )


def is_due(contract: Contract, now: datetime) -> bool:
    """Whether the last epoch is a day old."""
    last = Snapshot.objects.filter(contract=contract).order_by("-number", "-pk").first()
    return last is None or now - last.created_at >= EPOCH


def counted_sales(contract: Contract, until: int) -> list[tuple[Sale, str]]:
    """Every sale up to a block with the reason not to count it, or nothing."""
    found = Sale.objects.filter(token__contract=contract, block__number__lte=until)
    sales = list(found.select_related("block", "token").in_order())
    native = {ZERO_ADDRESS, WRAPPED_NATIVE.get(contract.chain_id, ZERO_ADDRESS)}
    flags = wash.flags([_trade(sale) for sale in sales])
    return [
        (sale, flag if sale.currency in native else OTHER_CURRENCY)
        for sale, flag in zip(sales, flags, strict=True)
    ]


def votes_won(contract: Contract) -> QuerySet[Vote]:
    """Votes that count, each with the work that won it."""
    nothing = Discount.objects.in_force().filter(
        round=OuterRef("round"), voter=OuterRef("voter"), factor=0
    )
    return Vote.objects.filter(
        ~Exists(nothing), round__state=Round.State.CLOSED, winner__token__contract=contract
    ).order_by()


def _volumes(contract: Contract, until: int) -> tuple[list[list[Any]], Counter[int]]:
    """Rows of a snapshot, and wei by token id."""
    rows: list[list[Any]] = []
    volume: Counter[int] = Counter()
    for sale, reason in counted_sales(contract, until):
        number, price_wei = sale.token.token_id, sale.price_wei
        place = [sale.tx_hash, sale.log_index, sale.position]
        rows.append([*place, number, str(price_wei), sale.currency, reason])
        volume[number] += 0 if reason else price_wei
    return rows, volume


def _trade(sale: Sale) -> wash.Trade:
    place = (sale.block.number, sale.log_index, sale.position)
    return wash.Trade(str(sale.token.token_id), sale.block.mined_at, place, sale.seller, sale.buyer)


def _votes(contract: Contract) -> Counter[int]:
    """By token id of the work that won them."""
    counted = votes_won(contract).values_list("winner__token__token_id").annotate(n=Count("pk"))
    return Counter(dict(counted))
