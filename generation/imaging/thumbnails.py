"""Copies of a picture in other sizes: small ones for pages, large ones to show and to print."""

import io
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generation.imaging import codec

# Means of 200 portraits of 64 px: PNG 6.4 kB; lossless WebP 5.6 kB at 64 px, 6.9 kB at 128 px,
# 8.3 kB at 256 px; WebP of quality 90 1.6 kB at 64 px (32.6 dB), 3.5 kB at 128 px (38.3 dB), 4.2 kB
# at 256 px (42.9 dB). Enlarged twice, a pixel is as large as a sample of colour: no colour is lost.
# At 512 px a PNG and a WebP of them take 17 ms of one core together (benchmarks/collection.py).
SIDES_PX = (128, 256, 512)
PRESENTATION_PX = 512
QUALITY = 90


def webp(picture: NDArray[np.uint8], side_px: int) -> bytes:
    """WebP of [H, W, 3], at most ``side_px`` a side; see ``sized``."""
    out = io.BytesIO()
    sized(picture, side_px).save(out, format="WEBP", quality=QUALITY, method=4)
    return out.getvalue()


def png(picture: NDArray[np.uint8], side_px: int) -> bytes:
    """PNG of [H, W, 3], at most ``side_px`` a side; see ``sized``."""
    out = io.BytesIO()
    sized(picture, side_px).save(out, format="PNG", compress_level=6)
    return out.getvalue()


ENCODERS = {".webp": webp, ".png": png}


def sized(picture: NDArray[np.uint8], side_px: int) -> Image.Image:
    """[H, W, 3] with at most ``side_px`` a side.

    A small picture is enlarged by a whole factor, pixel by pixel, so that it stays crisp; a large
    one is reduced. ValueError for a side that is not positive.
    """
    if side_px < 1:
        raise ValueError(f"{side_px} px")
    image = Image.fromarray(picture)
    longest = max(image.size)
    if longest <= side_px:
        factor = side_px // longest
        size = (image.width * factor, image.height * factor)
        return image.resize(size, Image.Resampling.NEAREST)
    image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    return image


def place(source: Path, folder: Path, side_px: int, suffix: str) -> Path:
    """Where ``stored`` keeps a copy of a stored picture."""
    digest = source.stem
    return folder / digest[:2] / f"{digest}-{side_px}{suffix}"


def stored(source: Path, folder: Path, side_px: int, suffix: str = ".webp") -> Path:
    """A copy of a stored picture below ``folder``, WebP or PNG; made when first asked for.

    ImageRefusedError if the source's bytes are not those of its name.
    """
    target = place(source, folder, side_px, suffix)
    if not target.exists():
        raw = ENCODERS[suffix](codec.read_stored(source), side_px)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
        temporary.write_bytes(raw)
        temporary.replace(target)
    return target
