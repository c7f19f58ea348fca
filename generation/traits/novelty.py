"""Whether a picture is new: told by a small thumbnail, and by what a trait parser sees in it.

A thumbnail finds the same composition in the same colours; the parser's features find the same
person again in other light. Distances are root mean square levels of 255 between thumbnails, and
1 - cosine between features, in [0, 2].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from generation.traits.diversity import NEAR_DUPLICATE_RMS

# Of 3,000 portraits of the shipped network the nearest other one is at .003, the median at .18;
# two at random are .60 apart.
SAME_FEATURES = 0.002
BLOCK = 256


@dataclass(frozen=True)
class Looks:
    """How pictures look: thumbnails [N, D] float32 in levels of 255, features [N, F] float32.

    F is 0 where nobody reads the pictures; they then differ by their thumbnails alone.
    """

    thumbnails: NDArray[np.float32]
    features: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.thumbnails.ndim != 2 or self.features.ndim != 2:
            raise ValueError(f"looks {self.thumbnails.shape} and {self.features.shape}")
        if len(self.thumbnails) != len(self.features):
            raise ValueError(f"{len(self.thumbnails)} thumbnails, {len(self.features)} features")

    def __len__(self) -> int:
        return len(self.thumbnails)

    def as_kept(self) -> Self:
        """Rounded as rows keep them, in half precision."""
        thumbnails, features = (
            part.astype("<f2").astype(np.float32) for part in vars(self).values()
        )
        return type(self)(thumbnails, features)

    def rows(self, places: slice | Sequence[int]) -> Self:
        return type(self)(self.thumbnails[places], self.features[places])


@dataclass(frozen=True)
class Near:
    """The nearest kept picture: ``rms`` by thumbnail, ``cosine`` by features; inf without one."""

    rms: float
    cosine: float

    def repeats(self) -> str:
        """How it repeats a kept one, as in a verdict's detail; empty for a new picture."""
        if self.rms < NEAR_DUPLICATE_RMS:
            return f"thumbnail, {self.rms:.2f} levels"
        if self.cosine < SAME_FEATURES:
            return f"features, cosine distance {self.cosine:.4f}"
        return ""

    @property
    def novelty(self) -> float:
        """Cosine distance to the nearest kept picture; 2, the largest there is, without one."""
        return min(self.cosine, 2.0)


class Seen:
    """Pictures kept so far, and how near a next one comes to them."""

    def __init__(self, kept: Looks) -> None:
        self._parts = [(kept.thumbnails, unit_rows(kept.features))] if len(kept) else []

    def block(self, looks: Looks) -> "Block":
        """Up to BLOCK pictures to be judged one after the other; ``close`` remembers the kept."""
        return Block(self, looks)

    def nearest(
        self, thumbnails: NDArray[np.float32], units: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Distances [N] by thumbnail and by features to the nearest kept picture."""
        rms = np.full(len(thumbnails), np.inf, np.float32)
        cosine = np.full(len(thumbnails), np.inf, np.float32)
        for kept_thumbnails, kept_units in self._parts:
            rms = np.minimum(rms, _rms(thumbnails, kept_thumbnails).min(1))
            cosine = np.minimum(cosine, cosine_distance(units, kept_units).min(1))
        return rms, cosine

    def keep(self, thumbnails: NDArray[np.float32], units: NDArray[np.float32]) -> None:
        if len(thumbnails):
            self._parts.append((thumbnails, units))
        if len(self._parts) > 16:
            thumbs, features = zip(*self._parts, strict=True)
            self._parts = [(np.concatenate(thumbs), np.concatenate(features))]


class Block:
    """Some pictures in order, with their distances to those kept before and among themselves."""

    def __init__(self, seen: Seen, looks: Looks) -> None:
        self._seen = seen
        self._thumbnails, self._units = looks.thumbnails, unit_rows(looks.features)
        self._rms, self._cosine = seen.nearest(self._thumbnails, self._units)
        self._inner_rms = _rms(self._thumbnails, self._thumbnails)
        self._inner_cosine = cosine_distance(self._units, self._units)
        self._kept: list[int] = []

    def near(self, row: int) -> Near:
        rms = min(float(self._rms[row]), *self._inner_rms[row, self._kept].tolist(), np.inf)
        cosine = min(
            float(self._cosine[row]), *self._inner_cosine[row, self._kept].tolist(), np.inf
        )
        return Near(rms, cosine)

    def keep(self, row: int) -> None:
        self._kept.append(row)

    def close(self) -> None:
        self._seen.keep(self._thumbnails[self._kept], self._units[self._kept])


def unit_rows(features: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(features, axis=1, keepdims=True)
    found: NDArray[np.float32] = features / np.maximum(length, np.float32(1e-12))
    return found


def _rms(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Root mean square differences [N, M] of rows of [N, D] and [M, D]."""
    squares = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T
    found: NDArray[np.float32] = np.sqrt(np.maximum(squares, 0) / a.shape[1])
    return found


def cosine_distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 - cosine [N, M] of unit rows; infinite where there are no features to compare."""
    if not a.shape[1]:
        return np.full((len(a), len(b)), np.inf, np.float32)
    found: NDArray[np.float32] = np.maximum(1 - a @ b.T, 0)
    return found
