"""Pictures as bytes: suspicious decoding, the same encoding each time, files at their digest."""

import hashlib
import io
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

MAX_SIDE_PX = 4096
MAX_PIXELS = 16_000_000
FORMATS = ("PNG", "JPEG", "WEBP")
Image.MAX_IMAGE_PIXELS = None  # Pillow only warns; decode() refuses, and earlier


class ImageRefusedError(ValueError):
    """A file is not a picture we take; ``reason`` says why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


def decode(raw: bytes, name: str) -> NDArray[np.uint8]:
    """The picture in ``raw`` as [H, W, 3] uint8; size limits are checked before any pixel is read.

    Raises
    ------
    ImageRefusedError
        Not PNG, JPEG or WebP, animated, too large, truncated, or nothing but transparency.
    """
    try:
        with Image.open(io.BytesIO(raw), formats=FORMATS) as image:
            width, height = image.size
            if max(width, height) > MAX_SIDE_PX or width * height > MAX_PIXELS:
                raise ImageRefusedError(name, f"{width} x {height} px is too large")
            if getattr(image, "n_frames", 1) > 1:
                raise ImageRefusedError(name, "animated")
            image.load()
            return _flatten(image, name)
    except UnidentifiedImageError as error:
        raise ImageRefusedError(name, "not a PNG, JPEG or WebP picture") from error
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, ImageRefusedError):
            raise
        raise ImageRefusedError(name, f"cannot be decoded: {error}") from error


def _flatten(image: Image.Image, name: str) -> NDArray[np.uint8]:
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        if layered.getchannel("A").getextrema()[1] == 0:
            raise ImageRefusedError(name, "fully transparent")
        white = Image.new("RGBA", layered.size, "white")
        image = Image.alpha_composite(white, layered)
    return np.array(image.convert("RGB"), dtype=np.uint8)


def encode_png(picture: NDArray[np.uint8]) -> bytes:
    """PNG bytes of [H, W, 3] uint8 without metadata; the same for the same picture and zlib."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, format="PNG", compress_level=6)
    return out.getvalue()


def digest(raw: bytes) -> str:
    """sha256 in 64 lower-case hex digits."""
    return hashlib.sha256(raw).hexdigest()


def store(raw: bytes, folder: Path, suffix: str) -> str:
    """Write ``raw`` at its digest below ``folder``, complete or not at all; returns the digest."""
    name = digest(raw)
    target = folder / name[:2] / f"{name}{suffix}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{name}.{os.getpid()}.part")
        temporary.write_bytes(raw)
        temporary.replace(target)
    return name


def read_stored(path: Path) -> NDArray[np.uint8]:
    """The picture in a file named by its digest; ImageRefusedError if the bytes are others."""
    raw = path.read_bytes()
    if digest(raw) != path.stem:
        raise ImageRefusedError(path.name, "bytes differ from their digest")
    return decode(raw, path.name)


def contact_sheet(pictures: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Pictures [N, H, W, 3] side by side, white where the last row is short."""
    n, height, width, _ = pictures.shape
    rows = -(-n // columns)
    sheet = np.full((rows * columns, height, width, 3), 255, np.uint8)
    sheet[:n] = pictures
    grid = sheet.reshape(rows, columns, height, width, 3).transpose(0, 2, 1, 3, 4)
    return grid.reshape(rows * height, columns * width, 3)
