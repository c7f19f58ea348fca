"""The rules of the house, checked by the tools that know them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=600,
    )


CHECKS = {
    "ruff check": [BIN / "ruff", "check", "."],
    "ruff format": [BIN / "ruff", "format", "--check", "."],
    "mypy --strict": [BIN / "mypy", "."],
    "import-linter": [BIN / "lint-imports"],
    "contracts are compiled": ["node", "contracts/compile.mjs", "--check"],
    "scripts are built": ["node", "gallery/assets/build.mjs", "--check"],
    "migrations are complete": [
        sys.executable,
        "manage.py",
        "makemigrations",
        "--check",
        "--dry-run",
    ],
}


@pytest.mark.parametrize("command", CHECKS.values(), ids=CHECKS.keys())
def test_the_house_is_in_order(command: list[str | Path], tmp_path: Path) -> None:
    done = run(*command, DJANGO_SETTINGS_MODULE="config.settings.test")

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_url_table_loads_without_torch(tmp_path: Path) -> None:
    script = (
        "import django; django.setup(); import sys, config.urls, config.asgi; "
        "sys.exit('torch' in sys.modules)"
    )

    done = run(sys.executable, "-c", script, DJANGO_SETTINGS_MODULE="config.settings.test")

    assert done.returncode == 0, done.stderr


def test_production_settings_pass_the_deployment_check() -> None:
    done = run(
        *(sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"),
        DJANGO_SETTINGS_MODULE="config.settings.production",
        **PRODUCTION,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("missing", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL", "CHAIN_RPC_URL"])
def test_production_refuses_to_start_with_a_value_missing(missing: str) -> None:
    environment = dict(PRODUCTION)
    environment[missing] = ""

    done = run(
        *(sys.executable, "manage.py", "check"),
        DJANGO_SETTINGS_MODULE="config.settings.production",
        **environment,
    )

    assert done.returncode != 0
    assert missing in done.stderr


PRODUCTION = {
    "SECRET_KEY": "x" * 20 + "9f8e7d6c5b4a39281706f5e4d3c2b1a0" * 2,
    "ALLOWED_HOSTS": "morphora.example",
    "DATABASE_URL": "postgres://morphora@localhost/morphora",
    "REDIS_URL": "redis://localhost:6379/0",
    "CHAIN_RPC_URL": "https://rpc.example",
    "CHAIN_ID": "1",
    "CHAIN_PRIVATE_KEY": "0x" + "11" * 32,
}
