"""The public inputs of a round, as rows: works by "drop/index", voters and traders by address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from generation.traits.parameters import Parameters
from generation.traits.selection import MAX_EXPOSURE
from sentiment.control.shares import Bounds
from sentiment.derivation import opinions
from sentiment.derivation.constants import Constants
from sentiment.derivation.opinions import Opinions
from sentiment.derivation.reading import (
    DocumentError,
    address,
    count,
    labels,
    mapping,
    number,
    require,
    table,
    text,
)
from sentiment.preference.features import Option, options

PARTS = (
    "collection",
    "drop",
    "parameters",
    "works",
    "latents",
    "exposures",
    "votes",
    "opinions",
    "market",
    "constants",
    "ranges",
    "code",
)
MARKET_PARTS = ("until_block", "currencies", "columns", "rows", "supply")
MAX_WEIGHT = 1000.0
MAX_LATENT = 1000.0
WEIGHT_DECIMALS = 9

# How often each value of each attribute is among the works of a drop and those before it.
Supply = Mapping[str, Mapping[str, int]]


class VoteRow(NamedTuple):
    """Of two works the one that was preferred.

    ``age`` counts rounds back from the present one, ``weight`` is what the vote counts before it
    fades and before a voter's limit, ``drop`` is the number of the drop whose round it was cast in.
    """

    left: str
    right: str
    winner: str
    voter: str
    age: int
    weight: float
    drop: int


class SaleRow(NamedTuple):
    """A sale; ``drop`` is the number of the newest drop on sale then, parties may be unknown.

    ``latents`` are those of the work, by direction, as far as they are known.
    """

    tx: str
    log: int
    position: int
    token: int
    work: dict[str, str] | None
    latents: dict[str, float]
    price_wei: int
    currency: str
    is_bundle: bool
    seller: str
    buyer: str
    at: datetime
    period: str
    drop: int


RANGE_COLUMNS = ["attribute", "value", "low", "high"]
VOTE_COLUMNS = list(VoteRow._fields)
SALE_COLUMNS = list(SaleRow._fields)


@dataclass(frozen=True)
class Market:
    """Sales up to a block in the order of the chain, and the works on the market by drop."""

    until_block: int | None
    currencies: tuple[str, ...]
    sales: list[SaleRow]
    supply: Mapping[int, Supply]


@dataclass(frozen=True)
class Inputs:
    """All that a derivation reads. Parameters and works are in the order of their names."""

    collection: str
    drop: int
    parameters: Parameters
    works: dict[str, dict[str, str]]
    latents: dict[str, dict[str, float]]
    exposures: dict[str, float]
    votes: list[VoteRow]
    opinions: Opinions
    market: Market
    constants: Constants
    ranges: dict[Option, tuple[float, float]]
    code: str

    @property
    def bounds(self) -> Bounds:
        """What the proposal keeps to; BoundsError where that is less than nothing."""
        return replace(self.constants.bounds, ranges=self.ranges)

    @property
    def names(self) -> list[Option]:
        """What each coordinate of a belief stands for."""
        return options(self.parameters.distributions, sorted(self.parameters.directions or {}))


def read(document: Any) -> Inputs:
    """The inputs in a document; DocumentError says what is not as it should be."""
    told = mapping(document, "inputs", PARTS)
    drop = count(told["drop"], "drop", 1)
    parameters = _parameters(told["parameters"])
    parsed = mapping(told["works"], "works")
    works = {name: labels(parsed[name], f"works.{name}") for name in sorted(parsed)}
    return Inputs(
        collection=text(told["collection"], "collection"),
        drop=drop,
        parameters=parameters,
        works=works,
        latents=_latents(told["latents"], works),
        exposures=_exposures(told["exposures"], works),
        votes=_votes(told["votes"], works, drop),
        opinions=opinions.read(told["opinions"], works, parameters.distributions, drop),
        market=_market(told["market"], parameters, drop),
        constants=Constants.read(told["constants"]),
        ranges=_ranges(told["ranges"], parameters),
        code=text(told["code"], "code"),
    )


def _parameters(told: Any) -> Parameters:
    """In the order of their names: JSON has no other."""
    try:
        found = Parameters.from_json(dict(mapping(told, "parameters")))
    except (ValueError, OverflowError) as error:
        raise DocumentError("parameters", str(error)) from error
    shares = found.distributions
    return replace(
        found, distributions={name: dict(sorted(shares[name].items())) for name in sorted(shares)}
    )


def _ranges(told: Any, parameters: Parameters) -> dict[Option, tuple[float, float]]:
    rows = table(mapping(told, "ranges", ("columns", "rows")), "ranges", RANGE_COLUMNS)
    found: dict[Option, tuple[float, float]] = {}
    for place, (attribute, value, low, high) in enumerate(rows):
        path = f"ranges.rows[{place}]"
        known = parameters.distributions.get(text(attribute, path), {})
        require(text(value, path) in known, path, "not a value of the parameters")
        ends = number(low, path), number(high, path)
        require(0 <= ends[0] <= ends[1] <= 1, path, "not from 0 to 1")
        require((attribute, value) not in found, path, "there twice")
        found[attribute, value] = ends
    return found


def _latents(told: Any, works: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Of every work, in its order; empty where a document knows none."""
    known = mapping(told, "latents")
    for name in known:
        require(name in works, f"latents.{name[:40]}", "not one of the works")
    return {name: _along(known.get(name, {}), f"latents.{name}") for name in works}


def _exposures(told: Any, works: Mapping[str, Any]) -> dict[str, float]:
    """What a vote on a work counts that was chosen among several; of all others 1."""
    found = {}
    for name, value in mapping(told, "exposures").items():
        path = f"exposures.{name[:40]}"
        require(name in works, path, "not one of the works")
        found[name] = number(value, path)
        within = 1 / MAX_EXPOSURE <= found[name] <= MAX_EXPOSURE
        require(within, path, f"not within a factor of {MAX_EXPOSURE:g}")
    return {name: found.get(name, 1.0) for name in works}


def _along(told: Any, path: str) -> dict[str, float]:
    found = {name: number(x, f"{path}.{name}") for name, x in mapping(told, path).items()}
    require(all(abs(x) <= MAX_LATENT for x in found.values()), path, f"beyond {MAX_LATENT:g}")
    return found


def _votes(told: Any, works: Mapping[str, Any], drop: int) -> list[VoteRow]:
    rows = table(mapping(told, "votes", ("columns", "rows")), "votes", VOTE_COLUMNS)
    found: list[VoteRow] = []
    seen = set()
    for place, row in enumerate(rows):
        try:
            vote = _vote(VoteRow(*row), works, drop)
        except DocumentError as error:
            path = f"votes.rows[{place}].{error.path}"
            raise DocumentError(path, error.reason) from error
        require(not found or found[-1] <= vote, f"votes.rows[{place}]", "not in order")
        ballot = (vote.drop, vote.voter.lower(), *sorted((vote.left, vote.right)))
        require(ballot not in seen, f"votes.rows[{place}]", "a second vote on the same pair")
        seen.add(ballot)
        found.append(vote)
    return found


def _vote(row: VoteRow, works: Mapping[str, Any], drop: int) -> VoteRow:
    for name, work in (("left", row.left), ("right", row.right)):
        require(text(work, name) in works, name, "not one of the works")
    require(row.left != row.right, "right", "the same work as on the left")
    require(row.winner in (row.left, row.right), "winner", "neither of the two")
    address(row.voter, "voter")
    age, cast_in = count(row.age, "age"), count(row.drop, "drop", 1)
    require(cast_in <= drop and (age == 0) == (cast_in == drop), "age", "does not fit the drop")
    weight = number(row.weight, "weight")
    require(0 <= weight <= MAX_WEIGHT, "weight", f"not in [0, {MAX_WEIGHT:g}]")
    is_short = round(weight, WEIGHT_DECIMALS) == weight
    require(is_short, "weight", f"more than {WEIGHT_DECIMALS} decimals")
    return row._replace(weight=weight)


def _market(told: Any, parameters: Parameters, drop: int) -> Market:
    parts = mapping(told, "market", MARKET_PARTS)
    until, currencies = parts["until_block"], parts["currencies"]
    require(isinstance(currencies, list), "market.currencies", "not a list")
    sales = []
    for place, row in enumerate(table(parts, "market", SALE_COLUMNS)):
        try:
            sales.append(_sale(SaleRow(*row), drop))
        except DocumentError as error:
            path = f"market.rows[{place}].{error.path}"
            raise DocumentError(path, error.reason) from error
    supply = {
        int(name): _supply(one, f"market.supply.{name}", parameters)
        for name, one in mapping(parts["supply"], "market.supply").items()
        if _is_number(name)
    }
    missing = sorted({sale.drop for sale in sales} - set(supply))
    require(not missing, "market.supply", f"lacks the works of drop {missing[:1]}")
    return Market(
        until_block=None if until is None else int(number(until, "market.until_block")),
        currencies=tuple(text(one, "market.currencies") for one in currencies),
        sales=sales,
        supply=supply,
    )


def _is_number(name: str) -> bool:
    is_number = name.isascii() and name.isdigit() and len(name) < 10
    require(is_number, f"market.supply.{name[:40]}", "not the number of a drop")
    return True


def _sale(row: SaleRow, drop: int) -> SaleRow:
    for name in ("tx", "currency", "seller", "buyer", "period", "price_wei", "at"):
        text(getattr(row, name), name)
    for name in ("log", "position", "token"):
        count(getattr(row, name), name)
    require(isinstance(row.is_bundle, bool), "is_bundle", "neither true nor false")
    require(1 <= count(row.drop, "drop") <= drop, "drop", f"not in 1..{drop}")
    price = str(row.price_wei)
    is_price = price.isascii() and price.isdigit() and len(price) <= 78
    require(is_price, "price_wei", "not an amount")
    work = None if row.work is None else labels(row.work, "work")
    latents = _along(row.latents, "latents")
    return row._replace(work=work, latents=latents, price_wei=int(price), at=_time(str(row.at)))


def _time(told: str) -> datetime:
    try:
        found = datetime.fromisoformat(told)
    except ValueError as error:
        raise DocumentError("at", "not a time") from error
    require(found.tzinfo is not None, "at", "a time without its zone")
    return found


def _supply(told: Any, path: str, parameters: Parameters) -> dict[str, dict[str, int]]:
    attributes = list(parameters.distributions)
    found = mapping(told, path, attributes)
    return {
        name: {
            value: count(n, f"{path}.{name}", 1)
            for value, n in sorted(mapping(found[name], f"{path}.{name}").items())
        }
        for name in attributes
    }
