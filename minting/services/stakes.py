"""Staking: its contract on the way to the chain, and what its logs say."""

from collections.abc import Mapping, Sequence

from django.db import transaction
from eth_utils.address import to_checksum_address

from generation.models import Collection
from minting.chain import contracts, stakes
from minting.chain.client import Receipt
from minting.chain.stakes import ClaimLog, FundLog, StakeLog
from minting.models import Block, ChainTransaction, Contract, PoolPayment, Stake, Token
from minting.services.chain import load_signer
from minting.services.outbox import intend

Kind = ChainTransaction.Kind


class NotDeployedError(Exception):
    """The collection has no contract on the chain yet."""

    def __init__(self, collection: Collection) -> None:
        super().__init__(f"the contract of {collection.slug} is not on the chain yet")
        self.collection = collection


@transaction.atomic
def request_staking(*, collection: Collection) -> Contract:
    """The collection's contract, on its way to a staking contract if it has none yet.

    Once that is there, the collection names it as its locker.
    """
    contract = Contract.objects.select_for_update().deployed().filter(collection=collection).first()
    if contract is None:
        raise NotDeployedError(collection)
    if not contract.staking_address:
        call = stakes.staking().deployment(contract.address)
        intend(kind=Kind.STAKING, contract=contract, call=call, sender=load_signer().address)
    return contract


def place_staking(*, intent: ChainTransaction, receipt: Receipt) -> None:
    """Nothing can be staked before the collection has named its locker, nor read too late."""
    contract = intent.contract
    assert receipt.contract_address is not None
    contract.staking_address = to_checksum_address(receipt.contract_address)
    contract.staking_block = receipt.block_number
    contract.save(update_fields=["staking_address", "staking_block"])
    call = contracts.call("setLocker", contract.staking_address)
    intend(kind=Kind.LOCKER, contract=contract, call=call, sender=intent.sender)


def record_stakes(
    *,
    contract: Contract,
    found: Sequence[stakes.Log],
    blocks: Mapping[int, Block],
) -> None:
    """Rows of what was staked, taken back, paid in and paid out; part of the caller's transaction.

    A work may be staked and taken back several times in one window.
    """
    moves = [log for log in found if isinstance(log, StakeLog)]
    numbers = {log.token_id for log in moves}
    tokens = {token.token_id: token for token in contract.tokens.filter(token_id__in=numbers)}
    for log in moves:
        token, block = tokens[log.token_id], blocks[log.place.block_number]
        if log.is_start:
            _start(log, token, block)
        else:
            Stake.objects.running().filter(token=token).update(ended_block=block)
    payments = [log for log in found if not isinstance(log, StakeLog)]
    PoolPayment.objects.bulk_create(
        _payment(log, contract, blocks[log.place.block_number]) for log in payments
    )


def forget_stakes(*, contract: Contract, number: int) -> None:
    """Take back what blocks above ``number`` say."""
    stakes_of_ours = Stake.objects.filter(token__contract=contract)
    stakes_of_ours.filter(block__number__gt=number).delete()
    stakes_of_ours.filter(ended_block__number__gt=number).update(ended_block=None)
    PoolPayment.objects.filter(contract=contract, block__number__gt=number).delete()


def _start(log: StakeLog, token: Token, block: Block) -> None:
    Stake.objects.create(
        block=block,
        token=token,
        owner=log.owner,
        tx_hash=log.place.tx_hash,
        log_index=log.place.log_index,
    )


def _payment(log: ClaimLog | FundLog, contract: Contract, block: Block) -> PoolPayment:
    row = PoolPayment(
        block=block,
        contract=contract,
        kind=PoolPayment.Kind.FUNDED,
        amount_wei=log.amount_wei,
        tx_hash=log.place.tx_hash,
        log_index=log.place.log_index,
    )
    if isinstance(log, ClaimLog):
        row.kind, row.wallet = PoolPayment.Kind.CLAIMED, log.wallet
    else:
        row.ends_at = log.ends_at
    return row
