"""Works minted to the installation's own account: to give away, or to keep."""

from generation.models import Drop
from generation.services import WrongStateError
from minting.chain import contracts
from minting.models import ChainTransaction, Commitment, Contract
from minting.services.chain import load_signer


def request_mint(*, drop: Drop, quantity: int, key: str) -> ChainTransaction:
    """The intent that mints ``quantity`` works of a drop on sale, at its price.

    ``key`` names the wish within the drop: the same one again is the same intent, for ever.
    """
    commitment = Commitment.objects.light().get(drop=drop)
    if drop.state != Drop.State.MINTING:
        raise WrongStateError(drop, Drop.State.MINTING)
    if not 1 <= quantity <= (commitment.max_per_transaction or 0):
        raise ValueError(f"{quantity} works are not in 1..{commitment.max_per_transaction}")
    contract = Contract.objects.get(collection=drop.collection_id)
    intent, _ = ChainTransaction.objects.get_or_create(
        key=f"{ChainTransaction.Kind.MINT}:{contract.pk}:{drop.pk}:{key}",
        defaults={
            "kind": ChainTransaction.Kind.MINT,
            "contract": contract,
            "drop": drop,
            "chain_id": contract.chain_id,
            "sender": load_signer().address,
            "call": contracts.mint(commitment.number, quantity),
            "value_wei": commitment.price_wei * quantity,
        },
    )
    return intent
