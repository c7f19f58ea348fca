"""A stranger's view: the folder alone, checked against the contract."""

import hashlib
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from generation.models import Artwork, Drop
from generation.services import decide
from minting import services
from minting.chain import logs
from minting.chain.logs import DropCommittedLog
from minting.provenance import cid, lineage, merkle
from minting.provenance.canonical import canonicalize
from minting.provenance.keccak import keccak256
from minting.provenance.lineage import DropBody
from minting.provenance.merkle import Leaf
from tests.fixtures.chain import Chain
from tests.fixtures.outbox import pump
from tests.fixtures.unixfs import read_car
from tests.fixtures.works import MakeDrop


def export(out: Path, number: int = 1) -> str:
    answer = StringIO()
    call_command("export_drop", "portraits", str(number), out=out, stdout=answer)
    return answer.getvalue()


@pytest.fixture
def drop(make_drop: MakeDrop) -> Drop:
    """A drop of four accepted works and a rejected one, prepared."""
    drop = make_drop(5)
    decide(
        drop=drop,
        artwork_ids=[drop.artworks.get(index=2).pk],
        status=Artwork.Status.REJECTED,
        curator=None,
    )
    services.prepare_commitment(drop=drop)
    return drop


def folder_node(folder: Path) -> cid.Node:
    """What the address names: pictures, metadata, and how they came about."""
    entries = {name: cid.directory_node(folder / name) for name in ("images", "metadata")}
    told = cid.file_node((folder / "provenance.json").read_bytes())
    return cid.directory(entries | {"provenance.json": told})


def body_from_files(folder: Path) -> DropBody:
    """Every hash of the struct, from the exported files and nothing else."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    ids = sorted(int(path.stem) for path in (folder / "images").iterdir())
    images = [hashlib.sha256((folder / "images" / f"{i}.png").read_bytes()).digest() for i in ids]
    texts = [keccak256((folder / "metadata" / f"{i}.json").read_bytes()) for i in ids]
    leaves = [Leaf(*row) for row in zip(ids, texts, images, strict=True)]
    parent = manifest["parent_parameters"]
    return DropBody(
        metadata_root=merkle.root(leaves),
        image_root=cid.directory_node(folder / "images").digest,
        folder=folder_node(folder).digest,
        provenance=hashlib.sha256(b"".join(images)).digest(),
        checkpoint_hash=bytes.fromhex(manifest["checkpoint"]["sha256"]),
        code_hash=lineage.code_hash(manifest["code"]),
        params_hash=lineage.params_hash(manifest["parameters"]),
        parent_params_hash=lineage.params_hash(parent) if parent else bytes(32),
        vote_tally_root=bytes(32),
        curation_log_root=lineage.curation_root(manifest["curation"]),
        seed_commit=bytes(32),
        reveal_block=0,
        first_token_id=ids[0],
        count=len(ids),
    )


def test_the_files_alone_give_what_stands_on_chain(
    drop: Drop, chain: Chain, chain_settings: Settings, tmp_path: Path
) -> None:
    services.request_commit(drop=drop)
    pump()

    export(tmp_path / "out")

    facts = json.loads((tmp_path / "out" / "manifest.json").read_bytes())["chain"]
    raw = chain.logs(facts["contract"], 0, chain.block_number(), [logs.topic("DropCommitted")])
    [event] = logs.decode_all(raw)
    assert isinstance(event, DropCommittedLog)
    assert event.body == body_from_files(tmp_path / "out")
    assert event.place.tx_hash == facts["commit_tx"]
    assert chain.ask(facts["contract"], "head") == lineage.drop_head(bytes(32), event.body)


def test_the_folder_is_the_one_that_the_address_names(drop: Drop, tmp_path: Path) -> None:
    export(tmp_path / "out")

    assert drop.commitment.base_uri == f"ipfs://{folder_node(tmp_path / 'out').text}/metadata/"


def test_the_car_holds_what_the_address_names(drop: Drop, tmp_path: Path) -> None:
    export(tmp_path / "out")

    found = read_car(tmp_path / "out" / "drop.car")
    works = {
        path.relative_to(tmp_path / "out").as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (tmp_path / "out").rglob("*.*")
        if path.name not in ("drop.car", "manifest.json")
    }
    assert found["files"] == works
    assert drop.commitment.base_uri == f"ipfs://{found['root']}/metadata/"


def test_the_car_of_a_drop_is_packed_once(drop: Drop) -> None:
    packed = services.drop_car(commitment=drop.commitment)
    before = packed.stat().st_mtime_ns

    again = services.drop_car(commitment=drop.commitment)

    assert again.stat().st_mtime_ns == before
    assert packed.name == f"{drop.commitment.root_cid}.car"


def test_the_manifest_is_canonical_and_names_every_work(drop: Drop, tmp_path: Path) -> None:
    export(tmp_path / "out")

    raw = (tmp_path / "out" / "manifest.json").read_bytes()
    manifest: dict[str, Any] = json.loads(raw)
    assert canonicalize(manifest) == raw
    assert [work["index"] for work in manifest["works"]] == [0, 1, 3, 4]
    log = [(row["kind"], row["status"]) for row in manifest["curation"]]
    assert log == [("decided", "rejected"), ("closed", "")]
    assert manifest["chain"] is None


def test_a_rejected_work_is_not_exported(drop: Drop, tmp_path: Path) -> None:
    export(tmp_path / "out")

    rejected = drop.artworks.get(index=2).image_digest
    written = (tmp_path / "out" / "images").iterdir()
    assert rejected not in {hashlib.sha256(path.read_bytes()).hexdigest() for path in written}


def test_exporting_again_gives_the_same_bytes(drop: Drop, tmp_path: Path) -> None:
    export(tmp_path / "one")
    (tmp_path / "two").mkdir()

    export(tmp_path / "two")

    assert cid.directory_cid(tmp_path / "one") == cid.directory_cid(tmp_path / "two")


def test_a_folder_with_something_in_it_is_refused(drop: Drop, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")

    with pytest.raises(CommandError, match="not an empty folder"):
        export(tmp_path / "out")

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_changed_picture_is_refused_and_nothing_is_left_behind(
    drop: Drop, tmp_path: Path
) -> None:
    path = drop.artworks.get(index=3).image_path
    path.write_bytes(path.read_bytes() + b"\0")
    before = set(tmp_path.iterdir())

    with pytest.raises(CommandError, match="the image of token 3"):
        export(tmp_path / "out")

    assert set(tmp_path.iterdir()) == before


def test_a_drop_that_is_not_committed_is_refused(drop: Drop, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="drop 2 of portraits is not committed"):
        export(tmp_path / "out", number=2)


def test_the_folder_says_how_its_works_came_about(drop: Drop, tmp_path: Path) -> None:
    export(tmp_path / "out")

    told = json.loads((tmp_path / "out" / "provenance.json").read_bytes())
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_bytes())
    assert {name for name in manifest if name not in told} == {
        "chain",
        "commitment",
        "head",
        "image_cid",
        "previous_head",
        "root_cid",
    }
    assert told["works"] == [
        {name: value for name, value in row.items() if name != "metadata"}
        for row in manifest["works"]
    ]


def test_a_drop_that_was_committed_before_has_the_folder_that_it_committed_to(
    make_drop: MakeDrop, tmp_path: Path
) -> None:
    drop = make_drop(3)
    commitment = services.prepare_commitment(drop=drop)
    out = services.export_drop(commitment=commitment, out=tmp_path / "new")
    older = {name: cid.directory_node(out / name) for name in ("images", "metadata")}
    commitment.manifest["format"] = "morphora-drop-3"
    commitment.root_cid = cid.directory(older).text

    services.export_drop(commitment=commitment, out=tmp_path / "out")

    assert not (tmp_path / "out" / "provenance.json").exists()
