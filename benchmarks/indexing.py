"""How fast logs become rows: two parts of ``benchmarks.chain``.

Log decoding: Transfer logs of real mints, from the node's answer to rows, by web3.py's get_logs
and process_log and by the indexer's reader; the rows are compared one by one. Catch-up: the indexer
from a contract's creation to the head, all of it mints, with the most memory that it had.
"""

import argparse
import resource
import statistics
import sys
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
    prepare_database,
)
from minting.chain import contracts, logs, node
from minting.chain.bulk import Bulk, Fate, Message
from minting.chain.signer import Signer

N_WALLETS = 50
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
    messages = (
        Message(signer, market.address, call, gas=gas)
        for signer in islice(cycle(signers), n // PER_MINT)
    )
    for outcome in bulk.send(messages):
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


def catch_up(asked: argparse.Namespace) -> Iterator[Row]:
    """The peak can only rise, so a fifth is read first: what all take more is how it grows."""
    prepare_database()
    for n in (asked.logs // 5, asked.logs):
        n -= n % PER_MINT
        with on_sale(AT_ONCE, n) as market:
            mint_in_bulk(market, n)
            started = time.perf_counter()
            n_steps = read_all(market, n)
            peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            way = f"rows on SQLite, {n_steps} steps, peak {peak_mib} MiB"
            yield Row("catch-up", way, n, _since(started))


def read_all(market: Market, n: int) -> int:
    """The indexer from the contract's creation to the head; returns its number of steps."""
    from django.conf import settings

    from minting import indexer
    from minting.models import Alarm, Block, Commitment, Contract, Cursor, Source, Token, Transfer

    for table in (Transfer, Token, Block, Cursor, Commitment, Alarm):
        table._default_manager.all()._raw_delete("default")
    settings.CHAIN_RPC_URL = market.url
    contract = Contract.objects.get()
    contract.address, contract.deployed_block = market.address, 1
    contract.save()
    commit(contract, n)
    Cursor.objects.create(contract=contract, number=0)
    steps: list[int] = []

    def report(source: Source, number: int, head: int) -> None:
        steps.append(number)
        if sys.stderr.isatty():
            print(f"\r{number:,} of {head:,} blocks", end="", file=sys.stderr)

    indexer.poll(report)
    assert Transfer.objects.count() == Token.objects.count() == n
    return len(steps)


def commit(contract: Any, n: int) -> None:
    """A commitment of which only the number of works matters."""
    from generation.models import Drop, ParameterSet
    from minting.models import Commitment

    parameters, _ = ParameterSet.objects.get_or_create(
        collection=contract.collection, number=1, defaults={"source": "first", "body": {}}
    )
    drop, _ = Drop.objects.get_or_create(
        collection=contract.collection,
        number=1,
        defaults={
            "parameter_set": parameters,
            "checkpoint": contract.collection.checkpoint,
            "size": n,
        },
    )
    hashes = [
        field.name
        for field in Commitment._meta.fields
        if getattr(field, "max_length", None) == 64 and field.name != "secret"
    ]
    Commitment.objects.create(
        drop=drop,
        collection=contract.collection,
        number=1,
        first_token_id=1,
        count=n,
        manifest={},
        **dict.fromkeys(hashes, "0" * 64),
    )
