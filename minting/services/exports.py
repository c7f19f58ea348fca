"""A committed drop as the folder a stranger needs to check it."""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from generation.models import Drop
from minting.models import Commitment, Contract, Seal
from minting.provenance import cid
from minting.provenance.canonical import canonicalize
from minting.provenance.keccak import keccak256
from minting.services import manifests

# 10,000 works are packed in half a minute.
ABANDONED_S = 3600
ROUNDS = "rounds"  # beside the works of an exported drop, and in no CAR


class FolderNotEmptyError(Exception):
    """An export would mix with what is in the folder already."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not an empty folder")
        self.path = path


class ExportMismatchError(Exception):
    """Stored bytes are no longer those that the drop committed to."""

    def __init__(self, token_id: int, what: str) -> None:
        super().__init__(f"the {what} of token {token_id} is not the one that was committed")
        self.token_id = token_id
        self.what = what


class NotSealedError(Exception):
    """The works of a drop that is drawn on the fly are not final yet."""

    def __init__(self, commitment: Commitment) -> None:
        super().__init__(f"the works of drop {commitment.number} are not sealed yet")
        self.commitment = commitment


def published(commitment: Commitment) -> Commitment | Seal:
    """The row that says what a drop's works are; NotSealedError while that is open."""
    if commitment.drop.kind != Drop.Kind.ON_THE_FLY:
        return commitment
    found = Seal.objects.filter(commitment=commitment).first()
    if found is None or not commitment.events.filter(kind="sealed").exists():
        raise NotSealedError(commitment)
    return found


def export_drop(
    *, commitment: Commitment, out: Path, rounds: Mapping[int, bytes] | None = None
) -> Path:
    """Write the drop's folder, drop.car and manifest.json to ``out``: complete, or not at all.

    ``rounds`` are files of what led to the drop's parameters, by the number of the drop that was
    voted on. NotSealedError before the works are final.
    """
    final = published(commitment)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FolderNotEmptyError(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as temporary:
        folder, car = Path(temporary) / "drop", Path(temporary) / "drop.car"
        _write_works(commitment, final, folder)
        _pack(final, folder, car)
        car.replace(folder / car.name)
        manifest = final.manifest | {"chain": _chain(commitment)}
        (folder / "manifest.json").write_bytes(canonicalize(manifest))
        _write_rounds(rounds or {}, folder / ROUNDS)
        folder.replace(out)
    return out


def _write_rounds(rounds: Mapping[int, bytes], folder: Path) -> None:
    if rounds:
        folder.mkdir()
    for number, raw in rounds.items():
        (folder / f"{number}.json").write_bytes(raw)


def drop_car(*, commitment: Commitment) -> Path:
    """The CAR file of a drop, named by its root; packed when it is first asked for.

    NotSealedError before the works are final. A file whose bytes are no longer those that were
    packed is packed again, from works that are compared with what was committed: nobody gets the
    damaged one.
    """
    final = published(commitment)
    out = Path(settings.MEDIA_ROOT) / "cars" / f"{final.root_cid}.car"
    if not _is_whole(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        _sweep(out.parent)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".pack.") as temporary:
            folder, car = Path(temporary) / "drop", Path(temporary) / "drop.car"
            _write_works(commitment, final, folder)
            _pack(final, folder, car)
            digest = Path(temporary) / "drop.sha256"
            digest.write_text(_sha256(car))
            digest.replace(out.with_suffix(".sha256"))
            car.replace(out)
    return out


def _sweep(folder: Path) -> None:
    """Remove what processes left that were killed while they packed."""
    long_ago = time.time() - ABANDONED_S
    for left in folder.glob(".pack.*"):
        if left.stat().st_mtime < long_ago:
            shutil.rmtree(left, ignore_errors=True)


def _is_whole(car: Path) -> bool:
    """Whether the file is there and has the digest that was noted when it was packed."""
    noted = car.with_suffix(".sha256")
    return car.exists() and noted.exists() and noted.read_text() == _sha256(car)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(final: Commitment | Seal, folder: Path, out: Path) -> None:
    root = cid.write_car(folder, out)
    # Each file was compared with its own hash, so what differs is the code that wrote the root.
    assert root == final.root_cid


def _write_works(commitment: Commitment, final: Commitment | Seal, folder: Path) -> None:
    """What the root names, each file of a work compared with what was committed."""
    (folder / "images").mkdir(parents=True)
    (folder / "metadata").mkdir()
    works = commitment.drop.artworks.accepted().in_order()
    paths = {work.token_id: work.image_path for work in works}
    for row in final.manifest["works"]:
        _write_work(row, paths[row["token_id"]], folder)
    if final.manifest["format"] == manifests.FORMAT:
        told = manifests.provenance(final.manifest)
        (folder / manifests.PROVENANCE).write_bytes(told)


def _write_work(row: dict[str, Any], image_path: Path, folder: Path) -> None:
    token_id = row["token_id"]
    image, text = image_path.read_bytes(), canonicalize(row["metadata"])
    if hashlib.sha256(image).hexdigest() != row["image_sha256"]:
        raise ExportMismatchError(token_id, "image")
    if keccak256(text).hex() != row["metadata_keccak256"]:
        raise ExportMismatchError(token_id, "metadata")
    (folder / "images" / f"{token_id}.png").write_bytes(image)
    (folder / "metadata" / f"{token_id}.json").write_bytes(text)


def _chain(commitment: Commitment) -> dict[str, Any] | None:
    """Where the commitment can be looked up; nothing before its contract is deployed."""
    contract = Contract.objects.deployed().filter(collection=commitment.collection_id).first()
    if contract is None:
        return None
    sent = commitment.drop.transactions.filter(kind="commit", state="confirmed").first()
    return {
        "chain_id": contract.chain_id,
        "contract": contract.address,
        "deployed_block": contract.deployed_block,
        "commit_tx": sent.tx_hash if sent else None,
        "commit_block": sent.block_number if sent else None,
    }
