"""Cards and reliefs: the blocks' own surface, in files that the Khronos validator accepts."""

import io
import json
import struct
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from PIL import Image

from generation.imaging import codec, glb, relief, solids
from generation.imaging.codec import ImageRefusedError
from tests.fixtures.stack import ROOT

TALL = arrays(
    np.int32, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(1, 5)
)
Quad = NDArray[np.int32]


def portrait(height: int = 32, width: int = 32) -> NDArray[np.uint8]:
    """A disc of noise on a plain ground."""
    chance = np.random.default_rng([height, width])
    y, x = np.mgrid[:height, :width]
    inside = (y - height / 2) ** 2 + (x - width / 2) ** 2 < (min(height, width) / 3) ** 2
    picture = np.full((height, width, 3), (40, 90, 160), np.uint8)
    picture[inside] = chance.integers(0, 256, (int(inside.sum()), 3), dtype=np.uint8)
    return picture


PICTURES = {
    "portrait": portrait(),
    "wide": portrait(20, 48),
    "large": portrait(200, 150),
    "one colour": np.full((16, 16, 3), 200, np.uint8),
    "one pixel": np.zeros((1, 1, 3), np.uint8),
    "noise": np.random.default_rng(5).integers(0, 256, (64, 64, 3), dtype=np.uint8),
}


def opened(raw: bytes) -> tuple[dict[str, Any], bytes]:
    """The two chunks of a GLB file, its lengths checked."""
    magic, version, length = struct.unpack_from("<III", raw)
    assert (magic, version, length) == (glb.MAGIC, 2, len(raw))
    text_bytes, kind = struct.unpack_from("<II", raw, 12)
    assert kind == glb.JSON_CHUNK
    at = 20 + text_bytes
    binary_bytes, kind = struct.unpack_from("<II", raw, at)
    assert (kind, at + 8 + binary_bytes) == (glb.BINARY_CHUNK, len(raw))
    return json.loads(raw[20:at]), raw[at + 8 :]


def values(document: dict[str, Any], binary: bytes, accessor: int) -> NDArray[Any]:
    about = document["accessors"][accessor]
    view = document["bufferViews"][about["bufferView"]]
    kinds = {glb.USHORT: "<u2", glb.UINT: "<u4", glb.FLOAT: "<f4"}
    raw = binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
    width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}[about["type"]]
    return np.frombuffer(raw, kinds[about["componentType"]]).reshape(-1, width)


def cells(quad: Quad) -> set[tuple[tuple[int, int, int], tuple[int, int, int]]]:
    """The unit faces of a rectangle: (lower corner, direction outwards)."""
    low, high = quad.min(0), quad.max(0)
    outwards = np.sign(np.cross(quad[1] - quad[0], quad[2] - quad[1]))
    spans = [range(a, max(b, a + 1)) for a, b in zip(low.tolist(), high.tolist(), strict=True)]
    x, y, z = outwards.tolist()
    return {((i, j, k), (x, y, z)) for i in spans[0] for j in spans[1] for k in spans[2]}


def block_faces(tall: NDArray[np.int32]) -> Counter[Any]:
    """Faces of each block that no other block covers, one at a time."""
    height, width = tall.shape
    solid = {
        (x, height - 1 - row, z)
        for row in range(height)
        for x in range(width)
        for z in range(tall[row, x])
    }
    found: Counter[Any] = Counter()
    for block in solid:
        for axis in range(3):
            for step in (1, -1):
                there = list(block)
                there[axis] += step
                if tuple(there) not in solid:
                    corner, outwards = list(block), [0, 0, 0]
                    corner[axis] += step == 1
                    outwards[axis] = step
                    found[tuple(corner), tuple(outwards)] += 1
    return found


def volume(quads: NDArray[np.int32]) -> float:
    """By the divergence theorem, over the two triangles of each rectangle."""
    corners = quads.astype(np.float64)
    a, b, c, d = np.moveaxis(corners, 1, 0)
    first = np.einsum("ni,ni->n", a, np.cross(b, c))
    second = np.einsum("ni,ni->n", a, np.cross(c, d))
    return float((first + second).sum() / 6)


@given(TALL)
def test_the_rectangles_cover_each_open_face_of_the_blocks_once(tall: NDArray[np.int32]) -> None:
    quads = relief.merged(tall).corners

    covered = Counter(cell for quad in quads for cell in cells(quad))

    assert covered == block_faces(tall)


@given(TALL)
def test_the_surface_encloses_the_volume_of_the_blocks(tall: NDArray[np.int32]) -> None:
    assert volume(relief.merged(tall).corners) == pytest.approx(tall.sum())


@given(TALL)
def test_the_surface_has_no_cracks(tall: NDArray[np.int32]) -> None:
    """Each edge of unit length is walked as often in one direction as in the other."""
    walked: Counter[Any] = Counter()
    for quad in relief.merged(tall).corners:
        for begin, end in zip(quad, np.roll(quad, -1, axis=0), strict=True):
            step = np.sign(end - begin)
            for n in range(int(np.abs(end - begin).sum())):
                at, then = (
                    tuple((begin + n * step).tolist()),
                    tuple((begin + (n + 1) * step).tolist()),
                )
                walked[at, then] += 1
                walked[then, at] -= 1

    assert not any(walked.values())


@given(TALL)
def test_indices_name_corners_and_each_corner_is_named(tall: NDArray[np.int32]) -> None:
    corners, triangles = relief.surface(relief.merged(tall))

    assert np.array_equal(np.unique(triangles), np.arange(len(corners)))
    assert len(np.unique(corners, axis=0)) == len(corners)


@given(TALL)
def test_a_face_takes_its_colours_from_the_pixels_it_belongs_to(tall: NDArray[np.int32]) -> None:
    faces = relief.merged(tall)
    height = len(tall)

    for quad, halves in zip(faces.corners, faces.halves, strict=True):
        outwards = np.sign(np.cross(quad[1] - quad[0], quad[2] - quad[1]))
        inside = quad[:, :2].mean(0) - 0.25 * outwards[:2]
        across, down = halves.mean(0) / 2
        assert int(across) == int(inside[0])
        assert int(down) == int(np.floor(height - inside[1]))


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_rectangles_cover_a_mask_once(mask: NDArray[np.bool_]) -> None:
    covered = np.zeros(mask.shape, np.int32)

    for a0, b0, a1, b1 in relief.rectangles(mask):
        covered[a0:a1, b0:b1] += 1

    assert np.array_equal(covered, mask)


def test_a_plain_plate_is_six_rectangles() -> None:
    assert len(relief.merged(np.ones((30, 40), np.int32)).corners) == 6


def test_the_figure_stands_out_of_the_ground() -> None:
    tall = relief.heights(portrait())

    assert tall[0].tolist() == [1] * 32
    assert tall.max() >= 3
    assert tall[12:20, 12:20].mean() > 2


@pytest.mark.parametrize("shape", solids.SHAPES)
@pytest.mark.parametrize("name", PICTURES)
def test_equal_pictures_make_equal_files(shape: str, name: str) -> None:
    png = codec.encode_png(PICTURES[name])

    first, second = solids.SHAPES[shape](png, "a"), solids.SHAPES[shape](png, "b")

    assert first == second
    assert opened(first)[0]["asset"]["extras"] == {"picture": codec.digest(png)}


@pytest.mark.parametrize("shape", solids.SHAPES)
@pytest.mark.parametrize("name", PICTURES)
def test_accessors_say_what_is_in_them(shape: str, name: str) -> None:
    document, binary = opened(solids.SHAPES[shape](codec.encode_png(PICTURES[name]), name))

    assert all(view["byteOffset"] % 4 == 0 for view in document["bufferViews"])
    for primitive in document["meshes"][0]["primitives"]:
        about = document["accessors"][primitive["attributes"]["POSITION"]]
        places = values(document, binary, primitive["attributes"]["POSITION"])
        indices = values(document, binary, primitive["indices"])
        assert about["min"] == places.min(0).tolist()
        assert about["max"] == places.max(0).tolist()
        assert indices.max() < about["count"] == len(places)


def test_the_card_carries_the_stored_bytes_of_the_picture() -> None:
    png = codec.encode_png(portrait())

    document, binary = opened(solids.card(png, "card"))

    view = document["bufferViews"][document["images"][0]["bufferView"]]
    assert binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]] == png
    assert document["samplers"][0]["magFilter"] == glb.NEAREST
    assert all(glb.UNLIT in one["extensions"] for one in document["materials"])


@pytest.mark.parametrize("name", ["portrait", "wide", "noise"])
def test_fronts_in_the_file_show_the_pixels_they_stand_on(name: str) -> None:
    picture = PICTURES[name]
    height, width, _ = picture.shape
    document, binary = opened(solids.relief(codec.encode_png(picture), name))
    [primitive] = document["meshes"][0]["primitives"]
    places = values(document, binary, primitive["attributes"]["POSITION"])
    spots = values(document, binary, primitive["attributes"]["TEXCOORD_0"]) / 65535
    triangles = values(document, binary, primitive["indices"]).reshape(-1, 3)

    flat = triangles[np.ptp(places[triangles, 2], axis=1) == 0]
    across = places[flat, 0] + width / 2
    down = height / 2 - places[flat, 1]

    assert len(flat) > 2
    np.testing.assert_allclose(spots[flat, 0] * width, across, atol=1e-3)
    np.testing.assert_allclose(spots[flat, 1] * height, down, atol=1e-3)


def test_a_large_picture_is_reduced_for_its_relief() -> None:
    document, binary = opened(solids.relief(codec.encode_png(portrait(200, 150)), "large"))

    view = document["bufferViews"][document["images"][0]["bufferView"]]
    raw = binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
    with Image.open(io.BytesIO(raw)) as image:
        assert image.size == (48, 64)


def test_many_corners_are_counted_in_longer_numbers() -> None:
    n = glb.MOST_SHORT_VERTICES + 1
    places = np.zeros((n, 3), np.float32)
    mesh = glb.Mesh(places, None, np.array([[0, 1, n - 1]]))

    raw = glb.model(
        name="many",
        png=codec.encode_png(portrait()),
        parts=[(mesh, glb.Material(is_lit=True, colour=(0, 0, 0)))],
        scale=1,
        extras={},
    )

    document, binary = opened(raw)
    assert values(document, binary, 1).ravel().tolist() == [0, 1, n - 1]


def test_the_khronos_validator_finds_no_fault(tmp_path: Path) -> None:
    paths = []
    for name, picture in PICTURES.items():
        for shape, make in solids.SHAPES.items():
            paths.append(tmp_path / f"{name}-{shape}.glb")
            paths[-1].write_bytes(make(codec.encode_png(picture), name))

    script = ROOT / "tests" / "fixtures" / "gltf.mjs"
    ran = subprocess.run(
        ["node", script, *paths], capture_output=True, text=True, check=True, timeout=60
    )

    reports = json.loads(ran.stdout)
    assert len(reports) == len(paths)
    for path, report in zip(paths, reports, strict=True):
        assert (report["errors"], report["warnings"]) == (0, 0), (path.name, report["messages"])


def test_the_validator_does_find_faults(tmp_path: Path) -> None:
    """So that its silence about ours says something."""
    document, binary = opened(solids.card(codec.encode_png(portrait()), "card"))
    document["accessors"][0]["max"] = [0, 0, 0]
    (tmp_path / "wrong.glb").write_bytes(glb.pack(document, binary))

    script = ROOT / "tests" / "fixtures" / "gltf.mjs"
    ran = subprocess.run(
        ["node", script, tmp_path / "wrong.glb"], capture_output=True, text=True, timeout=60
    )

    assert json.loads(ran.stdout)[0]["errors"] > 0


@pytest.mark.parametrize("shape", solids.SHAPES)
def test_the_second_call_reads_the_file_of_the_first(tmp_path: Path, shape: str) -> None:
    digest = codec.store(codec.encode_png(portrait()), tmp_path / "images", ".png")
    source = tmp_path / "images" / digest[:2] / f"{digest}.png"

    first = solids.stored(source, tmp_path / "solids", shape)
    written = first.stat().st_mtime_ns
    second = solids.stored(source, tmp_path / "solids", shape)

    assert (second, second.stat().st_mtime_ns) == (first, written)
    assert [p.name for p in (tmp_path / "solids").rglob("*.*")] == [f"{digest}-{shape}.glb"]


def test_a_damaged_picture_makes_no_file(tmp_path: Path) -> None:
    digest = codec.store(codec.encode_png(portrait()), tmp_path / "images", ".png")
    source = tmp_path / "images" / digest[:2] / f"{digest}.png"
    source.write_bytes(source.read_bytes()[:-1] + b"\0")

    with pytest.raises(ImageRefusedError):
        solids.stored(source, tmp_path / "solids", "card")

    assert not (tmp_path / "solids").exists()
