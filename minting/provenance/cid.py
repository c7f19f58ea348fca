"""Content identifiers of files and directories: UnixFS under the profile unixfs-v1-2025 (IPIP-499).

CIDv1, sha2-256, raw leaves of 1 MiB, balanced trees of 1,024 links, and directories that become a
HAMT of fanout 256 once their block would exceed 256 KiB. Encodings: the IPLD dag-pb and the UnixFS
specifications.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from minting.provenance.murmur3 import murmur3_x64_64

PROFILE = "unixfs-v1-2025"
CHUNK_BYTES = 1024 * 1024
MAX_LINKS = 1024
HAMT_ABOVE_BYTES = 256 * 1024
FANOUT = 256

_RAW, _DAG_PB = 0x55, 0x70
_SHA2_256 = bytes([0x12, 32])
_DIRECTORY, _FILE, _HAMT_SHARD = 1, 2, 5
_MURMUR3_X64_64 = 0x22


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


def file_cid(raw: bytes) -> str:
    return file_node(raw).text


def directory_cid(path: Path) -> str:
    return directory_node(path).text


def image_root(path: Path) -> bytes:
    """The digest in the CID of a directory of images, 32 bytes: what the contract holds."""
    return directory_node(path).digest


def file_node(raw: bytes) -> Node:
    """A file: one raw leaf, or a balanced tree over its chunks."""
    chunks = [raw[at : at + CHUNK_BYTES] for at in range(0, len(raw), CHUNK_BYTES)] or [b""]
    level = [(_leaf(chunk), len(chunk)) for chunk in chunks]
    while len(level) > 1:
        groups = [level[at : at + MAX_LINKS] for at in range(0, len(level), MAX_LINKS)]
        level = [_file_branch(group) for group in groups]
    return level[0][0]


def directory_node(path: Path) -> Node:
    """A directory on disk, with everything in it; ValueError for what is no file or directory."""
    entries = {}
    for entry in path.iterdir():
        if entry.is_symlink() or not (entry.is_dir() or entry.is_file()):
            raise ValueError(f"{entry.name} is neither a file nor a directory")
        entries[entry.name] = (
            directory_node(entry) if entry.is_dir() else file_node(entry.read_bytes())
        )
    return directory(entries)


def directory(entries: Mapping[str, Node]) -> Node:
    """A directory of nodes whose CIDs are known."""
    named = sorted((name.encode(), node) for name, node in entries.items())
    links = b"".join(_link(name, node) for name, node in named)
    block = links + _data(_field(1, _DIRECTORY))
    if len(block) > HAMT_ABOVE_BYTES:
        return _shard([(murmur3_x64_64(name), name, node) for name, node in named], 0)
    return _branch(block, [node for _, node in named])


def _shard(entries: Sequence[tuple[bytes, bytes, Node]], depth: int) -> Node:
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
            name, node = b"", _shard(within, depth + 1)
        links += _link(b"%02X" % place + name, node)
        nodes.append(node)
    bitfield = bits.to_bytes((bits.bit_length() + 7) // 8)
    fields = [
        _field(1, _HAMT_SHARD),
        _bytes_field(2, bitfield),
        _field(5, _MURMUR3_X64_64),
        _field(6, FANOUT),
    ]
    return _branch(links + _data(b"".join(fields)), nodes)


def _file_branch(group: Sequence[tuple[Node, int]]) -> tuple[Node, int]:
    """An inner node of a file: its children, and how many bytes of the file each holds."""
    n_bytes = sum(held for _, held in group)
    fields = _field(1, _FILE) + _field(3, n_bytes) + b"".join(_field(4, held) for _, held in group)
    links = b"".join(_link(b"", node) for node, _ in group)
    return _branch(links + _data(fields), [node for node, _ in group]), n_bytes


def _leaf(chunk: bytes) -> Node:
    return Node(_cid(_RAW, chunk), len(chunk))


def _branch(block: bytes, children: Sequence[Node]) -> Node:
    return Node(_cid(_DAG_PB, block), len(block) + sum(child.total_bytes for child in children))


def _cid(codec: int, block: bytes) -> bytes:
    return bytes([1, codec]) + _SHA2_256 + hashlib.sha256(block).digest()


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
