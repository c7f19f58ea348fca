"""Closing intents by their receipts, and what follows from each here."""

from datetime import datetime

from django.db import transaction

from generation.models import Drop
from generation.services import move_drop
from minting.chain.client import Receipt
from minting.models import ChainTransaction, Cursor
from minting.services.governance import hand_treasury_over, place_government
from minting.services.market import continue_marketplace
from minting.services.stakes import place_staking

State = ChainTransaction.State
Kind = ChainTransaction.Kind


@transaction.atomic
def settle(*, intent: ChainTransaction, receipt: Receipt, now: datetime, reason: str = "") -> bool:
    """Close an intent by its final receipt and let it have its effect here; once."""
    settled = ChainTransaction.objects.filter(pk=intent.pk, state=State.SENT).update(
        state=State.CONFIRMED if receipt.succeeded else State.REVERTED,
        error=reason,
        tx_hash=receipt.tx_hash,
        block_number=receipt.block_number,
        block_hash=receipt.block_hash,
        gas_used=receipt.gas_used,
        fee_wei=receipt.fee_wei,
        settled_at=now,
    )
    if settled and receipt.succeeded:
        _take_effect(intent, receipt)
    return bool(settled)


def _take_effect(intent: ChainTransaction, receipt: Receipt) -> None:
    if intent.kind == Kind.DEPLOY:
        contract = intent.contract
        assert receipt.contract_address is not None
        contract.address = receipt.contract_address
        contract.deployed_block = receipt.block_number
        contract.save(update_fields=["address", "deployed_block"])
        Cursor.objects.create(contract=contract, number=receipt.block_number - 1)
        return
    if intent.kind == Kind.MINT:
        return  # the indexer reads the tokens from the logs
    if intent.kind in (Kind.CONDUIT, Kind.MARKET):
        continue_marketplace(intent=intent, receipt=receipt)
        return
    if intent.kind == Kind.STAKING:
        place_staking(intent=intent, receipt=receipt)
        return
    if intent.kind == Kind.FOUNDING:
        place_government(intent=intent, receipt=receipt)
        return
    if intent.kind == Kind.TREASURY:
        hand_treasury_over(intent=intent)
        return
    drop = intent.drop
    if drop is None:
        return
    if intent.kind == Kind.COMMIT:
        is_living = drop.kind == Drop.Kind.ON_THE_FLY
        expected = Drop.State.DRAFT if is_living else Drop.State.CURATING
        move_drop(drop=drop, expected=expected, to=Drop.State.COMMITTED)
    if intent.kind == Kind.OPEN_SALE:
        move_drop(drop=drop, expected=Drop.State.COMMITTED, to=Drop.State.MINTING)
