"""How far a picture drawn again is from the one that is stored."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Another processor or library rounds float32 otherwise: a sample falls on the next level here and
# there. What one sees takes more.
MAX_LEVELS = 2
MAX_MEAN_LEVELS = 0.1


@dataclass(frozen=True)
class Difference:
    """Differences of samples in levels of 255: the largest, the mean, and the share that differ."""

    largest: int
    mean: float
    share: float

    def is_within(self, levels: int = MAX_LEVELS, mean_levels: float = MAX_MEAN_LEVELS) -> bool:
        """The same picture, up to rounding on another machine."""
        return self.largest <= levels and self.mean <= mean_levels


def difference(stored: NDArray[np.uint8], drawn: NDArray[np.uint8]) -> Difference:
    """Of two pictures [H, W, 3]; ValueError if their shapes differ."""
    if stored.shape != drawn.shape:
        raise ValueError(f"pictures of {stored.shape} and {drawn.shape}")
    apart = np.abs(stored.astype(np.int16) - drawn.astype(np.int16))
    return Difference(int(apart.max()), float(apart.mean()), float((apart > 0).mean()))
