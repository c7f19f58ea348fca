"""Pictures as things: a card that carries one, and a relief of blocks that stand out of it."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generation.imaging import codec, glb
from generation.imaging.glb import Material, Mesh
from generation.imaging.relief import border, heights, merged, surface

SIDE_M = 1.0  # of the longer side
CARD_DEPTH = 1 / 24
# Of a larger picture the blocks would be too small to see, and too many to send.
RELIEF_PX = 64
# Corners 0 to 3 of a face, counter-clockwise, as two triangles.
HALVES = np.array([[0, 1, 2], [0, 2, 3]])
# The corners of a box, x fastest, then y, then z; the faces that are not the front.
SIDES = np.array([[1, 0, 2, 3], [0, 4, 6, 2], [5, 1, 3, 7], [6, 7, 3, 2], [0, 1, 5, 4]])


def card(png: bytes, name: str) -> bytes:
    """A thin box with the picture on its front, as bright as it is wherever the light comes from.

    The other faces have the mean colour of the picture's border. The stored bytes of the picture
    are in the file as they are. ImageRefusedError if they are no picture.
    """
    picture = codec.decode(png, name)
    height, width, _ = picture.shape
    longest = max(height, width)
    low = np.array([-width / 2, -height / 2, 0])
    size = np.array([width, height, longest * CARD_DEPTH])
    at = np.array([[n & 1, n >> 1 & 1, n >> 2] for n in range(8)])
    corners = (low + at * size).astype(np.float32)
    spots = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float64)
    front = Mesh(corners[[4, 5, 7, 6]], spots, HALVES)
    sides = Mesh(corners, None, SIDES[:, HALVES].reshape(-1, 3))
    paint = Material(is_lit=False, colour=_linear(border(picture).mean(0)))
    return glb.model(
        name="card",
        png=png,
        parts=[(front, Material(is_lit=False)), (sides, paint)],
        scale=SIDE_M / longest,
        extras={"picture": codec.digest(png)},
    )


def relief(png: bytes, name: str) -> bytes:
    """Blocks as high as their pixel differs from the background, and coloured like it.

    A picture of more than ``RELIEF_PX`` a side is reduced first. ImageRefusedError if the bytes
    are no picture.
    """
    picture = codec.decode(png, name)
    small = _reduced(picture)
    tall = heights(small)
    faces = merged(tall)
    height, width = tall.shape
    corners, triangles = surface(faces)
    # Single pixels that a renderer leaves open where edges meet show the inside of the back, which
    # has the same colour there.
    stuff = Material(is_lit=True, has_inside=True)
    places = corners[:, :3] - [width / 2, height / 2, 0]
    spots = corners[:, 3:] / [2 * width, 2 * height]
    return glb.model(
        name="relief",
        png=png if small is picture else codec.encode_png(small),
        parts=[(Mesh(places.astype(np.float32), spots, triangles), stuff)],
        scale=SIDE_M / max(height, width),
        extras={"picture": codec.digest(png)},
    )


SHAPES: dict[str, Callable[[bytes, str], bytes]] = {"card": card, "relief": relief}


def stored(source: Path, folder: Path, shape: str) -> Path:
    """A stored picture as a GLB file below ``folder``; made when it is first asked for.

    ImageRefusedError if the source's bytes are not those of its name.
    """
    digest = source.stem
    target = folder / digest[:2] / f"{digest}-{shape}.glb"
    if not target.exists():
        raw = SHAPES[shape](codec.read_raw(source), source.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
        temporary.write_bytes(raw)
        temporary.replace(target)
    return target


def _reduced(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width, _ = picture.shape
    if max(height, width) <= RELIEF_PX:
        return picture
    image = Image.fromarray(picture)
    image.thumbnail((RELIEF_PX, RELIEF_PX), Image.Resampling.BOX, reducing_gap=None)
    return np.array(image, dtype=np.uint8)


def _linear(colour: NDArray[np.float64]) -> tuple[float, float, float]:
    """SRGB from 0 to 255 as linear light from 0 to 1 (IEC 61966-2-1), to four digits."""
    share = colour / 255
    light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    red, green, blue = light.round(4).tolist()
    return red, green, blue
