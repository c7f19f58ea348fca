"""How fast the chain is written to, beside web3.py, on fresh nodes in the same run.

    .venv/bin/python -m benchmarks.chain [--part NAME] [--mints 10000] [--logs 20000] [--json FILE]

Mint stream: transactions that mint one work each, from signing to the receipt, against anvil with
a block gas limit of 3 billion. web3.py one at a time: each waits for its receipt before the next,
its nonce counted here; in a pipeline: all are sent, then all receipts are asked for. Each runs on
a node of its own. A node that mines at once is best for the first; for streams, one that mines
every 0.2 s and keeps no old states, so the pipeline and ours run on both. The outbox: intents are
rows; ``pump`` takes them to their receipts.

The way back is in ``benchmarks.indexing`` (log decoding) and ``benchmarks.catching_up``, Merkle
trees in ``benchmarks.trees``; packing a CAR beside ipfs-car is a part of ``benchmarks.collection``.
"""

import argparse
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from minting.chain import contracts, node
from minting.chain.abi import FACTORY
from minting.chain.bulk import Bulk, Fate, Message
from minting.chain.client import Client
from minting.chain.phases import Phase, PhaseKind
from minting.chain.signer import Signer
from minting.provenance.lineage import DropBody

ROOT = Path(__file__).parent.parent
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # anvil's first
GAS_LIMIT = 3_000_000_000
AT_ONCE: list[str] = []
STREAM = ["--block-time", "0.2", "--prune-history"]
GAS, MAX_FEE_WEI, TIP_WEI = 200_000, 10**11, 10**9
# One at a time takes a fifteenth of a second for each.
N_NAIVE = 300
# The most works that one transaction mints where only their logs matter.
PER_MINT = 200


@dataclass(frozen=True)
class Row:
    """One way to do a part's work."""

    part: str
    way: str
    n: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.n / self.seconds


@dataclass(frozen=True)
class Market:
    """A contract with a drop on sale."""

    url: str
    client: Client
    address: str

    def supply(self) -> int:
        raw = self.client.read(self.address, contracts.call("totalSupply"))
        return int(contracts.answer("totalSupply", raw))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--mints", type=int, default=10_000)
    parser.add_argument("--logs", type=int, default=20_000)
    parser.add_argument("--leaves", type=int, default=10_000)
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    asked = parser.parse_args()
    rows = [row for part in asked.part or PARTS for row in PARTS[part](asked)]
    print_table(rows)
    if asked.json:
        found = [asdict(row) | {"rate": row.rate} for row in rows]
        asked.json.write_text(json.dumps(found, indent=1) + "\n")


def print_table(rows: list[Row]) -> None:
    """Rates, and how many times the rate of the part's first way each one is."""
    first = {row.part: row for row in reversed(rows)}
    print(f"{'part':14}{'way':54}{'n':>8}{'seconds':>9}{'per s':>9}{'ratio':>8}")
    for row in rows:
        ratio = row.rate / first[row.part].rate
        print(f"{row.part:14}{row.way:54}{row.n:8,}{row.seconds:9.2f}{row.rate:9,.0f}{ratio:8.1f}")


def mint_stream(asked: argparse.Namespace) -> Iterator[Row]:
    ways: list[tuple[str, list[str], int, Callable[[Market, int], None]]] = [
        ("web3.py, one at a time", AT_ONCE, N_NAIVE, web3_one_at_a_time),
        ("web3.py, pipeline", AT_ONCE, N_NAIVE * 3, web3_pipeline),
        ("web3.py, pipeline, blocks of 0.2 s", STREAM, N_NAIVE * 3, web3_pipeline),
        ("ours, arrays", AT_ONCE, asked.mints // 10, ours),
        ("ours, arrays, blocks of 0.2 s", STREAM, asked.mints, ours),
        ("ours, outbox, blocks of 0.2 s", STREAM, asked.mints // 5, outbox),
    ]
    prepare_database()
    for way, flags, n, mint in ways:
        with on_sale(flags, n) as market:
            started = time.perf_counter()
            mint(market, n)
            row = Row("mint stream", way, n, time.perf_counter() - started)
            assert market.supply() == n, (way, market.supply())
            yield row


def mint_call(quantity: int = 1) -> bytes:
    return contracts.mint(1, 0, quantity)


@contextmanager
def on_sale(flags: list[str], n_works: int) -> Iterator[Market]:
    """A fresh node with a free drop of ``n_works`` on sale."""
    with running(flags) as url, Client(url) as client:
        signer = Signer(KEY, node.LOCAL_CHAIN_ID)
        creation = contracts.deployment(
            name="Stream",
            symbol="STREAM",
            contract_uri="",
            live_uri="",
            treasury=signer.address,
            royalty_bps=0,
        )
        for call in contracts.libraries().values():
            send(client, signer, call, FACTORY)
        address = send(client, signer, creation, None)
        body = drop_body(n_works)
        free = Phase(
            kind=PhaseKind.PUBLIC, price_wei=0, start=1, end=2**40 - 2, max_per_transaction=PER_MINT
        )
        send(client, signer, contracts.commit_drop(body), address)
        send(client, signer, contracts.open_sale(1, body, [free], 2**40 - 1), address)
        yield Market(url, client, address)


def drop_body(n_works: int) -> DropBody:
    """A drop of which only the number of works matters."""
    hashes = [one.name for one in fields(DropBody) if one.type in (bytes, "bytes")]
    words: dict[str, Any] = dict.fromkeys(hashes, bytes(32))
    words |= {"metadata_root": b"\1" * 32, "folder": b"\2" * 32}
    return DropBody(reveal_block=0, first_token_id=1, count=n_works, **words)


def send(client: Client, signer: Signer, call: bytes, to: str | None) -> str:
    """One transaction; returns the address it is about."""
    message = Message(signer, to, call, gas=10_000_000)
    [outcome] = Bulk(client, max_fee_wei=MAX_FEE_WEI, tip_wei=TIP_WEI).send([message])
    assert outcome.receipt is not None, outcome
    assert outcome.fate is Fate.MINED, outcome
    return to or str(outcome.receipt.contract_address)


@contextmanager
def running(flags: list[str]) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    more = ["--gas-limit", str(GAS_LIMIT), *flags]
    with node.running(node.anvil(ROOT / "node_modules"), port, flags=more) as url:
        yield url


def _web3_transaction(nonce: int, to: str) -> dict[str, object]:
    from eth_utils.address import to_checksum_address

    return {
        "type": 2,
        "chainId": node.LOCAL_CHAIN_ID,
        "nonce": nonce,
        "to": to_checksum_address(to),
        "data": mint_call(),
        "value": 0,
        "gas": GAS,
        "maxFeePerGas": MAX_FEE_WEI,
        "maxPriorityFeePerGas": TIP_WEI,
    }


def web3_one_at_a_time(market: Market, n: int) -> None:
    from web3 import Web3

    web3 = Web3(Web3.HTTPProvider(market.url))
    account = web3.eth.account.from_key(KEY)
    first = web3.eth.get_transaction_count(account.address)
    for nonce in range(first, first + n):
        signed = account.sign_transaction(_web3_transaction(nonce, market.address))
        sent = web3.eth.send_raw_transaction(signed.raw_transaction)
        web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.002)


def web3_pipeline(market: Market, n: int) -> None:
    """Receipts can be asked for in batches; ``batch_requests`` refuses sending."""
    from web3 import Web3

    web3 = Web3(Web3.HTTPProvider(market.url))
    account = web3.eth.account.from_key(KEY)
    first = web3.eth.get_transaction_count(account.address)
    sent = [
        web3.eth.send_raw_transaction(
            account.sign_transaction(_web3_transaction(nonce, market.address)).raw_transaction
        )
        for nonce in range(first, first + n)
    ]
    web3.eth.wait_for_transaction_receipt(sent[-1], poll_latency=0.002)
    for at in range(0, n, 100):
        with web3.batch_requests() as batch:
            for tx_hash in sent[at : at + 100]:
                batch.add(web3.eth.get_transaction_receipt(tx_hash))
            receipts: list[Any] = batch.execute()
            assert all(receipt["status"] == 1 for receipt in receipts)


def ours(market: Market, n: int) -> None:
    signer = Signer(KEY, node.LOCAL_CHAIN_ID)
    message = Message(signer, market.address, mint_call(), gas=GAS)
    bulk = Bulk(market.client, max_fee_wei=MAX_FEE_WEI, tip_wei=TIP_WEI)
    for outcome in bulk.send(message for _ in range(n)):
        assert outcome.fate is Fate.MINED, outcome


def outbox(market: Market, n: int) -> None:
    """Keyed rows on SQLite, written, signed, sent, followed and settled."""
    from django.conf import settings
    from django.utils import timezone

    from minting import sender
    from minting.models import ChainTransaction, Contract

    settings.CHAIN_RPC_URL = market.url
    contract = Contract.objects.get()
    contract.address, contract.deployed_block = market.address, 0
    contract.save()
    ChainTransaction.objects.bulk_create(
        ChainTransaction(
            key=f"mint:{market.url}:{i}",
            kind=ChainTransaction.Kind.MINT,
            contract=contract,
            chain_id=contract.chain_id,
            sender=contract.treasury,
            call=mint_call(),
        )
        for i in range(n)
    )
    while ChainTransaction.objects.unsettled().exists():
        sender.pump(timezone.now())


def log_decoding(asked: argparse.Namespace) -> Iterator[Row]:
    from benchmarks import indexing

    return indexing.log_decoding(asked)


def catch_up(asked: argparse.Namespace) -> Iterator[Row]:
    from benchmarks import catching_up

    return catching_up.catch_up(asked)


def merkle_trees(asked: argparse.Namespace) -> Iterator[Row]:
    from benchmarks import trees

    return trees.merkle_trees(asked)


def prepare_database() -> None:
    """A new database on disk with a collection whose contract is not deployed yet."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from generation.models import Checkpoint, Collection
    from minting.models import Contract

    checkpoint = Checkpoint.objects.create(
        sha256="0" * 64, config={}, recipe={}, parser_sha256="0" * 64
    )
    Contract.objects.create(
        collection=Collection.objects.create(slug="stream", name="Stream", checkpoint=checkpoint),
        chain_id=node.LOCAL_CHAIN_ID,
        treasury=Signer(KEY, node.LOCAL_CHAIN_ID).address,
        royalty_bps=0,
    )


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "mint-stream": mint_stream,
    "log-decoding": log_decoding,
    "catch-up": catch_up,
    "merkle": merkle_trees,
}


if __name__ == "__main__":
    main()
