"""How well the market's model foretells prices, beside simpler ways, on real sales.

    .venv/bin/python -m benchmarks.market --data FOLDER [--first 2019-01] [--last 2020-12]

FOLDER holds punks_sales.csv and punks_traits.csv. Each month's sales are foretold one by one from
sales of earlier days only; models are fitted anew at the start of each month. Prints the median
absolute percentage error (APE) and the mean absolute error of the log price over all sales with a
price; none is left out for what it is. Without the folder it says so and measures nothing.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from sentiment.market import hedonic, prices
from sentiment.market.history import read_sales, read_traits
from sentiment.market.prices import Prices

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

# Sales that the index of the day is made of. Chosen on the months of 2018: with 10 / 25 / 50 sales
# the hedonic model's median APE was 29.1 / 27.7 / 28.5 %.
INDEX_SALES = 25
# Days after which a sale counts half in a fit; on 2018, too, 90 / 180 / 365 days: 29.2 / 27.9 /
# 27.7 %.
HALF_LIFE_DAYS = 365.0


@dataclass(frozen=True)
class Sales:
    """Sales with a price, in order."""

    day: NDArray[np.int64]
    log_price: Vector
    features: Matrix
    rarity: Vector
    period: NDArray[np.int64]
    token: NDArray[np.int64]
    names: list[str]

    def before(self, day: int) -> int:
        return int(np.searchsorted(self.day, day))


Way = Callable[[Sales, int, int], Vector]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--first", default="2019-01", help="first month that is foretold")
    arguments.add_argument("--last", default="2020-12", help="last month that is foretold")
    options = arguments.parse_args()
    if not (options.data / "punks_sales.csv").is_file():
        print(f"no punks_sales.csv in {options.data}: nothing to measure")
        return
    sales = load(options.data)
    ways: dict[str, Way] = {
        "trailing median": trailing_median,
        "last sale x index": last_sale,
        "ridge + index (scikit-learn)": ridge_index,
        "hedonic": hedonic_index,
        "hedonic + token's last sale": hedonic_token,
    }
    months = list(_months(options.first, options.last))
    print(f"{len(sales.day)} sales with a price, {months[0]:%Y-%m} to {months[-1]:%Y-%m}")
    print(f"{'':32}{'median APE':>12}{'MAE of log':>12}{'seconds':>9}")
    for name, way in ways.items():
        started = time.perf_counter()
        found = [foretell(sales, month, way) for month in months]
        truth = np.concatenate([one for one, _ in found])
        said = np.concatenate([other for _, other in found])
        error = said - truth
        ape = np.median(np.abs(np.expm1(error)))
        took = time.perf_counter() - started
        print(f"{name:32}{ape:>12.1%}{np.abs(error).mean():>12.3f}{took:>9.1f}")
    print(f"{len(truth)} sales foretold")


def load(folder: Path) -> Sales:
    """Sales with a price, and their works' traits as columns."""
    with (folder / "punks_traits.csv").open(encoding="utf-8", newline="") as lines:
        traits = read_traits(lines)
    with (folder / "punks_sales.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in read_sales(lines, traits) if row.price_wei]
    shown = {token: _values(one) for token, one in traits.items()}
    counts: dict[str, int] = {}
    for values in shown.values():
        for value in values:
            counts[value] = counts.get(value, 0) + 1
    names = sorted(counts)
    place = {name: i for i, name in enumerate(names)}
    features = np.zeros((len(rows), len(names)))
    for i, row in enumerate(rows):
        features[i, [place[value] for value in shown[row.token_ref]]] = 1
    log_share = np.log(np.array([counts[name] for name in names]) / len(shown))
    return Sales(
        day=np.array([row.sold_at.toordinal() for row in rows]),
        log_price=np.array([np.log(float(row.price_wei or 0) / 1e18) for row in rows]),
        features=features,
        rarity=-(features @ log_share),
        period=np.array([row.sold_at.year * 12 + row.sold_at.month for row in rows]),
        token=np.array([int(row.token_ref) for row in rows]),
        names=names,
    )


def _values(traits: object) -> list[str]:
    """What a punk shows, one name each; the number of accessories is a trait too."""
    assert isinstance(traits, dict)
    found = [
        f"{name}: {traits[name]}"
        for name in ("type", "gender", "skin tone", "count")
        if name in traits
    ]
    return found + [f"accessory: {name}" for name in traits.get("accessories", [])]


def _months(first: str, last: str) -> Iterator[datetime]:
    at, end = (datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC) for text in (first, last))
    while at <= end:
        yield at
        at = at.replace(year=at.year + at.month // 12, month=at.month % 12 + 1)


def foretell(sales: Sales, month: datetime, way: Way) -> tuple[Vector, Vector]:
    """True and foretold log prices of a month."""
    after = next(m for i, m in enumerate(_months(f"{month:%Y-%m}", "2100-01")) if i == 1)
    first, last = sales.before(month.toordinal()), sales.before(after.toordinal())
    return sales.log_price[first:last], way(sales, first, last)


def trailing_median(sales: Sales, first: int, last: int) -> Vector:
    return np.array([_level(sales, sales.log_price, i) for i in range(first, last)])


def last_sale(sales: Sales, first: int, last: int) -> Vector:
    """What the token fetched last, moved as the trailing median has moved since."""
    said = []
    for i in range(first, last):
        known = np.flatnonzero(sales.token[: sales.before(sales.day[i])] == sales.token[i])
        level = _level(sales, sales.log_price, i)
        if len(known):
            level += sales.log_price[known[-1]] - _level(sales, sales.log_price, known[-1])
        said.append(level)
    return np.array(said)


def ridge_index(sales: Sales, first: int, last: int) -> Vector:
    """Traits and months by scikit-learn's ridge; then the trailing median of what they leave."""
    months = sales.period[:first, None] == np.unique(sales.period[:first])[None, :]
    design = np.column_stack([sales.features[:first], months])
    model = Ridge(alpha=1.0, fit_intercept=False)
    model.fit(design, sales.log_price[:first], sample_weight=_freshness(sales, first))
    return _indexed(sales, sales.features @ model.coef_[: sales.features.shape[1]], first, last)


def hedonic_index(sales: Sales, first: int, last: int) -> Vector:
    return _indexed(sales, _worth(sales, first), first, last)


def hedonic_token(sales: Sales, first: int, last: int) -> Vector:
    """The model and, in part, by how much the token's last sale beat it.

    The part is the least squares slope of one sale's surprise on that of the token's last one, over
    all pairs of sales before the month.
    """
    worth = _worth(sales, first)
    start = max(0, sales.before(sales.day[first - 1] - 3 * 365))
    surprise = np.full(len(worth), np.nan)
    for i in range(start, last):
        surprise[i] = sales.log_price[i] - worth[i] - _level(sales, sales.log_price - worth, i)
    earlier = np.array([_earlier(sales, i) for i in range(start, last)])
    slope = _slope(surprise[start:first], surprise[earlier[: first - start]], earlier >= start)
    said = _indexed(sales, worth, first, last)
    known = earlier[first - start :]
    return said + np.where(known >= start, slope * np.nan_to_num(surprise[known].clip(-1, 1)), 0)


def _slope(now: Vector, then: Vector, known: NDArray[np.bool_]) -> float:
    both = known[: len(now)] & np.isfinite(now) & np.isfinite(then)
    x, y = then[both].clip(-1, 1), now[both].clip(-1, 1)
    return float(x @ y / max(x @ x, 1e-9)) if both.any() else 0.0


def _earlier(sales: Sales, i: int) -> int:
    """The token's last sale on an earlier day, or -1."""
    known = np.flatnonzero(sales.token[: sales.before(sales.day[i])] == sales.token[i])
    return int(known[-1]) if len(known) else -1


def _worth(sales: Sales, first: int) -> Vector:
    """What the model says of each sale's traits and rarity, fitted on sales before ``first``."""
    found = prices.judge(
        Prices(
            features=sales.features[:first],
            log_price=sales.log_price[:first],
            rarity=sales.rarity[:first],
            periods=sales.period[:first],
            weights=_freshness(sales, first),
        )
    )
    assert found is not None
    effects = hedonic.premiums(found, [name.split(":")[0] for name in sales.names])
    return sales.features @ effects.effects + effects.rho * sales.rarity


def _freshness(sales: Sales, first: int) -> Vector:
    """Weight of each sale before ``first``; the same for every model that is fitted."""
    ages = sales.day[first - 1] - sales.day[:first]
    fresh: Vector = 0.5 ** (ages / HALF_LIFE_DAYS)
    return fresh


def _indexed(sales: Sales, worth: Vector, first: int, last: int) -> Vector:
    left = sales.log_price - worth
    return np.array([worth[i] + _level(sales, left, i) for i in range(first, last)])


def _level(sales: Sales, values: Vector, i: int) -> float:
    """The median of the last sales of earlier days."""
    end = sales.before(sales.day[i])
    return float(np.median(values[max(0, end - INDEX_SALES) : end])) if end else 0.0


if __name__ == "__main__":
    main()
