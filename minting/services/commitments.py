"""What a drop commits to, fixed before anything of it can be sold."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from generation.models import Artwork, Collection, Drop
from generation.services import close_curation, update_works
from minting.chain import contracts
from minting.models import ChainTransaction, Commitment
from minting.provenance import lineage, merkle
from minting.provenance.keccak import ZERO
from minting.provenance.lineage import DropBody
from minting.services import manifests
from minting.services.chain import load_signer
from minting.services.making import request_deploy
from minting.services.outbox import intend
from minting.services.painting import refuse_fixed
from minting.services.places import CommitmentPendingError, Start, find_start
from minting.services.works import Works, build_works


def prepare_commitment(*, drop: Drop, vote_tally_root: bytes = ZERO) -> Commitment:
    """Close the curation and fix ids, metadata, hashes and roots; the same row when called again.

    Only accepted works get a token id. ``vote_tally_root`` names the votes that led to this
    drop's parameters. WrongStateError if a work is undecided.
    """
    existing = Commitment.objects.light().filter(drop=drop).first()
    if existing is not None:
        return existing
    drop = close_curation(drop=drop)
    start = find_start(drop)
    accepted = list(drop.artworks.accepted().in_order())
    works = build_works(drop.collection, accepted, start.first_token_id)
    manifest = _manifest(drop, works, start)
    body = _body(drop, works, manifest, vote_tally_root, start)
    return _store(drop, start, accepted, body, manifest)


def request_commit(*, drop: Drop, vote_tally_root: bytes = ZERO) -> ChainTransaction:
    """The intent that commits the drop, and before it the contract's creation if it is needed."""
    refuse_fixed(drop)
    commitment = prepare_commitment(drop=drop, vote_tally_root=vote_tally_root)
    return intend(
        kind=ChainTransaction.Kind.COMMIT,
        contract=request_deploy(collection=commitment.collection),
        drop=commitment.drop,
        call=contracts.commit_drop(commitment.body),
        sender=load_signer().address,
    )


def _manifest(drop: Drop, works: Works, start: Start) -> dict[str, Any]:
    """What the hashes of the struct are made of, with the addresses of the folders."""
    curation = manifests.curation_rows(drop)
    root = lineage.curation_root(curation)
    told = manifests.origin(drop) | {
        "drop": manifests.place(drop, start),
        "curation": curation,
        "curation_signature": manifests.sign_log(drop, curation, root),
        "environments": manifests.environments(drop),
        "seed": drop.seed,
        "works": works.rows,
    }
    return told | {"image_cid": works.images.text, "root_cid": works.root(told).text}


def _body(
    drop: Drop, works: Works, manifest: dict[str, Any], vote_tally_root: bytes, start: Start
) -> DropBody:
    parameters = drop.parameter_set
    parent = parameters.parent
    return DropBody(
        metadata_root=merkle.root(works.leaves),
        image_root=works.images.digest,
        folder=works.root(manifest).digest,
        provenance=lineage.image_provenance([leaf.image_hash for leaf in works.leaves]),
        checkpoint_hash=bytes.fromhex(drop.checkpoint.sha256),
        code_hash=lineage.code_hash(manifest["code"]),
        params_hash=lineage.params_hash(parameters.body),
        parent_params_hash=lineage.params_hash(parent.body) if parent else ZERO,
        vote_tally_root=vote_tally_root,
        curation_log_root=lineage.curation_root(manifest["curation"]),
        seed_commit=ZERO,
        reveal_block=0,
        first_token_id=start.first_token_id,
        count=len(works.leaves),
    )


def _assign_ids(accepted: Sequence[Artwork], first: int) -> None:
    for token_id, work in enumerate(accepted, first):
        work.token_id = token_id
    update_works(accepted, ["token_id"])


@transaction.atomic
def _store(
    drop: Drop,
    start: Start,
    accepted: Sequence[Artwork],
    body: DropBody,
    manifest: dict[str, Any],
) -> Commitment:
    """Of two callers the second finds the first one's row."""
    Collection.objects.select_for_update().get(pk=drop.collection_id)
    existing = Commitment.objects.light().filter(drop=drop).first()
    if existing is not None:
        return existing
    if find_start(drop) != start:
        raise CommitmentPendingError(start.number)
    _assign_ids(accepted, start.first_token_id)
    hashes = manifests.hexadecimal(body)
    head = lineage.drop_head(start.head, body).hex()
    linked = {"commitment": hashes, "previous_head": start.head.hex(), "head": head}
    return Commitment.objects.create(
        drop=drop,
        collection=drop.collection,
        number=start.number,
        manifest=manifest | linked,
        head=head,
        image_cid=manifest["image_cid"],
        root_cid=manifest["root_cid"],
        **hashes,
    )
