"""Logs of a collection whose works vote (ERC-5805, OpenZeppelin's Votes): raw JSON to rows.

A wallet's works vote once it has delegated them, to itself or another. Power is counted by block:
what a wallet had at a block is what the last log up to and in that block says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from minting.chain.logs import LogError, Place, in_chain, number, party, read_place
from minting.provenance.keccak import keccak256

POWER_TOPIC = "0x" + keccak256(b"DelegateVotesChanged(address,uint256,uint256)").hex()
DELEGATE_TOPIC = "0x" + keccak256(b"DelegateChanged(address,address,address)").hex()
TOPICS = [POWER_TOPIC, DELEGATE_TOPIC]


@dataclass(frozen=True)
class PowerLog:
    """``delegate`` has so many votes from here on; one work is one vote."""

    place: Place
    delegate: str
    votes: int


@dataclass(frozen=True)
class DelegateLog:
    """The votes of ``holder`` are ``delegate``'s from here on; the zero address: nobody's."""

    place: Place
    holder: str
    delegate: str


Log = PowerLog | DelegateLog


def decode_votes(raw: Iterable[Mapping[str, Any]]) -> list[Log]:
    """Decoded logs in the order of the chain; LogError for anything else."""
    return sorted([_decode(entry) for entry in raw], key=in_chain)


def _decode(raw: Mapping[str, Any]) -> Log:
    try:
        place, data = read_place(raw), raw["data"]
        topic, *words = raw["topics"]
        # Everything is words of 32 bytes.
        words += ["0x" + data[at : at + 64] for at in range(2, len(data), 64)]
        if topic == POWER_TOPIC:
            delegate, _, votes = words
            return PowerLog(place, party(delegate), number(votes))
        if topic == DELEGATE_TOPIC:
            holder, _, delegate = words
            return DelegateLog(place, party(holder), party(delegate))
        raise ValueError(f"unknown topic {topic:.80}")
    except (KeyError, TypeError, ValueError) as error:
        raise LogError(f"not a log about votes: {error}") from error
