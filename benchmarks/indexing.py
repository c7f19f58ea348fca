"""How fast logs are decoded: a part of ``benchmarks.chain``.

Logs of real mints, and of real trades in a Uniswap v3 pool, from the node's answer to what the
indexer stores, by web3.py's get_logs and process_log and by the indexer's reader, in turn; what
both found is compared one by one. The ratio is the median of those of neighbours in time.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, cycle, islice, product
from typing import Any

from benchmarks.chain import (
    AT_ONCE,
    MAX_FEE_WEI,
    PER_MINT,
    TIP_WEI,
    Market,
    Row,
    mint_call,
    on_sale,
    prepare_database,
    running,
)
from minting.chain import contracts, logs, node, pools
from minting.chain.bulk import Bulk, Fate, Message
from minting.chain.client import Client
from minting.chain.signer import Signer

N_WALLETS = 50
# Transactions that wait for a block together: 100 of them are 20,000 logs.
MINTS_AT_ONCE = 100
SWAPS_A_BLOCK = 200  # as many logs as a transaction of the mints
N_ROUNDS, N_READINGS = 5, 3
# As the indexer asks: some windows of so many blocks in an array.
LOG_WINDOW, WINDOWS_AT_ONCE = 8, 4

Found = tuple[Any, ...]


@dataclass(frozen=True)
class Subject:
    """Logs of one event: how they are read by either, to the same values in the same order."""

    part: str
    client: Client
    url: str
    address: str
    abi: list[Any]
    event: str
    topic: str
    arguments: tuple[str, ...]
    decode: Callable[[list[dict[str, Any]]], list[Any]]
    values: Callable[[Any], Found]


def log_decoding(asked: argparse.Namespace) -> Iterator[Row]:
    n = asked.logs - asked.logs % PER_MINT
    with on_sale(AT_ONCE, n) as market:
        mint_in_bulk(market, n)
        yield from compared(transfers(market), n)
    n = asked.logs // 4
    prepare_database()  # models are imported with the exchange
    with running(AT_ONCE) as url:
        yield from compared(swaps(url, n), n)


def compared(subject: Subject, n: int) -> Iterator[Row]:
    """Both in turn, so that what else the machine does meets both.

    Ours takes a twentieth of the time, in which much may happen by chance: it is asked thrice.
    """
    theirs_s, ours_s = [], []
    for _ in range(N_ROUNDS):
        seconds, theirs = timed(web3_logs, subject)
        theirs_s.append(seconds)
        readings = [timed(our_logs, subject) for _ in range(N_READINGS)]
        ours_s.append(statistics.median(seconds for seconds, _ in readings))
        for _, found in readings:
            assert [_placed(log.place, subject.values(log)) for log in found] == theirs
        assert len(theirs) == n
    ratios = sorted(a / b for a, b in zip(theirs_s, ours_s, strict=True))
    said = f"{statistics.median(ratios):.1f} times ({ratios[0]:.1f} to {ratios[-1]:.1f})"
    yield Row(subject.part, "web3.py, get_logs, process_log", n, statistics.median(theirs_s))
    yield Row(subject.part, f"ours, same rows, {said}", n, statistics.median(ours_s))


def timed(read: Callable[[Subject], list[Any]], subject: Subject) -> tuple[float, list[Any]]:
    started = time.perf_counter()
    found = read(subject)
    return time.perf_counter() - started, found


def _placed(place: logs.Place, values: Found) -> Found:
    return (place.block_number, place.block_hash, place.tx_hash, place.log_index, *values)


def transfers(market: Market) -> Subject:
    return Subject(
        part="transfers",
        client=market.client,
        url=market.url,
        address=market.address,
        abi=contracts.collection().entries,
        event="Transfer",
        topic=logs.TRANSFER_TOPIC,
        arguments=("from", "to", "tokenId"),
        decode=logs.decode_all,
        values=lambda log: (log.sender, log.recipient, log.token_id),
    )


def swaps(url: str, n: int) -> Subject:
    """``n`` trades in a Uniswap v3 pool, there and back."""
    from tests.fixtures.chain import ALICE, BOB, Chain
    from tests.minting import uniswap

    chain = Chain(url)
    exchange = uniswap.open_exchange(chain, ALICE, BOB)
    exchange.add_range(ALICE, -uniswap.WIDE, uniswap.WIDE, 10**23)
    nonces = {who: count(chain.nonce(who)) for who in (ALICE, BOB)}
    wanted = [
        exchange.v3_trade(who, 10**18, is_first=is_first) | {"nonce": hex(next(nonces[who]))}
        for who, is_first in islice(cycle(product((ALICE, BOB), (True, False))), n)
    ]
    chain.call("evm_setAutomine", False)
    for at in range(0, n, SWAPS_A_BLOCK):
        calls = wanted[at : at + SWAPS_A_BLOCK]
        chain.batch(("eth_sendTransaction", [call]) for call in calls)
        chain.mine()
    return Subject(
        part="pool swaps",
        client=chain,
        url=url,
        address=exchange.pool,
        abi=uniswap.POOL.entries,
        event="Swap",
        topic=pools.TOPICS["v3 swap"],
        arguments=(
            "sender",
            "recipient",
            "amount0",
            "amount1",
            "sqrtPriceX96",
            "liquidity",
            "tick",
        ),
        decode=lambda raw: pools.readable(raw)[0],
        values=lambda log: (
            log.swap.sender,
            log.swap.recipient,
            log.swap.amount0,
            log.swap.amount1,
            log.sqrt_price_x96,
            log.liquidity,
            log.tick,
        ),
    )


def mint_in_bulk(market: Market, n: int) -> None:
    """``n`` Transfer logs, minted by ``N_WALLETS`` in turn."""
    signers = [Signer(f"0x{i:064x}", node.LOCAL_CHAIN_ID) for i in range(1, N_WALLETS + 1)]
    for signer in signers:
        market.client.call("anvil_setBalance", signer.address, hex(10**24))
    call, gas = mint_call(PER_MINT), PER_MINT * 60_000 + 100_000
    bulk = Bulk(market.client, max_fee_wei=MAX_FEE_WEI, tip_wei=TIP_WEI)
    messages = [
        Message(signer, market.address, call, gas=gas)
        for signer in islice(cycle(signers), n // PER_MINT)
    ]
    for at in range(0, len(messages), MINTS_AT_ONCE):
        for outcome in bulk.send(messages[at : at + MINTS_AT_ONCE]):
            assert outcome.fate is Fate.MINED, outcome


def web3_logs(subject: Subject) -> list[Found]:
    from eth_utils.address import to_checksum_address
    from web3 import Web3

    web3 = Web3(Web3.HTTPProvider(subject.url, request_kwargs={"timeout": 60}))
    contract = web3.eth.contract(address=to_checksum_address(subject.address), abi=subject.abi)
    event = contract.events[subject.event]()
    found: list[Found] = []
    last = subject.client.block_number()
    for first in range(0, last + 1, LOG_WINDOW):
        query: Any = {
            "address": contract.address,
            "fromBlock": first,
            "toBlock": min(first + LOG_WINDOW - 1, last),
            "topics": [subject.topic],
        }
        for raw in web3.eth.get_logs(query):
            log = event.process_log(raw)
            place = logs.Place(
                log["blockNumber"],
                log["blockHash"].to_0x_hex(),
                log["transactionHash"].to_0x_hex(),
                log["logIndex"],
            )
            found.append(_placed(place, tuple(log["args"][name] for name in subject.arguments)))
    return found


def our_logs(subject: Subject) -> list[Any]:
    found: list[Any] = []
    span = LOG_WINDOW * WINDOWS_AT_ONCE
    last = subject.client.block_number()
    for first in range(0, last + 1, span):
        until = min(first + span - 1, last)
        with logs.uncollected():
            raw = subject.client.logs(
                subject.address, first, until, [subject.topic], step=LOG_WINDOW
            )
            found += subject.decode(raw)
    return found
