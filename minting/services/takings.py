"""What a lead does with a sale that is open: hold it, settle its auctions, send on its money."""

from dataclasses import dataclass

from generation.models import Drop
from generation.services import WrongStateError
from minting.chain import contracts
from minting.chain.client import Client
from minting.models import ChainTransaction, Commitment
from minting.services.chain import load_signer
from minting.services.outbox import intend

Kind = ChainTransaction.Kind


@dataclass(frozen=True)
class SaleState:
    """A sale as its contract has it at one block."""

    minted: int
    is_paused: bool
    proceeds_wei: int
    is_final: bool
    has_failed: bool


def read_sale(node: Client, commitment: Commitment) -> SaleState:
    """Ask the contract; ChainError if it cannot be asked."""
    address = commitment.collection.contract.address
    calls = [(address, contracts.call(name, commitment.number)) for name in ("lotOf", "fateOf")]
    lot, fate = node.read_all(calls, "latest")
    (_, _, minted, _, _, _, is_paused, proceeds_wei) = contracts.answer("lotOf", lot)
    is_final, has_failed = contracts.answer("fateOf", fate)[-2:]
    return SaleState(minted, is_paused, proceeds_wei, is_final, has_failed)


def request_pause(*, drop: Drop, is_paused: bool) -> ChainTransaction:
    """The intent that holds a sale or lets it go on; nothing else waits while it is held."""
    commitment = _on_sale(drop)
    return _again(Kind.PAUSE, commitment, contracts.pause_sale(commitment.number, is_paused))


def request_settle(*, drop: Drop, phase: int) -> ChainTransaction:
    """The intent that closes an auction: all its works then cost the last price."""
    commitment = _on_sale(drop)
    call = contracts.settle(commitment.number, phase)
    return intend(
        kind=Kind.SETTLE,
        contract=commitment.collection.contract,
        drop=drop,
        call=call,
        sender=load_signer().address,
        again=phase,
    )


def request_withdraw(*, drop: Drop) -> ChainTransaction:
    """The intent that sends what a final drop has earned to the treasury."""
    commitment = _on_sale(drop)
    return _again(Kind.WITHDRAW, commitment, contracts.withdraw(commitment.number))


def _on_sale(drop: Drop) -> Commitment:
    if drop.state in (Drop.State.DRAFT, Drop.State.RENDERING, Drop.State.CURATING):
        raise WrongStateError(drop, Drop.State.MINTING)
    rows = Commitment.objects.light().select_related("collection__contract")
    return rows.get(drop=drop)


def _again(kind: Kind, commitment: Commitment, call: bytes) -> ChainTransaction:
    """One at a time: asked for twice before it is settled, it is the same intent."""
    done = ChainTransaction.objects.filter(
        kind=kind, drop=commitment.drop_id, state=ChainTransaction.State.CONFIRMED
    )
    return intend(
        kind=kind,
        contract=commitment.collection.contract,
        drop=commitment.drop,
        call=call,
        sender=load_signer().address,
        again=done.count(),
    )
