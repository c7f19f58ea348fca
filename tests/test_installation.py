"""What `make up` installs is enough to run: the tests' own packages are hidden from the program."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

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
for name in sys.argv[2].split(","):
    __import__(name)
"""
SERVERS = [
    *("config.asgi", "config.celery", "celery.bin.celery"),
    *("kombu.transport.redis", "channels_redis.pubsub"),
]


@pytest.mark.parametrize(
    ("locks", "modules"),
    [
        (["requirements.lock"], SERVERS),
        (["requirements.lock", "requirements-s3.lock"], [*SERVERS, "boto3", "boto3.s3.transfer"]),
    ],
    ids=["anywhere", "with a bucket"],
)
def test_the_workers_and_the_web_server_need_no_package_of_the_tests(
    locks: list[str], modules: list[str]
) -> None:
    lock = "\n".join((ROOT / name).read_text() for name in locks)
    names = re.findall(r"^([a-z0-9][a-z0-9.-]*)(?:\[.*\])?==", lock, re.MULTILINE)

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, ",".join(names), ",".join(modules)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"DJANGO_SETTINGS_MODULE": "config.settings.test", "PATH": "/usr/bin:/bin"},
    )

    assert done.returncode == 0, done.stderr[-2000:]
