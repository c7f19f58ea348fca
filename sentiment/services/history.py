"""Sales of other collections, imported for comparison."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction

from sentiment.market.history import MAX_ERRORS, HistoryError, PastSale
from sentiment.models import ReferenceSale

BATCH = 1000


@transaction.atomic
def import_history(
    *, source: str, sales: Sequence[PastSale], progress: Callable[[int], None] | None = None
) -> int:
    """Store the sales of a source that are not there yet; returns how many. All, or none.

    Raises
    ------
    HistoryError
        The source has a row under the same number that says something else.
    """
    if not source or len(source) > 100:
        raise ValueError("a source has a name of at most 100 characters")
    rows = [_row(source, sale) for sale in sales]
    stored = {row.source_row: row for row in ReferenceSale.objects.filter(source=source)}
    changed = [
        f"row {row.source_row}: {source} has it with other values"
        for row in rows
        if row.source_row in stored and _facts(row) != _facts(stored[row.source_row])
    ]
    if changed:
        raise HistoryError(changed[:MAX_ERRORS], len(changed))
    new = [row for row in rows if row.source_row not in stored]
    for at in range(0, len(new), BATCH):
        ReferenceSale.objects.bulk_create(new[at : at + BATCH])
        if progress is not None:
            progress(min(at + BATCH, len(new)))
    return len(new)


def _row(source: str, sale: PastSale) -> ReferenceSale:
    fields = asdict(sale)
    return ReferenceSale(source=source, source_row=fields.pop("row"), **fields)


def _facts(row: ReferenceSale) -> tuple[Any, ...]:
    known = (row.sold_at, row.token_ref, row.traits, row.price_wei, row.seller, row.buyer)
    return (*known, row.tx_hash)
