"""Large pictures of works that epochs moved, from a node and files, without anything of ours."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from minting.chain.client import Client
from minting.provenance.canonical import canonicalize
from minting.verification import run
from minting.verification.findings import Finding, State, counted
from minting.verification.run import Request
from tests.fixtures.chain import running_chain
from tests.fixtures.moving import Moving, publish_moving
from tests.fixtures.painted import taught

# To publish needs a database, to verify none.
pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[3]
CHECKS = (
    *("moved work", "moved epochs", "moved latents", "moved pictures", "moved along"),
    "large picture",
)


@pytest.fixture(scope="module")
def moving(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any
) -> Iterator[Moving]:
    with django_db_blocker.unblock():
        manager = publish_moving(tmp_path_factory.mktemp("moving"))
        found = manager.__enter__()
    yield found
    manager.__exit__(None, None, None)


def verify(moving: Moving, **asked: Any) -> dict[tuple[str, str], Finding]:
    """Findings by check and subject."""
    given = {"cars": [moving.car], "checkpoint": moving.checkpoint, "student": moving.student}
    given["snapshots"] = moving.snapshots
    url = asked.pop("url", moving.chain.url)
    request = Request(moving.contract.lower(), **{**given, "moved": [moving.works], **asked})
    with Client(url) as client:
        found = run.verify(client, request, lambda _: None)
    return {(one.check, one.subject): one for one in found}


Change = Callable[[dict[str, Any]], object]


def planted(moving: Moving, folder: Path, change: Change, token_id: int = 1) -> Path:
    """A work's document with a change, in its canonical form."""
    told = json.loads((moving.works / f"moved-{token_id}.json").read_bytes())
    change(told)
    path = folder / "moved.json"
    path.write_bytes(canonicalize(told))
    return path


def states(found: dict[tuple[str, str], Finding], token_id: int = 1) -> dict[str, State]:
    return {name: found[name, f"token {token_id}"].state for name in CHECKS}


def test_what_was_told_follows_from_the_chain(moving: Moving) -> None:
    found = verify(moving)

    assert found["student", "drop 1"].state == State.PASS
    for token_id, n_epochs in ((1, 3), (2, 1), (3, 0)):
        assert states(found, token_id) == dict.fromkeys(CHECKS, State.PASS)
        assert found["moved epochs", f"token {token_id}"].why.startswith(counted(n_epochs, "epoch"))
    assert found["moved pictures", "token 1"].numbers == {"exact": 3, "within": 0}
    assert found["large picture", "token 3"].why == "the one of its mint: no epoch has moved it"
    assert not [one for one in found.values() if one.state == State.FAIL]


def test_large_pictures_follow_from_the_bytes_that_the_contract_draws_from(
    moving: Moving, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = verify(moving, token=1)
    monkeypatch.setattr(run._Run, "_twins", lambda *_: None)

    without = verify(moving, token=1)

    assert found["requests", "drop 1"].why == "each was asked to show what the contract draws"
    assert found["drawn again", "token 1"].numbers["exact"] == 1
    assert without["drawn again", "token 1"].state == State.FAIL
    assert without["moved pictures", "token 1"].state == State.FAIL


def test_each_epoch_moved_the_picture(moving: Moving) -> None:
    told = json.loads((moving.works / "moved-1.json").read_bytes())["pictures"]

    for name in ("latents", "image_sha256", "block_hash"):
        assert len({row[name] for row in told}) == 3
    assert {row["epoch"]: row["block"] for row in told} == moving.blocks


def test_a_process_without_a_database_says_the_same(moving: Moving) -> None:
    command = [sys.executable, "manage.py", "verify", "--json", "--rpc", moving.chain.url]
    command += ["--contract", moving.contract, "--token", "1", "--car", str(moving.car)]
    command += ["--checkpoint", str(moving.checkpoint), "--student", str(moving.student)]
    command += ["--moved", str(moving.works / "moved-1.json")]
    command += [word for path in moving.snapshots for word in ("--snapshot", str(path))]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO", "DATABASE"))}

    done = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, timeout=300)

    rows = {row["check"]: row["state"] for row in json.loads(done.stdout)}
    assert done.returncode == 0, done.stderr
    assert {rows[name] for name in ("student", *CHECKS)} == {"pass"}


def set_row(place: int, **values: Any) -> Change:
    return lambda told: told["pictures"][place].update(values)


def set_work(**values: Any) -> Change:
    return lambda told: told.update(values)


def swap(told: dict[str, Any]) -> None:
    first, second = told["pictures"][:2]
    first["image_sha256"], second["image_sha256"] = second["image_sha256"], first["image_sha256"]


IMAGE, OTHER = "ab" * 32, "0x" + "ab" * 20
PLANTED = {
    "a picture's hash": (set_row(1, image_sha256=IMAGE), "moved pictures", "come out: epoch 2"),
    "two pictures' hashes": (swap, "moved pictures", "come out: epoch 1, 2"),
    "latents": (set_row(1, latents="07" * 32), "moved latents", "other bytes: epoch 2"),
    "first latents": (set_work(latents="07" * 32), "moved latents", "did not begin with these"),
    "an epoch": (set_row(2, epoch=9), "moved epochs", "nobody proved epoch 9 for this work"),
    "an epoch twice": (set_row(1, epoch=3), "moved epochs", "not in order"),
    "a block": (set_row(0, block=1), "moved epochs", "epoch 1 was proven in another block"),
    "a block's hash": (
        set_row(2, block_hash="0x" + IMAGE),
        "moved epochs",
        "epoch 3 was proven in",
    ),
    "no epoch 2": (lambda told: told["pictures"].pop(1), "moved epochs", "epoch 2 is left out"),
    "a student": (set_row(0, student_sha256=IMAGE), "moved work", "another student moved"),
    "an epoch's student": (set_row(0, student_sha256=IMAGE), "moved along", "names another"),
    "a generator": (set_work(checkpoint_sha256=IMAGE), "moved work", "another generator"),
    "a collection": (set_work(collection=OTHER), "moved work", "of another contract"),
    "an evolution": (set_work(evolution=OTHER), "moved work", "of another contract"),
    "a chain": (set_work(chain_id=1), "moved work", "of another contract"),
}


@pytest.mark.parametrize(("change", "check", "why"), PLANTED.values(), ids=PLANTED)
def test_a_document_that_is_not_so_is_found(
    moving: Moving, tmp_path: Path, change: Change, check: str, why: str
) -> None:
    found = verify(moving, token=1, moved=[planted(moving, tmp_path, change)])

    assert found[check, "token 1"].state == State.FAIL
    assert why in found[check, "token 1"].why
    assert found["large picture", "token 1"].state == State.NOT_CHECKABLE


def test_the_newest_picture_may_be_late_or_left_out(moving: Moving, tmp_path: Path) -> None:
    path = planted(moving, tmp_path, lambda told: told["pictures"].pop())

    found = verify(moving, token=1, moved=[path])

    assert found["moved epochs", "token 1"].state == State.NOT_CHECKABLE
    assert found["moved epochs", "token 1"].why.startswith("epoch 3 was proven, and no picture")
    assert found["moved pictures", "token 1"].state == State.PASS
    assert found["large picture", "token 1"].state == State.NOT_CHECKABLE


def test_a_document_of_another_work_is_found(moving: Moving, tmp_path: Path) -> None:
    path = planted(moving, tmp_path, lambda told: told.update(token_id=1), token_id=2)

    found = verify(moving, token=1, moved=[path])

    failed = {name for name in CHECKS if found[name, "token 1"].state == State.FAIL}
    assert failed >= {"moved latents", "moved pictures"}


def test_a_student_with_another_basis_is_found(moving: Moving, tmp_path: Path) -> None:
    teacher = hashlib.sha256(moving.checkpoint.read_bytes()).hexdigest()
    other = taught(tmp_path / "other.safetensors", teacher, seed=2)

    found = verify(moving, token=1, student=other)

    assert found["student", "drop 1"].state == State.FAIL
    assert "another basis than the drop tells" in found["student", "drop 1"].why
    assert found["moved work", "token 1"].state == State.FAIL
    assert (
        "another student moved the work in epoch 1, 2, 3 than" in found["moved work", "token 1"].why
    )
    assert found["moved pictures", "token 1"].state == State.NOT_CHECKABLE


@pytest.mark.parametrize(
    ("teacher", "weight", "why"),
    [
        ("", 1, "another network than the one that the contract paints with"),
        ("ab" * 32, 0, "learned from another generator"),
    ],
)
def test_another_student_is_found(
    moving: Moving, tmp_path: Path, teacher: str, weight: int, why: str
) -> None:
    other = tmp_path / "other.safetensors"
    teacher = teacher or hashlib.sha256(moving.checkpoint.read_bytes()).hexdigest()
    tensors = load_file(taught(other, teacher))
    with safe_open(other, framework="np") as file:
        about = file.metadata()
    tensors["start.weight"][0, 0] += weight
    save_file(tensors, other, about)

    found = verify(moving, token=1, student=other)

    assert found["student", "drop 1"].state == State.FAIL
    assert why in found["student", "drop 1"].why
    assert found["moved pictures", "token 1"].state == State.NOT_CHECKABLE


def test_without_snapshots_nothing_on_the_chain_names_the_student(moving: Moving) -> None:
    found = verify(moving, token=1, snapshots=moving.snapshots[:1])

    assert found["moved along", "token 1"].state == State.NOT_CHECKABLE
    assert found["moved along", "token 1"].why.startswith("no snapshot was given of epoch 2, 3")
    assert found["large picture", "token 1"].state == State.PASS


def test_another_checkpoint_draws_nothing(moving: Moving, tmp_path: Path) -> None:
    other = tmp_path / "generator.safetensors"
    raw = bytearray(moving.checkpoint.read_bytes())
    raw[-1] ^= 1
    other.write_bytes(raw)

    found = verify(moving, token=1, checkpoint=other)

    assert found["checkpoint", "drop 1"].state == State.FAIL
    assert found["moved pictures", "token 1"].why.startswith("without the right checkpoint")
    assert found["moved latents", "token 1"].state == State.PASS


@pytest.mark.parametrize(
    ("left_out", "why"),
    [({"cars": []}, "are in the drop's CAR"), ({"checkpoint": None}, "no checkpoint file")],
)
def test_what_pictures_need_is_said(moving: Moving, left_out: dict[str, Any], why: str) -> None:
    found = verify(moving, token=1, **left_out)

    assert found["moved pictures", "token 1"].state == State.NOT_CHECKABLE
    assert why in found["moved pictures", "token 1"].why
    assert found["moved latents", "token 1"].state == State.PASS


def test_an_earlier_block_has_the_picture_of_then(moving: Moving) -> None:
    before = verify(moving, token=1, block=moving.blocks[1] - 1)
    between = verify(moving, token=1, block=moving.blocks[3] - 1)

    told = json.loads((moving.works / "moved-1.json").read_bytes())["pictures"]
    assert before["large picture", "token 1"].why.startswith("the one of its mint")
    assert states(between) == dict.fromkeys(CHECKS, State.PASS)
    said = "2 epochs proven for this work, each in the block that is told; 1 came after block"
    assert between["moved epochs", "token 1"].why == f"{said} {moving.blocks[3] - 1}"
    assert between["large picture", "token 1"].numbers == {
        "epoch": 2,
        "image_sha256": told[1]["image_sha256"],
    }


def test_works_that_moved_without_a_document_are_said(moving: Moving) -> None:
    found = verify(moving, moved=[])

    assert found["moved works", "drop 1"].state == State.NOT_CHECKABLE
    assert found["moved works", "drop 1"].why.endswith("of works that epochs moved: 1, 2")


def test_a_document_that_nobody_asked_for_is_said(moving: Moving) -> None:
    found = verify(moving, token=1)

    assert states(found) == dict.fromkeys(CHECKS, State.PASS)
    for token_id in (2, 3):
        assert found["moved work", f"token {token_id}"].state == State.NOT_CHECKABLE
        assert found["moved work", f"token {token_id}"].why.startswith("not asked for")


def test_a_picture_at_hand_is_compared_by_its_samples(moving: Moving, tmp_path: Path) -> None:
    """As another PNG library would have written it, and one that is off."""
    told = json.loads((moving.works / "moved-1.json").read_bytes())["pictures"]
    own = Image.open(moving.pictures / f"{told[0]['image_sha256']}.png")
    same, other = tmp_path / "same.png", tmp_path / "other.png"
    own.save(same, compress_level=0)
    ImageChops.invert(own).save(other)
    names = [hashlib.sha256(one.read_bytes()).hexdigest() for one in (same, other)]
    for one, name in zip((same, other), names, strict=True):
        one.rename(tmp_path / f"{name}.png")

    found = [
        verify(moving, token=1, moved=[planted(moving, tmp_path, set_row(0, image_sha256=name))])
        for name in names
    ]

    pictures = [one["moved pictures", "token 1"] for one in found]
    assert [one.state for one in pictures] == [State.PASS, State.FAIL]
    assert pictures[0].numbers == {"exact": 3, "within": 0}
    assert pictures[1].why == "other pictures come out: epoch 1"


def test_a_node_that_forgot_the_state_of_then_is_no_fault(moving: Moving) -> None:
    state = moving.chain.call("anvil_dumpState")
    with running_chain() as other:
        other.call("anvil_loadState", state)

        found = verify(moving, token=1, url=other.url)

    assert found["moved epochs", "token 1"].state == State.PASS
    for name in ("moved latents", "moved pictures", "large picture"):
        assert found[name, "token 1"].state == State.NOT_CHECKABLE
    assert "does not know the state after block" in found["moved latents", "token 1"].why


@pytest.mark.parametrize("raw", [b"[]", b"{}", b"none", b'{"pictures": [{}]}'])
def test_another_file_is_no_document(moving: Moving, tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "list.json"
    path.write_bytes(raw)

    with pytest.raises(ValueError, match=r"list\.json: "):
        verify(moving, moved=[path])


def test_a_document_in_another_form_is_none(moving: Moving, tmp_path: Path) -> None:
    path = tmp_path / "moved.json"
    path.write_bytes((moving.works / "moved-1.json").read_bytes() + b"\n")

    with pytest.raises(ValueError, match="not the canonical bytes"):
        verify(moving, moved=[path])


@pytest.mark.parametrize(
    "change",
    [
        set_work(token_id="1"),
        set_work(latents=None),
        set_work(pictures={}, more=1),
        set_row(0, epoch=-1),
        set_row(0, block=1.5),
        set_row(0, image_sha256="../" * 3000),
        set_row(0, block_hash=7),
    ],
    ids=range(7),
)
def test_a_document_of_other_fields_is_none(moving: Moving, tmp_path: Path, change: Change) -> None:
    with pytest.raises(ValueError, match=r"moved\.json: "):
        verify(moving, moved=[planted(moving, tmp_path, change)])


def test_two_documents_of_one_work_are_refused(moving: Moving) -> None:
    with pytest.raises(ValueError, match="a second document of work 1"):
        verify(moving, moved=[moving.works, moving.works / "moved-1.json"])
