"""From one hash to a work: which values its attributes have, and the 32 bytes it is drawn from.

Byte j of the word chooses the value of attribute j: the first whose threshold is above it, where
thresholds are shares of 256 summed up. The value's code goes to the latents, in the order of the
attributes. What no code fills stays as it is in the word. Codes are at least a byte each, so that
a byte that chooses is never one that is kept: values and the rest are independent.
``Painter.latentsOf`` is the same in Solidity.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from minting.evolution.network import LATENTS, Network

SHARES = 256


@dataclass(frozen=True)
class Attribute:
    """``thresholds`` ascend, the last is 256; ``codes`` [values, 1 or more] uint8."""

    name: str
    values: tuple[str, ...]
    thresholds: tuple[int, ...]
    codes: NDArray[np.uint8]


def attributes(
    network: Network, shares: Mapping[str, Sequence[float]] | None = None
) -> tuple[Attribute, ...]:
    """A network's attributes, drawn in these shares; in equal ones where none are given.

    ``shares``: attribute -> what its values get, in any unit. Raises ValueError if an attribute has
    another number of values, or a share is below zero, or all are zero.
    """
    found = []
    for name, values in network.values.items():
        asked = (shares or {}).get(name, [1.0] * len(values))
        if len(asked) != len(values):
            raise ValueError(f"{name} has {len(values)} values, not {len(asked)}")
        found.append(Attribute(name, values, thresholds(asked), network.codes[name]))
    return tuple(found)


def thresholds(shares: Sequence[float]) -> tuple[int, ...]:
    """Shares as whole parts of 256, summed up; what is left goes to the largest remainders.

    Raises ValueError if a share is below zero, or none is above.
    """
    whole = np.asarray(shares, dtype=np.float64)
    if (whole < 0).any() or not whole.sum() > 0:
        raise ValueError("shares are not below zero, and one is above")
    exact = whole / whole.sum() * SHARES
    parts = np.floor(exact).astype(int)
    order = np.argsort(parts - exact, kind="stable")
    parts[order[: SHARES - parts.sum()]] += 1
    return tuple(accumulate(int(part) for part in parts))


def choose(schema: Sequence[Attribute], word: bytes) -> list[int]:
    """The place of each attribute's value for a word of 32 bytes; ValueError for another length."""
    if len(word) != LATENTS:
        raise ValueError(f"a word is {LATENTS} bytes, not {len(word)}")
    return [
        sum(threshold <= byte for threshold in attribute.thresholds)
        for attribute, byte in zip(schema, word, strict=False)
    ]


def latents_of(schema: Sequence[Attribute], word: bytes) -> bytes:
    """The 32 bytes that a work with this word is drawn from; ValueError for another length."""
    chosen = choose(schema, word)
    codes = b"".join(
        attribute.codes[value].tobytes() for attribute, value in zip(schema, chosen, strict=True)
    )
    return codes + word[len(codes) :]
