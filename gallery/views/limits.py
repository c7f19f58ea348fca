"""Bounds that holders set, beside what the newest parameters ask for."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from generation.models import Collection, ParameterSet
from minting.chain import bounds
from minting.chain.bounds import ENTROPY, STEP, Option, Range

Shares = Mapping[str, Mapping[str, float]]
ANYTHING = (0.0, 1.0)


@dataclass(frozen=True)
class Limit:
    """One thing that can be bounded: the range it may lie in, and where it is, of one."""

    name: str
    title: str
    word: str
    low: float
    high: float
    now: float | None
    says: str

    @property
    def is_set(self) -> bool:
        return bool(self.says)

    @property
    def is_kept(self) -> bool:
        return self.now is None or self.low - 1e-9 <= self.now <= self.high + 1e-9

    @property
    def allowed(self) -> tuple[float, float]:
        """Start and width of the shaded part of a bar of 100."""
        start, end = (100 * min(max(at, 0.0), 1.0) for at in (self.low, self.high))
        return start, end - start

    @property
    def mark(self) -> float:
        """Where today's mark begins, one wide."""
        return min(max(100 * (self.now or 0.0) - 0.5, 0.0), 99.0)


@dataclass(frozen=True)
class Limits:
    """All of a collection's: two of the whole, and the options by attribute."""

    whole: list[Limit]
    attributes: list[tuple[str, list[Limit], bool]]  # the last: whether one of them is set
    unknown: list[str]


def find_limits(
    collection: Collection, options: Iterable[Option], found: Mapping[str, Range]
) -> Limits:
    """What is in force of ``found``, by name, beside the newest parameters."""
    known = list(options)
    newest = collection.parameter_sets.select_related("parent").order_by("-number", "-pk").first()
    shares: Shares = newest.body["distributions"] if newest else {}
    whole = [
        _limit(ENTROPY, "Evenness of shares, least of all attributes", evenness(shares), found),
        _limit(STEP, "Change of shares from drop to drop", moved(newest), found),
    ]
    rows = [
        (option[0], _limit(bounds.share_name(*option), option[1], share(shares, option), found))
        for option in known
    ]
    named = {one.name for one in whole} | {one.name for _, one in rows}
    grouped = [
        (attribute.replace("_", " "), [one for _, one in group])
        for attribute, group in groupby(rows, key=lambda row: row[0])
    ]
    return Limits(
        whole=whole,
        attributes=[(name, group, any(one.is_set for one in group)) for name, group in grouped],
        unknown=[bounds.words(name, *ends) for name, ends in found.items() if name not in named],
    )


def _limit(name: str, title: str, now: float | None, found: Mapping[str, Range]) -> Limit:
    low, high = found.get(name, ANYTHING)
    if name == ENTROPY:
        high = max(low, 1.0)
    if name == STEP:
        low = min(0.0, high)
    says = bounds.words(name, low, high).partition(": ")[2] if name in found else ""
    word = "0x" + bounds.pack(name).hex()
    return Limit(name, title.replace("_", " "), word, low, high, now, says)


def share(shares: Shares, option: Option) -> float | None:
    return shares.get(option[0], {}).get(option[1])


def evenness(shares: Shares) -> float | None:
    """The least normalised entropy of the attributes: 1 where all options are as frequent."""
    found = [entropy(list(row.values())) for row in shares.values() if len(row) > 1]
    return min(found, default=None)


def entropy(p: list[float]) -> float:
    """Shannon's entropy of shares over that of equal ones."""
    return -sum(part * math.log(part) for part in p if part > 0) / math.log(len(p))


def moved(newest: ParameterSet | None) -> float | None:
    """The largest total variation between the newest parameters and those before them."""
    if newest is None or newest.parent is None:
        return None
    old, new = (one.body["distributions"] for one in (newest.parent, newest))
    return max(
        (
            sum(abs(row[value] - old[name].get(value, 0.0)) for value in row) / 2
            for name, row in new.items()
            if name in old
        ),
        default=None,
    )


def option_named(name: str, options: Iterable[Option]) -> Option | None:
    return next((one for one in options if bounds.share_name(*one) == name), None)


def call_words(call: Mapping[str, Any], bounds_address: str, options: list[Option]) -> str:
    """What a proposal's call would do."""
    raw = bytes.fromhex(call["data"][2:])
    said = bounds.read_set_bounds(raw)
    if said is None or call["target"] != bounds_address:
        return ""
    name, low, high = said
    known = bounds.unpack(name, options)
    ends = bounds.as_range(low, high)
    return bounds.words(known, *ends, option_named(known, options))
