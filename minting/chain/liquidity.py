"""What positions in a pool are worth, from the changes of their liquidity.

Liquidity of a v3 pool is sqrt(x * y) of its virtual reserves (Uniswap v3 Core, section 6.2). That
of a v2 pool is its shares, which are an ERC-20 token, in smallest units.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Change:
    """So much liquidity more, or less, of an owner's position.

    Without ticks it is a share of a v2 pool. With them it counts from ``tick_lower`` to before
    ``tick_upper``, where 1.0001^tick is the price of token 0 in token 1, in smallest units.
    """

    owner: str
    liquidity: int
    tick_lower: int | None = None
    tick_upper: int | None = None

    def is_in_range(self, tick: int) -> bool:
        if self.tick_lower is None or self.tick_upper is None:
            return True
        return self.tick_lower <= tick < self.tick_upper


def in_range(changes: Iterable[Change], tick: int) -> int:
    """The liquidity that trades meet at ``tick``: what ``liquidity()`` of a v3 pool answers."""
    return sum(change.liquidity for change in changes if change.is_in_range(tick))


def position(
    changes: Iterable[Change],
    owner: str,
    tick_lower: int | None = None,
    tick_upper: int | None = None,
) -> int:
    """The liquidity of one position: of ``positions(key)`` of a v3, ``balanceOf`` of a v2 pool."""
    named = (owner, tick_lower, tick_upper)
    return sum(
        change.liquidity
        for change in changes
        if (change.owner, change.tick_lower, change.tick_upper) == named
    )


def share(changes: Iterable[Change], owner: str) -> Fraction:
    """The part of a v2 pool that is an owner's, from 0 to 1; 0 of an empty pool."""
    known = list(changes)
    total = sum(change.liquidity for change in known)
    return Fraction(position(known, owner), total) if total else Fraction(0)


def price_of_reserves(reserve0: int, reserve1: int, decimals0: int, decimals1: int) -> float:
    """Token 1 for one token 0, in whole tokens; 0 of an empty pool."""
    if not reserve0:
        return 0.0
    return float(Fraction(reserve1, reserve0) * Fraction(10) ** (decimals0 - decimals1))


def price_of_root(sqrt_price_x96: int, decimals0: int, decimals1: int) -> float:
    """Token 1 for one token 0, in whole tokens, from a v3 pool's square root times 2^96."""
    ratio = Fraction(sqrt_price_x96 * sqrt_price_x96, 1 << 192)
    return float(ratio * Fraction(10) ** (decimals0 - decimals1))
