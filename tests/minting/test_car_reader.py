"""Reading CAR files back: all that is in them, and nothing that was tampered with."""

import random
from pathlib import Path

import pytest

from minting.provenance import cid
from minting.provenance.car import Car, CarError
from tests.fixtures.unixfs import reference_root


def everything(car: Car, name: bytes) -> dict[str, bytes]:
    """Path -> bytes of every file below a folder."""
    found = {}
    for text, entry in car.folder(name).items():
        try:
            found[text] = car.read(entry)
        except CarError:
            found |= {f"{text}/{path}": raw for path, raw in everything(car, entry).items()}
    return found


def write(folder: Path, files: dict[str, bytes]) -> None:
    for path, raw in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(raw)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    files = {f"images/{i}.png": b"picture %d" % i for i in range(5)}
    write(tmp_path / "made", files | {"provenance.json": b"{}"})
    cid.write_car(tmp_path / "made", tmp_path / "drop.car")
    return tmp_path / "drop.car"


def test_what_was_packed_is_read_back(tmp_path: Path) -> None:
    files = {f"images/{i}.png": b"picture %d" % i for i in range(5_100)}  # a sharded folder
    files |= {"large.bin": bytes(range(251)) * 10_000, "empty.json": b""}  # three chunks, none
    write(tmp_path / "made", files)
    root = cid.write_car(tmp_path / "made", tmp_path / "drop.car")

    car = Car(tmp_path / "drop.car")

    assert car.node.text == root == reference_root(tmp_path / "made")
    assert everything(car, car.root) == files


def test_no_byte_can_be_another_one(small: Path) -> None:
    raw = small.read_bytes()
    root = Car(small).root
    chance = random.Random(5)

    for place in range(len(raw)):
        damaged = bytearray(raw)
        damaged[place] ^= 1 << chance.randrange(8)
        small.write_bytes(damaged)
        try:
            found = Car(small)
        except CarError:
            continue
        assert found.root != root, place


@pytest.mark.parametrize("n_bytes", [0, 10, 58, 100, -1])
def test_a_file_that_is_cut_off_is_refused(small: Path, n_bytes: int) -> None:
    small.write_bytes(small.read_bytes()[:n_bytes])

    with pytest.raises(CarError):
        Car(small)


def test_a_block_that_belongs_to_nothing_is_refused(small: Path) -> None:
    block = b"\x01" + b"stowaway"
    section = cid.make(cid.RAW, block) + block
    small.write_bytes(small.read_bytes() + bytes([len(section)]) + section)

    with pytest.raises(CarError, match="belong to nothing"):
        Car(small)


def test_a_block_may_not_stand_twice(small: Path) -> None:
    head = len(cid.car_header(bytes(36)))
    raw = small.read_bytes()
    first = raw[head : head + 1 + raw[head]]
    small.write_bytes(raw + first)

    with pytest.raises(CarError, match="twice"):
        Car(small)
