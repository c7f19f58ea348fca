"""A CAR file in parts, compared with what IPFS' own library makes of each."""

import random
from pathlib import Path

import pytest

from minting.provenance import car, cid
from minting.publishing import parts
from minting.publishing.parts import PartChangedError

MOST = 20_000


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """Forty files of 3 kB to 9 kB, and one of two chunks."""
    chance = random.Random(1)
    (tmp_path / "folder").mkdir()
    for number in range(40):
        raw = chance.randbytes(3000 + 150 * number)
        (tmp_path / "folder" / f"{number}.bin").write_bytes(raw)
    (tmp_path / "folder" / "large.bin").write_bytes(chance.randbytes(cid.CHUNK_BYTES + 5))
    cid.write_car(tmp_path / "folder", tmp_path / "drop.car")
    return tmp_path / "drop.car"


def test_parts_hold_every_block_once_in_order(packed: Path, tmp_path: Path) -> None:
    cut = parts.cut(packed, MOST)

    blocks = []
    for part in cut.parts:
        raw = parts.read(packed, part)
        (tmp_path / "part.car").write_bytes(raw)
        with (tmp_path / "part.car").open("rb") as file:
            assert cid.Node(car.read_header(file), 0).text == cut.root
            found = [name for name, _, _ in car.read_blocks(file)]
        assert len(found) == part.n_blocks
        assert cid.Node(found[-1], 0).text == part.block
        assert len(raw) == part.n_bytes
        blocks += found
    with packed.open("rb") as file:
        car.read_header(file)
        assert blocks == [name for name, _, _ in car.read_blocks(file)]
    assert (cut.n_blocks, cut.n_bytes) == (len(blocks), packed.stat().st_size)


def test_a_part_is_as_large_as_asked_at_most_but_for_one_large_block(packed: Path) -> None:
    cut = parts.cut(packed, MOST)

    large = [part for part in cut.parts if part.n_bytes > MOST]
    assert [part.n_blocks for part in large] == [1]
    assert len(cut.parts) > 10


def test_the_root_is_the_last_block(packed: Path) -> None:
    cut = parts.cut(packed, MOST)

    assert cut.parts[-1].block == cut.root


def test_one_part_is_the_file_itself(packed: Path) -> None:
    [part] = parts.cut(packed, 10**9).parts

    assert parts.read(packed, part) == packed.read_bytes()


def test_a_file_that_changed_is_not_read(packed: Path) -> None:
    part = parts.cut(packed, MOST).parts[3]
    raw = bytearray(packed.read_bytes())
    raw[part.start + 100] ^= 1
    packed.write_bytes(raw)

    with pytest.raises(PartChangedError, match="part 4"):
        parts.read(packed, part)


def test_a_damaged_file_is_not_cut(packed: Path) -> None:
    raw = bytearray(packed.read_bytes())
    raw[-10] ^= 1
    packed.write_bytes(raw)

    with pytest.raises(car.CarError):
        parts.cut(packed, MOST)
