"""`manage.py verify` with the round that led to a drop: node, files, and nothing of ours."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django import Settings

from generation.models import Artwork, Drop
from generation.services import move_drop
from minting.models import Contract
from minting.provenance.canonical import canonicalize
from minting.services import request_commit
from sentiment.models import Voter
from sentiment.services import approve_proposal, close_round, open_round, tally_root_for
from tests.fixtures.chain import Chain
from tests.fixtures.outbox import pump
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import vote_by

ROOT = Path(__file__).parents[2]


def likes_long_hair(work: Artwork) -> float:
    return float(work.parsed["head"] == "long") + work.index / 1000


@pytest.fixture
def folder(
    make_drop: MakeDrop,
    voters: list[Voter],
    lead: User,
    chain: Chain,
    chain_settings: Settings,
    tmp_path: Path,
) -> Path:
    """Drop 2 as it is exported: it followed the votes on drop 1, and both are on chain."""
    first = make_drop(30, Drop.State.CURATING)
    request_commit(drop=first)
    pump()
    move_drop(drop=first, expected=Drop.State.COMMITTED, to=Drop.State.MINTING)
    current = open_round(drop=first)
    vote_by(current, voters, likes_long_hair, every=11)
    decided = approve_proposal(proposal=close_round(round=current), lead=lead)
    second = make_drop(3, Drop.State.CURATING, seed=1)
    assert decided.resulting is not None
    second.parameter_set = decided.resulting
    second.save()
    request_commit(drop=second, vote_tally_root=tally_root_for(second))
    pump()
    call_command("export_drop", "portraits", "2", out=tmp_path / "out", stdout=StringIO())
    return tmp_path / "out"


def verify(chain: Chain, *more: str | Path) -> tuple[int, dict[tuple[str, str], Any]]:
    command = [sys.executable, "manage.py", "verify", "--json", "--rpc", chain.url]
    command += ["--contract", Contract.objects.get().address, *map(str, more)]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO", "DATABASE"))}
    done = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr, done.stderr
    found = json.loads(done.stdout or "[]")
    return done.returncode, {(row["check"], row["subject"]): row for row in found}


def test_the_round_of_an_exported_drop_leads_to_it(folder: Path, chain: Chain) -> None:
    code, found = verify(chain, "--round", folder / "rounds" / "1.json")

    assert code == 0, found
    assert found["vote tally", "drop 2"]["why"].endswith("votes lead to the root on chain")
    assert found["round's proposal", "drop 2"]["why"] == "the same, byte for byte"
    assert found["parameters voted for", "drop 2"]["state"] == "pass"
    assert found["vote tally", "drop 1"]["why"] == "no votes were named"


def test_a_round_beside_a_car_is_found(folder: Path, chain: Chain) -> None:
    """The works of this drop are made up, so that their own checks fail."""
    _, found = verify(chain, "--car", folder / "drop.car")

    assert found["vote tally", "drop 2"]["why"].endswith("votes lead to the root on chain")


def test_one_vote_that_was_flipped_in_the_file_fails(
    folder: Path, chain: Chain, tmp_path: Path
) -> None:
    told = json.loads((folder / "rounds" / "1.json").read_bytes())
    rows = told["inputs"]["votes"]["rows"]
    rows[0][2] = rows[0][0] if rows[0][2] == rows[0][1] else rows[0][1]
    rows.sort()
    path = tmp_path / "round.json"
    path.write_bytes(canonicalize(told))

    code, found = verify(chain, "--round", path)

    assert code == 1
    assert found["vote tally", "drop 2"]["state"] == "fail"


def test_without_the_file_the_votes_are_not_checkable(
    folder: Path, chain: Chain, tmp_path: Path
) -> None:
    spoilt = tmp_path / "round.json"
    spoilt.write_text("{}")

    assert verify(chain)[1]["vote tally", "drop 2"]["state"] == "not checkable"
    assert verify(chain, "--round", spoilt) == (2, {})
