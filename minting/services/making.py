"""Bringing a collection's contract to the chain, with all that it needs.

Of a collection that is drawn inside the chain: libraries and the painter's parts, the painter, the
collection; and where works move, the staking contract and its ``setLocker``, the evolution,
``setEvolution``, before the first commitment. Each step waits for the one before it, and is asked
for once.
"""

import logging

from django.db import transaction

from generation.models import Collection
from minting.chain import contracts, painted, stakes
from minting.models import ChainTransaction, Contract
from minting.services.chain import load_signer
from minting.services.contracts import ROYALTY_BPS, deployment, plan_contract
from minting.services.outbox import intend
from minting.services.painting import law_of, painter_of

logger = logging.getLogger(__name__)
Kind = ChainTransaction.Kind
State = ChainTransaction.State


@transaction.atomic
def request_deploy(
    *, collection: Collection, treasury: str | None = None, royalty_bps: int = ROYALTY_BPS
) -> Contract:
    """The collection's contract, on its way to the chain if it is not there yet.

    A step that was refused is asked for again.
    """
    contract = plan_contract(collection=collection, treasury=treasury, royalty_bps=royalty_bps)
    if contract.is_painted:
        return _continue(contract, again=True)
    if not contract.address:
        place(contract, contracts.libraries())
        _ask(contract, Kind.DEPLOY, deployment(contract))
    return contract


def continue_making() -> None:
    """The next step of each collection that is on its way; what was refused stays so."""
    for contract in Contract.objects.being_made():
        try:
            _continue(contract, again=False)
        except ValueError as error:  # such as a story that was changed to what JSON does not take
            logger.warning("%s cannot be made: %s", contract, error)


@transaction.atomic
def _continue(contract: Contract, *, again: bool) -> Contract:
    locked = Contract.objects.select_for_update().get(pk=contract.pk)
    if not _was_asked(locked, Kind.DEPLOY, again) and not _deploy(locked):
        return locked
    if not locked.address or locked.law is None:
        return locked
    if not locked.staking_address:
        if not _was_asked(locked, Kind.STAKING, again):
            _ask(locked, Kind.STAKING, stakes.staking().deployment(locked.address))
        return locked
    evolution = painted.evolution(locked.address, law_of(locked))
    if not locked.evolution_address:
        locked.evolution_address = evolution.address
        locked.save(update_fields=["evolution_address"])
        _ask(locked, Kind.EVOLUTION, evolution.calls[evolution.address])
    waits = locked.transactions.filter(kind=Kind.EVOLUTION).unsettled()
    if not waits.exists() and not _was_asked(locked, Kind.LAW, again):
        _ask(locked, Kind.LAW, painted.set_evolution(locked.evolution_address))
    return locked


def _deploy(contract: Contract) -> bool:
    """Whether the collection's creation could be asked for: what it needs is there."""
    placed = painter_of(contract.collection)
    if contract.painter_address != placed.address:  # its story was changed since it was planned
        contract.painter_address = placed.address
        contract.save(update_fields=["painter_address"])
    *parts, last = placed.calls.items()
    if not place(contract, contracts.libraries() | dict(parts)):
        return False
    if not place(contract, dict([last])):
        return False
    _ask(contract, Kind.DEPLOY, deployment(contract))
    return True


def place(contract: Contract, calls: dict[str, bytes]) -> bool:
    """Have the factory create these, once for a chain; whether it has answered.

    Whoever put them there, they are the same: that it refuses is an answer, too.
    """
    is_there = True
    for address, call in calls.items():
        row, _ = ChainTransaction.objects.get_or_create(
            key=f"{Kind.LIBRARY}:{contract.chain_id}:{address}",
            defaults={
                "kind": Kind.LIBRARY,
                "contract": contract,
                "chain_id": contract.chain_id,
                "sender": load_signer().address,
                "call": call,
            },
        )
        is_there &= row.state in (State.CONFIRMED, State.REVERTED)
    return is_there


def _was_asked(contract: Contract, kind: Kind, again: bool) -> bool:
    """``again``: what was refused does not count."""
    asked = contract.transactions.filter(kind=kind)
    return (asked.exclude(state=State.REVERTED) if again else asked).exists()


def _ask(contract: Contract, kind: Kind, call: bytes) -> None:
    intend(kind=kind, contract=contract, call=call, sender=load_signer().address)
