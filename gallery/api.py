"""What a stranger needs to check one work: its metadata byte for byte, its place in the tree."""

from functools import lru_cache
from typing import Any

from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page, require_safe
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from generation.models import Drop
from minting.models import ChainTransaction, Commitment, Seal, Token
from minting.provenance import merkle
from minting.provenance.canonical import canonicalize
from minting.provenance.merkle import Leaf
from minting.services import live_description, public_rpc_url

MAX_ID = 2**63 - 1


@conditional_page
@require_safe
def metadata(request: HttpRequest, slug: str, token_id: int) -> HttpResponse:
    """The canonical bytes whose hash the chain has; the same that the drop's CAR file holds."""
    commitment = find_commitment(slug, token_id)
    row = manifest_row(commitment, token_id)
    return HttpResponse(canonicalize(row["metadata"]), content_type="application/json")


@conditional_page
@require_safe
def live_metadata(request: HttpRequest, slug: str, token_id: int) -> HttpResponse:
    """What the contract names as a work's metadata until its drop is sealed.

    Once the work is drawn these are the bytes that will be sealed; before, it has no picture.
    """
    commitment = find_commitment(slug, token_id)
    rows = Token.objects.select_related("artwork__drop__collection")
    token = get_object_or_404(rows, drop=commitment.drop_id, token_id=token_id)
    return HttpResponse(
        canonicalize(live_description(commitment.collection, token)),
        content_type="application/json",
    )


@method_decorator(conditional_page, name="dispatch")
class ProofView(APIView):
    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, slug: str, token_id: int) -> Response:
        """A work's leaf with its Merkle proof, and where the chain names the root.

        Nothing here has to be believed: the leaf follows from the picture and the metadata, the
        root from the leaf and the proof, and the root stands in an event whose chain of hashes ends
        in the contract's ``head``; of a drop that was drawn on the fly the root is in the event of
        its seal, and the seed in that of its reveal. ``commit_blocks`` and ``event_blocks`` say
        where those events are found quickest.
        """
        commitment = find_commitment(slug, token_id)
        published = final_roots(commitment)
        leaves = drop_leaves(type(published), published.pk, published.metadata_root)
        place = token_id - commitment.first_token_id
        if place >= len(leaves):
            raise Http404("this work was never minted")
        leaf, row = leaves[place], manifest_row(commitment, token_id)
        return Response(
            {
                "token_id": token_id,
                "metadata_keccak256": hexadecimal(leaf.metadata_hash),
                "image_sha256": hexadecimal(leaf.image_hash),
                "leaf": hexadecimal(merkle.leaf_hash(leaf)),
                "proof": [hexadecimal(node) for node in merkle.proof(leaves, place)],
                "metadata_root": f"0x{published.metadata_root}",
                "head": f"0x{commitment.head}",
                "item_seed": f"0x{row['item_seed']}",
                "attempt": row["attempt"],
                "drop_number": commitment.number,
                **chain_facts(commitment),
            }
        )


def find_commitment(slug: str, token_id: int) -> Commitment:
    """The commitment, on chain, that covers a token."""
    if token_id > MAX_ID:
        raise Http404("no published work has this token id")
    rows = Commitment.objects.light().filter(
        collection__slug=slug,
        drop__state__in=Drop.COMMITTED_STATES,
        first_token_id__lte=token_id,
        first_token_id__gt=token_id - F("count"),
    )
    return get_object_or_404(rows.select_related("collection__contract", "drop"))


def final_roots(commitment: Commitment) -> Commitment | Seal:
    """The row that holds a drop's works: the commitment, or what was sealed after it.

    404 while works are still to be drawn.
    """
    if commitment.drop.kind != Drop.Kind.ON_THE_FLY:
        return commitment
    sealed = Seal.objects.defer("manifest").filter(commitment=commitment).first()
    if sealed is None:
        raise Http404("the works of this drop are not sealed yet")
    return sealed


def manifest_row(commitment: Commitment, token_id: int) -> Any:
    """One work of the manifest, taken out of it by the database."""
    published = final_roots(commitment)
    place = token_id - commitment.first_token_id
    if isinstance(published, Seal) and place >= published.count:
        raise Http404("this work was never minted")
    path = f"manifest__works__{place}"
    return type(published).objects.filter(pk=published.pk).values_list(path, flat=True).get()


# A tree of 10,000 leaves takes 2 MB, and 0.1 s to read from the manifest.
@lru_cache(maxsize=16)
def drop_leaves(
    model: type[Commitment] | type[Seal], pk: int, metadata_root: str
) -> tuple[Leaf, ...]:
    """Leaves of a drop in the order of the token ids; they never change under their root."""
    works = model.objects.values_list("manifest__works", flat=True).get(pk=pk)
    return tuple(
        Leaf(
            row["token_id"],
            bytes.fromhex(row["metadata_keccak256"]),
            bytes.fromhex(row["image_sha256"]),
        )
        for row in works
    )


def chain_facts(commitment: Commitment) -> dict[str, Any]:
    contract = commitment.collection.contract
    commits = ChainTransaction.objects.filter(
        contract=contract,
        kind=ChainTransaction.Kind.COMMIT,
        state=ChainTransaction.State.CONFIRMED,
    )
    events = commitment.events.order_by("block__number", "pk")
    blocks = commits.order_by("block_number").values_list("block_number", flat=True)
    return {
        "chain_id": contract.chain_id,
        "contract": contract.address,
        "rpc_url": public_rpc_url(),
        "deployed_block": contract.deployed_block,
        "commit_blocks": list(blocks),
        "event_blocks": list(events.values_list("block__number", flat=True)),
    }


def hexadecimal(raw: bytes) -> str:
    return f"0x{raw.hex()}"
