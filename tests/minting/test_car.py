"""CAR files, read back by independent implementations of dag-pb, CID and UnixFS."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minting.provenance import cid
from tests.fixtures.unixfs import read_car, reference_root


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures and metadata as a drop has them, one file of three chunks, one picture twice."""
    made = tmp_path / "drop"
    for name in ("images", "metadata"):
        (made / name).mkdir(parents=True)
    for i in range(1, 30):
        (made / "images" / f"{i}.png").write_bytes(b"picture %d" % (i // 2 * 2))
        (made / "metadata" / f"{i}.json").write_bytes(b'{"name": "%d"}' % i)
    (made / "images" / "large.bin").write_bytes(bytes(range(251)) * 10_000)
    return made


def test_a_car_holds_every_file_once_under_the_reference_root(folder: Path, tmp_path: Path) -> None:
    root = cid.write_car(folder, tmp_path / "drop.car")

    found = read_car(tmp_path / "drop.car")
    assert root == found["root"] == reference_root(folder) == cid.directory_cid(folder)
    assert found["files"] == digests(folder)


def test_a_car_of_a_sharded_directory_is_read_back_whole(tmp_path: Path) -> None:
    made = tmp_path / "drop"
    made.mkdir()
    for i in range(1, 5_100):
        (made / f"{i}.png").write_bytes(b"%d" % i)

    root = cid.write_car(made, tmp_path / "drop.car")

    assert root == reference_root(made)
    assert read_car(tmp_path / "drop.car")["files"] == digests(made)


def test_the_same_directory_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    cid.write_car(folder, tmp_path / "one.car")
    cid.write_car(folder, tmp_path / "two.car")

    assert (tmp_path / "one.car").read_bytes() == (tmp_path / "two.car").read_bytes()


def test_a_changed_byte_is_noticed_by_the_reader(folder: Path, tmp_path: Path) -> None:
    car = tmp_path / "drop.car"
    cid.write_car(folder, car)
    raw = bytearray(car.read_bytes())
    raw[-20] ^= 1
    car.write_bytes(raw)

    with pytest.raises(subprocess.CalledProcessError):
        read_car(car)


def test_a_car_that_fails_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    (folder / "images" / "link.png").symlink_to(folder / "images" / "1.png")
    out = tmp_path / "cars" / "drop.car"

    with pytest.raises(ValueError, match=r"link\.png is neither"):
        cid.write_car(folder, out)

    assert list(out.parent.iterdir()) == []


def test_a_car_does_not_pack_itself(folder: Path) -> None:
    with pytest.raises(ValueError, match="inside the directory"):
        cid.write_car(folder, folder / "drop.car")


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    files=st.dictionaries(
        st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=6),
        st.binary(max_size=200),
        min_size=1,
        max_size=8,
    )
)
def test_any_directory_has_the_reference_root(
    files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name, raw in files.items():
        (folder / name).write_bytes(raw)

    assert cid.directory_cid(folder) == reference_root(folder)
