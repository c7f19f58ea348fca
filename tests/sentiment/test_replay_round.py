"""Rounds out of the door and computed again: service, API and commands."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from generation.models import Artwork
from minting.provenance import lineage
from sentiment.derivation import bundle, replay
from sentiment.models import Proposal, Round, ScoreInputs, Voter
from sentiment.services import (
    NoBundleError,
    approve_proposal,
    close_round,
    open_round,
    register_wallet,
    reject_proposal,
    round_bundle,
)
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import address, vote_by

ROOT = Path(__file__).parents[2]


def likes_long_hair(work: Artwork) -> float:
    return float(work.parsed["head"] == "long") + work.index / 1000


@pytest.fixture
def proposal(make_drop: MakeDrop, voters: list[Voter]) -> Proposal:
    current = open_round(drop=make_drop(30))
    vote_by(current, voters, likes_long_hair, every=11)
    return close_round(round=current)


def told(proposal: Proposal) -> dict[str, Any]:
    return bundle.read(round_bundle(round=proposal.score_run.round))


def failures(found: dict[str, Any]) -> list[str]:
    return [one.check for one in replay.replay(found) if one.state == "fail"]


def test_a_closed_round_replays(proposal: Proposal) -> None:
    found = told(proposal)

    assert failures(found) == []
    assert found["input_hash"] == proposal.score_run.input_hash
    assert found["tally"]["root"] == proposal.score_run.tally_root
    assert found["tally"]["count"] == proposal.score_run.n_votes
    assert found["derived"]["proposed"] == proposal.proposed
    assert found["before"]["params_hash"] == lineage.params_hash(proposal.base.body).hex()
    assert found["decision"] is None


def test_a_decided_round_says_who_decided_what(proposal: Proposal, lead: User) -> None:
    decided = approve_proposal(proposal=proposal, lead=lead, reason="As voted")

    found = told(proposal)

    assert decided.resulting is not None
    assert failures(found) == []
    assert found["decision"]["state"] == "approved"
    assert found["decision"]["decided_by"] == "lead"
    assert found["decision"]["params_hash"] == lineage.params_hash(decided.resulting.body).hex()


def test_a_lead_with_a_wallet_is_named_by_it(proposal: Proposal) -> None:
    holder = register_wallet(address=address(50)).user
    holder.is_staff = True
    holder.save()
    reject_proposal(proposal=proposal, lead=holder)

    found = told(proposal)

    assert failures(found) == []
    assert found["decision"]["decided_by"] == address(50)
    assert found["decision"]["params_hash"] == found["before"]["params_hash"]


def test_an_open_round_has_no_bundle(open_one: Round) -> None:
    with pytest.raises(NoBundleError):
        round_bundle(round=open_one)


def test_anybody_downloads_a_bundle_and_asks_again_for_nothing(proposal: Proposal) -> None:
    url = f"/api/rounds/{proposal.score_run.round_id}/bundle"
    first = APIClient().get(url)

    again = APIClient().get(url, headers={"if-none-match": first["ETag"]})

    assert first.status_code == 200
    assert first.content == round_bundle(round=proposal.score_run.round)
    assert first["Content-Type"] == "application/json"
    assert "public" in first["Cache-Control"]
    assert (again.status_code, again.content) == (304, b"")


def test_a_decision_makes_it_another_bundle(proposal: Proposal, lead: User) -> None:
    url = f"/api/rounds/{proposal.score_run.round_id}/bundle"
    first = APIClient().get(url)
    reject_proposal(proposal=proposal, lead=lead)

    again = APIClient().get(url, headers={"if-none-match": first["ETag"]})

    assert again.status_code == 200
    assert again.json()["decision"]["state"] == "rejected"


def test_open_rounds_and_those_whose_inputs_were_not_kept_have_none_to_download(
    proposal: Proposal, make_drop: MakeDrop
) -> None:
    ScoreInputs.objects.all().delete()

    for current in (proposal.score_run.round, open_round(drop=make_drop(3))):
        reply = APIClient().get(f"/api/rounds/{current.pk}/bundle")
        assert reply.status_code == 404
        assert reply.json()["code"] in ("no_bundle", "not_found")


def test_the_exported_file_is_the_bundle(proposal: Proposal, tmp_path: Path) -> None:
    out, said = tmp_path / "round.json", StringIO()

    call_command("export_round", "portraits", "1", out=out, stdout=StringIO())
    call_command("export_round", "portraits", "1", stdout=said)

    assert out.read_bytes() == round_bundle(round=proposal.score_run.round)
    assert said.getvalue().strip().encode() == out.read_bytes()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("number", ["1", "7"])
def test_what_has_no_bundle_is_not_exported(open_one: Round, number: str) -> None:
    with pytest.raises(CommandError, match="no"):
        call_command("export_round", "portraits", number)


def run(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a stranger calls it, where there is no installation."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO", "DATABASE"))}
    return subprocess.run(
        [sys.executable, "manage.py", "replay_round", str(path)],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_stranger_replays_a_round(proposal: Proposal, tmp_path: Path) -> None:
    path = tmp_path / "round.json"
    path.write_bytes(round_bundle(round=proposal.score_run.round))

    done = run(path, OPENBLAS_NUM_THREADS="1")

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 11
    assert "byte for byte" in done.stdout


def test_a_stranger_is_told_what_differs(proposal: Proposal, tmp_path: Path) -> None:
    spoilt = told(proposal)
    spoilt["derived"]["rows"][3]["mean"] = 4.5
    path = tmp_path / "round.json"
    path.write_text(json.dumps(spoilt, sort_keys=True, separators=(",", ":"), ensure_ascii=False))

    done = run(path)

    assert done.returncode == 1
    assert "rows[3].mean: told 4.5, found " in done.stdout


def test_what_is_no_file_is_unreadable(tmp_path: Path) -> None:
    done = run(tmp_path / "none.json")

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_other_code_is_warned_of(proposal: Proposal, tmp_path: Path) -> None:
    other, said = told(proposal), StringIO()
    other["inputs"]["code"] = other["code_version"] = "c0de"
    path = tmp_path / "round.json"
    path.write_text(json.dumps(other, sort_keys=True, separators=(",", ":"), ensure_ascii=False))

    with pytest.raises(CommandError):  # for the input hash is not that of these inputs
        call_command("replay_round", path, stdout=StringIO(), stderr=said)

    assert "another version of the code" in said.getvalue()
