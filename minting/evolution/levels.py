"""From quantities to levels, and from levels to latents: ``Levels.sol`` in Python, bit by bit.

Quantities are words of the chain, 0 to 2^256 - 1, and so Python's integers. What is out of its
range counts as nothing; nothing here raises for what a pool said.
"""

import numpy as np
from numpy.typing import NDArray

WHOLE = 1 << 32  # a whole pool, in the unit of shares
MAX_TICK = 887_272  # the furthest from 0 that a pool of Uniswap v3 has
_MAX_LIQUIDITY = 2**128 - 1
_MAX_WORKS = 2**64 - 1


def level(quantity: int, offset: int, highest: int) -> int:
    """0 below 2^offset, 1 from there on, one more with each doubling, up to ``highest``."""
    return min((quantity >> offset).bit_length(), highest)


def age(since: int, now: int) -> int:
    """Seconds from ``since`` to ``now``, both since 1970; 0 if it is unknown (0) or to come."""
    return now - since if 0 < since <= now else 0


def in_range(liquidity: int, lower: int, upper: int, tick: int) -> int:
    """The liquidity of a position if trades meet it: lower <= tick < upper; else 0.

    Ticks are signed; one beyond +-887272, or liquidity beyond 2^128 - 1, counts as nothing.
    """
    is_sound = liquidity <= _MAX_LIQUIDITY and all(
        -MAX_TICK <= one <= MAX_TICK for one in (lower, upper, tick)
    )
    return liquidity if is_sound and lower <= tick < upper else 0


def share(balance: int, supply: int, works: int) -> int:
    """The part of a v2 pool that counts for one of a holder's works, in 2^-32, rounded down.

    A balance above the supply, a supply of none or beyond 2^128 - 1, or no works, count as nothing.
    """
    is_sound = balance <= supply <= _MAX_LIQUIDITY and works <= _MAX_WORKS
    return balance * WHOLE // (supply * works) if is_sound and supply and works else 0


def signed(word: int) -> int:
    """A word of 256 bits as a number in two's complement."""
    return word - (1 << 256) if word >> 255 else word


def move(
    latents: NDArray[np.uint8], levels: NDArray[np.uint8], directions: NDArray[np.int8]
) -> NDArray[np.uint8]:
    """clamp(z0 + sum over k of level_k * direction_k, 0, 255).

    Parameters
    ----------
    latents
        [N, 32] uint8, z0 of each work.
    levels
        [N, K] uint8.
    directions
        [K, 32] int8, what one level adds.

    Returns
    -------
    [N, 32] uint8.
    """
    added = levels.astype(np.int64) @ directions.astype(np.int64)
    return (latents.astype(np.int64) + added).clip(0, 255).astype(np.uint8)
