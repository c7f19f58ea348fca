"""The committed compiler output, and the check that guards it."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from minting.chain import contracts

ROOT = Path(__file__).parents[2]
SOURCE = "contracts/src/MorphoraCollection.sol"
INPUT = "contracts/MorphoraCollection.input.json"
OUTPUT = "minting/abi/MorphoraCollection.json"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the check reads, to be changed."""
    for name in ("contracts/compile.mjs", SOURCE, INPUT, OUTPUT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    return tmp_path


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", "contracts/compile.mjs", "--check"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_committed_output_is_what_the_sources_give(copy: Path) -> None:
    done = check(copy)

    assert done.returncode == 0, done.stderr


def test_a_changed_source_is_noticed(copy: Path) -> None:
    text = (copy / SOURCE).read_text()
    (copy / SOURCE).write_text(text.replace("MAX_ROYALTY_BPS = 1_000", "MAX_ROYALTY_BPS = 1_001"))

    done = check(copy)

    assert done.returncode == 1
    assert "MorphoraCollection.json is not what the sources compile to" in done.stderr


def test_the_output_names_its_input() -> None:
    digest = hashlib.sha256((ROOT / INPUT).read_bytes()).hexdigest()

    assert contracts.artefact()["input_sha256"] == digest
    assert contracts.artefact()["compiler"].startswith("0.8.37+")
