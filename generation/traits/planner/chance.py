"""Random numbers of a plan: the same from the same seed, whatever the version of numpy."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from generation.gan.latent import SEED_BYTES


class Chance:
    """PCG64's raw stream, which numpy keeps stable (NEP 19), unlike what its Generator makes of it.

    Raises
    ------
    ValueError
        The seed has not 32 bytes.
    """

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError(f"seed of {len(seed)} bytes")
        digest = hashlib.sha256(seed + b"plan").digest()
        self._bits = np.random.PCG64(int.from_bytes(digest, "big"))

    def raw(self, n: int) -> NDArray[np.uint64]:
        """Uniform words [n] of 64 bits."""
        words: NDArray[np.uint64] = self._bits.random_raw(n)
        return words

    def below(self, limit: int, n: int) -> NDArray[np.int64]:
        """Whole numbers [n] in [0, limit), uniform to 2^-53."""
        units = (self.raw(n) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return (units * limit).astype(np.int64)

    def permutation(self, n: int) -> NDArray[np.int64]:
        """The numbers 0 to n - 1 in random order."""
        return np.argsort(self.raw(n), kind="stable")
