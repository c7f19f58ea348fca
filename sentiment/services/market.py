"""The sales that bear on a round, in public names."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from generation.models import Artwork
from minting.chain.logs import ZERO_ADDRESS
from minting.chain.seaport import WRAPPED_NATIVE
from minting.models import ChainTransaction, Cursor, Sale
from sentiment.derivation.document import SALE_COLUMNS
from sentiment.models import Round
from sentiment.services.evidence import latents_of


def last_final_block(round: Round) -> int | None:
    """The newest block that has been read and is deep enough to stay; None without a contract."""
    cursor = Cursor.objects.filter(contract__collection=round.drop.collection_id).first()
    return None if cursor is None else cursor.number - settings.CHAIN_CONFIRMATIONS + 1


def market_inputs(round: Round, until_block: int | None) -> dict[str, Any]:
    """All sales of the collection up to a block, in the order of the chain, and the works on sale.

    The period of a sale is the newest drop on sale and the calendar month: prices may move with
    either.
    """
    found = Sale.objects.filter(
        token__contract__collection=round.drop.collection_id,
        block__number__lte=-1 if until_block is None else until_block,
    )
    sales = list(found.select_related("block", "token__artwork", "token__contract").in_order())
    drops = _drops_on_sale(round, sales)
    return {
        "until_block": until_block,
        "currencies": _currencies(sales),
        "columns": SALE_COLUMNS,
        "rows": [_row(round, sale, number) for sale, number in zip(sales, drops, strict=True)],
        "supply": {str(number): supply for number, supply in _supplies(round, set(drops)).items()},
    }


def _row(round: Round, sale: Sale, number: int) -> list[Any]:
    return [
        sale.tx_hash,
        sale.log_index,
        sale.position,
        sale.token.token_id,
        None if sale.token.artwork is None else sale.token.artwork.parsed,
        latents_of(round, sale.token.artwork),
        str(sale.price_wei),
        sale.currency,
        sale.is_bundle,
        sale.seller,
        sale.buyer,
        sale.block.mined_at.isoformat(),
        f"{number}/{sale.block.mined_at:%Y-%m}",
        number,
    ]


def _currencies(sales: list[Sale]) -> list[str]:
    """What a price may be in: the chain's own money, bare or wrapped."""
    wrapped = {WRAPPED_NATIVE.get(sale.chain_id) for sale in sales} - {None}
    return [ZERO_ADDRESS, *sorted(str(one) for one in wrapped)]


def _drops_on_sale(round: Round, sales: list[Sale]) -> list[int]:
    """For each sale the newest drop of the collection whose minting had been opened by then."""
    if not sales:
        return []
    opened = (
        ChainTransaction.objects.filter(
            drop__collection=round.drop.collection_id,
            drop__number__lte=round.drop.number,
            kind=ChainTransaction.Kind.OPEN_SALE,
            state=ChainTransaction.State.CONFIRMED,
        )
        .order_by("block_number", "pk")
        .values_list("block_number", "drop__number")
    )
    rows = [(number or 0, drop) for number, drop in opened]
    return [
        max((drop for number, drop in rows if number <= sale.block.number), default=1)
        for sale in sales
    ]


def _supplies(round: Round, numbers: set[int]) -> dict[int, Mapping[str, Mapping[str, int]]]:
    """Counts of values among the published works of drops up to each number."""
    if not numbers:
        return {}
    counts: dict[str, Counter[str]] = {
        name: Counter() for name in round.drop.parameter_set.parameters.distributions
    }
    found: dict[int, Mapping[str, Mapping[str, int]]] = {}
    for number in range(1, max(numbers) + 1):
        works = Artwork.objects.accepted().filter(
            drop__collection=round.drop.collection_id, drop__number=number
        )
        for parsed in works.values_list("parsed", flat=True):
            for name, counter in counts.items():
                counter[parsed.get(name, "")] += 1
        if number in numbers:
            found[number] = {name: dict(sorted(c.items())) for name, c in counts.items()}
    return found
