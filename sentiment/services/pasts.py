"""Pasts that a law can be tried on: this installation's collections, and sales from files."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.db.models import Count

from minting.evolution.rules import Source
from minting.evolution.trials import Fact, Past
from minting.models import Contract, Cursor, Interaction, Stake
from sentiment.market import wash
from sentiment.models import ReferenceSale
from sentiment.services.epochs import counted_sales, votes_won

OWN, FILE = "collection", "file"


def pasts() -> list[tuple[str, str]]:
    """What can be asked for, each with its name: collections that were minted, then files."""
    contracts = Contract.objects.filter(tokens__isnull=False).distinct().order_by("pk")
    own = [
        (f"{OWN}:{one.collection.slug}", one.collection.name)
        for one in contracts.select_related("collection")
    ]
    files = ReferenceSale.objects.order_by("source").values_list("source").annotate(n=Count("pk"))
    return own + [(f"{FILE}:{source}", f"{source} ({n:,} sales)") for source, n in files]


def find_past(key: str) -> Past:
    """One of ``pasts``; LookupError for another key, or one whose past is gone."""
    kind, _, name = key.partition(":")
    if kind == OWN:
        contract = Contract.objects.filter(collection__slug=name).first()
        if contract is not None and contract.tokens.exists():
            return _of_collection(contract)
    if kind == FILE:
        rows = list(ReferenceSale.objects.filter(source=name).in_order())
        if rows:
            return _of_file(rows)
    raise LookupError(f"there is no past {key!r}")


def _of_collection(contract: Contract) -> Past:
    """Of its rows: sales, votes, interactions and stakes. Pools are unknown to them."""
    until = Cursor.objects.get(contract=contract).number - settings.CHAIN_CONFIRMATIONS + 1
    own = {"token__contract": contract}
    sales = [
        (sale.block.mined_at, sale.token.token_id, sale.price_wei)
        for sale, reason in counted_sales(contract, until)
        if not reason
    ]
    votes = votes_won(contract).values_list(
        "round__closed_at", "winner__token__token_id", Count("pk")
    )
    done = Interaction.objects.filter(**own).values_list("block__mined_at", "token__token_id")
    stakes = [
        (one.block.mined_at, one.token.token_id)
        for one in Stake.objects.running().filter(**own).select_related("block", "token")
    ]
    minted = contract.tokens.values_list("minted_block__mined_at")
    times = [row[0] for row in (*minted, *sales, *votes, *done, *stakes)]
    first, last = min(times), max(times)

    def facts(rows: Iterable[tuple[datetime, int, int]]) -> list[Fact]:
        return [Fact((at - first).days, str(work), amount) for at, work, amount in rows]

    return Past(
        works=tuple(
            map(str, contract.tokens.order_by("token_id").values_list("token_id", flat=True))
        ),
        n_days=(last - first).days + 1,
        facts={
            Source.VOLUME: facts(sales),
            Source.VOTES: facts(votes),
            Source.INTERACTIONS: facts((at, work, 1) for at, work in done),
            Source.STAKE: facts(
                (last, work, int((last - since).total_seconds())) for since, work in stakes
            ),
        },
    )


def _of_file(rows: Sequence[ReferenceSale]) -> Past:
    """Of sales alone, of works that were sold."""
    trades = [
        wash.Trade(row.token_ref, row.sold_at, (row.source_row,), row.seller, row.buyer)
        for row in rows
    ]
    first = rows[0].sold_at
    counted = [
        Fact((row.sold_at - first).days, row.token_ref, row.price_wei)
        for row, flag in zip(rows, wash.flags(trades), strict=True)
        if not flag and row.price_wei
    ]
    works = dict.fromkeys(row.token_ref for row in rows)
    n_days = (rows[-1].sold_at - first).days + 1
    return Past(works=tuple(works), n_days=n_days, facts={Source.VOLUME: counted})
