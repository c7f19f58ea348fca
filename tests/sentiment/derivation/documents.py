"""Documents of rounds that never were, made without a database."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from generation.traits.parameters import uniform
from sentiment.derivation.constants import Constants
from sentiment.derivation.document import RANGE_COLUMNS, SALE_COLUMNS, VOTE_COLUMNS
from sentiment.derivation.opinions import COLUMNS

SCHEMA = {
    "hat": ["red", "blue", "green", "none"],
    "coat": ["long", "short", "fur"],
    "eyes": ["open", "shut"],
}
START = datetime(2026, 3, 1, tzinfo=UTC)
ETHER = "0x" + "0" * 40


def address(n: int) -> str:
    return f"0x{n:040x}"


def make_document(
    n_votes: int = 300, n_sales: int = 0, n_works: int = 60, schema: Any = None, seed: int = 1
) -> dict[str, Any]:
    """Drop 2 of a collection whose voters and buyers like the first value of each attribute."""
    schema, chance = schema or SCHEMA, np.random.default_rng(seed)
    works = {
        f"{1 + i % 2}/{i // 2}": {
            name: values[int(chance.integers(len(values)))] for name, values in schema.items()
        }
        for i in range(n_works)
    }
    return {
        "collection": "masks",
        "drop": 2,
        "parameters": uniform(schema).to_json(),
        "works": works,
        "latents": {},
        "exposures": {},
        "votes": {"columns": VOTE_COLUMNS, "rows": _votes(works, schema, n_votes, chance)},
        "opinions": {"columns": COLUMNS, "rows": [], "averages": {}},
        "market": {
            "until_block": 1000 if n_sales else None,
            "currencies": [ETHER],
            "columns": SALE_COLUMNS,
            "rows": [_sale(i, works, schema, chance) for i in range(n_sales)],
            "supply": {"1": _supply(works, schema)} if n_sales else {},
        },
        "constants": asdict(Constants()),
        "ranges": {"columns": RANGE_COLUMNS, "rows": []},
        "code": "c0de",
    }


def _worth(work: dict[str, str], schema: Any) -> float:
    return float(sum(work[name] == values[0] for name, values in schema.items()))


def _votes(works: Any, schema: Any, n_votes: int, chance: np.random.Generator) -> list[Any]:
    rows: dict[tuple[str, ...], list[Any]] = {}
    while len(rows) < n_votes:
        drop = int(chance.integers(1, 3))
        names = [name for name in works if name.startswith(f"{drop}/")]
        left, right = (names[i] for i in chance.choice(len(names), 2, replace=False).tolist())
        lead = _worth(works[left], schema) - _worth(works[right], schema)
        winner = left if chance.random() < 1 / (1 + np.exp(-lead)) else right
        voter = address(1 + int(chance.integers(1 + n_votes // 20)))
        key = (voter, *sorted((left, right)))
        rows[key] = [left, right, winner, voter, 2 - drop, 1.0, drop]
    return sorted(rows.values())


def _sale(i: int, works: Any, schema: Any, chance: np.random.Generator) -> list[Any]:
    work = works[list(works)[i % len(works)]]
    price = int(10**18 * np.exp(0.3 * _worth(work, schema) + chance.normal(0, 0.3)))
    at = START + timedelta(hours=i)
    parties = [address(10_000 + 2 * i), address(10_001 + 2 * i)]
    where = [f"0x{i:064x}", 0, 0, 1 + i % len(works), work, {}]
    return [*where, str(price), ETHER, False, *parties, at.isoformat(), f"1/{at:%Y-%m}", 1]


def _supply(works: Any, schema: Any) -> dict[str, dict[str, int]]:
    shown = {name: [work[name] for work in works.values()] for name in schema}
    return {
        name: {value: shown[name].count(value) for value in values if value in shown[name]}
        for name, values in schema.items()
    }
