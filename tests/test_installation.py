"""What `make up` installs is enough to run: the tests' own packages are hidden from the program."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = """
import sys
from importlib.metadata import packages_distributions

allowed = set(sys.argv[1].split(","))
hidden = {
    name for name, owners in packages_distributions().items()
    if not {owner.lower().replace("_", "-") for owner in owners} & allowed
}

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hide())
import config.asgi, config.celery, celery.bin.celery, kombu.transport.redis, channels_redis.pubsub
"""


def test_the_workers_and_the_web_server_need_no_package_of_the_tests() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    names = re.findall(r"^([a-z0-9][a-z0-9.-]*)(?:\[.*\])?==", lock, re.MULTILINE)

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, ",".join(names)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"DJANGO_SETTINGS_MODULE": "config.settings.test", "PATH": "/usr/bin:/bin"},
    )

    assert done.returncode == 0, done.stderr[-2000:]
