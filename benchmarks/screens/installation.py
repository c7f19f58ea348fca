"""What `make up` starts, in a folder of its own, until the pictures are taken."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PORTS = {
    "MORPHORA_WEB_PORT": "8190",
    "MORPHORA_BROKER_PORT": "8191",
    "MORPHORA_CHAIN_PORT": "8192",
}
ADDRESS = f"http://localhost:{PORTS['MORPHORA_WEB_PORT']}"
START_S = 120


@dataclass(frozen=True)
class Installation:
    password: str
    environment: dict[str, str]

    def manage(self, *words: str) -> None:
        """Run a command of `manage.py` beside it, to its end."""
        command = [sys.executable, "manage.py", *words]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True)


@contextmanager
def installation() -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="morphora-screens-") as folder:
        environment = os.environ | PORTS | {"MORPHORA_VAR": folder, "MORPHORA_DEMO_SIZE": "120"}
        process = subprocess.Popen(
            [sys.executable, "-m", "config.embedded", "up"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _wait()
            password = (Path(folder) / "secrets" / "lead_password").read_text().strip()
            yield Installation(password, environment)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def _wait() -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{ADDRESS}/health", timeout=2):  # noqa: S310
                return
        except OSError:
            time.sleep(0.3)
    raise TimeoutError(ADDRESS)
