"""Reading the contracts' logs into rows, and taking rows back when the chain changes its mind.

Nodes do not announce reorganisations reliably, so they are found by hash: the newest stored block
must still be canonical, and neighbours must be parent and child.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.utils import timezone

from minting import services
from minting.chain import evolving, governor, logs, pools, stakes, votes
from minting.chain.client import ChainError, Client
from minting.chain.fulfilments import CANCELLED_TOPIC, COUNTER_TOPIC, MarketLog, decode_market
from minting.chain.logs import RevealLog, TransferLog
from minting.models import Block, Contract, Cursor, Governance, Pool, Source
from minting.services import GovernorWindow, PoolWindow, Window

logger = logging.getLogger(__name__)
Raw = dict[str, Any]

# Every block of the newest 64 is stored, so that a fork within them is found exactly.
REORG_WINDOW = 64
MAX_WINDOW = 4096
# Below it a request may ask for twice as many blocks next time.
FAST_S = 1.0
# So many windows are asked for in one array, and stored in one transaction.
WINDOWS_AT_ONCE = 4
# More logs than this in one transaction ask for narrower windows: each takes about 4 KB.
MAX_LOGS = 20_000
MAX_FORKS_PER_POLL = 5
READ = ("Transfer", "Sold", *logs.STEPS)
AnyWindow = Window | PoolWindow | GovernorWindow
# Nodes limit how many topics a query may name; a thousand is the lowest limit in use.
SELLERS_PER_QUERY = 500


Report = Callable[[Source, int, int], None]


def silent(source: Source, number: int, head: int) -> None:
    """Tell nobody that ``source`` has been read up to block ``number``."""


class ReorgTooDeepError(ChainError):
    """No stored block of the window is canonical any more: a person has to look."""

    def __init__(self, newest: int) -> None:
        super().__init__(
            f"none of the {REORG_WINDOW} blocks below {newest} is on the node's chain any more"
        )
        self.newest = newest


def poll(report: Report = silent) -> set[int]:
    """Bring the rows up to the head of the chain; returns the drops whose tokens changed.

    ``report`` is told how far a source has been read, after each step. While an alarm
    stands, nothing is read.

    Raises
    ------
    ReorgTooDeepError
        An alarm stands from now on.
    WrongChainError, UnknownTokenError
        The rows and the node cannot be reconciled; nothing was written that contradicts either.
    TransportError, RpcError
        The node is away, or refuses even a single block.
    """
    cursors = Cursor.objects.on_chain(settings.CHAIN_ID).in_order()
    sources = [cursor.source for cursor in cursors]
    if not sources or services.chain_alarms():
        return set()
    with services.connect() as node:
        node.check_chain(settings.CHAIN_ID)
        for _ in range(MAX_FORKS_PER_POLL - 1):
            try:
                return _read(node, sources, report)
            except services.ForkError as error:
                logger.info("%s; reading again", error)
        return _read(node, sources, report)


def _read(node: Client, sources: list[Source], report: Report) -> set[int]:
    try:
        touched = _recover(node)
    except ReorgTooDeepError as error:
        services.raise_alarm(chain_id=settings.CHAIN_ID, reason=str(error), now=timezone.now())
        raise
    head = node.block_number()
    services.note_head(chain_id=settings.CHAIN_ID, head=head)
    for source in sources:
        # Nothing is staked before this row says where: it has to be younger than the head.
        if isinstance(source, Contract):
            source.refresh_from_db()
        try:
            touched |= _catch_up(node, source, head, report)
        except services.CursorMovedError as error:
            logger.info("%s", error)
    return touched


def _recover(node: Client) -> set[int]:
    """Rewind to the newest stored block that is still canonical."""
    stored = Block.objects.filter(chain_id=settings.CHAIN_ID).newest_first()
    newest = stored.first()
    if newest is None:
        return set()
    if _canonical(node, [newest]):
        return set()
    older = stored.filter(number__lt=newest.number, number__gte=newest.number - REORG_WINDOW)
    still = _canonical(node, list(older))
    if not still:
        raise ReorgTooDeepError(newest.number)
    logger.warning("the chain changed above block %s", still[0].number)
    return services.rewind(chain_id=settings.CHAIN_ID, number=still[0].number)


def _canonical(node: Client, blocks: list[Block]) -> list[Block]:
    """Those of ``blocks`` that are on the node's chain, in their order."""
    headers = node.headers([block.number for block in blocks])
    return [
        block
        for block, header in zip(blocks, headers, strict=True)
        if header is not None and header.hash == block.hash
    ]


def _catch_up(node: Client, source: Source, head: int, report: Report) -> set[int]:
    """Read the logs of one contract or pool up to ``head``, some windows at a time."""
    cursor = Cursor.objects.of(source).get()
    at, window = cursor.number, cursor.window
    touched: set[int] = set()
    while at < head:
        last = min(at + window * (WINDOWS_AT_ONCE if window > 1 else 1), head)
        started = time.monotonic()
        try:
            found = _window(node, source, at + 1, last, head, window)
        except ChainError:
            if window == 1:
                raise
            services.shrink_window(source=source, window=window)
            window //= 2
            continue
        window = _next_window(window, len(found.places), time.monotonic() - started)
        touched |= _record(source, at + 1, last, window, found)
        services.prune_blocks(
            chain_id=source.chain_id,
            below=head - REORG_WINDOW,
            since=at - REORG_WINDOW,
        )
        at = last
        report(source, at, head)
    return touched


def _record(source: Source, first: int, last: int, window: int, found: AnyWindow) -> set[int]:
    """Rows of what a window holds; returns the drops whose tokens changed."""
    if isinstance(source, Pool):
        assert isinstance(found, PoolWindow)
        services.record_pool_window(pool=source, first=first, last=last, window=window, found=found)
        return set()
    if isinstance(source, Governance):
        assert isinstance(found, GovernorWindow)
        services.record_governor_window(
            governance=source, first=first, last=last, window=window, found=found
        )
        return set()
    assert isinstance(found, Window)
    return services.record_window(
        contract=source, first=first, last=last, window=window, found=found
    )


def _next_window(window: int, n_logs: int, seconds: float) -> int:
    """How many blocks to ask for next, by how many logs the last ones had and how long it took."""
    if n_logs > MAX_LOGS:
        return max(1, window // 2)
    is_easy = seconds < FAST_S and n_logs < MAX_LOGS // 4
    return min(window * 2, MAX_WINDOW) if is_easy else window


def _window(
    node: Client, source: Source, first: int, last: int, head: int, window: int
) -> AnyWindow:
    """Logs in blocks first..last with the headers to store, all of one fork."""
    before = node.header(last)
    found: AnyWindow
    with logs.uncollected():
        if isinstance(source, Pool):
            found = _pool_logs(node, source, first, last, window)
        elif isinstance(source, Governance):
            found = _governor_logs(node, source, first, last, window)
        else:
            found = _contract_logs(node, source, first, last, window)
    is_first = not Block.objects.filter(chain_id=source.chain_id).exists()
    recent = range(max(0 if is_first else first, head - REORG_WINDOW), last + 1)
    numbers = sorted({place.block_number for place in found.places} | {last} | set(recent))
    answers = node.headers(numbers)
    headers = [header for header in answers if header is not None]
    if before is None or len(headers) != len(numbers) or headers[-1].hash != before.hash:
        gone = (number for number, header in zip(numbers, answers, strict=True) if header is None)
        raise services.ForkError(next(gone, last))
    return replace(found, headers=headers)


def _contract_logs(node: Client, contract: Contract, first: int, last: int, window: int) -> Window:
    """A collection's logs, and those of what stakes and moves its works, in one question."""
    addresses = [contract.address]
    topics = [logs.topic(name) for name in READ] + votes.TOPICS
    if contract.staking_address:
        addresses.append(contract.staking_address)
        topics += stakes.topics()
    if contract.evolution_address:
        addresses.append(contract.evolution_address)
        topics += evolving.topics()
    raw = _sorted_out(contract, node.logs(addresses, first, last, topics, step=window))
    own = logs.decode_all(raw.mine)
    transfers = [log for log in own if isinstance(log, TransferLog)]
    return Window(
        headers=(),
        transfers=transfers,
        sold=logs.bought(own),
        reveals=[log for log in own if isinstance(log, RevealLog)],
        market=_market(node, contract, first, last, transfers),
        staked=stakes.decode_stakes(raw.staked),
        voted=votes.decode_votes(raw.voted),
        moved=evolving.decode_evolution(raw.moved),
    )


@dataclass
class _Sorted:
    """The collection's logs, those of them about votes, and those of its other contracts."""

    mine: list[Raw] = field(default_factory=list)
    voted: list[Raw] = field(default_factory=list)
    staked: list[Raw] = field(default_factory=list)
    moved: list[Raw] = field(default_factory=list)


def _sorted_out(contract: Contract, raw: list[Raw]) -> _Sorted:
    ours, evolution = contract.address.lower(), contract.evolution_address.lower()
    found = _Sorted()
    for entry in raw:
        if entry["address"].lower() == evolution:
            found.moved.append(entry)
        elif entry["address"].lower() != ours:
            found.staked.append(entry)
        elif entry["topics"][0] in votes.TOPICS:
            found.voted.append(entry)
        else:
            found.mine.append(entry)
    return found


def _pool_logs(node: Client, pool: Pool, first: int, last: int, window: int) -> PoolWindow:
    """A pool's logs but those that it wrote in its own way."""
    raw = node.logs(pool.address, first, last, pools.topics(pool.kind), step=window)
    found, refused = pools.readable(raw)
    if refused:
        logger.warning("%s logs of pool %s left out: %s", len(refused), pool, refused[0])
    return PoolWindow((), found)


def _governor_logs(
    node: Client, source: Governance, first: int, last: int, window: int
) -> GovernorWindow:
    """What governor, timelock and bounds wrote."""
    addresses = [source.governor, source.timelock, source.bounds]
    raw = node.logs(addresses, first, last, list(governor.NAMES), step=window)
    return GovernorWindow((), governor.decode_governor(raw))


def _market(
    node: Client, contract: Contract, first: int, last: int, transfers: list[TransferLog]
) -> list[MarketLog]:
    """Seaport's logs that concern us.

    Every sale moves a token, so sales are found in the receipts of the transfers' transactions:
    Seaport's logs name no token by topic, and a public chain has thousands of strangers' a day.
    """
    address = services.find_marketplace(chain_id=contract.chain_id)
    if address is None:
        return []
    moved = {log.place.tx_hash: log.place for log in transfers if not log.is_mint}
    raw: list[Raw] = []
    for place, found in zip(moved.values(), node.receipt_logs(list(moved)), strict=True):
        if found is None:
            raise services.ForkError(place.block_number)
        raw += [entry for entry in found if entry["address"].lower() == address.lower()]
    sellers = services.open_sellers(contract=contract)
    for at in range(0, len(sellers), SELLERS_PER_QUERY):
        words = ["0x" + seller[2:].lower().zfill(64) for seller in sellers[at:][:SELLERS_PER_QUERY]]
        raw += node.logs(address, first, last, [CANCELLED_TOPIC, COUNTER_TOPIC], words)
    return _once(decode_market(raw))


def _once(found: list[MarketLog]) -> list[MarketLog]:
    """A cancellation may stand in a transaction that also moves a token, and be found twice."""
    return list({(log.place.tx_hash, log.place.log_index): log for log in found}.values())
