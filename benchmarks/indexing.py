"""How fast logs are decoded: a part of ``benchmarks.chain``.

Logs of real mints, and of real trades in a Uniswap v3 pool, from the node's answer to what the
indexer stores, by web3.py's get_logs and process_log and by the indexer's reader, in turn; what
both found is compared one by one. The ratio is the median of those of neighbours in time.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from itertools import cycle, islice
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
)
from minting.chain import contracts, logs, node
from minting.chain.bulk import Bulk, Fate, Message
from minting.chain.signer import Signer

N_WALLETS = 50
# Transactions that wait for a block together: 100 of them are 20,000 logs.
MINTS_AT_ONCE = 100
N_DECODINGS = 3
# As the indexer asks: some windows of so many blocks in an array.
LOG_WINDOW, WINDOWS_AT_ONCE = 8, 4

Found = tuple[int, str, str, int, str, str, int]


def log_decoding(asked: argparse.Namespace) -> Iterator[Row]:
    n = asked.logs - asked.logs % PER_MINT
    with on_sale(AT_ONCE, n) as market:
        mint_in_bulk(market, n)
        last = market.client.block_number()
        seconds, found = _read_ours(market, last)
        started = time.perf_counter()
        theirs = web3_logs(market, last)
        yield Row("log decoding", "web3.py, get_logs and process_log", n, _since(started))
        # Before and after, so that what else the machine does meets both.
        seconds += _read_ours(market, last)[0]
        ours = [
            (
                log.place.block_number,
                log.place.block_hash,
                log.place.tx_hash,
                log.place.log_index,
                log.sender,
                log.recipient,
                log.token_id,
            )
            for log in found
        ]
        assert len(ours) == n
        assert ours == theirs
        name = f"ours, median of {len(seconds)}, the same rows"
        yield Row("log decoding", name, n, statistics.median(seconds))


def _read_ours(market: Market, last: int) -> tuple[list[float], list[logs.TransferLog]]:
    seconds, found = [], []
    for _ in range(N_DECODINGS):
        started = time.perf_counter()
        found = our_logs(market, last)
        seconds.append(_since(started))
    return seconds, found


def _since(started: float) -> float:
    return time.perf_counter() - started


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


def web3_logs(market: Market, last: int) -> list[Found]:
    from eth_utils.address import to_checksum_address
    from web3 import Web3

    web3 = Web3(Web3.HTTPProvider(market.url, request_kwargs={"timeout": 60}))
    entries: Any = contracts.collection().entries
    contract = web3.eth.contract(address=to_checksum_address(market.address), abi=entries)
    event = contract.events.Transfer()
    found: list[Found] = []
    for first in range(0, last + 1, LOG_WINDOW):
        query: Any = {
            "address": contract.address,
            "fromBlock": first,
            "toBlock": min(first + LOG_WINDOW - 1, last),
            "topics": [logs.TRANSFER_TOPIC],
        }
        for raw in web3.eth.get_logs(query):
            log = event.process_log(raw)
            found.append(
                (
                    log["blockNumber"],
                    log["blockHash"].to_0x_hex(),
                    log["transactionHash"].to_0x_hex(),
                    log["logIndex"],
                    log["args"]["from"],
                    log["args"]["to"],
                    log["args"]["tokenId"],
                )
            )
    return found


def our_logs(market: Market, last: int) -> list[logs.TransferLog]:
    found: list[logs.Log] = []
    span = LOG_WINDOW * WINDOWS_AT_ONCE
    for first in range(0, last + 1, span):
        until = min(first + span - 1, last)
        topics = [logs.TRANSFER_TOPIC]
        found += logs.decode_all(
            market.client.logs(market.address, first, until, topics, step=LOG_WINDOW)
        )
    return [log for log in found if isinstance(log, logs.TransferLog)]
