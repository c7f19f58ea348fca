"""What a machine may lack is said in one line each."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "config" / "preflight.sh"


def preflight(python: str, path: str) -> tuple[int, str]:
    done = subprocess.run(
        ["/bin/sh", str(SCRIPT), python],
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr.strip()


def program(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with the usual tools and nothing else."""
    for name in ("df", "awk", "sh"):
        found = shutil.which(name)
        assert found is not None
        (tmp_path / name).symlink_to(found)
    return tmp_path


def test_a_machine_with_everything_passes() -> None:
    assert preflight(sys.executable, os.environ["PATH"]) == (0, "")


def test_an_old_python_is_named(tools: Path) -> None:
    old = program(tools, "python3", "exit 1")

    code, said = preflight(old, str(tools))

    assert code == 1
    assert said.startswith("Morphora needs Python 3.11 or newer")
    assert "\n" not in said


@pytest.mark.parametrize("node", [None, "exit 1"], ids=["missing", "too old"])
def test_a_missing_or_old_node_is_named(tools: Path, node: str | None) -> None:
    if node is not None:
        program(tools, "node", node)

    code, said = preflight(sys.executable, str(tools))

    assert code == 1
    assert said.startswith("Morphora needs Node 20 or newer")
    assert "\n" not in said


def test_a_full_disk_is_named_with_its_numbers(tools: Path) -> None:
    program(tools, "node", "exit 0")
    (tools / "df").unlink()
    program(tools, "df", "echo; echo '/dev/x 1000000 900000 102400 90% /'")

    code, said = preflight(sys.executable, str(tools))

    assert (code, said) == (1, "The disk is full: 100 MB free here, setting up needs 2500 MB.")
