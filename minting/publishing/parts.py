"""A CAR file in parts, each a CAR file of whole blocks: what is sent at once, and again if lost."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from minting.provenance import car, cid


class PartChangedError(Exception):
    """The bytes of a part are no longer those that were cut."""

    def __init__(self, number: int) -> None:
        super().__init__(f"part {number} is not the one that was cut")
        self.number = number


@dataclass(frozen=True)
class Part:
    """Bytes ``start`` to ``end`` of the whole file, behind a header of its own.

    ``sha256`` and ``n_bytes`` are of the part as it is sent; ``block`` is the CID of its last
    block, by which it can be asked for.
    """

    number: int
    start: int
    end: int
    n_blocks: int
    n_bytes: int
    sha256: str
    block: str


@dataclass(frozen=True)
class Cut:
    """All parts of a file. The root is the last part's last block."""

    root: str
    n_bytes: int
    n_blocks: int
    parts: tuple[Part, ...]


def cut(path: Path, most_bytes: int) -> Cut:
    """Cut a CAR file into as few parts as fit ``most_bytes``, each block checked on the way.

    A block that is larger is a part of its own. Parts depend on nothing but the file and
    ``most_bytes``. Their headers all name the file's root.

    Raises
    ------
    CarError
        A block is not the one that its CID says, or the file is no CAR.
    """
    ends: list[tuple[int, int, bytes]] = []  # end, number of blocks, CID of the last
    with path.open("rb") as file:
        root = car.read_header(file)
        header = cid.car_header(root)
        start = file.tell()
        begun, n_blocks, last, n_all = start, 0, b"", 0
        before = start
        for name, at, size in car.read_blocks(file):
            if n_blocks and len(header) + at + size - begun > most_bytes:
                ends.append((before, n_blocks, last))
                begun, n_blocks = before, 0
            n_blocks, n_all, last, before = n_blocks + 1, n_all + 1, name, at + size
        if n_blocks:
            ends.append((before, n_blocks, last))
    parts = []
    for number, (end, count, name) in enumerate(ends, 1):
        raw = _bytes(path, header, start, end)
        digest = hashlib.sha256(raw).hexdigest()
        block = cid.Node(name, 0).text
        parts.append(Part(number, start, end, count, len(raw), digest, block))
        start = end
    return Cut(cid.Node(root, 0).text, path.stat().st_size, n_all, tuple(parts))


def read(path: Path, part: Part) -> bytes:
    """A part as it is sent; PartChangedError if the file is another one than was cut."""
    with path.open("rb") as file:
        header = cid.car_header(car.read_header(file))
    raw = _bytes(path, header, part.start, part.end)
    if hashlib.sha256(raw).hexdigest() != part.sha256:
        raise PartChangedError(part.number)
    return raw


def _bytes(path: Path, header: bytes, start: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return header + file.read(end - start)
