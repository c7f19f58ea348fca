"""Carrying intents to the chain. Every step can be interrupted and is then taken again.

Simulate; take nonces, sign and store under a lock; broadcast; follow by hash. On any doubt the
same bytes are sent again. A refusal by the contract is final, a failure on the way is not. Each
step takes many intents at once. A block that is replaced after CHAIN_CONFIRMATIONS is not noticed
here: whoever fears that sets more of them.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from django.conf import settings

from generation.models import Drop
from generation.services import WrongStateError
from minting import services
from minting.chain import contracts
from minting.chain.client import ChainError, Client, Receipt, RpcError, TransportError
from minting.chain.signer import Signer, dearer
from minting.models import Attempt, ChainTransaction

logger = logging.getLogger(__name__)

State = ChainTransaction.State

# The base fee grows by an eighth a block at most: twice the current one lasts six full blocks.
BASE_FEE_FACTOR = 2
# Between the estimate and the block other transactions may make storage dearer.
GAS_MARGIN_PERCENT = 20
STUCK_AFTER = timedelta(seconds=60)
# A node that mines while it files a transaction may wait for the nonce before it for ever.
PARKED_AFTER = timedelta(seconds=10)
MAX_FEE_WEI = 500 * 10**9
# Rows in memory at a time: 1, 50, 200, 800 took 35, 262, 271, 475 mints a second
# (benchmarks.chain).
CHUNK = 200
TOLD = 10  # drops that hear of a transaction of their collection


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


class FundsError(ChainError):
    """The account cannot pay for what an intent may cost; nothing was signed."""

    def __init__(self, address: str, balance_wei: int, cost_wei: int) -> None:
        super().__init__(
            f"insufficient funds: {address} has {balance_wei} wei, up to {cost_wei} are needed"
        )
        self.address = address
        self.balance_wei = balance_wei
        self.cost_wei = cost_wei


def pump(now: datetime) -> set[int]:
    """Take every open intent as far as it goes now; returns the drops whose pages show it.

    Raises
    ------
    WrongChainError, DevKeyError
        The installation is set up wrongly; nothing was sent.
    TransportError
        The node is away; everything stays due.
    """
    services.continue_making()
    rows = ChainTransaction.objects.due().values_list("pk", "kind")
    # Calls wait for their contract, and a contract has an address once its libraries are there:
    # they have the lower nonces.
    due = [pk for pk, kind in rows if kind in ChainTransaction.FIRST]
    created = len(due)
    due += [pk for pk, kind in rows if kind not in ChainTransaction.FIRST]
    drops: set[int] = set()
    if not due:
        return drops
    signer = services.load_signer()
    with services.connect() as node:
        _check_chain(node, due)
        for part in _parts(due[:created]) + _parts(due[created:]):
            if not _Trip(node, signer, now, drops).carry(part):
                break
    services.continue_making()
    return drops


def _told(intent: ChainTransaction) -> set[int]:
    """Whose pages show it: its drop, or the newest drops of its collection."""
    if intent.drop_id:
        return {intent.drop_id}
    drops = Drop.objects.filter(collection=intent.contract.collection_id).order_by("-number")
    return set(drops.values_list("pk", flat=True)[:TOLD])


def _parts(pks: list[int]) -> list[list[int]]:
    return [pks[at : at + CHUNK] for at in range(0, len(pks), CHUNK)]


def _check_chain(node: Client, due: list[int]) -> None:
    """Refuse a node that is away or serves another chain, and let the intents say so."""
    try:
        node.check_chain(settings.CHAIN_ID)
    except ChainError as error:
        services.note_error(pks=due, error=str(error))
        raise


@dataclass
class _Trip:
    """One visit to the node with some intents."""

    node: Client
    signer: Signer
    now: datetime
    drops: set[int] = field(default_factory=set)

    def carry(self, pks: list[int]) -> bool:
        """Take these intents as far as they go; False if the node was lost on the way."""
        intents = ChainTransaction.objects.select_related("contract").filter(pk__in=pks)
        try:
            self._carry(self._own(list(intents.unsettled())))
        except ChainError as error:
            services.note_error(pks=pks, error=str(error))
            logger.warning("%d intents wait: %s", len(pks), error)
            return not isinstance(error, TransportError)
        return True

    def _carry(self, intents: list[ChainTransaction]) -> None:
        waiting = self._confirm([one for one in intents if one.state == State.SENT])
        attempts = self._missing(waiting)
        attempts += self._sign([one for one in intents if one.state == State.PENDING])
        self._broadcast(attempts)
        self._confirm([attempt.transaction for attempt in attempts])

    def _own(self, intents: list[ChainTransaction]) -> list[ChainTransaction]:
        """Those that our key is for."""
        ours = []
        for intent in intents:
            if (intent.chain_id, intent.sender) == (self.signer.chain_id, self.signer.address):
                ours.append(intent)
            else:
                self._note([intent], UnknownSenderError(intent))
        return ours

    def _note(self, intents: Sequence[ChainTransaction], error: Exception) -> None:
        logger.warning("%s: %s", ", ".join(intent.key for intent in intents), error)
        services.note_error(pks=[intent.pk for intent in intents], error=str(error))

    def _sign(self, intents: list[ChainTransaction]) -> list[Attempt]:
        """Simulate, then sign what is not refused and can be paid for."""
        ready = [intent for intent in intents if intent.to != ""]
        gas = self._simulate(ready)
        ready = [intent for intent in ready if intent.pk in gas]
        if not ready:
            return []
        try:
            tip_wei, max_fee_wei = self._fees
        except FeeCapError as error:
            self._note(ready, error)
            return []
        return services.sign_attempts(
            intents=self._payable(ready, gas, max_fee_wei),
            gas=gas,
            signer=self.signer,
            chain_nonce=self.node.nonce(self.signer.address),
            max_fee_wei=max_fee_wei,
            tip_wei=tip_wei,
            now=self.now,
        )

    def _simulate(self, intents: list[ChainTransaction]) -> dict[int, int]:
        """Gas by primary key, with its margin; what the contract refuses is closed."""
        gas: dict[int, int] = {}
        answers = self.node.estimate_all([_request(intent) for intent in intents])
        for intent, answer in zip(intents, answers, strict=True):
            if not isinstance(answer, RpcError):
                gas[intent.pk] = answer + answer * GAS_MARGIN_PERCENT // 100
            elif answer.is_revert:
                reason = contracts.explain_revert(answer.revert_data)
                services.refuse(intent=intent, reason=reason, now=self.now)
            else:
                self._note([intent], answer)
        return gas

    def _payable(
        self, intents: list[ChainTransaction], gas: dict[int, int], max_fee_wei: int
    ) -> list[ChainTransaction]:
        """Those that the account has the money for, in their order; the others say so."""
        balance_wei = self.node.balance_wei(self.signer.address)
        payable, cost_wei = [], 0
        for intent in intents:
            asked_wei = gas[intent.pk] * max_fee_wei + intent.value_wei
            if cost_wei + asked_wei > balance_wei:
                error = FundsError(self.signer.address, balance_wei, cost_wei + asked_wei)
                self._note([intent], error)
                continue
            payable.append(intent)
            cost_wei += asked_wei
        return payable

    def _missing(self, intents: list[ChainTransaction]) -> list[Attempt]:
        """What has to be sent: bytes that the node does not know, dearer ones for stuck ones."""
        rows = Attempt.objects.live().filter(transaction__in=intents)
        live = list(rows.select_related("transaction__contract").order_by("nonce", "pk"))
        known = self.node.knows_all([attempt.tx_hash for attempt in live])
        there = [attempt for attempt, is_known in zip(live, known, strict=True) if is_known]
        services.note_accepted(
            attempts=[attempt for attempt in there if attempt.transaction.error], now=self.now
        )
        missing = [attempt for attempt, is_known in zip(live, known, strict=True) if not is_known]
        higher = self._bump(self._parked(there), whatever_the_market=True)
        return missing + higher + self._bump(self._stuck(there))

    def _stuck(self, attempts: list[Attempt]) -> list[Attempt]:
        return [one for one in attempts if self.now - one.created_at >= STUCK_AFTER]

    def _parked(self, attempts: list[Attempt]) -> list[Attempt]:
        """What is next by its nonce, and kept back by a node that does not count it as pending.

        The same bytes do not bring it back, a replacement does, and those that wait for it follow.
        Once is enough; more would bid without end at a node that counts nothing as pending.
        """
        old = [one for one in attempts if self.now - one.created_at >= PARKED_AFTER]
        if not old:
            return []
        # In this order: one that is mined in between is not taken for a parked one.
        counted = self.node.nonce(self.signer.address, "pending")
        mined = self.node.nonce(self.signer.address)
        parked = [one for one in old if one.nonce == counted == mined]
        tries = [one.transaction.attempts.filter(nonce=one.nonce).count() for one in parked]
        return [one for one, n in zip(parked, tries, strict=True) if n == 1]

    def _broadcast(self, attempts: list[Attempt]) -> None:
        for attempt, refusal in self._send(attempts):
            if refusal.is_nonce_too_low and self._is_spent(attempt):
                services.abandon_attempt(attempt=attempt)
            self._note([attempt.transaction], refusal)
            if not refusal.is_nonce_too_low:
                higher = self._bump(
                    self._stuck([attempt]), whatever_the_market=refusal.is_underpriced
                )
                for last, again in self._send(higher):
                    self._note([last.transaction], again)

    def _send(self, attempts: list[Attempt]) -> list[tuple[Attempt, RpcError]]:
        """Send all; returns those that the node refuses."""
        if not attempts:
            return []
        answers = self.node.send_all([bytes(attempt.raw) for attempt in attempts])
        pairs = list(zip(attempts, answers, strict=True))
        services.note_accepted(
            attempts=[attempt for attempt, refusal in pairs if refusal is None], now=self.now
        )
        return [(attempt, refusal) for attempt, refusal in pairs if refusal is not None]

    def _is_spent(self, attempt: Attempt) -> bool:
        """Whether a confirmed block has the nonce of these bytes and none of our receipts."""
        deep = max(0, self.node.block_number() - settings.CHAIN_CONFIRMATIONS + 1)
        hashes = Attempt.objects.filter(transaction=attempt.transaction_id)
        nonce, receipts = self.node.nonce_and_receipts(
            attempt.sender, deep, list(hashes.order_by("pk").values_list("tx_hash", flat=True))
        )
        return nonce > attempt.nonce and not any(receipts)

    def _confirm(self, intents: Sequence[ChainTransaction]) -> list[ChainTransaction]:
        """Settle what has a receipt deep enough in a canonical block; returns the others.

        Any attempt may have been mined, replaced ones included.
        """
        attempts = list(Attempt.objects.filter(transaction__in=intents).order_by("-pk"))
        found = self.node.receipts([attempt.tx_hash for attempt in attempts])
        pairs = [
            (attempt.transaction_id, receipt)
            for attempt, receipt in zip(attempts, found, strict=True)
            if receipt is not None
        ]
        if not pairs:
            return list(intents)
        deep = self.node.block_number() - settings.CHAIN_CONFIRMATIONS + 1
        final = {pk: receipt for pk, receipt in pairs if receipt.block_number <= deep}
        numbers = sorted({receipt.block_number for receipt in final.values()})
        canonical = {one.hash for one in self.node.headers(numbers) if one is not None}
        for intent in intents:
            if intent.pk in final and final[intent.pk].block_hash in canonical:
                self._settle(intent, final[intent.pk])
        return [intent for intent in intents if intent.pk not in final]

    def _settle(self, intent: ChainTransaction, receipt: Receipt) -> None:
        reason = "" if receipt.succeeded else self._reason(intent, receipt)
        try:
            settled = services.settle(intent=intent, receipt=receipt, now=self.now, reason=reason)
        except WrongStateError as error:
            self._note([intent], error)
            return
        if settled:
            self.drops |= _told(intent)

    def _reason(self, intent: ChainTransaction, receipt: Receipt) -> str:
        """Why a mined transaction failed: it is called again on the state after its block."""
        try:
            self.node.call("eth_call", _request(intent), hex(receipt.block_number))
        except RpcError as error:
            return contracts.explain_revert(error.revert_data)
        return f"failed in block {receipt.block_number}, perhaps for lack of gas"

    def _bump(self, attempts: list[Attempt], *, whatever_the_market: bool = False) -> list[Attempt]:
        """Dearer replacements, where the market has become dearer than what was bid.

        What the node refuses or keeps back bids an eighth more though the market is no dearer.
        """
        if not attempts:
            return []
        try:
            tip_wei, market_wei = self._fees
        except FeeCapError as error:
            self._note([attempt.transaction for attempt in attempts], error)
            return []
        higher = []
        for attempt in attempts:
            max_fee_wei = max(market_wei, dearer(attempt.max_fee_wei))
            if market_wei <= attempt.max_fee_wei and not whatever_the_market:
                continue
            if max_fee_wei > MAX_FEE_WEI:
                self._note([attempt.transaction], FeeCapError(max_fee_wei))
                continue
            replacement = services.replace_attempt(
                attempt=attempt,
                signer=self.signer,
                max_fee_wei=max_fee_wei,
                tip_wei=max(tip_wei, dearer(attempt.tip_wei)),
                now=self.now,
            )
            higher += [replacement] if replacement else []
        return higher

    @cached_property
    def _fees(self) -> tuple[int, int]:
        """Tip and highest fee per gas; FeeCapError above the cap."""
        header = self.node.header("latest")
        if header is None:
            raise TransportError("eth_getBlockByNumber", "the node has no latest block")
        tip_wei = self.node.tip_wei()
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
