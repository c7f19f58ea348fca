"""Logs of the collection contract: raw JSON in, frozen rows out."""

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from minting.chain import contracts
from minting.chain.phases import Phase, unpack
from minting.provenance.keccak import keccak256
from minting.provenance.lineage import DropBody

ZERO_ADDRESS = "0x" + "0" * 40
WORD_LENGTH = 2 + 64  # in text
# ERC-721: keccak256 of Transfer(address,address,uint256). Nine of ten logs are one.
TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


class LogError(ValueError):
    """A log is not one of the contract's events, or is damaged."""


# A named tuple is made in a third of the time of a frozen dataclass; both of these are in nearly
# every log.
class Place(NamedTuple):
    """Where a log stands; (tx_hash, log_index) names it on its chain."""

    block_number: int
    block_hash: str
    tx_hash: str
    log_index: int


class TransferLog(NamedTuple):
    place: Place
    sender: str
    recipient: str
    token_id: int

    @property
    def is_mint(self) -> bool:
        return self.sender == ZERO_ADDRESS


@dataclass(frozen=True)
class DropCommittedLog:
    place: Place
    drop_number: int
    head: bytes
    body: DropBody


@dataclass(frozen=True)
class SaleOpenedLog:
    place: Place
    drop_number: int
    phases: tuple[Phase, ...]
    final_by: int


@dataclass(frozen=True)
class SoldLog:
    """The works that a transaction minted since its last such log were bought for so much."""

    place: Place
    drop_number: int
    phase: int
    paid_wei: int


@dataclass(frozen=True)
class RevealLog:
    """A step of a drop's reveal.

    ``word`` is the hash of the reveal block, the drop's seed, or the sealed metadata root;
    ``reveal_block`` that whose hash was kept, or the later one that takes its place.
    """

    place: Place
    drop_number: int
    step: str
    word: bytes = b""
    reveal_block: int | None = None


# Sorts logs into the order of the chain.
in_chain = attrgetter("place.block_number", "place.log_index")

Log = TransferLog | DropCommittedLog | SaleOpenedLog | SoldLog | RevealLog

STEPS = {
    "BlockCaptured": "captured",
    "RevealRearmed": "rearmed",
    "DropRevealed": "revealed",
    "DropSealed": "sealed",
    "DropFailed": "failed",
}


def topic(event: str) -> str:
    """The first topic of an event's logs."""
    return contracts.collection().topic(event)


@cache
def topics() -> dict[str, str]:
    """First topic -> name of the events that are read."""
    own = ("Transfer", "DropCommitted", "SaleOpened", "Sold", *STEPS)
    return {topic(event): event for event in own}


def decode_all(raw: Iterable[Mapping[str, Any]]) -> list[Log]:
    """Decoded logs in the order of the chain; LogError for anything else."""
    return sorted([decode_log(entry) for entry in raw], key=in_chain)


def bought(found: Iterable[Log]) -> dict[int, SoldLog]:
    """Token id -> the log that tells its price, of logs in the order of the chain."""
    minted: dict[str, list[int]] = {}
    sold: dict[int, SoldLog] = {}
    for log in found:
        waiting = minted.setdefault(log.place.tx_hash, [])
        if isinstance(log, TransferLog) and log.is_mint:
            waiting.append(log.token_id)
        elif isinstance(log, SoldLog):
            n_works = max(len(waiting), 1)
            sold |= dict.fromkeys(waiting, replace(log, paid_wei=log.paid_wei // n_works))
            waiting.clear()
    return sold


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for cycles, while a window's logs are read: they have none.

    The search would look at each of some ten thousand new objects several times, which takes a
    third of decoding.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def decode_log(raw: Mapping[str, Any]) -> Log:
    try:
        place = read_place(raw)
        topics, body = raw["topics"], raw["data"]
        if topics[0] == TRANSFER_TOPIC:
            _, sender, recipient, token_id = topics
            return TransferLog(place, party(sender), party(recipient), number(token_id))
        event, *words = topics
        return _decode(event, place, [number(word) for word in words], body)
    except (KeyError, IndexError, TypeError, ValueError, DecodingError) as error:
        raise LogError(f"not a log of the collection: {error}") from error


def read_place(raw: Mapping[str, Any]) -> Place:
    """Where a raw log stands; KeyError, TypeError or ValueError where a field is damaged."""
    return Place(
        int(raw["blockNumber"], 16),
        raw["blockHash"],
        raw["transactionHash"],
        int(raw["logIndex"], 16),
    )


def number(word: str) -> int:
    """A 32-byte word of a log as an integer; ValueError or TypeError for anything else."""
    if len(word) != WORD_LENGTH:
        raise ValueError(f"{word!r:.80} is not a word of 32 bytes")
    return int(word, 16)


# The same few wallets stand in most logs of a window; 65,536 take 20 MB.
@lru_cache(maxsize=2**16)
def party(word: str) -> str:
    """The address in a 32-byte word, its letters capital as its own hash says (ERC-55)."""
    address = f"{number(word):040x}"
    if len(address) > 40:
        raise ValueError(f"{word} is not an address")
    digest = keccak256(address.encode()).hex()
    pairs = zip(address, digest, strict=False)
    return "0x" + "".join(letter.upper() if nibble > "7" else letter for letter, nibble in pairs)


def _decode(event: str, place: Place, words: list[int], text: str) -> Log:
    name = topics()[event]
    values = decode(contracts.collection().unindexed(name), bytes.fromhex(text[2:]))
    if name == "DropCommitted":
        return DropCommittedLog(place, words[0], words[1].to_bytes(32), DropBody(*values[0]))
    if name == "SaleOpened":
        return SaleOpenedLog(place, words[0], tuple(map(unpack, values[0])), values[1])
    if name == "Sold":
        return SoldLog(place, words[0], *values)
    return RevealLog(place, words[0], STEPS[name], *_reveal(name, values))


def _reveal(name: str, values: tuple[Any, ...]) -> tuple[bytes, int | None]:
    """The word of a step of a reveal, and the block."""
    if name == "BlockCaptured":
        return values[1], values[0]
    if name == "RevealRearmed":
        return b"", values[0]
    if name == "DropRevealed":
        return values[0], None
    return (values[0][0] if name == "DropSealed" else b""), None
