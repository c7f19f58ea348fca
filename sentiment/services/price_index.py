"""How prices moved, as a scored round saw them; worked out once for each score."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np

from generation.models import Collection
from sentiment.derivation import document
from sentiment.derivation.market import Sales
from sentiment.derivation.reading import DocumentError
from sentiment.market import hedonic, prices
from sentiment.models import ScoreRun
from sentiment.services.documents import round_inputs


@dataclass(frozen=True)
class PeriodPrice:
    """Prices of a period, with those of the first one as 1, and a 95 % interval."""

    drop_number: int
    first_at: datetime
    last_at: datetime
    n_sales: int
    index: float
    low: float
    high: float


def newest_score(collection: Collection) -> ScoreRun | None:
    """The last score of a collection that has read sales."""
    runs = ScoreRun.objects.filter(round__drop__collection=collection, market__n_sales__gt=0)
    runs = runs.select_related("round__drop")
    return runs.order_by("-round__drop__number", "-pk").first()


def read_price_index(run: ScoreRun) -> list[PeriodPrice]:
    """The trait-adjusted index of the sales a score read; empty where they cannot tell."""
    if "premiums" not in run.market:
        return []
    return _read(run.pk, run.created_at)


@lru_cache(maxsize=16)
def _read(run_id: int, created_at: datetime) -> list[PeriodPrice]:
    run = ScoreRun.objects.select_related("round").get(pk=run_id)
    try:
        inputs = document.read(round_inputs(round=run.round))
    except DocumentError:  # of code that is no more
        return []
    market = Sales.of(inputs)
    sales = inputs.market.sales
    try:
        judged = prices.judge(market.prices(), inputs.constants.judging)
    except prices.FitError:
        return []
    labels = [sales[i].period for i in market.counted]
    kept, places = np.unique(labels, return_inverse=True)
    base = int(places[0])  # sales are in the order of the chain
    attributes = [attribute for attribute, _ in inputs.names]
    found = None if judged is None else hedonic.price_index(judged, attributes, base)
    if found is None:
        return []
    factors = np.exp(np.column_stack([found.change, found.low, found.high]))
    periods = []
    for period in range(len(kept)):
        mine = [market.counted[i] for i in np.flatnonzero(places == period).tolist()]
        times = [sales[i].at for i in mine]
        row = factors[period].tolist()
        periods.append(PeriodPrice(sales[mine[0]].drop, min(times), max(times), len(mine), *row))
    return sorted(periods, key=lambda one: (one.first_at, one.drop_number))
