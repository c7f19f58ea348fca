"""The contract of a collection, and the libraries that it is linked to."""

import base64

from django.conf import settings
from django.db import transaction

from generation.models import Collection
from minting.chain import contracts
from minting.models import ChainTransaction, Contract
from minting.provenance.canonical import canonicalize
from minting.services.chain import load_signer
from minting.services.outbox import intend

ROYALTY_BPS = 500


@transaction.atomic
def plan_contract(
    *,
    collection: Collection,
    treasury: str | None = None,
    royalty_bps: int = ROYALTY_BPS,
    has_votes: bool = False,
) -> Contract:
    """What the collection's contract is to be; the first plan counts.

    Without a treasury, payments go to the account that deploys.
    """
    locked = Collection.objects.select_for_update().get(pk=collection.pk)
    contract, _ = Contract.objects.get_or_create(
        collection=locked,
        defaults={
            "chain_id": settings.CHAIN_ID,
            "treasury": treasury or load_signer().address,
            "royalty_bps": royalty_bps,
            "has_votes": has_votes,
        },
    )
    return contract


@transaction.atomic
def request_deploy(
    *, collection: Collection, treasury: str | None = None, royalty_bps: int = ROYALTY_BPS
) -> Contract:
    """The collection's contract, on its way to the chain if it is not there yet."""
    contract = plan_contract(collection=collection, treasury=treasury, royalty_bps=royalty_bps)
    if not contract.address:
        sender = load_signer().address
        call = deployment(contract)
        _request_libraries(contract, sender)
        intend(kind=ChainTransaction.Kind.DEPLOY, contract=contract, call=call, sender=sender)
    return contract


def deployment(contract: Contract) -> bytes:
    """The input of the transaction that creates it."""
    collection = contract.collection
    return contracts.deployment(
        name=collection.name,
        symbol=symbol(collection.slug),
        contract_uri=contract_uri(collection),
        live_uri=live_uri(collection),
        treasury=contract.treasury,
        royalty_bps=contract.royalty_bps,
        has_votes=contract.has_votes,
    )


def _request_libraries(contract: Contract, sender: str) -> None:
    """What the contract is linked to, once for a chain; whoever put it there, it is the same."""
    for address, call in contracts.libraries().items():
        ChainTransaction.objects.get_or_create(
            key=f"{ChainTransaction.Kind.LIBRARY}:{contract.chain_id}:{address}",
            defaults={
                "kind": ChainTransaction.Kind.LIBRARY,
                "contract": contract,
                "chain_id": contract.chain_id,
                "sender": sender,
                "call": call,
            },
        )


def live_uri(collection: Collection) -> str:
    """Where works are described until they are final; the contract adds ``<token id>.json``."""
    return f"{settings.PUBLIC_URL}/live/{collection.slug}/"


def symbol(slug: str) -> str:
    return "".join(letter for letter in slug.upper() if letter.isalnum())[:11] or "MORPHORA"


def contract_uri(collection: Collection) -> str:
    """ERC-7572 metadata inside its own address, so that nothing has to be hosted."""
    raw = canonicalize({"name": collection.name, "description": collection.story})
    return "data:application/json;base64," + base64.b64encode(raw).decode()
