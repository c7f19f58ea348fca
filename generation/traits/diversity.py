"""Guards against sameness: pictures that repeat each other, and how much a set of works varies."""

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

# Two pictures nearer than this, in root mean square levels of 255 on a 16 x 16 px thumbnail, look
# the same at a glance: 4 of 4,000 layered portraits have an earlier one so near.
NEAR_DUPLICATE_RMS = 2.0
THUMBNAIL_PX = 16


def thumbnails(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Box-averaged thumbnails [N, 16 * 16 * 3] in levels of 255, of pictures [N, H, W, 3]."""
    n, height, width, _ = pictures.shape
    if height % THUMBNAIL_PX or width % THUMBNAIL_PX:
        raise ValueError(f"{height} x {width} px is not a multiple of {THUMBNAIL_PX}")
    shape = (n, THUMBNAIL_PX, height // THUMBNAIL_PX, THUMBNAIL_PX, width // THUMBNAIL_PX, 3)
    means: NDArray[np.float32] = pictures.reshape(shape).mean((2, 4), dtype=np.float32)
    return means.reshape(n, -1)


def near_duplicates(
    vectors: NDArray[np.float32], threshold: float = NEAR_DUPLICATE_RMS
) -> list[int]:
    """Rows that repeat an earlier kept row, in rising order.

    Parameters
    ----------
    vectors : [N, D] thumbnails.
    threshold : root mean square difference in levels of 255 under which two rows count as one.
    """
    if len(vectors) < 2:
        return []
    index = NearestNeighbors(algorithm="brute").fit(vectors)
    radius = threshold * float(np.sqrt(vectors.shape[1]))
    neighbours = index.radius_neighbors(vectors, radius, return_distance=False)
    dropped: set[int] = set()
    for row, near in enumerate(neighbours):
        if any(other < row and other not in dropped for other in near.tolist()):
            dropped.add(row)
    return sorted(dropped)


def attribute_entropy(shares: list[float]) -> float:
    """Shannon entropy over the logarithm of the number of options: 0 one value, 1 all equal."""
    p = np.asarray(shares, dtype=np.float64)
    if len(p) < 2:
        return 0.0
    inside = p[p > 0]
    return float(-(inside * np.log(inside)).sum() / np.log(len(p)))
