"""Reading CAR files and the UnixFS folders in them, believing nothing: the other side of ``cid``.

A file is taken only if every byte of it is accounted for: each block hashes to its CID, stands
once, and is reached from the root, and no number is written longer than it has to be. Encodings:
CARv1, IPLD dag-pb and UnixFS specifications.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from minting.provenance import cid

MAX_BLOCK_BYTES = 2 * cid.CHUNK_BYTES  # a leaf has 1 MiB, a full inner node 50 KB
MAX_DEPTH = 64  # a hash has 8 bytes, a byte for each level of a sharded directory
_CID_BYTES = 36
_HAMT_PREFIX = 2


class CarError(ValueError):
    """A file is not a CAR of ours, or was damaged; the message says where."""


@dataclass(frozen=True)
class Link:
    """A dag-pb link: the CID it names, and under which name."""

    cid: bytes
    name: bytes


class Car:
    """The blocks of a CAR file, checked; they stay on disk until they are asked for.

    Raises
    ------
    CarError
        Something in the file is not as it has to be.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[bytes, tuple[int, int]] = {}
        with path.open("rb") as file:
            self.root = read_header(file)
            for name, start, size in read_blocks(file):
                if name in self._places:
                    raise CarError(f"a block stands twice, the second time at byte {start}")
                self._places[name] = start, size
        unused = set(self._places) - set(self._reached(self.root))
        if unused:
            raise CarError(f"{len(unused)} blocks belong to nothing")

    @property
    def node(self) -> cid.Node:
        """The root, as its address and its digest."""
        return cid.Node(self.root, 0)

    def folder(self, name: bytes) -> dict[str, bytes]:
        """CIDs of a directory's entries by name; CarError if it is no directory."""
        found: dict[str, bytes] = {}
        for text, entry in self._entries(name, 0):
            if text in found:
                raise CarError(f"{text} stands twice in a folder")
            found[text] = entry
        return found

    def read(self, name: bytes) -> bytes:
        """The bytes of a file; CarError if it is a directory."""
        return b"".join(self._chunks(name, 0))

    def _block(self, name: bytes) -> bytes:
        if name not in self._places:
            raise CarError(f"block {cid.Node(name, 0).text} is missing")
        start, size = self._places[name]
        with self._path.open("rb") as file:
            file.seek(start)
            block = file.read(size)
        if cid.make(name[1], block) != name:
            raise CarError("the file was changed while it was read")
        return block

    def _reached(self, name: bytes) -> Iterator[bytes]:
        waiting, seen = [name], {name}
        while waiting:
            current = waiting.pop()
            yield current
            if current[1] == cid.DAG_PB:
                fresh = {link.cid for link in _links(self._block(current))} - seen
                waiting += fresh
                seen |= fresh
            elif current not in self._places:
                raise CarError(f"block {cid.Node(current, 0).text} is missing")

    def _entries(self, name: bytes, depth: int) -> Iterator[tuple[str, bytes]]:
        kind, links = self._node(name, depth)
        prefix = _HAMT_PREFIX if kind == cid.HAMT_SHARD else 0
        if kind not in (cid.DIRECTORY, cid.HAMT_SHARD):
            raise CarError("a file stands where a folder should")
        for link in links:
            if prefix and len(link.name) == prefix:
                yield from self._entries(link.cid, depth + 1)
            else:
                yield _text(link.name[prefix:]), link.cid

    def _chunks(self, name: bytes, depth: int) -> Iterator[bytes]:
        if name[1] == cid.RAW:
            yield self._block(name)
            return
        kind, links = self._node(name, depth)
        if kind != cid.FILE:
            raise CarError("a folder stands where a file should")
        for link in links:
            yield from self._chunks(link.cid, depth + 1)

    def _node(self, name: bytes, depth: int) -> tuple[int, list[Link]]:
        """A dag-pb block's kind and links."""
        if depth > MAX_DEPTH or name[1] != cid.DAG_PB:
            raise CarError("a folder has no form that we write")
        block = self._block(name)
        return _kind(block), _links(block)


def read_header(file: BinaryIO) -> bytes:
    """The root's CID; CarError if the file does not begin with the one form of its header."""
    head = file.read(len(cid.car_header(bytes(_CID_BYTES))))
    root = head[-_CID_BYTES - len(cid.CAR_TAIL) : -len(cid.CAR_TAIL)]
    if len(root) != _CID_BYTES or head != cid.car_header(root):
        raise CarError("the header is not that of a CAR with one root")
    _check_cid(root, 0)
    return root


def read_blocks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Each block's CID, where its bytes start, and how many; CarError if they are not its own."""
    while (length := _read_length(file)) is not None:
        at = file.tell()
        if not _CID_BYTES <= length <= _CID_BYTES + MAX_BLOCK_BYTES:
            raise CarError(f"a block of {length} bytes at byte {at}")
        name, block = file.read(_CID_BYTES), file.read(length - _CID_BYTES)
        if len(name) + len(block) != length:
            raise CarError("the file ends within a block")
        _check_cid(name, at)
        if cid.make(name[1], block) != name:
            raise CarError(f"the block at byte {at} is not the one that its name says")
        yield name, at + _CID_BYTES, len(block)


def _read_length(file: BinaryIO) -> int | None:
    """The next varint, None at the end of the file."""
    raw = b""
    while byte := file.read(1):
        raw += byte
        if byte[0] < 0x80 or len(raw) > 4:
            break
    if not raw:
        return None
    value, at = _varint(raw, 0)
    if at != len(raw):
        raise CarError("a length is not a number")
    return value


def _check_cid(name: bytes, at: int) -> None:
    if name[0] != 1 or name[1] not in (cid.RAW, cid.DAG_PB) or name[2:4] != cid.SHA2_256:
        raise CarError(f"a CID of another kind at byte {at}")


def _links(block: bytes) -> list[Link]:
    """The links of a dag-pb block, in order."""
    found = []
    for number, value in _fields(block):
        if number == 2:
            fields = dict(_fields(_raw(value)))
            name, target = _raw(fields.get(2, b"")), _raw(fields.get(1, b""))
            if len(target) != _CID_BYTES:
                raise CarError("a link names nothing")
            _check_cid(target, 0)
            found.append(Link(target, name))
    return found


def _kind(block: bytes) -> int:
    """What a dag-pb block is in UnixFS: a directory, a part of a sharded one, or a file."""
    parts = [_raw(value) for number, value in _fields(block) if number == 1]
    if len(parts) != 1:
        raise CarError("a block without a kind")
    kind = dict(_fields(parts[0])).get(1)
    if not isinstance(kind, int):
        raise CarError("a block without a kind")
    return kind


def _fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Fields of a protobuf message: number, and an integer or bytes."""
    at = 0
    while at < len(raw):
        key, at = _varint(raw, at)
        value, at = _varint(raw, at)
        if key & 7 == 0:
            yield key >> 3, value
        elif key & 7 == 2 and at + value <= len(raw):
            yield key >> 3, raw[at : at + value]
            at += value
        else:
            raise CarError("a block that is no dag-pb")


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends; CarError if it is cut off or longer than it has to be."""
    value = shift = 0
    while at < len(raw) and shift < 63:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            if byte == 0 and shift > 7:
                break
            return value, at
    raise CarError("a length is not a number")


def _raw(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise CarError("a number stands where bytes should")
    return value


def _text(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise CarError("a name that is no text") from error
