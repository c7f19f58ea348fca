"""From sales to what the mathematics takes, and what they add to the votes."""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from generation.models import Artwork
from minting.chain.logs import ZERO_ADDRESS
from minting.chain.seaport import WRAPPED_NATIVE
from minting.models import ChainTransaction, Cursor, Sale
from sentiment.market import hedonic, prices, wash
from sentiment.market.hedonic import Calibration, Premiums
from sentiment.market.prices import Judged, Prices
from sentiment.models import Round
from sentiment.preference import features, trust
from sentiment.preference.bradley_terry import Belief
from sentiment.preference.features import Option

logger = logging.getLogger(__name__)

# How often each value of each attribute is among the works of a drop and those before it.
Supply = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Market:
    """Sales of a collection up to a block, in the order of the chain.

    ``drops`` [N] are the numbers of the newest drop on sale at each of them, ``reasons`` [N] why a
    sale does not count, or nothing, ``supplies`` the works on the market by drop number.
    """

    until_block: int | None
    drop_number: int
    sales: list[Sale]
    drops: list[int]
    reasons: list[str]
    supplies: Mapping[int, Supply]

    @property
    def periods(self) -> list[str]:
        """The drop and the calendar month of each sale: prices may move with either."""
        return [
            f"{number}/{sale.block.mined_at:%Y-%m}"
            for number, sale in zip(self.drops, self.sales, strict=True)
        ]

    @cached_property
    def counted(self) -> list[int]:
        """Places of the sales that count."""
        return [i for i, reason in enumerate(self.reasons) if not reason]

    def prices(self, names: list[Option]) -> Prices:
        """The sales that count, as numbers."""
        kept, labels = self.counted, self.periods
        works = [_work(self.sales[i]).parsed for i in kept]
        _, periods = np.unique([labels[i] for i in kept], return_inverse=True)
        ages = np.array([self.drop_number - self.drops[i] for i in kept])
        supplies = [self.supplies[self.drops[i]] for i in kept]
        shares = [_shares(*pair) for pair in zip(works, supplies, strict=True)]
        return Prices(
            features=features.encode(works, names),
            log_price=np.array([log(self.sales[i].price_wei) for i in kept]),
            rarity=prices.rarity(np.array(shares)),
            periods=periods.astype(np.int64),
            weights=trust.FORGETTING ** ages.astype(np.float64),
        )

    def inputs(self) -> dict[str, Any]:
        """Everything that is read from the sales, in public names."""
        columns = ["tx", "log", "position", "token", "work", "price_wei", "currency", "is_bundle"]
        return {
            "until_block": self.until_block,
            "columns": [*columns, "seller", "buyer", "at", "period", "drop"],
            "rows": [
                [
                    sale.tx_hash,
                    sale.log_index,
                    sale.position,
                    sale.token.token_id,
                    None if sale.token.artwork is None else sale.token.artwork.parsed,
                    str(sale.price_wei),
                    sale.currency,
                    sale.is_bundle,
                    sale.seller,
                    sale.buyer,
                    sale.block.mined_at.isoformat(),
                    period,
                    number,
                ]
                for sale, period, number in zip(self.sales, self.periods, self.drops, strict=True)
            ],
            "supply": {str(number): supply for number, supply in self.supplies.items()},
        }


@dataclass(frozen=True)
class Score:
    """The belief after all evidence, what it would be without a source, and a report of sales."""

    belief: Belief
    without: Mapping[str, Belief]
    report: dict[str, Any]
    n_sales: NDArray[np.int64] | None


def last_final_block(round: Round) -> int | None:
    """The newest block that has been read and is deep enough to stay; None without a contract."""
    cursor = Cursor.objects.filter(contract__collection=round.drop.collection_id).first()
    return None if cursor is None else cursor.number - settings.CHAIN_CONFIRMATIONS + 1


def read_market(round: Round, until_block: int | None) -> Market:
    """All sales of the collection that bear on a round."""
    found = Sale.objects.filter(
        token__contract__collection=round.drop.collection_id,
        block__number__lte=-1 if until_block is None else until_block,
    )
    sales = list(found.select_related("block", "token__artwork", "token__contract").in_order())
    drops = _drops_on_sale(round, sales)
    return Market(
        until_block=until_block,
        drop_number=round.drop.number,
        sales=sales,
        drops=drops,
        reasons=_reasons(sales, round.drop.parameter_set.parameters.distributions),
        supplies=_supplies(round, set(drops)),
    )


def score(market: Market, names: list[Option], belief: Belief, prior: Belief) -> Score:
    """The votes' belief with what the sales add to it; without sales it is the very same.

    Prices whose errors cannot be judged add nothing: a round closes on its votes all the same.
    """
    try:
        judged = prices.judge(market.prices(names)) if market.counted else None
    except prices.FitError as error:
        logger.warning("the sales add nothing: %s", error)
        judged = None
    found = None if judged is None else hedonic.calibrate(judged, belief)
    report = _report(market, names, judged, found)
    if judged is None or found is None or not found.reliability:
        return Score(belief, {"votes": prior}, report, None)
    added = hedonic.information(judged, found)
    return Score(
        belief=hedonic.fuse(belief, added),
        without={"votes": hedonic.fuse(prior, added), "market": belief},
        report=report,
        n_sales=judged.counts,
    )


def _work(sale: Sale) -> Artwork:
    """The work of a sale that counts."""
    assert sale.token.artwork is not None
    return sale.token.artwork


def _shares(work: Mapping[str, str], supply: Supply) -> list[float]:
    return [counts[work[attribute]] / sum(counts.values()) for attribute, counts in supply.items()]


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


def _reasons(sales: list[Sale], distributions: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Why each sale does not count, or nothing."""
    washed = wash.flags(
        [
            wash.Trade(
                token=str(sale.token_id),
                at=sale.block.mined_at,
                place=(sale.block.number, sale.log_index, sale.position),
                seller=sale.seller,
                buyer=sale.buyer,
            )
            for sale in sales
        ]
    )
    return [
        _unusable(sale, distributions) or reason for sale, reason in zip(sales, washed, strict=True)
    ]


def _unusable(sale: Sale, distributions: Mapping[str, Mapping[str, float]]) -> str:
    if sale.price_wei == 0:
        return "no_price"
    if sale.currency not in (ZERO_ADDRESS, WRAPPED_NATIVE.get(sale.chain_id)):
        return "other_currency"
    if sale.is_bundle:
        return "bundle"
    if sale.token.artwork is None:
        return "no_work"
    parsed = sale.token.artwork.parsed
    known = all(parsed.get(name) in shares for name, shares in distributions.items())
    return "" if known else "unknown_trait"


def _supplies(round: Round, numbers: set[int]) -> dict[int, Supply]:
    """Counts of values among the published works of drops up to each number."""
    if not numbers:
        return {}
    counts: dict[str, Counter[str]] = {
        name: Counter() for name in round.drop.parameter_set.parameters.distributions
    }
    found: dict[int, Supply] = {}
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


def _report(
    market: Market,
    names: list[Option],
    judged: Judged | None,
    found: Calibration | None,
) -> dict[str, Any]:
    """What a score run keeps about the market."""
    reasons = dict(enumerate(market.reasons))
    if judged is not None:
        outliers = (i for i, w in zip(market.counted, judged.weights, strict=True) if w == 0)
        reasons |= dict.fromkeys(outliers, "outlier")
    discarded = [
        {"tx": sale.tx_hash, "log": sale.log_index, "position": sale.position, "reason": reasons[i]}
        for i, sale in enumerate(market.sales)
        if reasons[i]
    ]
    report: dict[str, Any] = {
        "until_block": market.until_block,
        "n_sales": len(market.sales),
        "n_flagged": len(discarded),
        "discarded": discarded,
    }
    if judged is not None:
        report["scale"] = judged.scale
        report["premiums"] = _premiums(
            names, hedonic.premiums(judged, [attribute for attribute, _ in names])
        )
    if found is not None:
        report |= {
            "kappa": found.kappa,
            "kappa_sd": found.kappa_sd,
            "own_sd": found.own_sd,
            "rho": found.rho,
            "rho_sd": found.rho_sd,
            "reliability": found.reliability,
        }
    return report


def _premiums(names: list[Option], found: Premiums) -> list[dict[str, Any]]:
    """What each value adds to a price, as a factor less one, with a 95 % interval."""
    columns = (found.mean, found.low, found.high)
    factors = np.expm1(np.column_stack(columns)).tolist()
    return [
        {"attribute": attribute, "value": value, "premium": row[0], "low": row[1], "high": row[2]}
        | {"n_sales": n_sales}
        for (attribute, value), row, n_sales in zip(
            names, factors, found.n_sales.tolist(), strict=True
        )
    ]
