"""Labelled pictures from a folder or a ZIP archive, one item at a time, each taken or refused."""

import csv
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generation.imaging.codec import ImageRefusedError, decode, fit_square

MAX_ITEM_BYTES = 20_000_000
MAX_FILES = 200_000
PICTURES = (".png", ".jpg", ".jpeg", ".webp")
TABLES = ("attributes.csv", "attributes.json")


class DatasetError(ValueError):
    """A folder or archive is not a dataset; the message says what is missing."""


@dataclass(frozen=True)
class Item:
    """A picture [H, W, 3] uint8 with its labels, source and licence."""

    name: str
    picture: NDArray[np.uint8]
    labels: dict[str, str]
    source: str
    licence: str


@dataclass(frozen=True)
class Refusal:
    """An item that was left out, and why."""

    name: str
    reason: str


class Source:
    """Bytes by name, from a folder or a ZIP archive; no name leaves it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.archive = zipfile.ZipFile(path) if path.is_file() else None
        except zipfile.BadZipFile as error:
            raise DatasetError(f"{path.name} is not a ZIP archive") from error
        if self.archive is None and not path.is_dir():
            raise DatasetError(f"{path} is neither a folder nor a ZIP archive")

    def names(self) -> list[str]:
        """Names of all files, sorted; at most MAX_FILES."""
        if self.archive is not None:
            found = [entry.filename for entry in self.archive.infolist() if not entry.is_dir()]
        else:
            paths = (path for path in self.path.rglob("*") if path.is_file())
            found = [path.relative_to(self.path).as_posix() for path in paths]
        if len(found) > MAX_FILES:
            raise DatasetError(f"{len(found)} files, at most {MAX_FILES}")
        return sorted(found)

    def has(self, name: str) -> bool:
        if self.archive is None:
            return (self.path / name).is_file()
        return name in self.archive.NameToInfo

    def read(self, name: str) -> bytes:
        """Bytes of ``name``; ImageRefusedError if it points outside, is missing or too large."""
        parts = PurePosixPath(name).parts
        if not parts or "\0" in name or name.startswith("/") or ".." in parts or "\\" in name:
            raise ImageRefusedError(name, "path leaves the dataset")
        if not self.has(name):
            raise ImageRefusedError(name, "no such file")
        if self.archive is None:
            target = self.path / name
            if not target.resolve().is_relative_to(self.path.resolve()):
                raise ImageRefusedError(name, "path leaves the dataset")
            size = target.stat().st_size
        else:
            size = self.archive.getinfo(name).file_size
        if not 0 < size <= MAX_ITEM_BYTES:
            raise ImageRefusedError(name, f"{size} bytes")
        if self.archive is None:
            return target.read_bytes()
        try:
            with self.archive.open(name) as file:
                raw = file.read(size + 1)  # what an entry says of its size need not be true
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error) as error:
            raise ImageRefusedError(name, f"cannot be unpacked: {error}") from error
        if len(raw) != size:
            raise ImageRefusedError(name, f"more than the {size} bytes it claims")
        return raw


def read_items(path: Path, *, image_px: int, source: str, licence: str) -> Iterator[Item | Refusal]:
    """Items of a dataset in the order of its table, ``attributes.csv`` or ``attributes.json``.

    Each row has ``file`` and one column an attribute; ``source`` and ``licence`` columns override
    the dataset's. Without a table every picture is an item without labels, in the order of names.
    Larger pictures are cut to their middle square and scaled. A bad row or picture is yielded as a
    Refusal and ends nothing.

    Raises
    ------
    DatasetError
        An unreadable table, or neither table nor pictures.
    """
    opened = Source(path)
    for row in rows(opened):
        name = row.pop("file", "")
        own = {
            "source": row.pop("source", "") or source,
            "licence": row.pop("licence", "") or licence,
        }
        try:
            if not all(isinstance(v, str) and v.strip() for v in row.values()):
                raise ImageRefusedError(name, "an attribute is empty")
            picture = fit_square(decode(opened.read(name), name), image_px)
        except ImageRefusedError as refused:
            yield Refusal(name, refused.reason)
            continue
        except ValueError as error:
            yield Refusal(name, str(error))
            continue
        yield Item(name, picture, {k: v.strip() for k, v in row.items()}, **own)


def rows(opened: Source) -> list[dict[str, Any]]:
    """What the table says of each picture, else the pictures' names; DatasetError for neither."""
    for table in TABLES:
        if not opened.has(table):
            continue
        try:
            text = opened.read(table).decode()
            if table.endswith(".csv"):
                found: list[Any] = list(csv.DictReader(io.StringIO(text)))
            else:
                found = json.loads(text)
            if found and all(isinstance(row, dict) and "file" in row for row in found):
                return found
        except (ValueError, csv.Error) as error:
            raise DatasetError(f"{table}: {error}") from error
        raise DatasetError(f"{table} needs rows with a file each")
    pictures = [name for name in opened.names() if name.lower().endswith(PICTURES)]
    if not pictures:
        raise DatasetError(f"neither {' nor '.join(TABLES)} nor pictures")
    return [{"file": name} for name in pictures]
