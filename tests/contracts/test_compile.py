"""The committed compiler output, and the check that guards it."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from minting.chain import contracts
from minting.chain.abi import compiled, factory_address
from tests.fixtures.chain import Chain

ROOT = Path(__file__).parents[2]
SOURCES = "contracts/src"
INPUT = "contracts/contracts.input.json"
OUTPUTS = "minting/abi"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the check reads, to be changed."""
    for name in (SOURCES, OUTPUTS):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("contracts/compile.mjs", INPUT):
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
    source = copy / SOURCES / "LivingCollection.sol"
    text = source.read_text()
    source.write_text(text.replace("MAX_ROYALTY_BPS = 1_000", "MAX_ROYALTY_BPS = 1_001"))

    done = check(copy)

    assert done.returncode == 1
    assert "LivingCollection.json is not what the sources compile to" in done.stderr


def test_the_output_names_its_input() -> None:
    digest = hashlib.sha256((ROOT / INPUT).read_bytes()).hexdigest()

    for path in sorted((ROOT / OUTPUTS).glob("*.json")):
        artefact = compiled(path.stem).artefact
        assert artefact["input_sha256"] == digest
        assert artefact["compiler"].startswith("0.8.37+")


def test_libraries_stand_where_the_factory_puts_them(chain: Chain) -> None:
    chain.deploy()

    for name, address in contracts.collection().libraries.items():
        assert factory_address(compiled(name).bytecode) == address
        code = chain.call("eth_getCode", address, "latest")
        # A library's first instruction is its own address, which solc leaves open.
        assert code[44:] == compiled(name).artefact["deployed_bytecode"][44:]
