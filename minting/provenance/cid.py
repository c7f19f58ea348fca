"""Content identifiers of files and directories: UnixFS under the profile unixfs-v1-2025 (IPIP-499).

CIDv1, sha2-256, raw leaves of 1 MiB, balanced trees of 1,024 links, and directories that become a
HAMT of fanout 256 once their block would exceed 256 KiB. Encodings: the IPLD dag-pb and the UnixFS
specifications.
"""

import base64
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from minting.provenance.murmur3 import murmur3_x64_64

PROFILE = "unixfs-v1-2025"
CHUNK_BYTES = 1024 * 1024
MAX_LINKS = 1024
HAMT_ABOVE_BYTES = 256 * 1024
FANOUT = 256

RAW, DAG_PB = 0x55, 0x70
SHA2_256 = bytes([0x12, 32])
DIRECTORY, FILE, HAMT_SHARD = 1, 2, 5
_MURMUR3_X64_64 = 0x22
# dag-cbor of {"roots": [CID], "version": 1} around the root's 36 bytes (CARv1 specification).
_CAR_HEAD = b"\xa2" + b"\x65roots\x81\xd8\x2a\x58\x25\x00"
CAR_TAIL = b"\x67version\x01"

Put = Callable[[bytes, bytes], None]  # takes each block once it is known: its CID, its bytes


@dataclass(frozen=True)
class Node:
    """A block's CID as bytes, and the bytes of it and everything below it."""

    cid: bytes
    total_bytes: int

    @property
    def text(self) -> str:
        """The CID in base32, as it stands in ``ipfs://`` addresses."""
        return "b" + base64.b32encode(self.cid).decode().lower().rstrip("=")

    @property
    def digest(self) -> bytes:
        """The sha2-256 digest inside the CID, 32 bytes."""
        return self.cid[4:]


def from_text(text: str) -> bytes:
    """The 36 bytes of a CID in base32 as ``Node.text`` writes it; ValueError for any other."""
    raw = text[1:].upper()
    try:
        found = base64.b32decode(raw + "=" * (-len(raw) % 8))
    except ValueError as error:
        raise ValueError("not a CID in base32") from error
    if len(found) != 36 or Node(found, 0).text != text:
        raise ValueError("not a CID in base32")
    return found


def file_cid(raw: bytes) -> str:
    return file_node(raw).text


def directory_cid(path: Path) -> str:
    return directory_node(path).text


def write_car(path: Path, out: Path) -> str:
    """Pack a directory as a CARv1 file, complete or not at all; returns the root's CID.

    Blocks follow their children and stand once each; the file depends on nothing but the
    directory's content. At most one chunk of a file is held in memory.

    Raises
    ------
    ValueError
        Something in the directory is neither file nor directory, or ``out`` lies inside it.
    """
    if path.resolve() in out.resolve().parents:
        raise ValueError(f"{out.name} would lie inside the directory that it packs")
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            root = _pack(path, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(out)
    except BaseException:
        temporary.unlink()
        raise
    return root.text


def _pack(path: Path, file: BinaryIO) -> Node:
    """Blocks behind a header whose size is known before its root is."""
    written: set[bytes] = set()

    def put(cid: bytes, block: bytes) -> None:
        if cid not in written:
            written.add(cid)
            file.write(_varint(len(cid) + len(block)) + cid + block)

    file.write(car_header(bytes(36)))
    root = directory_node(path, put)
    file.seek(0)
    file.write(car_header(root.cid))
    return root


def car_header(root: bytes) -> bytes:
    """The first bytes of a CAR file with one root."""
    header = _CAR_HEAD + root + CAR_TAIL
    return _varint(len(header)) + header


def _forget(cid: bytes, block: bytes) -> None:
    """Where only the CID is asked for, blocks go nowhere."""


def file_node(raw: bytes, put: Put = _forget) -> Node:
    """A file in memory: one raw leaf, or a balanced tree over its chunks."""
    chunks = (raw[at : at + CHUNK_BYTES] for at in range(0, len(raw), CHUNK_BYTES))
    return _file(chunks, put)


def _file(chunks: Iterable[bytes], put: Put) -> Node:
    level = [(_leaf(chunk, put), len(chunk)) for chunk in chunks] or [(_leaf(b"", put), 0)]
    while len(level) > 1:
        groups = [level[at : at + MAX_LINKS] for at in range(0, len(level), MAX_LINKS)]
        level = [_file_branch(group, put) for group in groups]
    return level[0][0]


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def directory_node(path: Path, put: Put = _forget) -> Node:
    """A directory on disk, with everything in it; ValueError for what is no file or directory."""
    entries = {}
    for entry in sorted(path.iterdir()):
        if entry.is_symlink() or not (entry.is_dir() or entry.is_file()):
            raise ValueError(f"{entry.name} is neither a file nor a directory")
        entries[entry.name] = (
            directory_node(entry, put) if entry.is_dir() else _file(_chunks(entry), put)
        )
    return directory(entries, put)


def directory(entries: Mapping[str, Node], put: Put = _forget) -> Node:
    """A directory of nodes whose CIDs are known."""
    named = sorted((name.encode(), node) for name, node in entries.items())
    links = b"".join(_link(name, node) for name, node in named)
    block = links + _data(_field(1, DIRECTORY))
    if len(block) > HAMT_ABOVE_BYTES:
        return _shard([(murmur3_x64_64(name), name, node) for name, node in named], 0, put)
    return _branch(block, [node for _, node in named], put)


def _shard(entries: Sequence[tuple[bytes, bytes, Node]], depth: int, put: Put) -> Node:
    """One HAMT node; the byte ``depth`` of an entry's hash names its place."""
    places: dict[int, list[tuple[bytes, bytes, Node]]] = {}
    for entry in entries:
        places.setdefault(entry[0][depth], []).append(entry)
    links, nodes, bits = b"", [], 0
    for place in sorted(places):
        within = places[place]
        bits |= 1 << place
        _, name, node = within[0]
        if len(within) > 1:
            name, node = b"", _shard(within, depth + 1, put)
        links += _link(b"%02X" % place + name, node)
        nodes.append(node)
    bitfield = bits.to_bytes((bits.bit_length() + 7) // 8)
    fields = [
        _field(1, HAMT_SHARD),
        _bytes_field(2, bitfield),
        _field(5, _MURMUR3_X64_64),
        _field(6, FANOUT),
    ]
    return _branch(links + _data(b"".join(fields)), nodes, put)


def _file_branch(group: Sequence[tuple[Node, int]], put: Put) -> tuple[Node, int]:
    """An inner node of a file: its children, and how many bytes of the file each holds."""
    n_bytes = sum(held for _, held in group)
    fields = _field(1, FILE) + _field(3, n_bytes) + b"".join(_field(4, held) for _, held in group)
    links = b"".join(_link(b"", node) for node, _ in group)
    return _branch(links + _data(fields), [node for node, _ in group], put), n_bytes


def _leaf(chunk: bytes, put: Put) -> Node:
    cid = make(RAW, chunk)
    put(cid, chunk)
    return Node(cid, len(chunk))


def _branch(block: bytes, children: Sequence[Node], put: Put) -> Node:
    cid = make(DAG_PB, block)
    put(cid, block)
    return Node(cid, len(block) + sum(child.total_bytes for child in children))


def make(codec: int, block: bytes) -> bytes:
    """The CID, 36 bytes, of a block in an encoding."""
    return bytes([1, codec]) + SHA2_256 + hashlib.sha256(block).digest()


def _link(name: bytes, node: Node) -> bytes:
    """A dag-pb link: hash, name, cumulative size; in the block it is field 2."""
    link = _bytes_field(1, node.cid) + _bytes_field(2, name) + _field(3, node.total_bytes)
    return _bytes_field(2, link)


def _data(unixfs: bytes) -> bytes:
    return _bytes_field(1, unixfs)


def _field(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _bytes_field(number: int, raw: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(raw)) + raw


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
