"""Foreign files are read in a process of their own, with little memory, time and disk.

``convert`` starts it; run as a module, this file is that process. What comes back is a file of
ours, which is then read like any other.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from generation.gan.foreign.placing import ForeignCheckpointError

MAX_BYTES = 4 << 30
TIME_LIMIT_S = 600
MEMORY_FLOOR = 2 << 30
REFUSED = 3


def convert(kind: str, path: Path, out: Path, config: dict[str, Any] | None = None) -> None:
    """Write the generator in ``path`` to ``out`` as a checkpoint of ours.

    Parameters
    ----------
    kind : "stylegan3" or "biggan".
    config : what some BigGAN files need beside them.

    Raises
    ------
    ForeignCheckpointError
        The file is refused, or took more memory, time or disk than a whole one would.
    """
    if not path.is_file():
        raise ForeignCheckpointError(f"{path.name}: no such file")
    if path.stat().st_size > MAX_BYTES:
        raise ForeignCheckpointError(f"{path.name}: larger than {MAX_BYTES} bytes")
    command = [sys.executable, "-m", "generation.gan.foreign.child", kind, str(path), str(out)]
    root = Path(__file__).parents[3]
    with tempfile.TemporaryFile("w+") as told:
        try:
            done = subprocess.run(  # noqa: S603  # our own module; the file is an argument
                command,
                cwd=root,
                env={"PATH": os.defpath, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
                input=json.dumps(config),
                text=True,
                stdout=subprocess.DEVNULL,
                stderr=told,
                timeout=TIME_LIMIT_S,
            )
        except subprocess.TimeoutExpired as error:
            raise ForeignCheckpointError(f"{path.name}: not read in {TIME_LIMIT_S} s") from error
        told.seek(0)
        said = told.read(100_000)
    if done.returncode == REFUSED:
        raise ForeignCheckpointError(f"{path.name}: {said.splitlines()[-1]}")
    if done.returncode:
        raise ForeignCheckpointError(
            f"{path.name}: reading it ended with status {done.returncode}, out of memory or time"
        )


def limit(n_bytes: int) -> None:
    """Hold this process to what reading a file of that size needs."""
    with Path("/proc/self/statm").open() as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    bounds = {
        resource.RLIMIT_AS: now + MEMORY_FLOOR + 4 * n_bytes,
        resource.RLIMIT_CPU: TIME_LIMIT_S,
        resource.RLIMIT_FSIZE: MEMORY_FLOOR + 2 * n_bytes,
        resource.RLIMIT_NOFILE: 32,
        resource.RLIMIT_CORE: 0,
    }
    for kind, bound in bounds.items():
        resource.setrlimit(kind, (bound, bound))


def main() -> int:
    kind, source, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    config = json.load(sys.stdin)
    from generation.gan.checkpoint import save_generator
    from generation.gan.foreign.biggan import read_biggan
    from generation.gan.foreign.stylegan3 import read_stylegan3
    from generation.gan.generator import Generator

    limit(source.stat().st_size)
    try:
        found: Generator
        found = read_stylegan3(source) if kind == "stylegan3" else read_biggan(source, config)
    except ForeignCheckpointError as error:
        sys.stderr.write(f"\n{error}\n")
        return REFUSED
    save_generator(out, found, {"imported_from": kind, "file": source.name})
    return 0


if __name__ == "__main__":
    sys.exit(main())
