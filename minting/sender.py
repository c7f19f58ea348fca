"""Carrying intents to the chain. Every step can be interrupted and is then taken again.

Simulate; take a nonce, sign and store under a lock; broadcast; follow by hash. On any doubt the
same bytes are sent again. A refusal by the contract is final, a failure on the way is not.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings

from generation.services import WrongStateError
from minting import services
from minting.chain import contracts
from minting.chain.client import ChainError, Client, Receipt, RpcError, TransportError
from minting.chain.signer import Signer
from minting.models import Attempt, ChainTransaction

logger = logging.getLogger(__name__)

State = ChainTransaction.State

# The base fee grows by an eighth a block at most: twice the current one lasts six full blocks.
BASE_FEE_FACTOR = 2
# Between the estimate and the block other transactions may make storage dearer.
GAS_MARGIN_PERCENT = 20
# Nodes take a replacement that bids an eighth more; geth asks for a tenth.
BUMP_DIVISOR = 8
STUCK_AFTER = timedelta(seconds=60)
MAX_FEE_WEI = 500 * 10**9


class UnknownSenderError(ChainError):
    """An intent belongs to an account or a chain that this installation has no key for."""

    def __init__(self, intent: ChainTransaction) -> None:
        super().__init__(f"no key for {intent.sender} on chain {intent.chain_id}")
        self.intent = intent


class FeeCapError(ChainError):
    """The chain asks for more than we are ready to pay."""

    def __init__(self, fee_wei: int) -> None:
        super().__init__(f"{fee_wei} wei per gas are asked, {MAX_FEE_WEI} is the cap")
        self.fee_wei = fee_wei


def pump(now: datetime) -> set[int]:
    """Take every open intent as far as it goes now; returns the drops whose intents settled.

    Raises
    ------
    WrongChainError, DevKeyError
        The installation is set up wrongly; nothing was sent.
    TransportError
        The node is away; everything stays due.
    """
    due = list(ChainTransaction.objects.unsettled().values_list("pk", flat=True))
    drops: set[int] = set()
    if not due:
        return drops
    signer = services.load_signer()
    with services.connect() as node:
        _check_chain(node, due)
        for pk in due:
            intent = ChainTransaction.objects.select_related("contract").get(pk=pk)
            try:
                if _advance(node, signer, intent, now) and intent.drop_id:
                    drops.add(intent.drop_id)
            except (ChainError, WrongStateError) as error:
                logger.warning("%s: %s", intent.key, error)
                services.note_error(intent=intent, error=str(error))
                if isinstance(error, TransportError):
                    break
    return drops


def _check_chain(node: Client, due: list[int]) -> None:
    """Refuse a node that is away or serves another chain, and let the intents say so."""
    try:
        node.check_chain(settings.CHAIN_ID)
    except ChainError as error:
        for intent in ChainTransaction.objects.filter(pk__in=due):
            services.note_error(intent=intent, error=str(error))
        raise


def _advance(node: Client, signer: Signer, intent: ChainTransaction, now: datetime) -> bool:
    """Whether the intent settled."""
    if (intent.chain_id, intent.sender) != (signer.chain_id, signer.address):
        raise UnknownSenderError(intent)
    if intent.state == State.PENDING and not _sign(node, signer, intent, now):
        return False
    if _confirm(node, intent, now):
        return True
    attempt = intent.attempts.filter(is_live=True).first()
    if attempt is None:
        return False
    if node.knows(attempt.tx_hash):
        if intent.error:
            services.note_accepted(attempt=attempt, now=now)
        _bump(node, signer, attempt, now)
        return False
    try:
        _broadcast(node, attempt, now)
    except RpcError:
        if not _bump(node, signer, attempt, now):
            raise
    return _confirm(node, intent, now)


def _sign(node: Client, signer: Signer, intent: ChainTransaction, now: datetime) -> bool:
    """Simulate and sign; False if the intent has to wait, is refused, or is in other hands."""
    if intent.to == "":
        return False
    try:
        gas = node.estimate_gas(_request(intent))
    except RpcError as error:
        if not error.is_revert:
            raise
        reason = contracts.explain_revert(error.revert_data)
        services.refuse(intent=intent, reason=reason, now=now)
        return False
    tip_wei, max_fee_wei = _fees(node)
    attempt = services.sign_attempt(
        intent=intent,
        signer=signer,
        chain_nonce=node.nonce(signer.address),
        gas=gas + gas * GAS_MARGIN_PERCENT // 100,
        max_fee_wei=max_fee_wei,
        tip_wei=tip_wei,
        now=now,
    )
    return attempt is not None


def _broadcast(node: Client, attempt: Attempt, now: datetime) -> None:
    try:
        node.send(bytes(attempt.raw))
    except RpcError as error:
        message = error.message.lower()
        if "nonce too low" in message:
            _check_nonce(node, attempt)
        if not ("already known" in message or "already imported" in message):
            raise
    services.note_accepted(attempt=attempt, now=now)


def _check_nonce(node: Client, attempt: Attempt) -> None:
    """Give bytes up once a confirmed block has their nonce and none of our receipts."""
    deep = max(0, node.block_number() - settings.CHAIN_CONFIRMATIONS + 1)
    if node.nonce(attempt.sender, deep) > attempt.nonce and not _receipts(
        node, attempt.transaction
    ):
        services.abandon_attempt(attempt=attempt)


def _receipts(node: Client, intent: ChainTransaction) -> list[Receipt]:
    """Receipts of all attempts, replaced ones included: any of them may have been mined."""
    hashes = intent.attempts.order_by("-pk").values_list("tx_hash", flat=True)
    found = [node.receipt(tx_hash) for tx_hash in hashes]
    return [receipt for receipt in found if receipt is not None]


def _confirm(node: Client, intent: ChainTransaction, now: datetime) -> bool:
    """Settle the intent if its receipt is deep enough in a block that is still canonical."""
    for receipt in _receipts(node, intent):
        depth = node.block_number() - receipt.block_number + 1
        header = node.header(receipt.block_number)
        if depth < settings.CHAIN_CONFIRMATIONS or header is None:
            continue
        if header.hash == receipt.block_hash:
            reason = "" if receipt.succeeded else _reason(node, intent, receipt)
            return services.settle(intent=intent, receipt=receipt, now=now, reason=reason)
    return False


def _reason(node: Client, intent: ChainTransaction, receipt: Receipt) -> str:
    """Why a mined transaction failed, found by calling it again on the state after its block."""
    try:
        node.call("eth_call", _request(intent), hex(receipt.block_number))
    except RpcError as error:
        return contracts.explain_revert(error.revert_data)
    return f"failed in block {receipt.block_number}, perhaps for lack of gas"


def _bump(node: Client, signer: Signer, attempt: Attempt, now: datetime) -> bool:
    """Whether a transaction that waits too long for its fee was replaced by a dearer one."""
    if now - attempt.created_at < STUCK_AFTER:
        return False
    tip_wei, max_fee_wei = _fees(node)
    if max_fee_wei <= attempt.max_fee_wei:
        return False
    higher = services.replace_attempt(
        attempt=attempt,
        signer=signer,
        max_fee_wei=max(max_fee_wei, _eighth_more(attempt.max_fee_wei)),
        tip_wei=max(tip_wei, _eighth_more(attempt.tip_wei)),
        now=now,
    )
    if higher is None:
        return False
    _broadcast(node, higher, now)
    return True


def _eighth_more(fee_wei: int) -> int:
    return fee_wei + -(-fee_wei // BUMP_DIVISOR)


def _fees(node: Client) -> tuple[int, int]:
    """Tip and highest fee per gas; FeeCapError above the cap."""
    header = node.header("latest")
    if header is None:
        raise TransportError("eth_getBlockByNumber", "the node has no latest block")
    tip_wei = node.tip_wei()
    if header.base_fee_wei + tip_wei > MAX_FEE_WEI:
        raise FeeCapError(header.base_fee_wei + tip_wei)
    return tip_wei, min(BASE_FEE_FACTOR * header.base_fee_wei + tip_wei, MAX_FEE_WEI)


def _request(intent: ChainTransaction) -> dict[str, str]:
    request = {
        "from": intent.sender,
        "data": "0x" + bytes(intent.call).hex(),
        "value": hex(intent.value_wei),
    }
    return request if intent.to is None else request | {"to": intent.to}
