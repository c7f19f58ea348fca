"""The chain that is thrown away: the lead's steps on it, its clock, and the way of the crowd."""

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from eth_utils.address import to_checksum_address

from minting.chain import contracts, logs, node, painted, toxic
from minting.chain.abi import FACTORY
from minting.chain.bulk import Bulk, Fate, Message, Outcome, Progress
from minting.chain.client import Call, Client, Receipt, RpcError, TransportError
from minting.chain.logs import SoldLog, TransferLog
from minting.chain.phases import TIME_LIMIT, Phase, PhaseKind
from minting.chain.rehearsal.crowd import SAME_NONCE, Order
from minting.chain.rehearsal.plan import BLOCK_GAS, BLOCK_S, NO_END, REVEAL_BLOCKS, Options, Plan
from minting.chain.signer import SignedTransaction, Signer, TransactionRequest
from minting.evolution import laws
from minting.provenance.keccak import ZERO
from minting.provenance.lineage import DropBody

# The fee of a block without use is nearly nothing here; gas is priced in the report.
MAX_FEE_WEI, TIP_WEI = 10**14, 1
LEAD_GAS = 10_000_000
RICH_WEI = 10**24
# A request that the proxy swallows is given up soon, and what it held is looked for after a block.
TIMEOUT_S = 2.0
QUIET_S = 1.2 * BLOCK_S
SAY_EVERY_S = 5.0
TRIES = 50
LOG_BLOCKS = 100

Say = Callable[[str], None]


class StageError(Exception):
    """A step of the lead was refused, or the node does not go on."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"{step}: {reason}")
        self.step = step
        self.reason = reason


@dataclass(frozen=True)
class Sent:
    """An order and what became of it; ``reason`` is why it was refused."""

    order: Order
    fate: Fate
    receipt: Receipt | None
    reason: str = ""

    @property
    def is_bought(self) -> bool:
        return self.fate is Fate.MINED


@dataclass
class Stage:
    """A collection on a node of our own; ``crowd`` is the way of everybody but the lead."""

    node: Client
    crowd: Client
    lead: Signer
    proxy: toxic.Proxy | None
    say: Say
    address: str = ""
    gas: dict[str, int] = field(default_factory=dict)
    n_resent: int = 0

    def fund(self, signers: Sequence[Signer]) -> None:
        calls = (("anvil_setBalance", [one.address, hex(RICH_WEI)]) for one in signers)
        self.node.batch((name, list(values)) for name, values in calls)

    def now(self) -> int:
        header = self.node.header("latest")
        assert header is not None
        return header.timestamp

    def jump(self, to: int) -> None:
        """The next block has this time, if that is not past."""
        if to <= self.now():
            return
        self.node.call("evm_setNextBlockTimestamp", to)
        deadline = time.monotonic() + 30 * BLOCK_S
        while self.now() < to:
            if time.monotonic() > deadline:
                raise StageError("the clock", "no block in time")
            time.sleep(0.05)

    def step(self, name: str, *calls: bytes, to: str | None = None) -> Receipt:
        """What the lead sends; its gas is kept under ``name``."""
        messages = [Message(self.lead, to, call, gas=LEAD_GAS) for call in calls]
        outcomes = list(self._bulk(self.node).send(messages))
        for outcome in outcomes:
            if outcome.fate is not Fate.MINED or outcome.receipt is None:
                [reason] = self._reasons([messages[outcome.place]], [outcome])
                raise StageError(name, reason)
            self.gas[name] = self.gas.get(name, 0) + outcome.receipt.gas_used
        receipt = outcomes[-1].receipt
        assert receipt is not None
        return receipt

    def ask(self, name: str, *arguments: Any) -> Any:
        raw = self.node.read(self.address, contracts.call(name, *arguments))
        return contracts.answer(name, raw)

    def send(self, orders: Sequence[Order]) -> list[Sent]:
        """What became of each order, in their order."""
        messages = [
            Message(one.signer, self.address, one.call, one.value_wei, one.gas) for one in orders
        ]
        bulk = self._bulk(self.crowd)
        outcomes = _all(bulk, messages)
        self.n_resent += bulk.progress.resent
        by_place = {one.place: one for one in outcomes}
        if len(by_place) != len(outcomes) or len(outcomes) != len(orders):
            raise StageError("the sender", f"{len(outcomes)} outcomes of {len(orders)} orders")
        found = [by_place[place] for place in range(len(orders))]
        reasons = self._reasons(messages, found)
        return [
            Sent(order, one.fate, one.receipt, reason)
            for order, one, reason in zip(orders, found, reasons, strict=True)
        ]

    def send_doubles(self, pairs: Sequence[tuple[Order, Order]]) -> list[Sent]:
        """Two orders under one nonce: what is mined is a purchase, the other one the trick."""
        if not pairs:
            return []
        signed = [self._signed(pair) for pair in pairs]
        refusals = self.node.send_all([one.raw for pair in signed for one in pair])
        hashes = [one.tx_hash for pair in signed for one in pair]
        deadline = time.monotonic() + 10 * BLOCK_S
        addresses = [pair[0].signer.address for pair in pairs]
        while min(self.node.nonces(addresses), default=1) < 1 and time.monotonic() < deadline:
            time.sleep(0.1)
        receipts = self.node.receipts(hashes)
        said = [refusal.message if refusal else "replaced" for refusal in refusals]
        found: list[Sent] = []
        for at, pair in enumerate(pairs):
            found += _judge_pair(pair, receipts[2 * at : 2 * at + 2], said[2 * at : 2 * at + 2])
        return found

    def bought(self, first_block: int) -> tuple[dict[int, tuple[str, int]], int]:
        """Token id -> (wallet, phase) of all mints, and what was paid for them."""
        minted: dict[int, tuple[str, int]] = {}
        paid_wei, last = 0, self.node.block_number()
        for at in range(first_block, last + 1, LOG_BLOCKS):
            raw = self.node.logs(
                self.address, at, min(at + LOG_BLOCKS - 1, last), list(logs.topics())
            )
            found = logs.decode_all(raw)
            sold = logs.bought(found)
            for log in found:
                if isinstance(log, SoldLog):
                    paid_wei += log.paid_wei
                elif isinstance(log, TransferLog) and log.is_mint:
                    if log.token_id in minted:
                        raise StageError("the sale", f"token {log.token_id} was minted twice")
                    minted[log.token_id] = (log.recipient, sold[log.token_id].phase)
        return minted, paid_wei

    def _signed(self, pair: tuple[Order, Order]) -> list[SignedTransaction]:
        return [
            one.signer.sign(
                TransactionRequest(
                    nonce=0,
                    to=self.address,
                    data=one.call,
                    value_wei=one.value_wei,
                    gas=one.gas,
                    max_fee_wei=MAX_FEE_WEI + place,  # two of the same works differ, too
                    tip_wei=TIP_WEI,
                )
            )
            for place, one in enumerate(pair)
        ]

    def _bulk(self, client: Client) -> Bulk:
        said = time.monotonic()

        def tell(progress: Progress) -> None:
            nonlocal said
            if time.monotonic() - said >= SAY_EVERY_S:
                said = time.monotonic()
                self.say(f"  {progress.settled:,} of {progress.signed:,} sent have settled")

        return Bulk(
            client, max_fee_wei=MAX_FEE_WEI, tip_wei=TIP_WEI, quiet_s=QUIET_S, on_progress=tell
        )

    def _reasons(self, messages: Sequence[Message], found: Sequence[Outcome]) -> list[str]:
        """Why each was refused; a revert is asked for again on the state after its block."""
        reasons = [one.reason for one in found]
        reverted = [
            (place, one.receipt.block_number)
            for place, one in enumerate(found)
            if one.receipt is not None and not one.receipt.succeeded
        ]
        answers = self.node.outcomes(_again(messages[place], at) for place, at in reverted)
        for (place, _), answer in zip(reverted, answers, strict=True):
            raw = answer.revert_data if isinstance(answer, RpcError) else b""
            reasons[place] = contracts.explain_revert(raw)
        return reasons


def _again(message: Message, block_number: int) -> Call:
    """A call of what was sent, on the state after a block."""
    request = {
        "from": message.signer.address,
        "data": "0x" + message.data.hex(),
        "value": hex(message.value_wei),
    } | ({"to": message.to} if message.to else {})
    return "eth_call", [request, hex(block_number)]


def _all(bulk: Bulk, messages: Sequence[Message]) -> list[Outcome]:
    """A sender raises only before it has sent anything: the first block number was lost."""
    for _ in range(TRIES):
        try:
            return list(bulk.send(messages))
        except TransportError:
            time.sleep(0.1)
    raise StageError("the sender", "the node does not answer")


def _judge_pair(
    pair: tuple[Order, Order], receipts: Sequence[Receipt | None], said: Sequence[str]
) -> list[Sent]:
    found = []
    is_bought = False
    for order, receipt, reason in zip(pair, receipts, said, strict=True):
        good = receipt is not None and receipt.succeeded
        if good and not is_bought:
            is_bought = True
            found.append(Sent(order, Fate.MINED, receipt))
            continue
        fate = Fate.MINED if good else Fate.REVERTED if receipt else Fate.REFUSED
        found.append(Sent(replace(order, trick=SAME_NONCE), fate, receipt, reason))
    return found


@contextmanager
def running(program: Path, plan: Plan, lead: Signer, options: Options, say: Say) -> Iterator[Stage]:
    """A node with the collection on it, at the drop that is to be rehearsed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    flags = ["--block-time", str(BLOCK_S), "--gas-limit", str(BLOCK_GAS)]
    flags += ["--block-base-fee-per-gas", "0"]
    with ExitStack() as stack:
        url = stack.enter_context(node.running(program, port, flags=flags))
        client = stack.enter_context(Client(url))
        toxins = toxic.running(url, options.seed)
        proxy = stack.enter_context(toxins) if options.has_faults else None
        way = stack.enter_context(Client(proxy.url if proxy else url, timeout_s=TIMEOUT_S))
        stage = Stage(client, way, lead, proxy, say)
        stage.fund([lead])
        libraries = contracts.libraries()
        stage.step("deploy", *libraries.values(), to=FACTORY)
        if plan.placed:
            stage.step("deploy the painter", *plan.placed, to=FACTORY)
        created = stage.step("deploy", plan.deployment)
        stage.address = str(created.contract_address)
        if plan.law is not None:
            _give_law(stage, plan.law)
        _pass_over(stage, plan.earlier)
        yield stage


def ready(stage: Stage, body: DropBody) -> DropBody:
    """The body with a reveal block that is to come here, if it has one."""
    if body.seed_commit == ZERO:
        return body
    return replace(body, reveal_block=stage.node.block_number() + REVEAL_BLOCKS)


def _give_law(stage: Stage, document: Mapping[str, Any]) -> None:
    """Stakes and evolution; pools that the law names are not here, and count for nothing."""
    name = "deploy stakes and evolution"
    created = stage.step(name, painted.staking(stage.address))
    staking = str(to_checksum_address(str(created.contract_address)))
    evolution = painted.evolution(stage.address, laws.complete(document, staking))
    stage.step(name, *evolution.calls.values(), to=FACTORY)
    calls = painted.set_locker(staking), painted.set_evolution(evolution.address)
    stage.step(name, *calls, to=stage.address)


def _pass_over(stage: Stage, earlier: Sequence[DropBody]) -> None:
    """Earlier drops keep their place: committed, and open for sale at the end of time."""
    never = Phase(
        kind=PhaseKind.PUBLIC, price_wei=0, start=NO_END - 1, end=NO_END, max_per_transaction=1
    )
    for number, body in enumerate(earlier, 1):
        here = ready(stage, body)
        calls = [
            contracts.commit_drop(here),
            contracts.open_sale(number, here, [never], TIME_LIMIT - 1),
        ]
        stage.step("earlier drops", *calls, to=stage.address)
