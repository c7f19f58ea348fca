"""The sources that a picture depends on, as they are installed here."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

# What draws and reads a picture; the rest of the code cannot change one.
DRAWING = ("gan", "imaging", "traits")


def code_files() -> dict[str, str]:
    """Path -> sha256 of every source that draws or reads a picture."""
    found = find_spec("generation")
    assert found is not None
    assert found.origin is not None
    sources = Path(found.origin).parent
    paths = [path for folder in DRAWING for path in sorted((sources / folder).rglob("*.py"))]
    return {
        path.relative_to(sources.parent).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }
