"""What the life of a work does to the large picture: the way its 32 bytes went, in the latent.

A work that moved from bytes to bytes moves its own latent by the difference of what its free bytes
stand for (`generation.gan.twins`), so that one that has not moved is the very picture that was
minted.
"""

import numpy as np
from numpy.typing import NDArray

from generation.gan.twins import quantiles


def shift(
    basis: NDArray[np.float32], before: NDArray[np.uint8], after: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """What is added to each work's latent [N, z_dim].

    Parameters
    ----------
    basis : [z_dim, F], of the last F bytes.
    before, after : [N, 32] uint8.

    Raises
    ------
    ValueError
        The bytes that say what a work shows are others than before: it would be another work.
    """
    n_free = basis.shape[1]
    n_codes = before.shape[1] - n_free
    if before.shape != after.shape or n_codes < 0:
        raise ValueError(f"{before.shape} and {after.shape} are not latents of the same works")
    if (before[:, :n_codes] != after[:, :n_codes]).any():
        raise ValueError("a work would show something else")
    old, new = (quantiles(one[:, n_codes:]) for one in (before, after))
    found: NDArray[np.float64] = (new - old) @ basis.astype(np.float64).T
    return found
