"""Opening the sale of a committed drop."""

from django.db import transaction

from generation.models import Drop
from generation.services import SaleForbiddenError, WrongStateError, is_saleable
from minting.chain import contracts
from minting.chain.node import LOCAL_CHAIN_ID
from minting.models import ChainTransaction, Commitment, Contract
from minting.services.chain import load_signer
from minting.services.outbox import intend

# 20 works cost 549,000 gas to mint: a fiftieth of a block.
MAX_PER_TRANSACTION = 20
PRICE_LIMIT_WEI = 2**96


class SaleAlreadyRequestedError(Exception):
    """A sale was asked for with other terms, and is on its way or open."""

    def __init__(self, drop: Drop, price_wei: int, max_per_transaction: int) -> None:
        super().__init__(
            f"drop {drop.number} is sold at {price_wei} wei, {max_per_transaction} at a time"
        )
        self.drop = drop
        self.price_wei = price_wei
        self.max_per_transaction = max_per_transaction


@transaction.atomic
def request_open_sale(*, drop: Drop, price_wei: int, max_per_transaction: int) -> ChainTransaction:
    """The intent that opens the sale; the same terms again are the same intent.

    Away from the local chain, a price needs a licence that allows sales, or a lead's permission
    (SaleForbiddenError).
    """
    if not 0 <= price_wei < PRICE_LIMIT_WEI:
        raise ValueError(f"price {price_wei} is not in 0..2^96 - 1 wei")
    if not 1 <= max_per_transaction <= MAX_PER_TRANSACTION:
        raise ValueError(f"{max_per_transaction} works are not in 1..{MAX_PER_TRANSACTION}")
    current = Drop.objects.select_for_update().get(pk=drop.pk)
    earlier = (
        ChainTransaction.objects.filter(drop=current, kind=ChainTransaction.Kind.OPEN_SALE)
        .exclude(state=ChainTransaction.State.REVERTED)
        .first()
    )
    if earlier is None and current.state != Drop.State.COMMITTED:
        raise WrongStateError(current, Drop.State.COMMITTED)
    commitment = Commitment.objects.light().get(drop=current)
    if earlier is not None:
        _check_terms(commitment, price_wei, max_per_transaction)
        return earlier
    contract = Contract.objects.get(collection=current.collection_id)
    if price_wei and contract.chain_id != LOCAL_CHAIN_ID and not is_saleable(current.checkpoint):
        raise SaleForbiddenError(current.checkpoint)
    commitment.price_wei = price_wei
    commitment.max_per_transaction = max_per_transaction
    commitment.save(update_fields=["price_wei", "max_per_transaction"])
    return intend(
        kind=ChainTransaction.Kind.OPEN_SALE,
        contract=contract,
        drop=current,
        call=contracts.open_sale(commitment.number, price_wei, max_per_transaction),
        sender=load_signer().address,
    )


def _check_terms(commitment: Commitment, price_wei: int, max_per_transaction: int) -> None:
    asked = (commitment.price_wei, commitment.max_per_transaction or 0)
    if asked != (price_wei, max_per_transaction):
        raise SaleAlreadyRequestedError(commitment.drop, *asked)
