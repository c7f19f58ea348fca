"""The marketplace: where Seaport stands, what it sold, and what that means for listings."""

from collections.abc import Iterable, Mapping, Sequence

from django.conf import settings
from django.db import transaction
from eth_utils.address import to_checksum_address

from minting.chain import seaport
from minting.chain.client import Receipt
from minting.chain.fulfilments import (
    CancelledLog,
    CounterLog,
    FulfilledLog,
    MarketLog,
    SaleLog,
    sales,
)
from minting.chain.logs import ZERO_ADDRESS, TransferLog
from minting.chain.node import LOCAL_CHAIN_ID
from minting.models import (
    Block,
    ChainTransaction,
    Contract,
    Listing,
    Marketplace,
    Sale,
    Token,
)
from minting.services.chain import load_signer

Kind = ChainTransaction.Kind
MANY_TOKENS = 500  # more are not asked for by their ids


class NoMarketplaceError(Exception):
    """There is no Seaport on this chain yet."""

    def __init__(self, chain_id: int) -> None:
        super().__init__(f"no marketplace on chain {chain_id}")
        self.chain_id = chain_id


def find_marketplace(*, chain_id: int) -> str | None:
    """Seaport's address; None on a local chain where it has not been created."""
    row = Marketplace.objects.filter(chain_id=chain_id).first()
    if row is not None:
        return row.address
    return None if chain_id == LOCAL_CHAIN_ID else seaport.CANONICAL_ADDRESS


@transaction.atomic
def request_marketplace(*, contract: Contract) -> None:
    """See to it that the chain has a Seaport: a local one gets its own, once."""
    if find_marketplace(chain_id=contract.chain_id) is None:
        call = seaport.conduit_controller_creation(settings.NODE_MODULES)
        _intend_once(Kind.CONDUIT, contract, call, load_signer().address)


def continue_marketplace(*, intent: ChainTransaction, receipt: Receipt) -> None:
    """What follows from a confirmed creation: Seaport after its controller, then its address."""
    assert receipt.contract_address is not None
    if intent.kind == Kind.CONDUIT:
        call = seaport.creation(settings.NODE_MODULES, receipt.contract_address)
        _intend_once(Kind.MARKET, intent.contract, call, intent.sender)
        return
    Marketplace.objects.get_or_create(
        chain_id=intent.chain_id,
        defaults={
            "address": to_checksum_address(receipt.contract_address),
            "deployed_block": receipt.block_number,
        },
    )


def _intend_once(kind: Kind, contract: Contract, call: bytes, sender: str) -> None:
    """One intent of this kind per chain; a new one only after the last was refused."""
    earlier = ChainTransaction.objects.filter(chain_id=contract.chain_id, kind=kind)
    n_refused = earlier.filter(state=ChainTransaction.State.REVERTED).count()
    ChainTransaction.objects.get_or_create(
        key=f"{kind}:chain-{contract.chain_id}:{n_refused}",
        defaults={
            "kind": kind,
            "contract": contract,
            "chain_id": contract.chain_id,
            "sender": sender,
            "call": call,
        },
    )


def open_sellers(*, contract: Contract) -> list[str]:
    """Whose cancellations concern a listing of ours."""
    rows = Listing.objects.filter(contract=contract, state=Listing.State.OPEN)
    return list(rows.order_by("seller").values_list("seller", flat=True).distinct())


def record_market(
    *,
    contract: Contract,
    market: Sequence[MarketLog],
    blocks: Mapping[int, Block],
    tokens: Mapping[int, Token],
    moves: Sequence[TransferLog],
) -> None:
    """Store the sales of a window and close the listings that they, and transfers, put an end to.

    Part of the caller's transaction. ``tokens`` are those that moved, with their owners after it.
    """
    sold = sales(market, moves, to_checksum_address(contract.address))
    Sale.objects.bulk_create(
        _sale(log, blocks[log.place.block_number], tokens[log.token_id]) for log in sold
    )
    _close_by_logs(contract, market)
    last_moves = {log.token_id: log.place.block_number for log in moves}
    offered = Listing.objects.filter(contract=contract, state=Listing.State.OPEN)
    if len(tokens) <= MANY_TOKENS:
        offered = offered.filter(token_number__in=tokens)
    for pk, token_id, seller in offered.values_list("pk", "token_number", "seller"):
        if token_id in tokens and seller != tokens[token_id].owner:
            _close([pk], Listing.State.INVALID, last_moves[token_id])


def find_listings_again(*, contract: Contract, minted: Mapping[int, Token]) -> None:
    """Give signed orders their tokens back, which a reorganisation took away with their mints.

    Part of the caller's transaction, before ``record_market`` closes what ended meanwhile.
    """
    waiting = Listing.objects.filter(contract=contract, token=None).order_by("pk")
    for listing in [row for row in waiting if row.token_number in minted]:
        listing.token = minted[listing.token_number]
        listing.save(update_fields=["token"])


def reopen_listings(*, chain_id: int, above: int, contract: Contract | None = None) -> None:
    """Take back what blocks that are gone had done to listings, of one contract or of all."""
    closed = Listing.objects.filter(contract__chain_id=chain_id, closed_block__gt=above)
    if contract is not None:
        closed = closed.filter(contract=contract)
    closed.update(state=Listing.State.OPEN, closed_block=None)


def _close_by_logs(contract: Contract, logs: Sequence[MarketLog]) -> None:
    ours = Listing.objects.filter(contract=contract, state=Listing.State.OPEN)
    for log in logs:
        number = log.place.block_number
        if isinstance(log, FulfilledLog):
            found = ours.filter(order_hash=log.order_hash)
            _close(found.values_list("pk", flat=True), Listing.State.FILLED, number)
        elif isinstance(log, CancelledLog):
            found = ours.filter(order_hash=log.order_hash)
            _close(found.values_list("pk", flat=True), Listing.State.CANCELLED, number)
        elif isinstance(log, CounterLog):
            rows = ours.filter(seller=log.offerer).values_list("pk", "order__counter")
            void = [pk for pk, counter in rows if int(counter) < log.counter]
            _close(void, Listing.State.CANCELLED, number)


def _close(ids: Iterable[int], state: Listing.State, block_number: int) -> None:
    Listing.objects.filter(pk__in=list(ids)).update(state=state, closed_block=block_number)


def _sale(log: SaleLog, block: Block, token: Token) -> Sale:
    return Sale(
        block=block,
        token=token,
        chain_id=block.chain_id,
        tx_hash=log.place.tx_hash,
        log_index=log.place.log_index,
        position=log.position,
        order_hash=log.order_hash,
        seller=log.seller,
        buyer="" if log.buyer == ZERO_ADDRESS else log.buyer,
        currency=log.currency,
        price_wei=log.price_wei,
        is_bundle=log.is_bundle,
    )
