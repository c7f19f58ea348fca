"""Laws as a lead chooses them: which sources, along which direction, how many levels.

A law is kept as the document of ``minting.evolution.rules``, but for the collection's own stakes,
which have no address before the collection has one: their peer is ``OWN_STAKES`` until
``complete`` puts it in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minting.evolution import rules
from minting.evolution.network import LATENTS
from minting.evolution.rules import NOBODY, Law, Rule, Source

OWN_STAKES = "own stakes"
PERIOD_S = 86_400
HIGHEST = 10
# What all levels of a rule together add to a latent: half of where it can be, so that a work that
# begins in the middle gets to an end, and no work goes round.
REACH = 128
CODES = 20  # bytes that are the codes of values; directions leave them alone
# Measured on the shipped student over 64 works, a latent from 0 to 255 changes a byte of the
# picture by 26.7, 13.9, 7.7, 6.1 for the first four, by 4.6 to 1.6 for the others.
DIRECTIONS: Mapping[str, Mapping[int, int]] = {
    "fuller hair": {20: 1},
    "shorter hair": {20: -1},
    "another posture": {21: 1},
    "a tilted head": {22: 1},
    "wider shoulders": {23: 1},
    "other features": {24: 1, 25: 1, 26: 1},
    "other details": {27: 1, 28: -1, 29: 1, 30: -1, 31: 1},
}


@dataclass(frozen=True)
class Default:
    """What a source is offered with; ``offset``: a quantity of 2^offset is level 1.

    ``offsets``: those that make sense. ``unit`` and ``per_unit`` put a quantity into words;
    0: there is no unit of it.
    """

    name: str
    direction: str
    offset: int
    says: str
    offsets: range
    unit: str
    per_unit: int

    def quantity(self, offset: int) -> str:
        """2^offset with its unit."""
        if not self.per_unit:
            return f"2^{offset} of {self.unit}"
        found = 2**offset / self.per_unit
        unit = self.unit.removesuffix("s") if found == 1 else self.unit
        return f"{found:,.3g} {unit}" if found < 1000 else f"{found:,.0f} {unit}"


# 2^54 wei are .018 ETH; 2^16 seconds are 18 hours; 2^22 of 2^32 are a thousandth of a pool. The
# liquidity of a position has no unit of its own: 2^50 is a position of some .001 ETH.
DEFAULTS: Mapping[Source, Default] = {
    Source.VOLUME: Default(
        "volume",
        "fuller hair",
        54,
        "what was paid for it, wash trades aside",
        range(48, 68),
        "ETH",
        10**18,
    ),
    Source.VOTES: Default(
        "votes",
        "another posture",
        1,
        "votes that it won in closed rounds",
        range(11),
        "votes",
        1,
    ),
    Source.INTERACTIONS: Default(
        "interactions", "a tilted head", 0, "what its holders did", range(7), "interactions", 1
    ),
    Source.STAKE: Default(
        "stake age",
        "wider shoulders",
        16,
        "how long it has been staked",
        range(12, 25),
        "hours",
        3600,
    ),
    Source.POSITION: Default(
        "liquidity",
        "other features",
        50,
        "its holder's v3 position, while trades meet it",
        range(30, 81, 2),
        "liquidity",
        0,
    ),
    Source.SHARE: Default(
        "share",
        "other details",
        22,
        "its holder's share of a v2 pool",
        range(12, 31),
        "% of the pool",
        2**32 // 100,
    ),
}


@dataclass(frozen=True)
class Choice:
    """A rule as a lead asks for it; ``direction`` is one of ``DIRECTIONS``.

    ``offset``: None for the one that its source is offered with.
    """

    source: Source
    direction: str
    highest: int = HIGHEST
    peer: str = NOBODY
    pool: str = NOBODY
    offset: int | None = None


def vector(direction: str, highest: int) -> tuple[int, ...]:
    """What one level adds to each latent; KeyError for a direction that is none."""
    found = [0] * LATENTS
    for latent, sign in DIRECTIONS[direction].items():
        found[latent] = sign * max(1, round(REACH / highest))
    return tuple(min(127, one) for one in found)


def towards(rule: Rule) -> str:
    """The name of the direction that a rule goes along; nothing for one that has none."""
    return next((name for name in DIRECTIONS if vector(name, rule.highest) == rule.direction), "")


def plan(choices: Sequence[Choice], period_s: int = PERIOD_S) -> dict[str, Any]:
    """The document of a law that is to be; LawError for what the contract would refuse."""
    document = {
        "period_s": period_s,
        "rules": [
            {
                "source": choice.source.name.lower(),
                "name": DEFAULTS[choice.source].name,
                "offset": DEFAULTS[choice.source].offset
                if choice.offset is None
                else choice.offset,
                "highest": choice.highest,
                "direction": list(vector(choice.direction, choice.highest)),
                "peer": OWN_STAKES if choice.source == Source.STAKE else choice.peer,
                "pool": choice.pool,
            }
            for choice in choices
        ],
    }
    complete(document, "0x" + "1" * 40)
    return document


def complete(document: Mapping[str, Any], staking: str) -> Law:
    """The law, with the address of the collection's stakes; LawError if it is none."""
    own = [
        row | {"peer": staking} if row.get("peer") == OWN_STAKES else row
        for row in document["rules"]
    ]
    return rules.from_document({**document, "rules": own})
