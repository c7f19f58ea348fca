"""Logs of Uniswap pools, v2 (IUniswapV2Pair) and v3 (IUniswapV3PoolEvents): raw JSON to rows.

Every field is a word of 32 bytes. Amounts are of the pool's two tokens, in their smallest units,
and are counted as the pool gains them: what it gives is negative.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address

from minting.chain.logs import LogError, Place, number, party, read_place
from minting.provenance.keccak import keccak256

SIGNATURES = {
    "v2 swap": "Swap(address,uint256,uint256,uint256,uint256,address)",
    "v2 sync": "Sync(uint112,uint112)",
    "v3 swap": "Swap(address,address,int256,int256,uint160,uint128,int24)",
    "v3 mint": "Mint(address,address,int24,int24,uint128,uint256,uint256)",
    "v3 burn": "Burn(address,int24,int24,uint128,uint256,uint256)",
}
NAMES = {"0x" + keccak256(text.encode()).hex(): name for name, text in SIGNATURES.items()}
TOPICS = {name: topic for topic, name in NAMES.items()}


@dataclass(frozen=True)
class SwapLog:
    """Tokens exchanged; ``recipient`` got what the pool gave."""

    place: Place
    pool: str
    sender: str
    recipient: str
    amount0: int
    amount1: int


@dataclass(frozen=True)
class PriceLog:
    """A swap in a v3 pool: its price afterwards, as sqrt(token1 / token0) times 2^96.

    ``liquidity`` is what is in range at ``tick``.
    """

    swap: SwapLog
    sqrt_price_x96: int
    liquidity: int
    tick: int

    @property
    def place(self) -> Place:
        return self.swap.place


@dataclass(frozen=True)
class SyncLog:
    """What a v2 pool has of both tokens from here on."""

    place: Place
    pool: str
    reserve0: int
    reserve1: int


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


Log = SwapLog | PriceLog | SyncLog | RangeLog


def decode_pools(raw: Iterable[Mapping[str, Any]]) -> list[Log]:
    """Decoded logs in the order of the chain; LogError for anything else."""
    found = [_decode(entry) for entry in raw]
    return sorted(found, key=lambda log: (log.place.block_number, log.place.log_index))


def _decode(raw: Mapping[str, Any]) -> Log:
    try:
        place, pool = read_place(raw), str(to_checksum_address(raw["address"]))
        topic, *indexed = raw["topics"]
        data = raw["data"]
        words = ["0x" + data[at : at + 64] for at in range(2, len(data), 64)]
        return _read(NAMES[topic], place, pool, indexed, words)
    except (KeyError, TypeError, ValueError) as error:
        raise LogError(f"not a log of a pool: {error}") from error


def _read(name: str, place: Place, pool: str, indexed: list[str], words: list[str]) -> Log:
    if name == "v2 sync":
        reserve0, reserve1 = words
        return SyncLog(place, pool, number(reserve0), number(reserve1))
    if name == "v2 swap":
        sender, recipient = indexed
        in0, in1, out0, out1 = map(number, words)
        return SwapLog(place, pool, party(sender), party(recipient), in0 - out0, in1 - out1)
    if name == "v3 swap":
        sender, recipient = indexed
        amount0, amount1, price, liquidity, tick = words
        swap = SwapLog(
            place, pool, party(sender), party(recipient), _signed(amount0), _signed(amount1)
        )
        return PriceLog(swap, number(price), number(liquidity), _signed(tick))
    owner, lower, upper = indexed
    # Who called is told of a v3 mint only.
    sign, rest = (1, words[1:]) if name == "v3 mint" else (-1, words)
    added, added0, added1 = (sign * number(word) for word in rest)
    return RangeLog(
        place, pool, party(owner), _signed(lower), _signed(upper), added, added0, added1
    )


def _signed(word: str) -> int:
    """A word as a two's complement integer."""
    value = number(word)
    return value - 2**256 if value >= 2**255 else value
