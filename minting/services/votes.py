"""Votes of works, as the logs of canonical blocks say."""

from collections.abc import Mapping, Sequence

from minting.chain import votes
from minting.chain.logs import ZERO_ADDRESS
from minting.chain.votes import DelegateLog, PowerLog
from minting.models import Block, Contract, Delegation, VotingPower


def record_votes(
    *, contract: Contract, found: Sequence[votes.Log], blocks: Mapping[int, Block]
) -> None:
    """Rows of who has how many votes and whom holders named; part of the caller's transaction."""
    VotingPower.objects.bulk_create(
        VotingPower(
            contract=contract,
            block=blocks[log.place.block_number],
            tx_hash=log.place.tx_hash,
            log_index=log.place.log_index,
            wallet=log.delegate,
            votes=log.votes,
        )
        for log in found
        if isinstance(log, PowerLog)
    )
    Delegation.objects.bulk_create(
        Delegation(
            contract=contract,
            block=blocks[log.place.block_number],
            tx_hash=log.place.tx_hash,
            log_index=log.place.log_index,
            holder=log.holder,
            delegate=log.delegate,
        )
        for log in found
        if isinstance(log, DelegateLog)
    )


def forget_votes(*, contract: Contract, number: int) -> None:
    """Take back what blocks above ``number`` say."""
    contract.powers.filter(block__number__gt=number).delete()
    contract.delegations.filter(block__number__gt=number).delete()


def voting_power(*, contract: Contract, wallet: str, number: int) -> int:
    """Votes of a wallet after a block that is read: what ``getPastVotes`` answers for it."""
    rows = contract.powers.filter(wallet=wallet).until(number).in_order()
    last = rows.last()
    return last.votes if last else 0


def find_delegate(*, contract: Contract, holder: str) -> str:
    """Whom a holder lets vote as far as the chain is read; empty: nobody."""
    last = contract.delegations.filter(holder=holder).in_order().last()
    return last.delegate if last and last.delegate != ZERO_ADDRESS else ""
