"""Art that a lead uploads: the file at its digest first, then a job that reads it."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings

from generation.imaging import compose
from generation.imaging.reader import DatasetError, Source, rows
from generation.models import Job
from generation.services.datasets import MAX_COMPOSED
from generation.services.jobs import create_job

MAX_UPLOAD_BYTES = 512_000_000
KINDS = ("layers", "pictures")


class UploadRefusedError(ValueError):
    """An upload is not art that we take; the message says why."""


def upload_path(sha256: str) -> Path:
    return Path(settings.DATASET_ROOT) / "uploads" / sha256[:2] / f"{sha256}.zip"


def receive_upload(*, chunks: Iterable[bytes], about: dict[str, Any]) -> Job:
    """Store an archive and make the job that turns it into a dataset; the same again is the same.

    ``about`` has kind, name, source, licence, image_px, and for layers count and seed.

    Raises
    ------
    UploadRefusedError
        Too large, not a ZIP archive, or nothing in it that we take.
    """
    path, is_new = _store(chunks)
    try:
        total = _size(path, about)
    except DatasetError as error:
        if is_new:
            path.unlink(missing_ok=True)
        raise UploadRefusedError(str(error)) from error
    parts = [path.stem, *(str(about[key]) for key in sorted(about))]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    args = about | {"upload": path.stem}
    return create_job(kind="dataset", key=f"dataset:{key}", total=total, args=args)


def _size(path: Path, about: dict[str, Any]) -> int:
    """How many pictures there will be, at most; the archive is looked through, nothing decoded."""
    source = Source(path)
    if about["kind"] == "layers":
        compose.read_layers(source)
        if not 1 <= about["count"] <= MAX_COMPOSED:
            raise DatasetError(f"{about['count']} pictures: 1 to {MAX_COMPOSED} can be composed")
        return int(about["count"])
    return len(rows(source))


def _store(chunks: Iterable[bytes]) -> tuple[Path, bool]:
    """Write an upload at its digest, complete or not at all; False if it was there already."""
    folder = Path(settings.DATASET_ROOT) / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{os.urandom(8).hex()}.part"
    digest, size = hashlib.sha256(), 0
    try:
        with temporary.open("wb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > MAX_UPLOAD_BYTES:
                    raise UploadRefusedError(f"more than {MAX_UPLOAD_BYTES // 10**6} MB")
                digest.update(chunk)
                file.write(chunk)
        target = upload_path(digest.hexdigest())
        target.parent.mkdir(parents=True, exist_ok=True)
        is_new = not target.exists()
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return target, is_new
