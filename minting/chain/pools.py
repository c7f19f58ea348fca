"""Logs of Uniswap pools, v2 (IUniswapV2Pair) and v3 (IUniswapV3PoolEvents): raw JSON to rows.

Every field is a word of 32 bytes. Amounts are of the pool's two tokens, in their smallest units,
and are counted as the pool gains them: what it gives is negative.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from minting.chain.logs import LogError, Place, in_chain, number, party, read_place
from minting.provenance.keccak import keccak256

V2, V3 = "v2", "v3"
SIGNATURES = {
    "v2 swap": "Swap(address,uint256,uint256,uint256,uint256,address)",
    "v2 sync": "Sync(uint112,uint112)",
    "v2 transfer": "Transfer(address,address,uint256)",
    "v3 initialize": "Initialize(uint160,int24)",
    "v3 swap": "Swap(address,address,int256,int256,uint160,uint128,int24)",
    "v3 mint": "Mint(address,address,int24,int24,uint128,uint256,uint256)",
    "v3 burn": "Burn(address,int24,int24,uint128,uint256,uint256)",
}
NAMES = {"0x" + keccak256(text.encode()).hex(): name for name, text in SIGNATURES.items()}
TOPICS = {name: topic for topic, name in NAMES.items()}
# What is in the topics after the first one, and the widths in bits of the words in the data, those
# with a sign below zero. Who called (256) is told of a v3 mint only.
PARTIES = {"v2 swap": 2, "v2 transfer": 2, "v3 swap": 2, "v3 mint": 1, "v3 burn": 1}
TICKS = {"v3 mint": 2, "v3 burn": 2}
WIDTHS = {
    "v2 swap": (256, 256, 256, 256),
    "v2 sync": (112, 112),
    "v2 transfer": (256,),
    "v3 initialize": (160, -24),
    "v3 swap": (-256, -256, 160, 128, -24),
    "v3 mint": (256, 128, 256, 256),
    "v3 burn": (128, 256, 256),
}
ADDRESS_LENGTH = 42  # in text


def _limits(bits: int) -> tuple[bool, int, int]:
    """Whether so wide an integer has a sign, its least value, and the first that is too large."""
    return (True, -(1 << -bits - 1), 1 << -bits - 1) if bits < 0 else (False, 0, 1 << bits)


FIELDS = {
    name: [(32 * at, *_limits(bits)) for at, bits in enumerate(widths)]
    for name, widths in WIDTHS.items()
}
TICK = _limits(-24)


class ForeignLogError(LogError):
    """The node is right, and the contract wrote something else than a pool does."""


# Nine of ten logs of a pool are swaps: a named tuple is made faster than a frozen dataclass.
class SwapLog(NamedTuple):
    """Tokens exchanged; ``recipient`` got what the pool gave."""

    place: Place
    pool: str
    sender: str
    recipient: str
    amount0: int
    amount1: int


class PriceLog(NamedTuple):
    """A swap in a v3 pool: its price afterwards, as sqrt(token1 / token0) times 2^96.

    ``liquidity`` is what is in range at ``tick``.
    """

    place: Place
    swap: SwapLog
    sqrt_price_x96: int
    liquidity: int
    tick: int


@dataclass(frozen=True)
class StartLog:
    """The first price of a v3 pool, before any liquidity."""

    place: Place
    pool: str
    sqrt_price_x96: int
    tick: int


@dataclass(frozen=True)
class SyncLog:
    """What a v2 pool has of both tokens from here on."""

    place: Place
    pool: str
    reserve0: int
    reserve1: int


@dataclass(frozen=True)
class ShareLog:
    """Shares of a v2 pool change hands; from the zero address they are made, to it destroyed."""

    place: Place
    pool: str
    sender: str
    recipient: str
    amount: int


@dataclass(frozen=True)
class RangeLog:
    """Liquidity added to the ticks from ``tick_lower`` to before ``tick_upper``, or taken away.

    Taking it away moves no tokens yet: ``amount0`` and ``amount1`` are owed from then on.
    """

    place: Place
    pool: str
    owner: str
    tick_lower: int
    tick_upper: int
    liquidity: int
    amount0: int
    amount1: int


Log = SwapLog | PriceLog | StartLog | SyncLog | ShareLog | RangeLog


def topics(kind: str) -> list[str]:
    """First topics of the events of a pool of this kind."""
    return [topic for name, topic in TOPICS.items() if name.startswith(kind)]


def decode_pools(raw: Iterable[Mapping[str, Any]]) -> list[Log]:
    """Decoded logs in the order of the chain; LogError for anything else."""
    return sorted([decode_log(entry) for entry in raw], key=in_chain)


def readable(raw: Iterable[Mapping[str, Any]]) -> tuple[list[Log], list[ForeignLogError]]:
    """Decoded logs in the order of the chain, and why others were left out.

    A pool is a stranger's contract. What it writes in its own way is its own loss; where the node's
    part of a log is damaged, that is a LogError.
    """
    found: list[Log] = []
    refused: list[ForeignLogError] = []
    for entry in raw:
        try:
            found.append(decode_log(entry))
        except ForeignLogError as error:
            refused.append(error)
    return sorted(found, key=in_chain), refused


def decode_log(raw: Mapping[str, Any]) -> Log:
    """One log of a pool.

    Raises
    ------
    ForeignLogError
        The event is none of a pool's, or its fields are too short, too long, or out of range.
    LogError
        A field that the node adds is missing or damaged.
    """
    try:
        place, pool = read_place(raw), _address(raw["address"])
        topic, *indexed = raw["topics"]
        body = bytes.fromhex(raw["data"][2:])
    except (KeyError, TypeError, ValueError) as error:
        kind = ForeignLogError if raw.get("topics") == [] else LogError
        raise kind(f"not a log of a pool: {error}") from error
    try:
        name = NAMES[topic]
        return READ[name](place, pool, *_indexed(name, indexed), *_words(name, body))
    except (KeyError, TypeError, ValueError) as error:
        raise ForeignLogError(f"{pool} wrote no log of a pool: {error}") from error


@lru_cache(maxsize=2**10)
def _address(text: str) -> str:
    if len(text) != ADDRESS_LENGTH:
        raise ValueError(f"{text:.80} is not an address")
    return party("0x" + text[2:].zfill(64))


def _indexed(name: str, words: list[str]) -> list[Any]:
    n_parties = PARTIES.get(name, 0)
    ticks = [_tick(word) for word in words[n_parties:]]
    if len(words) != n_parties + TICKS.get(name, 0) or ticks != sorted(set(ticks)):
        raise ValueError(f"no parties and range of a {name}: {words!r:.300}")
    return [*map(party, words[:n_parties]), *ticks]


def _words(name: str, body: bytes) -> list[int]:
    fields = FIELDS[name]
    if len(body) != 32 * len(fields):
        raise ValueError(f"{len(body)} bytes of data")
    values = []
    for (
        at,
        is_signed,
        least,
        end,
    ) in fields:  # written out: a call for each word takes as long again
        value = int.from_bytes(body[at : at + 32], signed=is_signed)
        if not least <= value < end:
            raise ValueError(f"{value} is not from {least} to {end - 1}")
        values.append(value)
    return values


def _tick(word: str) -> int:
    value = number(word)
    tick = value - 2**256 if value >> 255 else value
    if not TICK[1] <= tick < TICK[2]:
        raise ValueError(f"{tick} is not an int24")
    return tick


def _v2_swap(
    place: Place, pool: str, sender: str, recipient: str, in0: int, in1: int, out0: int, out1: int
) -> SwapLog:
    return SwapLog(place, pool, sender, recipient, in0 - out0, in1 - out1)


def _v3_swap(
    place: Place,
    pool: str,
    sender: str,
    recipient: str,
    amount0: int,
    amount1: int,
    price: int,
    liquidity: int,
    tick: int,
) -> PriceLog:
    swap = SwapLog(place, pool, sender, recipient, amount0, amount1)
    return PriceLog(place, swap, price, liquidity, tick)


def _mint(place: Place, pool: str, owner: str, lower: int, upper: int, *words: int) -> RangeLog:
    return RangeLog(place, pool, owner, lower, upper, *words[1:])


def _burn(place: Place, pool: str, owner: str, lower: int, upper: int, *words: int) -> RangeLog:
    return RangeLog(place, pool, owner, lower, upper, *(-word for word in words))


READ: dict[str, Callable[..., Log]] = {
    "v2 swap": _v2_swap,
    "v2 sync": SyncLog,
    "v2 transfer": ShareLog,
    "v3 initialize": StartLog,
    "v3 swap": _v3_swap,
    "v3 mint": _mint,
    "v3 burn": _burn,
}
