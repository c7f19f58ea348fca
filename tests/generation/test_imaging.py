import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generation.imaging import codec
from generation.imaging.reader import DatasetError, Item, Refusal, read_items

GREY = np.full((16, 16, 3), 120, np.uint8)
PNG = codec.encode_png(GREY)
NOISE = codec.encode_png(np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8))


def encoded(image: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, **options)  # type: ignore[arg-type]
    return out.getvalue()


def test_a_picture_comes_back_from_png_unchanged() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (16, 16, 3), np.uint8)

    assert np.array_equal(codec.decode(codec.encode_png(picture), "x"), picture)


def test_png_bytes_are_the_same_each_time() -> None:
    assert codec.encode_png(GREY) == PNG


def test_a_transparent_layer_is_laid_on_white() -> None:
    layer = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    layer.putpixel((0, 0), (10, 20, 30, 255))

    picture = codec.decode(encoded(layer, format="PNG"), "x")

    assert picture[0, 0].tolist() == [10, 20, 30]
    assert picture[1, 1].tolist() == [255, 255, 255]


FRAMES = [Image.new("RGB", (8, 8), (i * 20, 0, 0)) for i in range(4)]
BAD = {
    "zero bytes": (b"", "not a PNG"),
    "truncated": (NOISE[:400], "cannot be decoded"),
    "text": (b"<svg onload=alert(1)>", "not a PNG"),
    "GIF": (encoded(FRAMES[0], format="GIF"), "not a PNG"),
    "TIFF": (encoded(FRAMES[0], format="TIFF"), "not a PNG"),
    "animated WebP": (
        encoded(FRAMES[0], format="WEBP", save_all=True, append_images=FRAMES[1:]),
        "animated",
    ),
    "bomb": (encoded(Image.new("1", (13_000, 13_000)), format="PNG"), "too large"),
    "too long": (encoded(Image.new("1", (1, 100_000)), format="PNG"), "too large"),
    "all alpha": (encoded(Image.new("RGBA", (8, 8)), format="PNG"), "transparent"),
}


@pytest.mark.parametrize(("raw", "reason"), BAD.values(), ids=BAD.keys())
def test_a_bad_picture_is_refused_with_its_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(codec.ImageRefusedError, match=reason):
        codec.decode(raw, "upload.png")


def test_location_in_exif_does_not_survive() -> None:
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (52.0, 30.0, 0.0)}
    upload = encoded(Image.fromarray(GREY), format="JPEG", exif=exif)

    stored = codec.encode_png(codec.decode(upload, "x"))

    assert b"Exif" in upload
    assert not Image.open(io.BytesIO(stored)).getexif()


def test_a_file_is_stored_at_its_digest_once(tmp_path: Path) -> None:
    name = codec.store(PNG, tmp_path, ".png")

    again = codec.store(PNG, tmp_path, ".png")

    assert again == name == codec.digest(PNG)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [f"{name}.png"]


def test_a_changed_byte_in_a_stored_file_is_noticed(tmp_path: Path) -> None:
    name = codec.store(PNG, tmp_path, ".png")
    path = tmp_path / name[:2] / f"{name}.png"
    path.write_bytes(PNG[:-1] + b"\0")

    with pytest.raises(codec.ImageRefusedError, match="digest"):
        codec.read_stored(path)


def folder(path: Path, rows: list[dict[str, str]]) -> Path:
    (path / "images").mkdir(parents=True)
    (path / "images" / "a.png").write_bytes(PNG)
    (path / "images" / "bad.png").write_bytes(NOISE[:400])
    (path / "images" / "big.png").write_bytes(codec.encode_png(np.zeros((32, 32, 3), np.uint8)))
    (path / "attributes.json").write_text(json.dumps(rows))
    return path


def read(path: Path) -> list[Item | Refusal]:
    return list(read_items(path, image_px=16, source="us", licence="CC0-1.0"))


def test_good_items_are_taken_and_bad_ones_refused_one_by_one(tmp_path: Path) -> None:
    rows = [
        {"file": "images/a.png", "hat": "cap"},
        {"file": "images/bad.png", "hat": "cap"},
        {"file": "images/big.png", "hat": "cap"},
        {"file": "../../etc/passwd", "hat": "cap"},
        {"file": "images/missing.png", "hat": "cap"},
        {"file": "images/a.png", "hat": " "},
        {"file": "images/a.png", "hat": "none", "licence": "CC-BY-4.0"},
    ]

    found = read(folder(tmp_path / "set", rows))

    reasons = [item.reason if isinstance(item, Refusal) else item.labels["hat"] for item in found]
    assert reasons[0] == "cap"
    assert "decoded" in reasons[1]
    assert reasons[2:] == [
        "32 x 32 px, expected 16",
        "path leaves the dataset",
        "no such file",
        "an attribute is empty",
        "none",
    ]
    assert isinstance(found[-1], Item)
    assert found[-1].licence == "CC-BY-4.0"


def test_a_zip_reads_like_its_folder(tmp_path: Path) -> None:
    source = folder(tmp_path / "set", [{"file": "images/a.png", "hat": "cap"}])
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for path in sorted(source.rglob("*.*")):
            out.write(path, path.relative_to(source).as_posix())

    (item,) = read(archive)

    assert isinstance(item, Item)
    assert item.labels == {"hat": "cap"}


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(PNG)
    source = folder(tmp_path / "set", [{"file": "images/link.png", "hat": "cap"}])
    (source / "images" / "link.png").symlink_to(tmp_path / "secret.png")

    (refusal,) = read(source)

    assert isinstance(refusal, Refusal)
    assert refusal.reason == "path leaves the dataset"


def test_a_folder_without_a_table_is_not_a_dataset(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="attributes"):
        read(tmp_path)
