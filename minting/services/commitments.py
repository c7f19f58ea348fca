"""What a drop commits to, fixed before anything of it can be sold."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

import generation
from generation.models import Artwork, Collection, Drop
from generation.services import close_curation, named_steps, update_works
from minting.chain import contracts
from minting.models import ChainTransaction, Commitment
from minting.provenance import cid, lineage, merkle, metadata
from minting.provenance.canonical import canonicalize
from minting.provenance.keccak import ZERO, keccak256
from minting.provenance.lineage import DropBody
from minting.provenance.merkle import Leaf
from minting.services.chain import load_signer
from minting.services.contracts import request_deploy
from minting.services.outbox import intend

FORMAT = "morphora-drop-3"
SOURCES = Path(generation.__file__).parent
# What draws and reads a picture; the rest of the code cannot change one.
DRAWING = ("gan", "imaging", "traits")


class CommitmentPendingError(Exception):
    """An earlier drop of the collection has a commitment that is not on chain yet."""

    def __init__(self, number: int) -> None:
        super().__init__(f"commitment {number} has to be on chain first")
        self.number = number


class ImageMismatchError(Exception):
    """The bytes of a stored picture are not those that its row names."""

    def __init__(self, work: Artwork, found: str) -> None:
        super().__init__(f"artwork {work.pk}: {work.image_digest} expected, {found} found")
        self.work = work
        self.found = found


@dataclass(frozen=True)
class _Start:
    """Where a drop's commitment follows on."""

    number: int
    first_token_id: int
    head: bytes


@dataclass(frozen=True)
class _Works:
    """A drop's works in token order, with their two folders as they will be published."""

    rows: list[dict[str, Any]]
    leaves: list[Leaf]
    images: cid.Node
    root: cid.Node


def prepare_commitment(*, drop: Drop, vote_tally_root: bytes = ZERO) -> Commitment:
    """Close the curation and fix ids, metadata, hashes and roots; the same row when called again.

    Only accepted works get a token id. ``vote_tally_root`` names the votes that led to this
    drop's parameters. WrongStateError if a work is undecided.
    """
    existing = Commitment.objects.light().filter(drop=drop).first()
    if existing is not None:
        return existing
    drop = close_curation(drop=drop)
    start = _start(drop)
    accepted = list(drop.artworks.accepted().in_order())
    works = _build(drop.collection, accepted, start.first_token_id)
    body, origin = _body(drop, works, vote_tally_root, start)
    return _store(drop, start, accepted, works, body, origin)


def request_commit(*, drop: Drop, vote_tally_root: bytes = ZERO) -> ChainTransaction:
    """The intent that commits the drop, and before it the contract's creation if it is needed."""
    commitment = prepare_commitment(drop=drop, vote_tally_root=vote_tally_root)
    return intend(
        kind=ChainTransaction.Kind.COMMIT,
        contract=request_deploy(collection=commitment.collection),
        drop=commitment.drop,
        call=contracts.commit_drop(commitment.body),
        sender=load_signer().address,
    )


def _start(drop: Drop) -> _Start:
    earlier = Commitment.objects.light().filter(collection=drop.collection_id)
    pending = earlier.filter(drop__state=Drop.State.CURATING).first()
    if pending is not None:
        raise CommitmentPendingError(pending.number)
    last = earlier.order_by("-number").first()
    if last is None:
        return _Start(1, 1, ZERO)
    return _Start(last.number + 1, last.end_token_id, bytes.fromhex(last.head))


def _build(collection: Collection, accepted: Sequence[Artwork], first: int) -> _Works:
    """Hash pictures first, because their folder's CID stands in the metadata."""
    pictures: dict[str, cid.Node] = {}
    for token_id, work in enumerate(accepted, first):
        pictures[f"{token_id}.png"] = cid.file_node(_read(work))
    images = cid.directory(pictures)
    rows, leaves, texts = [], [], {}
    for token_id, work in enumerate(accepted, first):
        about = metadata.build(
            token_id=token_id,
            collection_name=collection.name,
            description=collection.story,
            image_cid=images.text,
            parsed=work.parsed,
        )
        raw = canonicalize(about)
        leaf = Leaf(token_id, keccak256(raw), bytes.fromhex(work.image_digest))
        texts[f"{token_id}.json"] = cid.file_node(raw)
        leaves.append(leaf)
        rows.append(_row(work, leaf, about))
    root = cid.directory({"images": images, "metadata": cid.directory(texts)})
    return _Works(rows, leaves, images, root)


def _read(work: Artwork) -> bytes:
    raw = work.image_path.read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != work.image_digest:
        raise ImageMismatchError(work, found)
    return raw


def _row(work: Artwork, leaf: Leaf, about: dict[str, Any]) -> dict[str, Any]:
    return {
        "token_id": leaf.token_id,
        "index": work.index,
        "source": work.drawn_for,
        "attempt": work.attempt,
        "item_seed": work.item_seed,
        "requested": work.requested,
        "explores": work.explores,
        "image_sha256": work.image_digest,
        "drawn_sha256": work.drawn_digest or work.image_digest,
        "metadata_keccak256": leaf.metadata_hash.hex(),
        "leaf": merkle.leaf_hash(leaf).hex(),
        "metadata": about,
    }


def _body(
    drop: Drop, works: _Works, vote_tally_root: bytes, start: _Start
) -> tuple[DropBody, dict[str, Any]]:
    """The struct, and what its hashes were made of."""
    parameters = drop.parameter_set
    parent = parameters.parent
    curation = curation_rows(drop)
    curation_root = lineage.curation_root(curation)
    origin = {
        "format": FORMAT,
        "cid_profile": cid.PROFILE,
        "collection": {"slug": drop.collection.slug, "name": drop.collection.name},
        "checkpoint": {
            "sha256": drop.checkpoint.sha256,
            "parser_sha256": drop.checkpoint.parser_sha256,
            "architecture": drop.checkpoint.architecture,
            "source": drop.checkpoint.source,
            "licence": drop.checkpoint.licence,
        },
        "code": code_files(),
        "parameters": parameters.body,
        "directions": {
            name: step.tolist()
            for name, step in named_steps(drop.checkpoint, parameters.parameters).items()
        },
        "parent_parameters": parent.body if parent else None,
        "curation": curation,
        "curation_signature": _sign_log(drop, curation, curation_root),
        "environments": environments(drop),
        "seed": drop.seed,
    }
    body = DropBody(
        metadata_root=merkle.root(works.leaves),
        image_root=works.images.digest,
        folder=works.root.digest,
        provenance=lineage.image_provenance([leaf.image_hash for leaf in works.leaves]),
        checkpoint_hash=bytes.fromhex(drop.checkpoint.sha256),
        code_hash=lineage.code_hash(origin["code"]),
        params_hash=lineage.params_hash(parameters.body),
        parent_params_hash=lineage.params_hash(parent.body) if parent else ZERO,
        vote_tally_root=vote_tally_root,
        curation_log_root=curation_root,
        seed_commit=ZERO,
        reveal_block=0,
        first_token_id=start.first_token_id,
        count=len(works.leaves),
    )
    return body, origin


def _sign_log(drop: Drop, entries: list[dict[str, Any]], root: bytes) -> dict[str, str]:
    """The operator's word for the log, which names the collection and the drop."""
    text = lineage.curation_text(drop.collection.slug, drop.number, len(entries), root)
    signer = load_signer()
    return {"signer": signer.address, "text": text, "signature": signer.sign_text(text)}


def code_files() -> dict[str, str]:
    """Path -> sha256 of every source that draws or reads a picture."""
    paths = [path for folder in DRAWING for path in sorted((SOURCES / folder).rglob("*.py"))]
    return {
        path.relative_to(SOURCES.parent).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


def environments(drop: Drop) -> list[dict[str, Any]]:
    """What the drop's pictures were drawn in, each once: versions, threads, batch."""
    found = drop.jobs.filter(kind="render").order_by("pk").values_list("checkpoint", flat=True)
    told = [job["environment"] for job in found if "environment" in job]
    return [one for place, one in enumerate(told) if one not in told[:place]]


def curation_rows(drop: Drop) -> list[dict[str, Any]]:
    """The curation log: what was planned, then every decision in the order they were taken."""
    plan = [{"kind": "planned", "body": drop.plan.to_json()}] if hasattr(drop, "plan") else []
    decisions = drop.decisions.select_related("artwork", "curator").in_order()
    return plan + [
        {
            "kind": decision.kind,
            "index": decision.artwork.index if decision.artwork else None,
            "image_sha256": decision.image_digest,
            "status": decision.status,
            "reason": decision.reason,
            "curator": decision.curator.get_username() if decision.curator else "",
            "decided_at": decision.created_at.isoformat(),
            "body": decision.body,
        }
        for decision in decisions
    ]


def _assign_ids(accepted: Sequence[Artwork], first: int) -> None:
    for token_id, work in enumerate(accepted, first):
        work.token_id = token_id
    update_works(accepted, ["token_id"])


def _hexadecimal(body: DropBody) -> dict[str, Any]:
    """The struct's fields by name, hashes in hex."""
    return {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in vars(body).items()
    }


@transaction.atomic
def _store(
    drop: Drop,
    start: _Start,
    accepted: Sequence[Artwork],
    works: _Works,
    body: DropBody,
    origin: dict[str, Any],
) -> Commitment:
    """Of two callers the second finds the first one's row."""
    Collection.objects.select_for_update().get(pk=drop.collection_id)
    existing = Commitment.objects.light().filter(drop=drop).first()
    if existing is not None:
        return existing
    if _start(drop) != start:
        raise CommitmentPendingError(start.number)
    _assign_ids(accepted, start.first_token_id)
    hashes = _hexadecimal(body)
    named = {
        "head": lineage.drop_head(start.head, body).hex(),
        "image_cid": works.images.text,
        "root_cid": works.root.text,
    }
    manifest = {
        "drop": {"number": drop.number, "chain_number": start.number},
        "commitment": hashes,
        "previous_head": start.head.hex(),
        **named,
        **origin,
        "works": works.rows,
    }
    return Commitment.objects.create(
        drop=drop,
        collection=drop.collection,
        number=start.number,
        manifest=manifest,
        **named,
        **hashes,
    )
