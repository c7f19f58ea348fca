"""The surface of blocks of whole heights: few rectangles, exactly where the blocks' faces are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Of the longer side. Deep enough to be seen from the side, flat enough to be known from the front.
DEPTH = 1 / 8
# A colour this near the background (share of the largest possible distance) is background.
NEAR = 0.06


@dataclass(frozen=True)
class Faces:
    """Rectangles in the planes between pixels.

    ``corners`` are [N, 4, 3] int32: x from the left, y from the bottom, z from the back, in pixels,
    counter-clockwise as seen from outside. ``halves`` are [N, 4, 2] int32: where each corner's
    colour is in the picture, from its top left corner, in half pixels.
    """

    corners: NDArray[np.int32]
    halves: NDArray[np.int32]


def heights(picture: NDArray[np.uint8]) -> NDArray[np.int32]:
    """How many blocks stand on each pixel of [H, W, 3], from 1 to an eighth of the longer side.

    The background is the median colour of the outermost pixels, channel by channel. A pixel rises
    with the Euclidean distance of its colour from it, relative to the largest in the picture;
    what is within ``NEAR`` stays flat. Each height is then the median of its 3 x 3 neighbours'.
    """
    height, width, _ = picture.shape
    top = max(2, round(max(height, width) * DEPTH))
    ground = np.median(border(picture), axis=0)
    distance = np.sqrt(np.square(picture - ground).sum(2))
    farthest = float(distance.max())
    least = NEAR * 255 * np.sqrt(3)
    if farthest <= least:
        return np.ones((height, width), np.int32)
    share = np.clip((distance - least) / (farthest - least), 0, 1)
    return _median(1 + np.rint(share * (top - 1)).astype(np.int32))


def border(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The outermost pixels of [H, W, 3] as [N, 3]."""
    return np.concatenate([picture[0], picture[-1], picture[1:-1, 0], picture[1:-1, -1]])


def merged(tall: NDArray[np.int32]) -> Faces:
    """The closed surface of blocks [H, W] of heights from 1 on, rows from the top.

    Neighbours in one plane become one rectangle whatever their colours, as these come from the
    picture. All corners are whole numbers, so edges that meet lie on each other exactly, also
    where a long one meets several short ones.
    """
    height, width = tall.shape
    rows = [_back(height, width), *_tops(tall), *_walls(tall), *_walls_across(tall)]
    found = np.concatenate(rows)
    return Faces(found[..., :3], found[..., 3:])


def surface(faces: Faces) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Corners [V, 5], each once: x, y, z and two half pixels; triangles [2 N, 3] of them."""
    rows = np.concatenate([faces.corners, faces.halves], axis=2).reshape(-1, 5)
    corners, number = np.unique(rows, axis=0, return_inverse=True)
    quads = number.reshape(-1, 4)
    return corners, quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)


def rectangles(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """[A, B] as rectangles that cover what is true once: [N, 4] of a0, b0, a1, b1, ends excluded.

    Runs of a row grow downwards while the next row has the same run.
    """
    n_rows = len(mask)
    edged = np.zeros((n_rows + 1, mask.shape[1] + 2), np.int8)
    edged[:n_rows, 1:-1] = mask
    steps = np.diff(edged, axis=1)
    found, growing = [], dict[tuple[int, int], int]()
    for a, row in enumerate(steps):
        begins, ends = np.flatnonzero(row == 1).tolist(), np.flatnonzero(row == -1).tolist()
        now = {run: growing.pop(run, a) for run in zip(begins, ends, strict=True)}
        found += [(begun, b0, a, b1) for (b0, b1), begun in growing.items()]
        growing = now
    return np.array(found, np.int32).reshape(-1, 4)


def _back(height: int, width: int) -> NDArray[np.int32]:
    return _flat(np.array([[0, 0, height, width]], np.int32), 0, height)[:, ::-1]


def _tops(tall: NDArray[np.int32]) -> list[NDArray[np.int32]]:
    levels = np.unique(tall).tolist()
    return [_flat(rectangles(tall == level), level, len(tall)) for level in levels]


def _flat(found: NDArray[np.int32], level: int, height: int) -> NDArray[np.int32]:
    """Rectangles of rows and columns at one height, as corners and halves [N, 4, 5], face up."""
    top, left, bottom, right = found.T
    z = np.full_like(top, level)
    ends = [(left, bottom), (right, bottom), (right, top), (left, top)]
    return _stack([(x, height - y, z, 2 * x, 2 * y) for x, y in ends])


def _walls(tall: NDArray[np.int32]) -> list[NDArray[np.int32]]:
    """Faces between a row and the next, in the colours of the row they belong to."""
    height, width = tall.shape
    ground = np.zeros((1, width), np.int32)
    padded = np.concatenate([ground, tall, ground])
    found = []
    for y in range(height + 1):
        above, below = padded[y], padded[y + 1]
        for high, low, row, is_down in ((above, below, y - 1, True), (below, above, y, False)):
            z0, left, z1, right = rectangles(_between(low, high)).T
            ends = [(left, z0), (right, z0), (right, z1), (left, z1)]
            line, colour = np.full_like(z0, height - y), np.full_like(z0, 2 * row + 1)
            wall = _stack([(x, line, z, 2 * x, colour) for x, z in ends])
            found.append(wall if is_down else wall[:, ::-1])
    return found


def _walls_across(tall: NDArray[np.int32]) -> list[NDArray[np.int32]]:
    """Faces between columns: those between rows of the picture turned over its diagonal."""
    height = len(tall)
    turned = []
    for wall in _walls(np.ascontiguousarray(tall.T)):
        x, y, z, across, down = np.moveaxis(wall[:, ::-1], 2, 0)
        turned.append(np.stack([tall.shape[1] - y, height - x, z, down, across], axis=2))
    return turned


def _between(low: NDArray[np.int32], high: NDArray[np.int32]) -> NDArray[np.bool_]:
    """[Z, W]: whether a block at this height is in ``high`` and not in ``low``."""
    z = np.arange(high.max(initial=0))[:, None]
    return (z >= low) & (z < high)


def _stack(corners: list[tuple[NDArray[np.int32], ...]]) -> NDArray[np.int32]:
    """[N, 4, 5] of four corners of five numbers each."""
    return np.stack([np.stack(corner, axis=1) for corner in corners], axis=1)


def _median(values: NDArray[np.int32]) -> NDArray[np.int32]:
    """Of each value of [H, W] and its eight neighbours; the edge repeats outwards."""
    height, width = values.shape
    padded = np.pad(values, 1, mode="edge")
    near = [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    middle: NDArray[np.int32] = np.sort(np.stack(near), axis=0)[4]
    return middle
