"""Pictures as bytes: suspicious decoding, the same encoding each time, files at their digest."""

import hashlib
import io
import os
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

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

    Turned as its EXIF data say, laid on white; colour profiles and all other metadata are dropped.

    Raises
    ------
    ImageRefusedError
        Not PNG, JPEG or WebP, animated, too large, truncated, or nothing but transparency.
    """
    return np.array(_on_white(_open(raw, name), name), dtype=np.uint8)


def decode_layer(raw: bytes, name: str) -> Image.Image:
    """A layer of art with its transparency, RGBA; refusals as of ``decode``, all alpha excepted."""
    return _open(raw, name).convert("RGBA")


def fit_square(picture: NDArray[np.uint8], image_px: int) -> NDArray[np.uint8]:
    """The middle square of [H, W, 3], scaled to [image_px, image_px, 3].

    Raises ValueError for a picture smaller than that: enlarging would teach a network blur.
    """
    height, width, _ = picture.shape
    side = min(height, width)
    if side < image_px:
        raise ValueError(f"{width} x {height} px is smaller than {image_px}")
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[top : top + side, left : left + side]
    if side == image_px:
        return np.ascontiguousarray(square)
    image = Image.fromarray(square)
    if side % image_px == 0:
        return np.array(image.reduce(side // image_px), dtype=np.uint8)
    scaled = image.resize((image_px, image_px), Image.Resampling.LANCZOS)
    return np.array(scaled, dtype=np.uint8)


def _open(raw: bytes, name: str) -> Image.Image:
    """The first and only frame, 8 bits a sample, upright; limits before any pixel is read."""
    try:
        with Image.open(io.BytesIO(raw), formats=FORMATS) as image:
            width, height = image.size
            if max(width, height) > MAX_SIDE_PX or width * height > MAX_PIXELS:
                raise ImageRefusedError(name, f"{width} x {height} px is too large")
            if getattr(image, "n_frames", 1) > 1:
                raise ImageRefusedError(name, "animated")
            image.load()
            return _eight_bit(ImageOps.exif_transpose(image))
    except UnidentifiedImageError as error:
        raise ImageRefusedError(name, "not a PNG, JPEG or WebP picture") from error
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, ImageRefusedError):
            raise
        raise ImageRefusedError(name, f"cannot be decoded: {error}") from error


def _eight_bit(image: Image.Image) -> Image.Image:
    """Sixteen-bit greys scaled, where Pillow's own conversion would clip them to white."""
    if not image.mode.startswith("I"):
        return image
    levels = np.clip(np.asarray(image, dtype=np.int64), 0, 65535) // 257
    return Image.fromarray(levels.astype(np.uint8))


def _on_white(image: Image.Image, name: str) -> Image.Image:
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        if layered.getchannel("A").getextrema()[1] == 0:
            raise ImageRefusedError(name, "fully transparent")
        white = Image.new("RGBA", layered.size, "white")
        image = Image.alpha_composite(white, layered)
    return image.convert("RGB")


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
        temporary = target.with_name(f".{name}.{os.getpid()}.{threading.get_ident()}.part")
        temporary.write_bytes(raw)
        temporary.replace(target)
    return name


def read_stored(path: Path) -> NDArray[np.uint8]:
    """The picture in a file named by its digest; ImageRefusedError if the bytes are others."""
    return decode(read_raw(path), path.name)


def read_raw(path: Path) -> bytes:
    """The bytes in a file named by their digest; ImageRefusedError if they are others."""
    raw = path.read_bytes()
    if digest(raw) != path.stem:
        raise ImageRefusedError(path.name, "bytes differ from their digest")
    return raw


def contact_sheet(pictures: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Pictures [N, H, W, 3] side by side, white where the last row is short."""
    n, height, width, _ = pictures.shape
    rows = -(-n // columns)
    sheet = np.full((rows * columns, height, width, 3), 255, np.uint8)
    sheet[:n] = pictures
    grid = sheet.reshape(rows, columns, height, width, 3).transpose(0, 2, 1, 3, 4)
    return grid.reshape(rows * height, columns * width, 3)
