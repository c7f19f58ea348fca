"""The contract of a collection: what it is to be, and what creates it."""

import base64
from typing import Any

from django.conf import settings
from django.db import transaction

from generation.models import Collection
from minting.chain import contracts, painted
from minting.models import Contract
from minting.provenance.canonical import canonicalize
from minting.services import painting
from minting.services.chain import load_signer

ROYALTY_BPS = 500


@transaction.atomic
def plan_contract(
    *,
    collection: Collection,
    treasury: str | None = None,
    royalty_bps: int = ROYALTY_BPS,
    has_votes: bool = False,
    is_painted: bool = False,
    law: dict[str, Any] | None = None,
) -> Contract:
    """What the collection's contract is to be; the first plan counts.

    Without a treasury, payments go to the account that deploys. With a law (a document of
    ``minting.evolution.laws``) the works that it paints move. NoStudentError or PackingError where
    the collection cannot be drawn inside a contract, ValueError for works that vote as well.
    """
    if has_votes and (is_painted or law):
        raise ValueError("a contract has no room for votes and for a generator")
    locked = Collection.objects.select_for_update().get(pk=collection.pk)
    contract, _ = Contract.objects.get_or_create(
        collection=locked,
        defaults={
            "chain_id": settings.CHAIN_ID,
            "treasury": treasury or load_signer().address,
            "royalty_bps": royalty_bps,
            "has_votes": has_votes,
            "painter_address": painting.painter_of(locked).address if is_painted or law else "",
            "law": law,
        },
    )
    return contract


def deployment(contract: Contract) -> bytes:
    """The input of the transaction that creates it."""
    collection = contract.collection
    words: dict[str, Any] = {
        "name": collection.name,
        "symbol": symbol(collection.slug),
        "contract_uri": contract_uri(collection),
        "live_uri": live_uri(collection),
        "treasury": contract.treasury,
        "royalty_bps": contract.royalty_bps,
    }
    if contract.is_painted:
        is_evolving = contract.law is not None
        return painted.deployment(
            **words, painter=contract.painter_address, is_evolving=is_evolving
        )
    return contracts.deployment(**words, has_votes=contract.has_votes)


def live_uri(collection: Collection) -> str:
    """Where works are described until they are final; the contract adds ``<token id>.json``."""
    return f"{settings.PUBLIC_URL}/live/{collection.slug}/"


def symbol(slug: str) -> str:
    return "".join(letter for letter in slug.upper() if letter.isalnum())[:11] or "MORPHORA"


def contract_uri(collection: Collection) -> str:
    """ERC-7572 metadata inside its own address, so that nothing has to be hosted."""
    raw = canonicalize({"name": collection.name, "description": collection.story})
    return "data:application/json;base64," + base64.b64encode(raw).decode()
