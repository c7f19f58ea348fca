import io
import json
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
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


def test_threads_that_store_the_same_bytes_at_once_all_succeed(tmp_path: Path) -> None:
    raw = bytes(4_000_000)
    start = threading.Barrier(8)

    def store(_: int) -> str:
        start.wait()
        return codec.store(raw, tmp_path, ".png")

    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(store, range(8)))

    assert names == {codec.digest(raw)}
    assert [path.stem for path in tmp_path.rglob("*.*")] == [codec.digest(raw)]


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
    (path / "images" / "big.png").write_bytes(codec.encode_png(np.zeros((20, 32, 3), np.uint8)))
    (path / "images" / "small.png").write_bytes(codec.encode_png(np.zeros((16, 15, 3), np.uint8)))
    (path / "attributes.json").write_text(json.dumps(rows))
    return path


def read(path: Path) -> list[Item | Refusal]:
    return list(read_items(path, image_px=16, source="us", licence="CC0-1.0"))


def test_good_items_are_taken_and_bad_ones_refused_one_by_one(tmp_path: Path) -> None:
    rows = [
        {"file": "images/a.png", "hat": "cap"},
        {"file": "images/bad.png", "hat": "cap"},
        {"file": "images/small.png", "hat": "cap"},
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
        "15 x 16 px is smaller than 16",
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


def test_a_larger_picture_is_cut_to_its_middle_square(tmp_path: Path) -> None:
    wide = np.zeros((32, 64, 3), np.uint8)
    wide[:, 16:48] = 200
    path = folder(tmp_path / "set", [{"file": "images/wide.png", "hat": "cap"}])
    (path / "images" / "wide.png").write_bytes(codec.encode_png(wide))

    (item,) = read(path)

    assert isinstance(item, Item)
    assert item.picture.shape == (16, 16, 3)
    assert (item.picture == 200).all()


def test_pictures_without_a_table_are_taken_unlabelled_in_order(tmp_path: Path) -> None:
    source = folder(tmp_path / "set", [])
    (source / "attributes.json").unlink()
    (source / "notes.txt").write_text("not a picture")

    found = read(source)

    assert [item.name for item in found] == [
        "images/a.png", "images/bad.png", "images/big.png", "images/small.png"
    ]  # fmt: skip
    assert isinstance(found[0], Item)
    assert found[0].labels == {}
    assert [isinstance(item, Refusal) for item in found] == [False, True, False, True]


def test_a_folder_with_neither_table_nor_pictures_is_not_a_dataset(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"neither attributes.csv"):
        read(tmp_path)


def zipped(path: Path, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, raw in entries.items():
            out.writestr(name, raw)
    return path


def test_an_archive_entry_that_climbs_out_is_refused_and_writes_nothing(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "slip.zip", **{"../../evil.png": PNG, "good.png": PNG})

    found = read(archive)

    assert [(i.name, isinstance(i, Refusal)) for i in found] == [
        ("../../evil.png", True),
        ("good.png", False),
    ]


def test_an_archive_bomb_is_refused_by_what_it_says_of_its_size(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "bomb.zip", **{"huge.png": bytes(21_000_000), "good.png": PNG})

    huge, good = sorted(read(archive), key=lambda item: isinstance(item, Item))

    assert isinstance(huge, Refusal)
    assert huge.reason == "21000000 bytes"
    assert isinstance(good, Item)


def test_an_archive_that_lies_about_a_size_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "liar.zip", **{"huge.png": bytes(1_000_000)})
    raw = archive.read_bytes()
    archive.write_bytes(raw.replace((1_000_000).to_bytes(4, "little"), (500).to_bytes(4, "little")))

    (refusal,) = read(archive)

    assert isinstance(refusal, Refusal)
    assert "unpacked" in refusal.reason or "claims" in refusal.reason


@pytest.mark.parametrize("raw", [b"", b"not a zip", b"PK\x03\x04 cut short"])
def test_what_is_no_archive_is_no_dataset(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "upload.zip"
    path.write_bytes(raw)

    with pytest.raises(DatasetError, match="not a ZIP archive"):
        read(path)


def test_sixteen_bit_greys_keep_their_levels() -> None:
    deep = Image.fromarray(np.array([[0, 257 * 100], [257 * 200, 65535]], np.uint16))

    picture = codec.decode(encoded(deep, format="PNG"), "x")

    assert picture[..., 0].tolist() == [[0, 100], [200, 255]]


def test_cmyk_and_palettes_become_rgb() -> None:
    red = Image.new("RGB", (8, 8), (250, 0, 0))

    cmyk = codec.decode(encoded(red.convert("CMYK"), format="JPEG", quality=95), "x")
    palette = codec.decode(encoded(red.convert("P"), format="PNG"), "x")

    assert cmyk[4, 4, 0] > 230
    assert cmyk[4, 4, 1:].max() < 25
    assert palette[4, 4].tolist() == pytest.approx([250, 0, 0], abs=6)


def test_a_picture_is_turned_as_its_camera_said() -> None:
    upright = np.zeros((8, 16, 3), np.uint8)
    upright[:, 8:] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise

    turned = codec.decode(encoded(Image.fromarray(upright), format="PNG", exif=exif), "x")

    assert turned.shape == (16, 8, 3)
    assert turned[0, 0, 0] == 0
    assert turned[-1, 0, 0] == 255


def test_a_page_hidden_behind_a_picture_does_not_survive() -> None:
    polyglot = PNG + b"<html><script>alert(1)</script></html>"

    stored = codec.encode_png(codec.decode(polyglot, "x"))

    assert b"script" not in stored
