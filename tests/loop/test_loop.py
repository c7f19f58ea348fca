"""The headless loop on a node of its own, and what a stranger can recompute from its export."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from minting.models import Sale
from minting.provenance import merkle
from minting.provenance.keccak import keccak256
from sentiment.models import Vote, Voter
from tests.fixtures.stack import free_port

pytestmark = [pytest.mark.enable_socket, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    """Files and a chain node of the test's own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.VAR_DIR = tmp_path
    settings.CHAIN_RPC_URL = f"http://127.0.0.1:{free_port()}"
    return tmp_path


def loop(out: Path, **options: Any) -> list[dict[str, Any]]:
    call_command("loop", size=48, seed=3, json=out, **options)
    report = json.loads(out.read_text())
    call_command("export_drop", report["collection"], "2", out=out.with_suffix(""))
    drops: list[dict[str, Any]] = report["drops"]
    return drops


def test_three_drops_go_round_the_community_likes_the_third_and_all_can_be_recomputed(
    folder: Path,
) -> None:
    drops = loop(folder / "steered.json", drops=3, voters=24, votes=12)
    control = loop(folder / "control.json", drops=3, voters=24, votes=0, no_steering=True)

    first, second, third = drops
    assert [drop["number"] for drop in drops] == [1, 2, 3]
    assert first["accepted"] + first["rejected"] + first["duplicates"] == 48
    assert first["minted"] == 24
    assert [drop["votes"] for drop in drops] == [288] * 3
    assert all(0 < drop["sales"] <= 24 for drop in drops)
    assert Sale.objects.count() == sum(drop["sales"] for drop in [*drops, *control])
    assert drops[2]["market"]["kappa"] > 0
    assert control[2]["market"]["kappa"] is None
    assert not Voter.objects.filter(is_simulated=False).exists()
    assert Vote.objects.count() == 864
    assert {drop["proposal"]["state"] for drop in drops} == {"approved"}
    assert first["params_hash"] != third["params_hash"]
    assert len({drop["checkpoint_sha256"] for drop in drops}) == 1
    assert third["utility"] > first["utility"]
    assert third["utility"] > control[2]["utility"]
    check_export(folder / "steered", second)


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
    assert len(list((folder / "images").iterdir())) == drop["accepted"]


@pytest.mark.parametrize("chain_id", [1, 11155111])
def test_the_loop_refuses_every_chain_but_the_local_one(settings: Any, chain_id: int) -> None:
    settings.CHAIN_ID = chain_id

    with pytest.raises(CommandError, match="31337 only"):
        call_command("loop")
