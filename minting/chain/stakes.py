"""Logs of the staking contract: raw JSON in, frozen rows out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from minting.chain.abi import Compiled, compiled
from minting.chain.logs import LogError, Place, in_chain, number, party, read_place

EVENTS = ("Staked", "Unstaked", "Claimed", "Funded")


@dataclass(frozen=True)
class StakeLog:
    """A work is locked from here on, or free again."""

    place: Place
    owner: str
    token_id: int
    is_start: bool


@dataclass(frozen=True)
class ClaimLog:
    place: Place
    wallet: str
    amount_wei: int


@dataclass(frozen=True)
class FundLog:
    """``amount_wei`` joined the pool, which is spread until ``ends_at``, seconds since 1970."""

    place: Place
    amount_wei: int
    ends_at: int


Log = StakeLog | ClaimLog | FundLog


def staking() -> Compiled:
    return compiled("Staking")


@cache
def topics() -> dict[str, str]:
    """First topic -> name of the events that are read."""
    return {staking().topic(event): event for event in EVENTS}


def decode_stakes(raw: Iterable[Mapping[str, Any]]) -> list[Log]:
    """Decoded logs in the order of the chain; LogError for anything else."""
    found = [_decode(entry) for entry in raw]
    return sorted(found, key=in_chain)


def _decode(raw: Mapping[str, Any]) -> Log:
    try:
        place, data = read_place(raw), raw["data"]
        topic, *words = raw["topics"]
        # Everything is words of 32 bytes.
        words += ["0x" + data[at : at + 64] for at in range(2, len(data), 64)]
        name = topics()[topic]
        if name == "Funded":
            amount, ends_at = words
            return FundLog(place, number(amount), number(ends_at))
        wallet, value = words
        if name == "Claimed":
            return ClaimLog(place, party(wallet), number(value))
        return StakeLog(place, party(wallet), number(value), is_start=name == "Staked")
    except (KeyError, TypeError, ValueError) as error:
        raise LogError(f"not a log of the staking contract: {error}") from error
