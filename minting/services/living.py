"""Drops that are drawn on the fly: committed by their secret, seeded by a block, sealed at last."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from generation.models import Artwork, Collection, Drop
from generation.services import WrongStateError, lease_drawing, pause_job, rank_works
from minting.chain import contracts
from minting.models import (
    Block,
    ChainTransaction,
    Commitment,
    Cursor,
    DropEvent,
    Seal,
    Token,
)
from minting.provenance import lineage, merkle, metadata
from minting.provenance.keccak import ZERO
from minting.provenance.lineage import DropBody, Roots
from minting.services import manifests
from minting.services.chain import load_signer
from minting.services.making import request_deploy
from minting.services.outbox import intend
from minting.services.places import Start, find_start
from minting.services.works import build_works, describe

Kind = ChainTransaction.Kind
Event = DropEvent.Kind
# 10,000 works are hashed in half a minute; nothing of a drop is drawn any more when it is sealed.
SEALING = timedelta(minutes=5)


@transaction.atomic
def request_living_commit(
    *, drop: Drop, reveal_block: int, vote_tally_root: bytes = ZERO
) -> ChainTransaction:
    """The intent that commits a drop whose works will be drawn as they are minted.

    ``reveal_block`` is the block, still to come when the commitment is mined, whose hash joins the
    secret. A commitment that came too late for its block is made again with a later one.
    """
    if drop.kind != Drop.Kind.ON_THE_FLY:
        raise WrongStateError(drop, "drawn on the fly")
    Collection.objects.select_for_update().get(pk=drop.collection_id)
    commitment = Commitment.objects.filter(drop=drop).first()
    sent = drop.transactions.filter(kind=Kind.COMMIT)
    if commitment is not None:
        standing = sent.exclude(state=ChainTransaction.State.REVERTED).first()
        if standing is not None:
            return standing
        commitment.delete()
    elif drop.state != Drop.State.DRAFT:
        raise WrongStateError(drop, Drop.State.DRAFT)
    commitment = _commit(drop, find_start(drop), reveal_block, vote_tally_root)
    return intend(
        kind=Kind.COMMIT,
        contract=request_deploy(collection=drop.collection),
        drop=drop,
        call=contracts.commit_drop(commitment.body),
        sender=load_signer().address,
    )


def _commit(drop: Drop, start: Start, reveal_block: int, vote_tally_root: bytes) -> Commitment:
    secret = secrets.token_bytes(32)
    origin = manifests.origin(drop)
    parameters = drop.parameter_set
    parent = parameters.parent
    body = DropBody(
        metadata_root=ZERO,
        image_root=ZERO,
        folder=ZERO,
        provenance=ZERO,
        checkpoint_hash=bytes.fromhex(drop.checkpoint.sha256),
        code_hash=lineage.code_hash(origin["code"]),
        params_hash=lineage.params_hash(parameters.body),
        parent_params_hash=lineage.params_hash(parent.body) if parent else ZERO,
        vote_tally_root=vote_tally_root,
        curation_log_root=ZERO,
        seed_commit=lineage.seed_commit(secret, start.number),
        reveal_block=reveal_block,
        first_token_id=start.first_token_id,
        count=drop.size,
    )
    hashes = manifests.hexadecimal(body)
    head = lineage.drop_head(start.head, body).hex()
    manifest = {
        "drop": manifests.place(drop, start),
        "commitment": hashes,
        "previous_head": start.head.hex(),
        "head": head,
        **origin,
    }
    return Commitment.objects.create(
        drop=drop,
        collection=drop.collection,
        number=start.number,
        secret=secret.hex(),
        head=head,
        manifest=manifest,
        **hashes,
    )


def find_drop_seed(commitment: Commitment) -> bytes | None:
    """The seed of a drop, once the hash of its block is kept so deep that it stays."""
    captured = commitment.events.filter(kind=Event.CAPTURED).select_related("block").first()
    if captured is None or not commitment.secret:
        return None
    read = Cursor.objects.get(contract__collection=commitment.collection_id).number
    if read - captured.block.number + 1 < settings.CHAIN_CONFIRMATIONS:
        return None
    return lineage.drop_seed(bytes.fromhex(commitment.secret), bytes.fromhex(captured.word))


def token_seed(commitment: Commitment, drop_seed: bytes, token_id: int) -> bytes:
    contract = commitment.collection.contract
    return lineage.token_seed(
        chain_id=contract.chain_id,
        contract=contract.address,
        drop_number=commitment.number,
        drop_seed=drop_seed,
        token_id=token_id,
    )


def living_drops() -> list[Drop]:
    """Drops that are drawn on the fly and on sale, or sold and not final."""
    rows = Commitment.objects.light().filter(drop__kind=Drop.Kind.ON_THE_FLY)
    done = DropEvent.objects.filter(kind__in=[Event.SEALED, Event.FAILED]).values("commitment")
    started = [Drop.State.MINTING, Drop.State.LISTENING, Drop.State.SCORED, Drop.State.CLOSED]
    open_rows = rows.exclude(pk__in=done).filter(drop__state__in=started).order_by("pk")
    return [row.drop for row in open_rows.select_related("drop")]


def undrawn(drop: Drop) -> list[Token]:
    """Minted tokens of a drop that have no picture yet, in the order in which they get one."""
    return list(Token.objects.filter(drop=drop, artwork=None).order_by("token_id"))


@transaction.atomic
def hang(*, works: Sequence[Artwork]) -> list[int]:
    """Give tokens the works that were drawn for them; returns the ids of those that have one now.

    A token that a reorganisation took away finds its work again when it comes back.
    """
    found = {work.token_id: work for work in works if work.token_id is not None}
    hung = []
    for token in Token.objects.filter(
        drop__in={work.drop_id for work in works}, token_id__in=found, artwork=None
    ):
        token.artwork = found[token.token_id]
        token.save(update_fields=["artwork"])
        hung.append(token.token_id)
    return hung


def live_description(collection: Collection, token: Token) -> dict[str, Any]:
    """A minted work's metadata: final once it is drawn, without a picture before."""
    if token.artwork is None:
        return metadata.build(
            token_id=token.token_id,
            collection_name=collection.name,
            description=f"{collection.story} This work is being drawn.".strip(),
            parsed={},
        )
    return describe(collection, token.artwork, token.token_id, "")


def is_over(commitment: Commitment, minted: int) -> bool:
    """Whether nothing of a drop can be minted any more, by the newest block that was read."""
    if minted >= commitment.count:
        return True
    newest = Block.objects.filter(chain_id=settings.CHAIN_ID).newest_first().first()
    ends = [row.end for row in commitment.phases.all()]
    return newest is not None and bool(ends) and newest.mined_at.timestamp() >= max(ends)


def next_step(commitment: Commitment, head: int) -> ChainTransaction | None:
    """The intent that brings a drop nearer to being final, if one is due; else None.

    Capture once the reveal block is past, reveal once nothing can be minted any more, seal once
    every work is drawn. The same call twice gives the same intent.
    """
    kinds = set(commitment.events.values_list("kind", flat=True))
    if Event.CAPTURED not in kinds:
        return _capture(commitment, head)
    if find_drop_seed(commitment) is None:
        return None
    minted = Token.objects.filter(drop=commitment.drop_id).count()
    if not minted or not is_over(commitment, minted):
        return None
    if Event.REVEALED not in kinds:
        secret = bytes.fromhex(commitment.secret)
        call = contracts.reveal(commitment.number, commitment.body, secret)
        return _intend(Kind.REVEAL, commitment, call)
    if Token.objects.filter(drop=commitment.drop_id, artwork=None).exists():
        return None
    seal = _find_seal(commitment)
    if seal is None:
        return None
    return _intend(Kind.SEAL, commitment, contracts.seal(commitment.number, roots_of(seal)))


def awaited_block(commitment: Commitment) -> int:
    """The block whose hash a drop waits for: the committed one, or what took its place."""
    again = commitment.events.filter(kind=Event.REARMED).order_by("-block__number").first()
    return (again.reveal_block if again else None) or commitment.reveal_block


def _capture(commitment: Commitment, head: int) -> ChainTransaction | None:
    if head <= awaited_block(commitment):
        return None
    n_rearmed = commitment.events.filter(kind=Event.REARMED).count()
    return _intend(Kind.CAPTURE, commitment, contracts.capture(commitment.number), n_rearmed)


def _intend(kind: Kind, commitment: Commitment, call: bytes, again: int = 0) -> ChainTransaction:
    return intend(
        kind=kind,
        contract=commitment.collection.contract,
        drop=commitment.drop,
        call=call,
        sender=load_signer().address,
        again=again,
    )


def roots_of(seal: Seal) -> Roots:
    """The struct that the contract takes."""
    names = ("metadata_root", "image_root", "folder", "provenance")
    return Roots(**{name: bytes.fromhex(getattr(seal, name)) for name in names})


def _find_seal(commitment: Commitment) -> Seal | None:
    """What the works of a drop turned out to be, made once; None while another process makes it."""
    existing = Seal.objects.filter(commitment=commitment).first()
    if existing is not None:
        return existing
    job = lease_drawing(drop=commitment.drop, now=timezone.now(), lease=SEALING)
    if job is None:
        return None
    try:
        return _make_seal(commitment)
    finally:
        pause_job(job=job)


def _make_seal(commitment: Commitment) -> Seal:
    drop = commitment.drop
    rank_works(drop=drop)
    drawn = drop.artworks.filter(token__isnull=False).select_related("drop")
    rows = list(drawn.order_by("token_id"))
    works = build_works(drop.collection, rows, commitment.first_token_id)
    told = commitment.manifest | {
        "environments": manifests.environments(drop),
        "works": works.rows,
    }
    root = works.root(told)
    roots = Roots(
        metadata_root=merkle.root(works.leaves),
        image_root=works.images.digest,
        folder=root.digest,
        provenance=lineage.image_provenance([leaf.image_hash for leaf in works.leaves]),
    )
    named = {"image_cid": works.images.text, "root_cid": root.text}
    hashes = manifests.hexadecimal(roots)
    manifest = told | named | {"seal": hashes}
    fields = {"count": len(rows), "manifest": manifest, **named, **hashes}
    seal, _ = Seal.objects.get_or_create(commitment=commitment, defaults=fields)
    return seal


def announcement(drop: Drop) -> ChainTransaction | None:
    """The intent that tells markets of works drawn since the last one (ERC-4906), if any are due.

    One at a time, so that many mints are one transaction.
    """
    earlier = drop.transactions.filter(kind=Kind.ANNOUNCE)
    waiting = Q(state=ChainTransaction.State.PENDING) | Q(state=ChainTransaction.State.SENT)
    if earlier.filter(waiting).exists():
        return None
    last = earlier.order_by("-created_at", "-pk").first()
    since = int(last.key.rsplit(":", 1)[1]) if last else 0
    fresh = drop.artworks.filter(pk__gt=since, token__isnull=False).order_by("pk")
    found = list(fresh.values_list("pk", "token_id"))
    if not found:
        return None
    ids = [token_id for _, token_id in found if token_id is not None]
    return intend(
        kind=Kind.ANNOUNCE,
        contract=drop.collection.contract,
        drop=drop,
        call=contracts.announce(min(ids), max(ids)),
        sender=load_signer().address,
        again=found[-1][0],
    )
