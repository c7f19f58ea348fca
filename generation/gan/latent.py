"""From a seed to a latent and its attributes: the same on every platform, whatever the batch."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from generation.traits.parameters import Parameters

SEED_BYTES = 32
EXPLORE_PSI = 1.25


@dataclass(frozen=True)
class ItemSpec:
    """One work before it is drawn: its 32-byte seed and the value asked for in each attribute.

    ``psi`` is its own truncation; None for that of its drop. No direction moves a control work.
    ``start`` [z_dim] is the latent that it begins from; None for that of its seed.
    ``shift`` [z_dim] is what its life has added to its latent; None for nothing.
    """

    index: int
    seed: bytes
    requested: dict[str, str]
    psi: float | None = None
    is_control: bool = False
    start: tuple[float, ...] | None = None
    shift: tuple[float, ...] | None = None


def item_seed(drop_seed: bytes, index: int) -> bytes:
    """sha256(drop seed, index as 8 bytes big-endian); ValueError unless the seed has 32 bytes."""
    if len(drop_seed) != SEED_BYTES or index < 0:
        raise ValueError(f"seed of {len(drop_seed)} bytes, index {index}")
    return hashlib.sha256(drop_seed + index.to_bytes(8, "big")).digest()


def uniforms(seed: bytes, label: str, n: int) -> NDArray[np.float64]:
    """Uniform numbers [n] in (0, 1): 53 bits of sha256(seed, label, counter); four a digest."""
    blocks = -(-n // 4)
    digests = b"".join(
        hashlib.sha256(seed + label.encode() + counter.to_bytes(8, "big")).digest()
        for counter in range(blocks)
    )
    words = np.frombuffer(digests, dtype=">u8").astype(np.uint64)[:n]
    return ((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def z(seed: bytes, z_dim: int) -> NDArray[np.float32]:
    """Standard normal latent [z_dim] by the inverse normal distribution function."""
    normal: NDArray[np.float64] = ndtri(uniforms(seed, "z", z_dim))
    return normal.astype(np.float32)


def choose(seed: bytes, parameters: Parameters) -> dict[str, str]:
    """The value of each attribute, drawn from its distribution by the seed alone.

    Each attribute has its own number, so a change in one distribution moves no other attribute.
    Values are taken in the order of their names: parameters are hashed, and stored by some
    databases, without an order of their own.
    """
    chosen = {}
    for attribute, shares in parameters.distributions.items():
        u = uniforms(seed, f"attribute:{attribute}", 1)[0]
        values = sorted(shares)
        edges = np.cumsum([shares[value] for value in values])
        at = int(np.searchsorted(edges / edges[-1], u, side="right"))
        chosen[attribute] = values[min(at, len(values) - 1)]
    return chosen


def explorers(drop_seed: bytes, size: int, share: float) -> frozenset[int]:
    """Places of a drop whose works are drawn to be unusual: round(share * size) of them.

    Those whose own number, drawn by the place's seed alone, is lowest.
    """
    return _lowest(drop_seed, "explore", range(size), round(share * size))


def controls(drop_seed: bytes, size: int, parameters: Parameters) -> frozenset[int]:
    """Places of a drop whose works nothing steers: round(control * size) of them.

    Of those that do not explore, chosen like these by a number of their own.
    """
    n = round(parameters.control * size)
    others = explorers(drop_seed, size, parameters.exploration)
    places = [place for place in range(size) if place not in others]
    return _lowest(drop_seed, "control", places, n)


def lots(drop_seed: bytes, size: int, share: float) -> frozenset[int]:
    """Places of a drop at which the lot decides between candidates: round(share * size) of them."""
    return _lowest(drop_seed, "lot", range(size), round(share * size))


def _lowest(drop_seed: bytes, label: str, places: Sequence[int], n: int) -> frozenset[int]:
    """The ``n`` places whose number, drawn by their seed alone, is lowest."""
    if not n:
        return frozenset()
    drawn = [uniforms(item_seed(drop_seed, place), label, 1)[0] for place in places]
    return frozenset(places[i] for i in np.argsort(drawn, kind="stable")[:n].tolist())


def attempt_seed(seed: bytes, attempt: int) -> bytes:
    """Seed of a later try of a work that has its own seed: sha256(seed, attempt as 8 bytes).

    Attempt 0 has the seed itself.
    """
    if len(seed) != SEED_BYTES or attempt < 0:
        raise ValueError(f"seed of {len(seed)} bytes, attempt {attempt}")
    return hashlib.sha256(seed + attempt.to_bytes(8, "big")).digest() if attempt else seed


def seeded_spec(index: int, seed: bytes, attempt: int, parameters: Parameters) -> ItemSpec:
    """What to draw for a work that has its own seed, such as a minted token.

    The seed decides whether the work explores, by chance of ``parameters.exploration``, otherwise
    whether it is a control, by chance of ``parameters.control``, and what it is to show; a later
    attempt asks for the same in another latent.
    """
    own = attempt_seed(seed, attempt)
    if uniforms(seed, "explore", 1)[0] < parameters.exploration:
        return ItemSpec(index, own, choose(seed, parameters.unsteered()), EXPLORE_PSI)
    if uniforms(seed, "control", 1)[0] < parameters.control:
        return ItemSpec(index, own, choose(seed, parameters.unsteered()), is_control=True)
    return ItemSpec(index, own, choose(seed, parameters))


def item_spec(
    drop_seed: bytes,
    index: int,
    parameters: Parameters,
    *,
    explores: bool = False,
    is_control: bool = False,
) -> ItemSpec:
    """What to draw for place ``index`` of a drop; what explores or is a control is not steered."""
    seed = item_seed(drop_seed, index)
    if explores:
        return ItemSpec(index, seed, choose(seed, parameters.unsteered()), EXPLORE_PSI)
    if is_control:
        return ItemSpec(index, seed, choose(seed, parameters.unsteered()), is_control=True)
    return ItemSpec(index=index, seed=seed, requested=choose(seed, parameters))
