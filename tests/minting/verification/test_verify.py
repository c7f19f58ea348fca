"""`manage.py verify`: what a stranger finds out from a node and files, without anything of ours."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.published import Published

ROOT = Path(__file__).parents[3]
# To publish one needs a database, to verify none: processes get settings that have none.
pytestmark = pytest.mark.django_db


def verify(published: Published, *more: str, **environment: str) -> tuple[int, Any, str]:
    """Exit status, findings, and what was told, of a process of its own."""
    command = [sys.executable, "manage.py", "verify", "--json", "--rpc", published.chain.url]
    command += ["--contract", published.contract, *more]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO", "DATABASE"))}
    done = subprocess.run(
        command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, timeout=300
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout or "[]"), done.stderr


def files(published: Published) -> list[str]:
    cars = [word for car in published.cars for word in ("--car", str(car))]
    return [*cars, "--checkpoint", str(published.checkpoint), "--parser", str(published.parser)]


def test_everything_passes_on_a_machine_that_has_nothing_of_ours(published: Published) -> None:
    code, found, said = verify(published, *files(published))

    states = {(row["check"], row["subject"]): (row["state"], row["why"]) for row in found}
    assert code == 0, said
    assert {key: row for key, row in states.items() if row[0] != "pass"} == {}
    for number, n_works in ((1, 7), (2, 6)):
        _, why = states["drawn again", f"drop {number}"]
        assert f"{n_works} of {n_works} works drawn again: {n_works} exactly" in why


def test_a_database_is_never_asked(published: Published, tmp_path: Path) -> None:
    """With an installation's own settings and none of its files."""
    code, found, said = verify(
        published,
        *files(published),
        DJANGO_SETTINGS_MODULE="config.settings.embedded",
        MORPHORA_VAR=str(tmp_path / "var"),
    )

    assert code == 0, said
    assert {row["state"] for row in found} == {"pass"}
    assert not list((tmp_path / "var").rglob("*.sqlite3"))


def test_one_token_is_checked_by_itself(published: Published) -> None:
    code, found, said = verify(published, *files(published), "--token", "9")

    rows = {row["check"]: row for row in found if row["subject"] == "token 9"}
    assert code == 0, said
    assert {row["subject"] for row in found} == {"chain", "drop 1", "drop 2", "token 9"}
    assert "1 of 6 works drawn again: 1 exactly" in rows["drawn again"]["why"]
    assert "1000000000000000 wei were paid" in rows["tokens"]["why"]


def test_without_files_the_chain_alone_is_checked(published: Published) -> None:
    code, found, said = verify(published)

    open_rows = [row["why"] for row in found if row["state"] == "not checkable"]
    assert code == 0, said
    assert open_rows.count("no CAR of this drop was given") == 2
    assert not [row for row in found if row["state"] == "fail"]


def test_the_table_is_for_people(published: Published) -> None:
    command = [sys.executable, "manage.py", "verify", "--rpc", published.chain.url]
    command += ["--contract", published.contract]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO", "DATABASE"))}

    done = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, timeout=300)

    assert "pass           chain of drops         chain   2 committed drops lead" in done.stdout
    assert "2 not checkable" not in done.stdout
    assert " 0 fail" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--contract", "0x12"],
        ["--rpc", "http://127.0.0.1:1"],
        ["--car", "nowhere.car"],
        ["--drop", "7"],
        ["--token", "99"],
        ["--token", "-1"],
        ["--token", "x"],
    ],
)
def test_what_cannot_be_asked_has_its_own_status(published: Published, words: list[str]) -> None:
    code, found, said = verify(published, *words)

    assert (code, found) == (2, [])
    assert said


def test_an_address_without_a_contract_fails(published: Published) -> None:
    code, found, _ = verify(published, "--contract", "0x" + "12" * 20)

    assert code == 1
    assert [row["why"] for row in found] == ["there is no contract at this address"]
