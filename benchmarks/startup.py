"""Seconds from `make up` (installed) until the pages answer: the first start, and a later one.

Run it with `.venv/bin/python -m benchmarks.startup`.
"""

import tempfile
from pathlib import Path

from tests.fixtures import stack


def main() -> None:
    ports = {name: str(stack.free_port()) for name in stack.PORT_NAMES}
    with tempfile.TemporaryDirectory(prefix="morphora-startup-") as folder:
        for label in ("first start", "later start"):
            running = stack.start(Path(folder), ports, demo_size=256)
            stack.stop(running.process)
            print(f"{label}: {running.ready_after_s:.1f} s")


if __name__ == "__main__":
    main()
