"""Small copies: crisp, complete, of the picture that the digest names."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generation.imaging import codec, thumbnails
from generation.imaging.codec import ImageRefusedError


def blocks(side: int) -> np.ndarray:
    """Flat fields of 8 px, which a codec keeps almost as they are."""
    chance = np.random.default_rng(1)
    field = chance.integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
    return field.repeat(8, 0).repeat(8, 1)


@pytest.mark.parametrize(
    ("side", "asked", "expected"), [(64, 128, 128), (64, 256, 256), (64, 100, 64), (256, 128, 128)]
)
def test_sizes_are_whole_multiples_or_fit(side: int, asked: int, expected: int) -> None:
    with Image.open(io.BytesIO(thumbnails.webp(blocks(side), asked))) as image:
        assert (image.format, image.size) == ("WEBP", (expected, expected))


def test_enlarging_first_keeps_more_of_the_colours() -> None:
    picture = blocks(64)

    def error(side_px: int) -> float:
        with Image.open(io.BytesIO(thumbnails.webp(picture, side_px))) as image:
            again = np.asarray(image.convert("RGB"), dtype=np.float64)
        factor = side_px // 64
        shrunk = again.reshape(64, factor, 64, factor, 3).mean((1, 3))
        return float(np.square(shrunk - picture).mean())

    assert error(128) < error(64) / 2


def test_a_picture_that_is_no_square_fits() -> None:
    with Image.open(io.BytesIO(thumbnails.webp(np.zeros((20, 40, 3), np.uint8), 128))) as image:
        assert image.size == (120, 60)


def test_the_second_call_reads_the_file_of_the_first(tmp_path: Path) -> None:
    digest = codec.store(codec.encode_png(blocks(64)), tmp_path / "images", ".png")
    source = tmp_path / "images" / digest[:2] / f"{digest}.png"

    first = thumbnails.stored(source, tmp_path / "small", 128)
    written = first.stat().st_mtime_ns
    second = thumbnails.stored(source, tmp_path / "small", 128)

    assert (second, second.stat().st_mtime_ns) == (first, written)
    assert [p.name for p in (tmp_path / "small").rglob("*.*")] == [f"{digest}-128.webp"]


def test_a_damaged_picture_gets_no_thumbnail(tmp_path: Path) -> None:
    digest = codec.store(codec.encode_png(blocks(64)), tmp_path / "images", ".png")
    source = tmp_path / "images" / digest[:2] / f"{digest}.png"
    source.write_bytes(source.read_bytes()[:-1] + b"\0")

    with pytest.raises(ImageRefusedError):
        thumbnails.stored(source, tmp_path / "small", 128)

    assert not (tmp_path / "small").exists()
