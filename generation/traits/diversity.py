"""Guards against sameness: pictures that repeat each other, and how much a set of works varies."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

# Two pictures nearer than this, in root mean square levels of 255 on a 16 x 16 px thumbnail, look
# the same at a glance: 4 of 4,000 layered portraits have an earlier one so near.
NEAR_DUPLICATE_RMS = 2.0
# Curators see pictures nearer than this to each other side by side: 33 of 1,024 portraits of the
# shipped network (truncation 0.8, equal shares), half of which have no other one nearer than 30.
SIMILAR_RMS = 16.0
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
    dropped: set[int] = set()
    for row, near in enumerate(_neighbours(vectors, threshold)):
        if any(other < row and other not in dropped for other in near):
            dropped.add(row)
    return sorted(dropped)


class Repeats:
    """Pictures seen so far, to be asked one at a time whether the next one repeats any."""

    def __init__(self, threshold: float = NEAR_DUPLICATE_RMS) -> None:
        self._limit = threshold**2 * THUMBNAIL_PX**2 * 3
        self._rows = np.empty((256, THUMBNAIL_PX**2 * 3), np.float32)
        self._squares = np.empty(256, np.float32)
        self._n = 0

    def find(self, picture: NDArray[np.uint8]) -> int | None:
        """The first kept picture that [H, W, 3] looks like, by its number; None for a new one."""
        return self.find_row(thumbnails(picture[None])[0])

    def find_row(self, row: NDArray[np.float32]) -> int | None:
        """The same for a thumbnail [16 * 16 * 3]."""
        distance = self._squares[: self._n] - 2 * (self._rows[: self._n] @ row) + row @ row
        near = np.flatnonzero(distance < self._limit)
        return int(near[0]) if len(near) else None

    def keep(self, picture: NDArray[np.uint8]) -> int:
        """Remember a picture; returns its number, from 0."""
        return self.keep_row(thumbnails(picture[None])[0])

    def keep_row(self, row: NDArray[np.float32]) -> int:
        """The same for a thumbnail."""
        if self._n == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
            self._squares = np.concatenate([self._squares, np.empty_like(self._squares)])
        self._rows[self._n], self._squares[self._n] = row, row @ row
        self._n += 1
        return self._n - 1


def similar_groups(vectors: NDArray[np.float32], threshold: float = SIMILAR_RMS) -> list[list[int]]:
    """Rows that look much alike, two or more a group, in rising order.

    The first row that is in no group yet gathers the later free ones near it, so that all of a
    group resemble one picture; chains of small differences do not grow together.

    Parameters
    ----------
    vectors : [N, D] thumbnails.
    threshold : root mean square difference in levels of 255 to the group's first row.
    """
    if len(vectors) < 2:
        return []
    taken: set[int] = set()
    groups = []
    for row, near in enumerate(_neighbours(vectors, threshold)):
        group = sorted(other for other in near if other >= row and other not in taken)
        if row not in taken and len(group) > 1:
            groups.append(group)
            taken.update(group)
    return groups


def _neighbours(vectors: NDArray[np.float32], threshold: float) -> Iterable[list[int]]:
    """For each row the rows within ``threshold`` of it, itself included."""
    from sklearn.neighbors import NearestNeighbors  # takes a second to load, and pages need it not

    index = NearestNeighbors(algorithm="brute").fit(vectors)
    radius = threshold * float(np.sqrt(vectors.shape[1]))
    return (
        near.tolist() for near in index.radius_neighbors(vectors, radius, return_distance=False)
    )


def spread(pictures: NDArray[np.uint8]) -> float:
    """How far two of [N, H, W, 3] are apart: root mean square levels of 255 on thumbnails."""
    vectors = thumbnails(pictures)
    return float(np.sqrt(2 * vectors.var(axis=0, ddof=1).mean())) if len(vectors) > 1 else 0.0


def attribute_entropy(shares: list[float]) -> float:
    """Shannon entropy over the logarithm of the number of options: 0 one value, 1 all equal."""
    p = np.asarray(shares, dtype=np.float64)
    if len(p) < 2:
        return 0.0
    inside = p[p > 0]
    return abs(float((inside * np.log(inside)).sum() / np.log(len(p))))
