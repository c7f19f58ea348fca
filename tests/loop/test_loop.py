"""The headless loop on a node of its own, and what a stranger can recompute from its export."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from minting.provenance import merkle
from minting.provenance.keccak import keccak256
from sentiment.models import Vote
from tests.fixtures.stack import free_port

pytestmark = [pytest.mark.enable_socket, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def report(settings: Any, tmp_path: Path) -> dict[str, Any]:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VAR_DIR = tmp_path
    settings.CHAIN_RPC_URL = f"http://127.0.0.1:{free_port()}"
    out = tmp_path / "report.json"
    call_command("loop", drops=2, size=40, seed=3, voters=20, votes=20, json=out)
    found: dict[str, Any] = json.loads(out.read_text())
    call_command("export_drop", found["collection"], "2", out=tmp_path / "export")
    return found


def test_two_drops_go_round_and_the_second_can_be_recomputed(
    report: dict[str, Any], tmp_path: Path
) -> None:
    first, second = report["drops"]

    assert [drop["number"] for drop in report["drops"]] == [1, 2]
    assert first["accepted"] + first["rejected"] + first["duplicates"] == 40
    assert first["minted"] == 20
    assert first["votes"] == second["votes"] == 400
    assert Vote.objects.count() == 800
    assert first["proposal"]["state"] == "approved"
    assert first["params_hash"] != second["params_hash"]
    assert first["checkpoint_sha256"] == second["checkpoint_sha256"]
    check_export(tmp_path / "export", second)


def check_export(folder: Path, drop: dict[str, Any]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    leaves = []
    for path in sorted((folder / "metadata").iterdir(), key=lambda p: int(p.stem)):
        (image,) = (folder / "images").glob(f"{path.stem}.*")
        image_hash = hashlib.sha256(image.read_bytes()).digest()
        leaves.append((int(path.stem), keccak256(path.read_bytes()), image_hash))
    assert len(leaves) == drop["accepted"]
    assert merkle.root(leaves).hex() == drop["metadata_root"].removeprefix("0x")
    assert drop["metadata_root"] in json.dumps(manifest)
    rejected_are_absent = {p.stem for p in (folder / "images").iterdir()}
    assert len(rejected_are_absent) == drop["accepted"]


@pytest.mark.parametrize("chain_id", [1, 11155111])
def test_the_loop_refuses_every_chain_but_the_local_one(settings: Any, chain_id: int) -> None:
    settings.CHAIN_ID = chain_id

    with pytest.raises(CommandError, match="31337 only"):
        call_command("loop")
