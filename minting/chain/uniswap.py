"""Uniswap v3 as wallets use it: positions, trades, and what both take of a pool's tokens.

The price of token 0 in token 1 is 1.0001^tick (Uniswap v3 Core, section 6.1). Contracts are those
that npm has.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address

from minting.chain.abi import Interface, factory_address, types
from minting.chain.client import Client, RpcError
from minting.chain.pool_facts import NotAPoolError, read_pool
from minting.chain.pools import V3

BUILD = "@uniswap/{}/artifacts/contracts/{}.sol/{}.json"
BASE = 1.0001  # of a tick
ONE_X96 = 2**96
FAR = 2**40  # seconds since 1970
ALL = 2**128 - 1  # of what a position has to be collected


class Artefact(Interface):
    """A contract as a package of npm ships it."""

    def __init__(self, path: Path) -> None:
        self.shipped = json.loads(path.read_text())
        super().__init__(self.shipped["abi"])

    def creation(self, *arguments: Any) -> bytes:
        code = bytes.fromhex(self.shipped["bytecode"].removeprefix("0x"))
        if not arguments:
            return code
        return code + encode(types(self.element("constructor", "")["inputs"]), arguments)


@cache
def artefact(packages: Path, place: str, name: str) -> Artefact:
    if name == "WETH9":
        return Artefact(packages / "@uniswap" / place / "build" / "WETH9.json")
    return Artefact(packages / BUILD.format(place, name, name))


@dataclass(frozen=True)
class Position:
    """Liquidity from one tick to before another."""

    number: int
    lower: int
    upper: int
    liquidity: int


@dataclass(frozen=True)
class Price:
    """Where a pool is: the square root of its price, times 2^96, and the tick at or below it."""

    root_x96: int
    tick: int


@dataclass(frozen=True)
class Venue:
    """A pool, and what wallets use it by.

    ``router_code`` creates the router, if the factory of ``minting.chain.abi`` has not yet.
    """

    packages: Path
    pool: str
    manager: str
    tokens: tuple[str, str]
    fee_pips: int
    spacing: int
    router_code: bytes

    @property
    def router(self) -> str:
        return factory_address(self.router_code)

    def open(self, owner: str, ticks: tuple[int, int], most: tuple[int, int]) -> bytes:
        """For the manager: a new position of as much as fits to ``most`` of each token."""
        terms = (*self.tokens, self.fee_pips, *ticks, *most, 0, 0, owner, FAR)
        return self._manager.call("mint", terms)

    def add(self, number: int, most: tuple[int, int]) -> bytes:
        """For the manager: more liquidity, as much as fits to ``most`` of each token."""
        return self._manager.call("increaseLiquidity", (number, *most, 0, 0, FAR))

    def remove(self, number: int, liquidity: int, owner: str) -> bytes:
        """For the manager: less liquidity, and what it was to its owner."""
        less = self._manager.call("decreaseLiquidity", (number, liquidity, 0, 0, FAR))
        taken = self._manager.call("collect", (number, owner, ALL, ALL))
        return self._manager.call("multicall", [less, taken])

    def trade(self, owner: str, amount_wei: int, *, is_first: bool, root_x96: int = 0) -> bytes:
        """For the router: give token 0 or token 1 for the other.

        With ``root_x96`` no more than moves the price there.
        """
        given, got = self.tokens if is_first else self.tokens[::-1]
        terms = (given, got, self.fee_pips, owner, FAR, amount_wei, 0, root_x96)
        return artefact(self.packages, "v3-periphery", "SwapRouter").call("exactInputSingle", terms)

    def read_price(self, node: Client) -> Price:
        pool = artefact(self.packages, "v3-core", "UniswapV3Pool")
        root_x96, tick, *_ = pool.answer("slot0", node.read(self.pool, pool.call("slot0")))
        return Price(root_x96, tick)

    def read_positions(self, node: Client, owner: str) -> list[Position]:
        """An owner's positions in this pool, the oldest first."""
        n = self._ask(node, [("balanceOf", owner)])[0]
        asked = [("tokenOfOwnerByIndex", owner, i) for i in range(n)]
        return self._read(node, self._ask(node, asked))

    def read_nth(self, node: Client, nth: int) -> Position | None:
        """One of the manager's positions; None if it is not in this pool."""
        found = self._read(node, self._ask(node, [("tokenByIndex", nth)]))
        return found[0] if found else None

    def count(self, node: Client) -> int:
        """How many positions the manager has, in all pools."""
        return int(self._ask(node, [("totalSupply",)])[0])

    @property
    def _manager(self) -> Artefact:
        return artefact(self.packages, "v3-periphery", "NonfungiblePositionManager")

    def _read(self, node: Client, numbers: Sequence[int]) -> list[Position]:
        found = []
        rows = self._ask(node, [("positions", number) for number in numbers])
        for number, (_, _, first, second, fee, lower, upper, liquidity, *_) in zip(
            numbers, rows, strict=True
        ):
            sides = tuple(str(to_checksum_address(side)) for side in (first, second))
            if (sides, fee) == (self.tokens, self.fee_pips):
                found.append(Position(number, lower, upper, liquidity))
        return found

    def _ask(self, node: Client, asked: Sequence[tuple[Any, ...]]) -> list[Any]:
        calls = [(self.manager, self._manager.call(*words)) for words in asked]
        raws = node.read_all(calls, "latest")
        return [self._manager.answer(words[0], raw) for words, raw in zip(asked, raws, strict=True)]


def read_venue(node: Client, packages: Path, pool: str, manager: str) -> Venue:
    """NotAPoolError if there is no such pool, or if the manager is another factory's."""
    facts = read_pool(node, pool, V3)
    core = artefact(packages, "v3-core", "UniswapV3Pool")
    positions = artefact(packages, "v3-periphery", "NonfungiblePositionManager")

    def told(name: str) -> str:
        raw = node.read(manager, positions.call(name))
        return str(to_checksum_address(positions.answer(name, raw)))

    try:
        spacing = core.answer("tickSpacing", node.read(pool, core.call("tickSpacing")))
        factory, wrapped = told("factory"), told("WETH9")
    except (RpcError, DecodingError) as error:
        raise NotAPoolError(pool, V3, f"{manager} is no manager of positions") from error
    if factory != facts.factory:
        raise NotAPoolError(pool, V3, f"{manager} is of the factory {factory}")
    first, second = (token.address for token in facts.tokens)
    router = artefact(packages, "v3-periphery", "SwapRouter").creation(factory, wrapped)
    return Venue(packages, facts.address, manager, (first, second), facts.fee_pips, spacing, router)


def root_x96(tick: float) -> int:
    """The square root of the price at a tick or between two, times 2^96."""
    return int(BASE ** (tick / 2) * ONE_X96)


def amounts(liquidity: int, ticks: tuple[int, int], at_x96: int) -> tuple[int, int]:
    """What liquidity between two ticks takes of each token (section 6.3), rounded up.

    ``at_x96``: the square root of the pool's price, times 2^96.
    """
    low, high = map(root_x96, ticks)
    at = min(max(at_x96, low), high)
    first = liquidity * ONE_X96 * (high - at) // (high * at)
    return first + (at < high), liquidity * (at - low) // ONE_X96 + (low < at)
