"""Many transactions of a few accounts: signed ahead, sent in arrays, followed block by block.

Pure client code for what needs no row of its own. What must survive the process goes through the
outbox, which sends and looks up by the same calls.
"""

import heapq
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import islice

from minting.chain.client import BATCH, ChainError, Client, Receipt, RpcError
from minting.chain.signer import SignedTransaction, Signer, TransactionRequest, dearer

# Transactions on their way at a time: at blocks of 0.2 s enough for 10,000 a second.
WINDOW = 2_000
# Blocks read at once: their receipts are in memory together.
BLOCKS = 16
POLL_S = 0.01
# Without news for so long, bytes are looked up by hash and sent again where the node lost them.
QUIET_S = 2.0
PATIENCE_S = 60.0
TRANSFER_GAS = 21_000


class Fate(Enum):
    MINED = "mined"
    REVERTED = "in a block, without effect"
    REFUSED = "not taken by the node"
    LOST = "no receipt in time"


@dataclass(frozen=True)
class Message:
    """What an account wants to send; its nonce is chosen when it is signed."""

    signer: Signer
    to: str | None
    data: bytes
    value_wei: int = 0
    gas: int = 200_000


@dataclass(frozen=True)
class Outcome:
    """What became of the message at ``place``; ``n_sent`` is above 1 if the bytes were lost."""

    place: int
    tx_hash: str
    fate: Fate
    receipt: Receipt | None = None
    reason: str = ""
    n_sent: int = 1


@dataclass
class Progress:
    signed: int = 0
    accepted: int = 0
    refused: int = 0
    resent: int = 0
    settled: int = 0


@dataclass
class _Flight:
    """Signed bytes on their way; ``place`` is None for what only fills a gap between nonces.

    ``replaced`` is the hash of the same at a lower fee, which may be mined all the same.
    """

    place: int | None
    signer: Signer
    request: TransactionRequest
    signed: SignedTransaction
    n_sent: int = 0
    replaced: str | None = None

    @property
    def nonce(self) -> int:
        return self.request.nonce


@dataclass
class _Nonces:
    """The nonces of one account: the next one, and those that a refusal left free below it."""

    next: int
    free: list[int] = field(default_factory=list)

    def take(self) -> int:
        if self.free:
            return heapq.heappop(self.free)
        self.next += 1
        return self.next - 1

    def give_back(self, nonce: int) -> None:
        heapq.heappush(self.free, nonce)
        while self.next - 1 in self.free:
            self.next -= 1
            self.free.remove(self.next)
            heapq.heapify(self.free)


class Bulk:
    """Sends messages over ``node`` at fixed fees; at most ``window`` are on their way.

    ``confirmations`` counts the block of a receipt as 1. A block that is replaced after that is
    not noticed.
    """

    def __init__(
        self,
        node: Client,
        *,
        max_fee_wei: int,
        tip_wei: int,
        window: int = WINDOW,
        confirmations: int = 1,
        quiet_s: float = QUIET_S,
        patience_s: float = PATIENCE_S,
        on_progress: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        self.progress = Progress()
        self._node = node
        self._fees = (max_fee_wei, tip_wei)
        self._window = window
        self._confirmations = confirmations
        self._quiet_s = quiet_s
        self._patience_s = patience_s
        self._on_progress = on_progress
        self._flights: dict[str, _Flight] = {}
        self._nonces: dict[str, _Nonces] = {}
        self._waiting: list[tuple[int, Message]] = []
        self._read = 0
        self._trouble = "no block has it"

    def send(self, messages: Iterable[Message]) -> Iterator[Outcome]:
        """The outcome of each message, in the order in which they are known.

        Raises ChainError if the node is away at the start, or when an account is first met; after
        that it is waited for.
        """
        self._nonces.clear()
        self._read = self._node.block_number() - self._confirmations + 1
        pending = enumerate(messages)
        news = looked = time.monotonic()
        while True:
            arrived = self._launch(pending) + self._land()
            now = time.monotonic()
            if arrived:
                news = looked = now
            elif not self._flights and not self._waiting:
                return
            elif now - news > self._patience_s:
                arrived = self._give_up()
            elif now - looked > self._quiet_s:
                looked = now
                arrived = self._look_up()
            else:
                time.sleep(POLL_S)
            if arrived:
                self._on_progress(self.progress)
                yield from arrived

    def _launch(self, pending: Iterator[tuple[int, Message]]) -> list[Outcome]:
        """Sign and send until the window is full, the messages end, or the node is away."""
        outcomes: list[Outcome] = []
        while room := min(self._window - len(self._flights), BATCH):
            self._waiting += islice(pending, max(0, room - len(self._waiting)))
            if not self._waiting or not self._meet([one.signer for _, one in self._waiting]):
                break
            messages, self._waiting = self._waiting, []
            if not self._post([self._sign(*one) for one in messages], outcomes):
                break
        return outcomes

    def _meet(self, signers: Iterable[Signer]) -> bool:
        """Ask for the nonces of new accounts; False if the node is away."""
        new = {one.address for one in signers} - self._nonces.keys()
        try:
            found = self._node.nonces(addresses := sorted(new), "pending")
        except ChainError as error:
            self._trouble = str(error)
            return False
        self._nonces |= {at: _Nonces(n) for at, n in zip(addresses, found, strict=True)}
        return True

    def _sign(self, place: int | None, message: Message) -> _Flight:
        max_fee_wei, tip_wei = self._fees
        request = TransactionRequest(
            nonce=self._nonces[message.signer.address].take(),
            to=message.to,
            data=message.data,
            value_wei=message.value_wei,
            gas=message.gas,
            max_fee_wei=max_fee_wei,
            tip_wei=tip_wei,
        )
        flight = _Flight(place, message.signer, request, message.signer.sign(request))
        self._flights[flight.signed.tx_hash] = flight
        self.progress.signed += 1
        return flight

    def _post(self, flights: list[_Flight], outcomes: list[Outcome]) -> bool:
        """Send one array; False if it is unknown what became of it."""
        for flight in flights:
            flight.n_sent += 1
        try:
            refusals = self._node.send_all([flight.signed.raw for flight in flights])
        except ChainError as error:
            self._trouble = str(error)
            return False
        for flight, refusal in zip(flights, refusals, strict=True):
            if refusal is None:
                self.progress.accepted += 1
            elif not flight.replaced and not (refusal.is_nonce_too_low and flight.n_sent > 1):
                # Of what was replaced, the bytes before may be mined yet.
                outcomes += self._refused(flight, refusal)
        return True

    def _refused(self, flight: _Flight, refusal: RpcError) -> list[Outcome]:
        """Take the nonce back, so that those after it do not wait for ever."""
        self._forget(flight)
        if not refusal.is_nonce_too_low:
            self._nonces[flight.signer.address].give_back(flight.nonce)
        self.progress.refused += 1
        return self._outcome(flight, Fate.REFUSED, reason=refusal.message)

    def _land(self) -> list[Outcome]:
        """What the blocks since the last time say."""
        try:
            deep = self._node.block_number() - self._confirmations + 1
            numbers = list(range(self._read + 1, min(deep, self._read + BLOCKS) + 1))
            blocks = self._node.block_receipts(numbers)
        except ChainError as error:
            self._trouble = str(error)
            return []
        outcomes: list[Outcome] = []
        for receipts in blocks:
            if receipts is None:
                break  # announced, and not readable yet
            outcomes += self._settle(receipts)
            self._read += 1
        return outcomes

    def _settle(self, receipts: Iterable[Receipt]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for receipt in receipts:
            flight = self._flights.get(receipt.tx_hash)
            if flight is not None:
                self._forget(flight)
                fate = Fate.MINED if receipt.succeeded else Fate.REVERTED
                outcomes += self._outcome(flight, fate, receipt)
        return outcomes

    def _forget(self, flight: _Flight) -> None:
        del self._flights[flight.signed.tx_hash]
        if flight.replaced is not None:
            del self._flights[flight.replaced]

    def _in_order(self) -> list[_Flight]:
        """What is on its way, the lowest nonces first; each once, replaced or not."""
        newest = [one for tx_hash, one in self._flights.items() if one.signed.tx_hash == tx_hash]
        return sorted(newest, key=lambda flight: flight.nonce)

    def _outcome(
        self, flight: _Flight, fate: Fate, receipt: Receipt | None = None, reason: str = ""
    ) -> list[Outcome]:
        if flight.place is None:
            return []
        self.progress.settled += 1
        tx_hash = flight.signed.tx_hash if receipt is None else receipt.tx_hash
        return [Outcome(flight.place, tx_hash, fate, receipt, reason, flight.n_sent)]

    def _look_up(self) -> list[Outcome]:
        """Send again what the node does not know, and fill gaps that refusals left.

        A look-up by hash also finds receipts that were not there yet when their block was read.
        """
        flights = self._in_order()
        hashes = [flight.signed.tx_hash for flight in flights]
        try:
            known = self._node.knows_all(hashes)
            receipts = self._node.receipts(hashes)
        except ChainError as error:
            self._trouble = str(error)
            return []
        outcomes = self._settle(
            one for one in receipts if one is not None and one.block_number <= self._read
        )
        lost = [flight for flight, is_known in zip(flights, known, strict=True) if not is_known]
        for at in range(0, len(lost), BATCH):
            self.progress.resent += len(lost[at : at + BATCH])
            self._post(lost[at : at + BATCH], outcomes)
        for signer in {flight.signer for flight in self._flights.values()}:
            self._fill(signer, outcomes)
        there = [flight for flight, is_known in zip(flights, known, strict=True) if is_known]
        self._revive([one for one in there if one.signed.tx_hash in self._flights], outcomes)
        return outcomes

    def _revive(self, flights: list[_Flight], outcomes: list[Outcome]) -> None:
        """Replace, once, what is next by its nonce and kept back by a node that does not count it.

        A node that mines while it files a transaction may wait for the nonce before it for ever.
        """
        addresses = sorted({flight.signer.address for flight in flights})
        try:
            # In this order: one that is mined in between is not taken for one that is kept back.
            counted = self._node.nonces(addresses, "pending")
            mined = self._node.nonces(addresses)
        except ChainError as error:
            self._trouble = str(error)
            return
        nonces = dict(zip(addresses, zip(counted, mined, strict=True), strict=True))
        parked = [
            one
            for one in flights
            if nonces[one.signer.address] == (one.nonce, one.nonce) and not one.replaced
        ]
        for flight in parked:
            flight.replaced = flight.signed.tx_hash
            flight.request = replace(
                flight.request,
                max_fee_wei=dearer(flight.request.max_fee_wei),
                tip_wei=dearer(flight.request.tip_wei),
            )
            flight.signed = flight.signer.sign(flight.request)
            self._flights[flight.signed.tx_hash] = flight
        if parked:
            self.progress.resent += len(parked)
            self._post(parked, outcomes)

    def _fill(self, signer: Signer, outcomes: list[Outcome]) -> None:
        """Empty transfers to oneself under the nonces that nothing has any more."""
        n_free = len(self._nonces[signer.address].free)
        empty = Message(signer, signer.address, b"", gas=TRANSFER_GAS)
        fillers = [self._sign(None, empty) for _ in range(min(n_free, BATCH))]
        if fillers:
            self._post(fillers, outcomes)

    def _give_up(self) -> list[Outcome]:
        """What is on its way is lost; what was never signed was not sent."""
        flights, self._flights = self._in_order(), {}
        messages, self._waiting = self._waiting, []
        lost = [
            outcome
            for flight in flights
            for outcome in self._outcome(flight, Fate.LOST, reason=self._trouble)
        ]
        never = [Outcome(at, "", Fate.LOST, reason=self._trouble, n_sent=0) for at, _ in messages]
        self.progress.settled += len(never)
        return lost + never
