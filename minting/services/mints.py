"""Works minted to the installation's own account: to give away, or to keep."""

from django.utils import timezone

from generation.models import Drop
from generation.services import WrongStateError
from minting.chain import contracts
from minting.chain.phases import PhaseKind
from minting.models import ChainTransaction, Commitment, Contract
from minting.services.chain import load_signer
from minting.services.sales import running_phase


def request_mint(*, drop: Drop, quantity: int, key: str) -> ChainTransaction:
    """The intent that mints ``quantity`` works of a drop on sale, at its price.

    ``key`` names the wish within the drop: the same one again is the same intent, for ever.
    """
    commitment = Commitment.objects.light().get(drop=drop)
    if drop.state != Drop.State.MINTING:
        raise WrongStateError(drop, Drop.State.MINTING)
    phase = running_phase(commitment, timezone.now())
    if phase is None or phase.kind != PhaseKind.PUBLIC:
        raise WrongStateError(drop, "sold to everybody at one price")
    if not 1 <= quantity <= phase.max_per_transaction:
        raise ValueError(f"{quantity} works are not in 1..{phase.max_per_transaction}")
    contract = Contract.objects.get(collection=drop.collection_id)
    intent, _ = ChainTransaction.objects.get_or_create(
        key=f"{ChainTransaction.Kind.MINT}:{contract.pk}:{drop.pk}:{key}",
        defaults={
            "kind": ChainTransaction.Kind.MINT,
            "contract": contract,
            "drop": drop,
            "chain_id": contract.chain_id,
            "sender": load_signer().address,
            "call": contracts.mint(commitment.number, phase.number, quantity),
            "value_wei": phase.price_wei * quantity,
        },
    )
    return intent
