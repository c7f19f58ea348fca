"""What a drop asks of its planner: size, amounts per attribute value, rules, one-of-ones."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, Self

from generation.imaging.compose import Rule
from generation.traits.parameters import SUM_TOLERANCE

MAX_SIZE = 10_000
MAX_STEEPNESS = 10.0


class RequestError(ValueError):
    """A request that contradicts itself or is not one; ``place`` says where, ``found`` what."""

    def __init__(self, place: str, found: object, wanted: str) -> None:
        self.place, self.found, self.wanted = place, found, wanted
        super().__init__(f"{place}: {found!r} is not {wanted}")


@dataclass(frozen=True)
class Counts:
    """Works per value, exactly; a value that is not named gets none."""

    of: dict[str, int]

    def __post_init__(self) -> None:
        for value, count in self.of.items():
            if not _is_whole(count) or count < 0:
                raise RequestError(f"count of {value}", count, "a whole number from 0")


@dataclass(frozen=True)
class Shares:
    """Parts of the drop per value, in [0, 1] with sum 1 within 1e-9."""

    of: dict[str, float]

    def __post_init__(self) -> None:
        for value, share in self.of.items():
            if not _is_finite(share) or not 0 <= share <= 1:
                raise RequestError(f"share of {value}", share, "in [0, 1]")
        total = math.fsum(self.of.values())
        if abs(total - 1) > SUM_TOLERANCE:
            raise RequestError("sum of shares", total, "1")


def zipf(rank: int, steepness: float) -> float:
    """Zipf's law, rank^-s for rank 1, 2, ...; s = 0 makes all equal (Zipf 1949)."""
    return float(rank**-steepness)


def geometric(rank: int, steepness: float) -> float:
    """Each value 1 / (1 + s) times as frequent as the one before; s = 0 makes all equal."""
    return float((1 + steepness) ** -(rank - 1))


CURVES: dict[str, Callable[[int, float], float]] = {"zipf": zipf, "geometric": geometric}


@dataclass(frozen=True)
class Curve:
    """A rarity curve: the commonest value of ``order`` first, the rarest last.

    Parameters
    ----------
    name : key of CURVES.
    steepness : in [0, 10]; 0 makes all values equally frequent.
    order : each value once.
    """

    name: str
    steepness: float
    order: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.name not in CURVES:
            raise RequestError("curve", self.name, f"one of {sorted(CURVES)}")
        if not _is_finite(self.steepness) or not 0 <= self.steepness <= MAX_STEEPNESS:
            raise RequestError(f"steepness of {self.name}", self.steepness, "in [0, 10]")
        if not self.order or len(set(self.order)) != len(self.order):
            raise RequestError(f"order of {self.name}", self.order, "one or more values, each once")

    @property
    def shares(self) -> dict[str, float]:
        """Share per value; weights have 12 digits, so that the last bit of a power is no matter."""
        weigh = CURVES[self.name]
        weights = [round(weigh(rank + 1, self.steepness), 12) for rank in range(len(self.order))]
        total = math.fsum(weights)
        return {v: weight / total for v, weight in zip(self.order, weights, strict=True)}


Amounts = Counts | Shares | Curve


@dataclass(frozen=True)
class Request:
    """A drop to be planned.

    Parameters
    ----------
    size
        works in all, one-of-ones included; in [1, 10,000].
    attributes
        attribute -> how many works show each of its values, one-of-ones included.
    rules
        of layered art, with the same meaning: see ``include`` and ``exclude``.
    one_of_ones
        complete combinations ``{attribute: value}`` of one work each that no other work has.
    is_unique
        every work differs from every other in a trait at least.

    Raises
    ------
    RequestError
        What contradicts itself whatever the generator can draw; the rest is said by ``check``.
    """

    size: int
    attributes: dict[str, Amounts]
    rules: tuple[Rule, ...] = ()
    one_of_ones: tuple[dict[str, str], ...] = ()
    is_unique: bool = False

    def __post_init__(self) -> None:
        if not _is_whole(self.size) or not 1 <= self.size <= MAX_SIZE:
            raise RequestError("size", self.size, f"a whole number in [1, {MAX_SIZE}]")
        if not self.attributes:
            raise RequestError("attributes", self.attributes, "one attribute or more")
        for rule in self.rules:
            if rule.category == rule.other:
                raise RequestError("rule", sentence(rule), "about two attributes")
        for one, other in pairwise(sorted(map(_as_key, self.one_of_ones))):
            if one == other:
                raise RequestError("one-of-one", dict(one), "named once")

    def to_json(self) -> dict[str, Any]:
        return {
            "size": self.size,
            "attributes": {name: _amounts_json(a) for name, a in self.attributes.items()},
            "rules": [_rule_json(rule) for rule in self.rules],
            "one_of_ones": [dict(one) for one in self.one_of_ones],
            "is_unique": self.is_unique,
        }

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        """The request that ``to_json`` wrote, or that a form sent in its shape.

        Rules read as in ``layers.json``: ``{"if": ["head", "bald"], "exclude": {"hat": ["cap"]}}``.
        """
        try:
            return cls(
                size=body["size"],
                attributes={str(k): _amounts(str(k), a) for k, a in body["attributes"].items()},
                rules=tuple(rule for said in body.get("rules", []) for rule in _rules(said)),
                one_of_ones=tuple(_texts(one) for one in body.get("one_of_ones", [])),
                is_unique=bool(body.get("is_unique", False)),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise RequestError("request", str(error), "a request") from error


def exclude(attribute: str, value: str, other: str, *values: str) -> Rule:
    """Where ``attribute`` shows ``value``, ``other`` shows none of ``values``."""
    return Rule(attribute, value, other, frozenset(values), is_exclusion=True)


def include(attribute: str, value: str, other: str, *values: str) -> Rule:
    """Where ``attribute`` shows ``value``, ``other`` shows one of ``values``."""
    return Rule(attribute, value, other, frozenset(values), is_exclusion=False)


def parse_rule(text: str) -> Rule:
    """The rule that ``sentence`` says; RequestError for other words."""
    verbs = {"excludes": exclude, "requires": include}
    words = text.split()
    sides = [word.partition("=")[::2] for word in words[::2]]
    if len(words) != 3 or words[1] not in verbs or not all(all(side) for side in sides):
        raise RequestError("rule", text, "like 'head=bald excludes hat=cap|bowler', or requires")
    (attribute, value), (other, values) = sides
    named = values.split("|")
    if not all(named):
        raise RequestError("rule", text, "one whose values are all named")
    return verbs[words[1]](attribute, value, other, *named)


def sentence(rule: Rule) -> str:
    """The rule in words: "head=bald excludes hat=cap"."""
    verb = "excludes" if rule.is_exclusion else "requires"
    return f"{rule.category}={rule.value} {verb} {rule.other}={'|'.join(sorted(rule.values))}"


def counts(request: Request) -> dict[str, dict[str, int]]:
    """Works per attribute and value; shares become whole numbers by largest remainder.

    Hamilton's method, in exact fractions: each value gets the whole part of share x size, and what
    is left goes one by one to the largest remainders, among equal ones to the value named first.
    Every attribute given by shares sums to the size; exact counts stay as they are.
    """
    return {
        name: dict(amounts.of)
        if isinstance(amounts, Counts)
        else _largest_remainder(
            amounts.shares if isinstance(amounts, Curve) else amounts.of, request.size
        )
        for name, amounts in request.attributes.items()
    }


def _largest_remainder(shares: Mapping[str, float], size: int) -> dict[str, int]:
    exact = {value: Fraction(share) for value, share in shares.items()}
    total = sum(exact.values())
    quotas = {value: share * size / total for value, share in exact.items()}
    found = {value: math.floor(quota) for value, quota in quotas.items()}
    by_remainder = sorted(quotas, key=lambda value: found[value] - quotas[value])
    for value in by_remainder[: size - sum(found.values())]:
        found[value] += 1
    return found


def _amounts(name: str, said: Mapping[str, Any]) -> Amounts:
    if "counts" in said:
        return Counts({str(value): count for value, count in said["counts"].items()})
    if "shares" in said:
        return Shares({str(value): share for value, share in said["shares"].items()})
    if "curve" in said:
        order = tuple(str(value) for value in said["order"])
        return Curve(said["curve"], said.get("steepness", 1.0), order)
    raise RequestError(name, sorted(said), "counts, shares or a curve")


def _amounts_json(amounts: Amounts) -> dict[str, Any]:
    if isinstance(amounts, Counts):
        return {"counts": dict(amounts.of)}
    if isinstance(amounts, Shares):
        return {"shares": dict(amounts.of)}
    return {
        "curve": amounts.name,
        "steepness": amounts.steepness,
        "order": list(amounts.order),
    }


def _rules(said: Mapping[str, Any]) -> Iterator[Rule]:
    verbs = sorted(set(said) - {"if"})
    if verbs not in (["include"], ["exclude"]) or len(said.get("if", ())) != 2:
        raise RequestError("rule", said, '{"if": [attribute, value], "include" or "exclude": ...}')
    attribute, value = map(str, said["if"])
    for other, values in said[verbs[0]].items():
        if not isinstance(values, list):
            raise RequestError("rule", said, "with a list of values")
        yield Rule(attribute, value, str(other), frozenset(map(str, values)), verbs[0] == "exclude")


def _rule_json(rule: Rule) -> dict[str, Any]:
    verb = "exclude" if rule.is_exclusion else "include"
    return {"if": [rule.category, rule.value], verb: {rule.other: sorted(rule.values)}}


def _texts(said: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in said.items()}


def _as_key(one: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(one.items()))


def _is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def _is_finite(number: object) -> bool:
    return isinstance(number, int | float) and math.isfinite(number)
