"""What docs/deploy.md promises: units, image and compose file name what exists, all of it."""

import re
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import click
import pytest
import uvicorn
import yaml
from celery.bin.celery import celery
from django.conf import settings
from django.core.management import get_commands

from config.health import is_well

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
UNITS = sorted((ROOT / "config" / "systemd").glob("*.service"))
COMMON = ROOT / "config" / "systemd" / "morphora-.service.d" / "common.conf"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
OWN = {
    name: service
    for name, service in COMPOSE["services"].items()
    if service["image"].startswith("morphora:")
}
DOCUMENT = (ROOT / "docs" / "deploy.md").read_text()
REQUIRED = re.findall(r'required\("(\w+)"\)', (ROOT / "config/settings/production.py").read_text())
LOCKS = {"constraints.txt", "requirements.lock", "requirements-s3.lock"}
INSTEAD = {"CHAIN_KEYSTORE_PASSWORD"}  # required beside a keystore file, in place of the key


def unit(path: Path) -> dict[str, list[str]]:
    """The settings of a unit and those that hold for all; systemd takes each more than once."""
    found: dict[str, list[str]] = {}
    for line in [*path.read_text().splitlines(), *COMMON.read_text().splitlines()]:
        name, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def image_command() -> list[str]:
    text = (ROOT / "Dockerfile").read_text()
    found = re.search(r"^CMD (\[.*\])$", text, re.MULTILINE)
    assert found is not None
    command: list[str] = yaml.safe_load(found[1])
    return command


def unit_commands() -> dict[str, list[str]]:
    commands = {}
    for path in UNITS:
        (text,) = unit(path)["ExecStart"]
        program, *words = shlex.split(text.replace("%%", "%").replace("%i", "0"))
        folder, _, name = program.rpartition("/")
        assert folder == "/srv/morphora/app/.venv/bin"
        commands[path.name] = [name, *words]
    return commands


def compose_commands() -> dict[str, list[str]]:
    return {name: service.get("command", image_command()) for name, service in OWN.items()}


COMMANDS = unit_commands() | compose_commands() | {"Dockerfile": image_command()}


def parse(command: click.Command, words: list[str]) -> dict[str, Any]:
    """The options of a command line; click.UsageError where it has none of that name."""
    options, rest, _ = command.make_parser(click.Context(command)).parse_args(words)
    assert rest == []
    return options


def queues(commands: dict[str, list[str]]) -> set[str]:
    worker = celery.commands["worker"]
    return {
        queue
        for program, *words in commands.values()
        if program == "celery" and words[2] == "worker"
        for queue in parse(worker, words[3:])["queues"].split(",")
    }


def routed() -> set[str]:
    routes = settings.CELERY_TASK_ROUTES.values()
    return {settings.CELERY_TASK_DEFAULT_QUEUE, *(route["queue"] for route in routes)}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_every_command_is_one_that_the_installed_programs_take(command: list[str]) -> None:
    program, *words = command

    assert (BIN / program).is_file()
    if program == "celery":
        assert words[:2] == ["-A", "config"]
        parse(celery.commands[words[2]], words[3:])
    elif program == "uvicorn":
        assert words[0] == "config.asgi:application"
        parse(uvicorn.main, words[1:])
    else:
        assert words[0] == "manage.py"
        assert words[1] in get_commands()


@pytest.mark.parametrize(
    "commands", [unit_commands(), compose_commands()], ids=["units", "compose"]
)
def test_every_queue_is_served(commands: dict[str, list[str]]) -> None:
    assert queues(commands) == routed()


def test_units_and_compose_file_serve_the_same_queues() -> None:
    assert queues(unit_commands()) == queues(compose_commands())


def test_one_clock_rings_in_each() -> None:
    for commands in (unit_commands(), compose_commands()):
        assert sum("beat" in command for command in commands.values()) == 1


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_can_write_to_its_own_folder_only(path: Path) -> None:
    settings_of = unit(path)

    assert settings_of["User"] == ["morphora"]
    assert settings_of["NoNewPrivileges"] == ["yes"]
    assert settings_of["ProtectSystem"] == ["strict"]
    assert settings_of["ReadWritePaths"] == ["/srv/morphora/var"]


def test_a_gpu_worker_sees_its_own_device_and_no_other_worker_sees_one() -> None:
    workers = [path for path in UNITS if " worker " in unit(path)["ExecStart"][0]]

    seen = {path.stem: unit(path)["Environment"][0] for path in workers}

    assert seen == {
        "morphora-files": "CUDA_VISIBLE_DEVICES=",
        "morphora-gpu@": "CUDA_VISIBLE_DEVICES=%i",
        "morphora-mint": "CUDA_VISIBLE_DEVICES=",
        "morphora-preview": "CUDA_VISIBLE_DEVICES=",
        "morphora-worker@": "CUDA_VISIBLE_DEVICES=",
    }


@pytest.mark.parametrize("name", OWN)
def test_a_container_is_given_every_value_that_production_requires(name: str) -> None:
    assert set(REQUIRED) - INSTEAD <= OWN[name]["environment"].keys()


def test_every_value_of_the_environment_is_documented() -> None:
    sources = [ROOT / "config/settings/base.py", ROOT / "config/settings/production.py"]
    read = {
        name
        for path in sources
        for name in re.findall(r'environ(?:\.get\(|\[)"(\w+)"', path.read_text())
    }

    documented = set(re.findall(r"^\| `(\w+)`", DOCUMENT, re.MULTILINE))

    assert read | set(REQUIRED) <= documented


def test_what_the_image_copies_is_let_through_to_it() -> None:
    kept = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}

    assert packages | {"templates", "manage.py", *LOCKS} == kept


def test_files_that_the_document_names_exist() -> None:
    named = re.findall(r"`((?:config|docs|generation|tests)/[\w@./-]+|[Cc]ompose\.yaml)`", DOCUMENT)

    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


class Web(BaseHTTPRequestHandler):
    """Answers as Morphora does behind its proxy: its own host, and what came over TLS."""

    def do_GET(self) -> None:
        is_own = self.headers["Host"] == "morphora.example"
        is_safe = self.headers["X-Forwarded-Proto"] == "https"
        self.send_response(200 if is_own and is_safe and self.path == "/health" else 400)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def web() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Web)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.enable_socket
def test_a_web_server_is_well_when_it_answers_as_behind_its_proxy(web: int) -> None:
    assert is_well(web, "morphora.example")
    assert not is_well(web, "other.example")


@pytest.mark.enable_socket
def test_a_web_server_that_is_away_is_not_well() -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        assert not is_well(taken.getsockname()[1], "morphora.example")


def production(tmp_path: Path, script: str, **environment: str) -> str:
    given = {
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "MORPHORA_VAR": str(tmp_path),
        "SECRET_KEY": "given",
        "ALLOWED_HOSTS": "morphora.example",
        "DATABASE_URL": "postgres://morphora@db/morphora",
        "REDIS_URL": "redis://valkey/0",
        "CHAIN_RPC_URL": "https://rpc.example",
        "CHAIN_ID": "1",
        "CHAIN_PRIVATE_KEY": "0x01",
    }
    done = subprocess.run(
        [sys.executable, "-c", f"from django.conf import settings as s; {script}"],
        cwd=ROOT,
        env={name: text for name, text in (given | environment).items() if text},
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() or done.stderr.strip().rpartition("\n")[2]


def test_a_value_may_come_from_a_mounted_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    script = "print(s.SECRET_KEY)"

    assert production(tmp_path, script, SECRET_KEY_FILE=str(tmp_path / "key")) == "from a file"
    assert production(tmp_path, script) == "given"


def test_options_of_the_database_url_stay_beside_the_pool(tmp_path: Path) -> None:
    url = "postgres://morphora@db/morphora?sslmode=verify-full"
    script = "o = s.DATABASES['default']['OPTIONS']; print(o['sslmode'], o['pool']['max_size'])"

    assert production(tmp_path, script, DATABASE_URL=url) == "verify-full 8"


def test_a_keystore_file_takes_the_place_of_the_key(tmp_path: Path) -> None:
    script = "print(s.CHAIN_KEYSTORE, s.CHAIN_KEYSTORE_PASSWORD)"
    asked = {"CHAIN_KEYSTORE": "/k.json", "CHAIN_PRIVATE_KEY": ""}

    assert production(tmp_path, script, **asked, CHAIN_KEYSTORE_PASSWORD="p") == "/k.json p"
    assert "CHAIN_KEYSTORE_PASSWORD is not set" in production(tmp_path, script, **asked)
    assert "CHAIN_PRIVATE_KEY is not set" in production(tmp_path, script, CHAIN_PRIVATE_KEY="")
