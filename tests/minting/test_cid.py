"""The golden values were made by npm ipfs-unixfs-importer, an independent implementation."""

import json
from pathlib import Path
from typing import Any

import pytest

from minting.provenance import cid

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "cid.json").read_text())


def numbered(n: int, stem: str, suffix: str) -> dict[str, bytes]:
    return {f"{stem}{i}{suffix}": f"file {i}".encode() for i in range(1, n + 1)}


@pytest.mark.parametrize("case", GOLDEN["files"], ids=lambda case: f"{case['n_bytes']} bytes")
def test_cid_of_a_file_is_that_of_the_reference(case: dict[str, Any]) -> None:
    raw = bytes((i * case["step"] + (i >> 8)) & 255 for i in range(case["n_bytes"]))

    found = cid.file_cid(raw)

    assert found == case["cid"]


@pytest.mark.parametrize(
    "case", GOLDEN["directories"], ids=lambda case: f"{case['n_files']} files {case['stem']}"
)
def test_cid_of_a_directory_is_that_of_the_reference(case: dict[str, Any]) -> None:
    """5,062 names fit a block of 256 KiB, 5,063 do not and become a HAMT."""
    files = numbered(case["n_files"], case["stem"], case["suffix"])

    found = cid.directory({name: cid.file_node(raw) for name, raw in files.items()})

    assert found.text == case["cid"]


def test_cid_of_nested_directories_on_disk_is_that_of_the_reference(tmp_path: Path) -> None:
    case = GOLDEN["nested"]
    for folder in case["folders"]:
        (tmp_path / folder).mkdir()
        for i in range(1, case["n_files"] + 1):
            (tmp_path / folder / str(i)).write_text(f"{folder} {i}")

    found = cid.directory_cid(tmp_path)

    assert found == case["cid"]


def test_one_changed_byte_changes_the_image_root(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"one")
    (tmp_path / "2.png").write_bytes(b"two")
    before = cid.directory_node(tmp_path).digest
    (tmp_path / "2.png").write_bytes(b"twp")

    after = cid.directory_node(tmp_path).digest

    assert len(after) == 32
    assert after != before


def test_a_link_in_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"one")
    (tmp_path / "2.png").symlink_to(tmp_path / "1.png")

    with pytest.raises(ValueError, match=r"2\.png is neither"):
        cid.directory_cid(tmp_path)
