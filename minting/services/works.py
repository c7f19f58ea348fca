"""A drop's works as they are published: pictures, metadata, leaves, and the folder of all."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from generation.models import Artwork, Collection, Drop
from generation.traits import rarity
from minting.provenance import cid, merkle, metadata
from minting.provenance.canonical import canonicalize
from minting.provenance.keccak import keccak256
from minting.provenance.merkle import Leaf
from minting.services import manifests


class ImageMismatchError(Exception):
    """The bytes of a stored picture are not those that its row names."""

    def __init__(self, work: Artwork, found: str) -> None:
        super().__init__(f"artwork {work.pk}: {work.image_digest} expected, {found} found")
        self.work = work
        self.found = found


@dataclass(frozen=True)
class Works:
    """A drop's works in token order, with their two folders as they will be published."""

    rows: list[dict[str, Any]]
    leaves: list[Leaf]
    images: cid.Node
    metadata: cid.Node

    def root(self, manifest: dict[str, Any]) -> cid.Node:
        """The folder that a drop's address names, of a manifest that has all but this."""
        told = cid.file_node(manifests.provenance(manifest))
        return cid.directory(
            {"images": self.images, "metadata": self.metadata, manifests.PROVENANCE: told}
        )


def build_works(collection: Collection, works: Sequence[Artwork], first: int) -> Works:
    """Hash pictures first: of a drop whose works are known their folder is in the metadata.

    Works get the ids from ``first`` on, in their order. ImageMismatchError if a file is another
    one than its row names.
    """
    pictures = {f"{n}.png": cid.file_node(_read(work)) for n, work in enumerate(works, first)}
    images = cid.directory(pictures)
    rows, leaves, texts = [], [], {}
    for token_id, work in enumerate(works, first):
        about = describe(collection, work, token_id, f"ipfs://{images.text}/{token_id}.png")
        raw = canonicalize(about)
        leaf = Leaf(token_id, keccak256(raw), bytes.fromhex(work.image_digest))
        texts[f"{token_id}.json"] = cid.file_node(raw)
        leaves.append(leaf)
        rows.append(_row(work, leaf, about))
    _rank(rows)
    return Works(rows, leaves, images, cid.directory(texts))


def describe(
    collection: Collection, work: Artwork, token_id: int, in_folder: str
) -> dict[str, Any]:
    """A work's metadata; where its picture stands is final, too.

    A work that was drawn after its mint names its picture by the picture's own CID, so that its
    metadata are final at once; the others name their folder's, ``in_folder``.
    """
    is_own = work.drop.kind == Drop.Kind.ON_THE_FLY
    return metadata.build(
        token_id=token_id,
        collection_name=collection.name,
        description=collection.story,
        image=f"ipfs://{cid.file_cid(_read(work))}" if is_own else in_folder,
        parsed=work.parsed,
    )


def _read(work: Artwork) -> bytes:
    raw = work.image_path.read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != work.image_digest:
        raise ImageMismatchError(work, found)
    return raw


def _rank(rows: Sequence[dict[str, Any]]) -> None:
    """How rare each work is among those that are published, as anybody can tell from metadata."""
    found = rarity.score([metadata.traits(row["metadata"]) for row in rows])
    for row, one in zip(rows, found, strict=True):
        row["rarity"] = {"rank": one.rank, "score": one.score}


def _row(work: Artwork, leaf: Leaf, about: dict[str, Any]) -> dict[str, Any]:
    return {
        "token_id": leaf.token_id,
        "index": work.index,
        "source": work.drawn_for,
        "attempt": work.attempt,
        "item_seed": work.item_seed,
        "requested": work.requested,
        "explores": work.explores,
        "control": work.is_control,
        "exposure": work.exposure,
        "image_sha256": work.image_digest,
        "drawn_sha256": work.drawn_digest or work.image_digest,
        "metadata_keccak256": leaf.metadata_hash.hex(),
        "leaf": merkle.leaf_hash(leaf).hex(),
        "metadata": about,
    }
