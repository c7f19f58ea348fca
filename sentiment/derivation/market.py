"""What the sales in a document add to its votes, and what is kept about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment.derivation.document import Inputs, SaleRow, Supply
from sentiment.market import hedonic, prices, wash
from sentiment.market.hedonic import Calibration, Information, Premiums
from sentiment.market.prices import Judged, Prices
from sentiment.preference import features
from sentiment.preference.bradley_terry import Belief
from sentiment.preference.features import Option


@dataclass(frozen=True)
class Score:
    """The belief after all evidence, what sales added to it if anything, and a report of them."""

    belief: Belief
    added: Information | None
    report: dict[str, Any]
    n_sales: NDArray[np.int64] | None

    def fused(self, belief: Belief) -> Belief:
        """Another belief with what the sales added to this one."""
        return belief if self.added is None else hedonic.fuse(belief, self.added)


@dataclass(frozen=True)
class Sales:
    """The sales of a document with the reason [N] why each does not count, or nothing."""

    inputs: Inputs
    reasons: list[str]

    @classmethod
    def of(cls, inputs: Inputs) -> "Sales":
        sales, constants = inputs.market.sales, inputs.constants
        washed = wash.flags(
            [_trade(sale, place) for place, sale in enumerate(sales)],
            constants.round_trip_within,
            constants.max_cycle,
        )
        pairs = zip(sales, washed, strict=True)
        return cls(inputs, [_unusable(sale, inputs) or reason for sale, reason in pairs])

    @cached_property
    def counted(self) -> list[int]:
        """Places of the sales that count."""
        return [i for i, reason in enumerate(self.reasons) if not reason]

    def prices(self) -> Prices:
        """The sales that count, as numbers."""
        inputs = self.inputs
        sales = [inputs.market.sales[i] for i in self.counted]
        works = [sale.work or {} for sale in sales]
        _, periods = np.unique([sale.period for sale in sales], return_inverse=True)
        ages = np.array([inputs.drop - sale.drop for sale in sales])
        supplies = [inputs.market.supply[sale.drop] for sale in sales]
        shares = [_shares(*pair) for pair in zip(works, supplies, strict=True)]
        return Prices(
            features=features.encode(works, inputs.names, [sale.latents for sale in sales]),
            log_price=np.array([log(sale.price_wei) for sale in sales]),
            rarity=prices.rarity(np.array(shares)),
            periods=periods.astype(np.int64),
            weights=inputs.constants.forgetting ** ages.astype(np.float64),
        )


def score(inputs: Inputs, belief: Belief) -> Score:
    """The votes' belief with what the sales add to it; without sales it is the very same.

    Prices whose errors cannot be judged add nothing: a round closes on its votes all the same, and
    the report says why.
    """
    sales = Sales.of(inputs)
    judged, trouble = None, ""
    try:
        if sales.counted:
            judged = prices.judge(sales.prices(), inputs.constants.judging)
    except prices.FitError:
        trouble = "the errors of prices did not come to rest"
    found = None if judged is None else hedonic.calibrate(judged, belief)
    report = _report(sales, judged, found) | ({"unjudged": trouble} if trouble else {})
    if judged is None or found is None or not found.reliability:
        return Score(belief, None, report, None)
    added = hedonic.information(judged, found)
    return Score(
        belief=hedonic.fuse(belief, added),
        added=added,
        report=report,
        n_sales=judged.counts,
    )


def _trade(sale: SaleRow, place: int) -> wash.Trade:
    """Rows are in the order of the chain, which orders sales of one block."""
    return wash.Trade(str(sale.token), sale.at, (place,), sale.seller, sale.buyer)


def _unusable(sale: SaleRow, inputs: Inputs) -> str:
    if sale.price_wei == 0:
        return "no_price"
    if sale.currency not in inputs.market.currencies:
        return "other_currency"
    if sale.is_bundle:
        return "bundle"
    if sale.work is None:
        return "no_work"
    work, supply = sale.work, inputs.market.supply[sale.drop]
    known = all(
        work.get(name) in shares and work[name] in supply[name]
        for name, shares in inputs.parameters.distributions.items()
    )
    return "" if known else "unknown_trait"


def _shares(work: Mapping[str, str], supply: Supply) -> list[float]:
    return [counts[work[attribute]] / sum(counts.values()) for attribute, counts in supply.items()]


def _report(sales: Sales, judged: Judged | None, found: Calibration | None) -> dict[str, Any]:
    """What a score run keeps about the market."""
    market, reasons = sales.inputs.market, dict(enumerate(sales.reasons))
    if judged is not None:
        outliers = (i for i, w in zip(sales.counted, judged.weights, strict=True) if w == 0)
        reasons |= dict.fromkeys(outliers, "outlier")
    discarded = [
        {"tx": sale.tx, "log": sale.log, "position": sale.position, "reason": reasons[i]}
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
        names = sales.inputs.names
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
