"""The law of a collection whose works move: what its evolution contract was given, for good.

``Evolution`` takes rules as words; ``words`` and ``from_words`` go there and back, ``document``
and ``from_document`` are the same as JSON. ``check`` refuses what the contract would refuse, as
far as it can be known without the chain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from eth_utils.address import to_checksum_address
from numpy.typing import NDArray

from minting.evolution import levels
from minting.evolution.network import LATENTS
from minting.provenance.keccak import keccak256

NOBODY = "0x" + "0" * 40
MOST = 8
LONGEST_NAME = 31
BYTE = 255


class Source(IntEnum):
    """Where a level comes from, and the unit of its quantity.

    VOLUME: wei paid for the work, without wash trades. VOTES: votes it won. Both are proven.
    INTERACTIONS: what its holders did with it. STAKE: seconds its holder has staked it. POSITION:
    liquidity of its holder's Uniswap v3 position, in range. SHARE: 2^-32 of a Uniswap v2 pool,
    shared out among its holder's works.
    """

    VOLUME = 0
    VOTES = 1
    INTERACTIONS = 2
    STAKE = 3
    POSITION = 4
    SHARE = 5

    @property
    def is_proven(self) -> bool:
        return self in (Source.VOLUME, Source.VOTES)


@dataclass(frozen=True)
class Rule:
    """A quantity of 2^offset is level 1, twice as much level 2, and so on up to ``highest``.

    ``peer`` is the staking contract, the position manager or the v2 pair, ``pool`` the v3 pool;
    the zero address where the source has none. ``direction``: 32 numbers from -128 to 127, what
    one level adds to each latent.
    """

    source: Source
    name: str
    offset: int
    highest: int
    direction: tuple[int, ...]
    peer: str = NOBODY
    pool: str = NOBODY

    @property
    def key(self) -> bytes:
        """The key of its trait (ERC-7496)."""
        return keccak256(self.name.encode())

    def level(self, quantity: int) -> int:
        return levels.level(quantity, self.offset, self.highest)


@dataclass(frozen=True)
class Law:
    """``period_s``: seconds from one interaction with a work to the next."""

    rules: tuple[Rule, ...]
    period_s: int

    @property
    def proven(self) -> tuple[Rule, ...]:
        """The rules whose levels an epoch says, in the order of its leaves."""
        return tuple(rule for rule in self.rules if rule.source.is_proven)

    @property
    def directions(self) -> NDArray[np.int8]:
        """[K, 32] int8."""
        return np.array([rule.direction for rule in self.rules], np.int8).reshape(-1, LATENTS)


class LawError(ValueError):
    """The contract would refuse a rule; ``rule`` is its number, None for all together."""

    def __init__(self, rule: int | None, reason: str) -> None:
        super().__init__(reason if rule is None else f"rule {rule}: {reason}")
        self.rule = rule
        self.reason = reason


def check(law: Law) -> None:
    """LawError for what ``Evolution`` would not take."""
    if not 0 < len(law.rules) <= MOST:
        raise LawError(None, f"{len(law.rules)} rules are not 1 to {MOST}")
    if not 0 < law.period_s < 2**64:
        raise LawError(None, "interactions need a time between")
    for k, rule in enumerate(law.rules):
        if not (0 <= rule.offset <= BYTE and 0 < rule.highest <= BYTE):
            raise LawError(k, f"levels end at 1 to {BYTE}, offsets at {BYTE}")
        if len(rule.direction) != LATENTS or not all(-128 <= one < 128 for one in rule.direction):
            raise LawError(k, f"a direction is {LATENTS} signed bytes")
        if not _is_name(rule.name) or rule.name in [one.name for one in law.rules[:k]]:
            raise LawError(k, f"a name is its own, of 1 to {LONGEST_NAME} letters that JSON takes")
        needs_peer = rule.source >= Source.STAKE
        if (rule.peer == NOBODY) == needs_peer:
            raise LawError(k, f"{rule.source.name} {'needs a' if needs_peer else 'has no'} peer")
        if (rule.pool == NOBODY) == (rule.source == Source.POSITION):
            raise LawError(k, "a position has a pool, others have none")


def words(law: Law) -> tuple[list[tuple[Any, ...]], int]:
    """What the constructor takes after the collection: its rules, and the period."""
    return [
        (
            int(rule.source),
            rule.peer,
            rule.pool,
            rule.offset,
            rule.highest,
            rule.name,
            bytes(one % 256 for one in rule.direction),
        )
        for rule in law.rules
    ], law.period_s


def from_words(rules: Sequence[Sequence[Any]], period_s: int) -> Law:
    """What ``rules()`` and ``periodS()`` of the contract answer, addresses with their checksum."""
    found = []
    for source, peer, pool, offset, highest, name, direction in rules:
        signed = tuple(np.frombuffer(direction, np.int8).tolist())
        places = (str(to_checksum_address(address)) for address in (peer, pool))
        found.append(Rule(Source(source), name, offset, highest, signed, *places))
    return Law(tuple(found), period_s)


def document(law: Law) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "period_s": law.period_s,
        "rules": [
            {
                "source": rule.source.name.lower(),
                "name": rule.name,
                "offset": rule.offset,
                "highest": rule.highest,
                "direction": list(rule.direction),
                "peer": rule.peer,
                "pool": rule.pool,
            }
            for rule in law.rules
        ],
    }


def from_document(found: Mapping[str, Any]) -> Law:
    """A law from its JSON; LawError for anything else."""
    try:
        rules = tuple(
            Rule(
                Source[raw["source"].upper()],
                raw["name"],
                raw["offset"],
                raw["highest"],
                tuple(raw["direction"]),
                raw["peer"],
                raw["pool"],
            )
            for raw in found["rules"]
        )
        law = Law(rules, found["period_s"])
        check(law)
    except (AttributeError, KeyError, TypeError) as error:
        raise LawError(None, f"not a law: {error!r}") from error
    return law


def _is_name(name: str) -> bool:
    letters = all(" " <= letter <= "~" and letter not in '"\\' for letter in name)
    return letters and 0 < len(name) <= LONGEST_NAME
