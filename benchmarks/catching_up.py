"""How fast, and in how much memory, an installation catches up: a part of ``benchmarks.chain``.

``manage.py reindex --resume`` in a process of its own, on a database of its own (SQLite, or
DATABASE_URL), from a contract's creation to the head, all of it mints. Once in peace, with the most
memory that the process had; a fifth of the logs first, to see how that grows. Then once more,
killed with SIGKILL at a quarter, a half and three quarters of the blocks: the rows have to be the
same. Progress goes to the terminal.
"""

import argparse
import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

from benchmarks.chain import PER_MINT, ROOT, Market, Row, mint_call, on_sale
from minting.chain import node

# A node that keeps no old states. Each block takes it longer the more works there are, 2 s at a
# million, so blocks are few: of 10,000 logs, half of what one answer may hold.
FLAGS = ["--prune-history"]
MINTS_A_BLOCK = 50
MINT_GAS = PER_MINT * 60_000 + 100_000
KILLS = (0.25, 0.5, 0.75)
MID_STEP_S = 1.0  # a step takes about 2 s: killed while it reads or stores
PROGRESS = re.compile(r"block (\d+) of (\d+)")


def catch_up(asked: argparse.Namespace) -> Iterator[Row]:
    for n in (asked.logs // 5, asked.logs):
        n -= n % PER_MINT
        with on_sale(FLAGS, n) as market:
            mint_blocks(market, n)
            with tempfile.TemporaryDirectory() as folder:
                peace, row = in_peace(market, n, Path(folder))
                yield row
            if n < asked.logs // PER_MINT * PER_MINT:
                continue
            with tempfile.TemporaryDirectory() as folder:
                killed, row = with_kills(market, n, Path(folder))
                assert killed == peace, "the rows differ"
                yield row


def mint_blocks(market: Market, n: int) -> None:
    """``n`` Transfer logs, in few blocks, minted by the node's own accounts in turn."""
    wallets = market.client.call("eth_accounts")
    nonces = {wallet: count(market.client.nonce(wallet)) for wallet in wallets}
    mint = {"to": market.address, "data": "0x" + mint_call(PER_MINT).hex(), "gas": hex(MINT_GAS)}
    wanted = [
        mint | {"from": wallet, "nonce": hex(next(nonces[wallet]))}
        for wallet in islice(cycle(wallets), n // PER_MINT)
    ]
    market.client.call("evm_setAutomine", False)
    for at in range(0, len(wanted), MINTS_A_BLOCK):
        calls = wanted[at : at + MINTS_A_BLOCK]
        market.client.batch(("eth_sendTransaction", [call]) for call in calls)
        market.client.call("evm_mine")
    assert market.supply() == n, market.supply()


def in_peace(market: Market, n: int, var: Path) -> tuple[str, Row]:
    """A digest of the rows, and how long they took."""
    installation = prepare(market, n, var)
    started = time.perf_counter()
    peak_mib, _ = read_on(installation, 2.0)
    seconds = time.perf_counter() - started
    way = f"rows on {engine()}, peak {peak_mib:,.0f} MiB"
    return digest(installation, n), Row("catch-up", way, n, seconds)


def with_kills(market: Market, n: int, var: Path) -> tuple[str, Row]:
    installation = prepare(market, n, var)
    started = time.perf_counter()
    peaks = []
    for share in (*KILLS, 2.0):
        peak_mib, reached = read_on(installation, share)
        peaks.append(peak_mib)
        print(f"ended at {reached:.0%} of the blocks", file=sys.stderr)
    seconds = time.perf_counter() - started
    way = f"killed {len(KILLS)} times, same rows, peak {max(peaks):,.0f} MiB"
    return digest(installation, n), Row("catch-up", way, n, seconds)


def engine() -> str:
    return "PostgreSQL" if "postgres" in os.environ.get("DATABASE_URL", "") else "SQLite"


def prepare(market: Market, n: int, var: Path) -> dict[str, str]:
    """The environment of an installation that has a contract and has read nothing."""
    found = os.environ | {"MORPHORA_VAR": str(var), "CHAIN_RPC_URL": market.url}
    found |= {"DJANGO_SETTINGS_MODULE": "config.settings.embedded"}
    ours(found, "prepare", market.address, str(n))
    return found


def digest(installation: dict[str, str], n: int) -> str:
    return ours(installation, "digest", "", str(n))


def ours(installation: dict[str, str], *words: str) -> str:
    """What this module says when it is called in an installation."""
    call = [sys.executable, "-m", "benchmarks.catching_up", *words]
    done = subprocess.run(
        call, cwd=ROOT, env=installation, check=True, text=True, stdout=subprocess.PIPE
    )
    return done.stdout.strip()


def read_on(installation: dict[str, str], until: float) -> tuple[float, float]:
    """Let the command read until this share of the blocks, then kill it.

    Returns
    -------
    the most memory that it had, in MiB, and the share of the blocks that it said it had read
    """
    call = [sys.executable, "manage.py", "reindex", "--resume"]
    process = subprocess.Popen(call, cwd=ROOT, env=installation, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    reached = 0.0
    for line in process.stderr:
        print(line, end="", file=sys.stderr)
        if said := PROGRESS.search(line):
            reached = int(said[1]) / int(said[2])
        if reached >= until:
            time.sleep(MID_STEP_S)
            process.send_signal(signal.SIGKILL)
            break
    process.stderr.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, -signal.SIGKILL), process.returncode
    return usage.ru_maxrss / 1024, reached


def main() -> None:
    """Called in an installation: make its rows, or sum them up."""
    import django

    django.setup()
    what, address, n = sys.argv[1:]
    if what == "prepare":
        make_rows(address, int(n))
    else:
        print(sum_of_rows(int(n)))


def make_rows(address: str, n: int) -> None:
    from django.core.management import call_command

    from generation.models import Checkpoint, Collection, Drop, ParameterSet
    from minting.models import Contract, Cursor

    call_command("migrate", verbosity=0)
    empty_tables()
    checkpoint = Checkpoint.objects.create(
        sha256="0" * 64, config={}, recipe={}, parser_sha256="0" * 64
    )
    collection = Collection.objects.create(slug="stream", name="Stream", checkpoint=checkpoint)
    contract = Contract.objects.create(
        collection=collection,
        chain_id=node.LOCAL_CHAIN_ID,
        address=address,
        deployed_block=1,
        treasury=address,
        royalty_bps=0,
    )
    parameters = ParameterSet.objects.create(
        collection=collection, number=1, source="first", body={}
    )
    drop = Drop.objects.create(
        collection=collection, number=1, parameter_set=parameters, checkpoint=checkpoint, size=n
    )
    commit(drop, n)
    Cursor.objects.create(contract=contract, number=0)


def empty_tables() -> None:
    """A database that is given by its address keeps what was there before."""
    from django.apps import apps
    from django.db import connection

    if connection.vendor == "postgresql":
        names = ", ".join(
            connection.ops.quote_name(model._meta.db_table)
            for label in ("generation", "minting")
            for model in apps.get_app_config(label).get_models()
        )
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {names} CASCADE")


def commit(drop: Any, n: int) -> None:
    """A commitment of which only the number of works matters."""
    from minting.models import Commitment

    hashes = [
        field.name
        for field in Commitment._meta.fields
        if getattr(field, "max_length", None) == 64 and field.name != "secret"
    ]
    Commitment.objects.create(
        drop=drop,
        collection=drop.collection,
        number=1,
        first_token_id=1,
        count=n,
        manifest={},
        **dict.fromkeys(hashes, "0" * 64),
    )


def sum_of_rows(n: int) -> str:
    """Everything but primary keys, which are not the same after a kill."""
    from minting.models import Cursor, Token, Transfer

    tokens = Token.objects.order_by("token_id")
    moves = Transfer.objects.in_order()
    place = ("block__number", "block__hash", "tx_hash", "log_index")
    tables = (
        tokens.values_list("token_id", "owner", "drop__number", "minted_block__hash"),
        moves.values_list(*place, "sender", "recipient", "token__token_id"),
        Cursor.objects.values_list("number", "head"),
    )
    assert tokens.count() == moves.count() == n
    found = hashlib.sha256()
    for table in tables:
        for row in table.iterator(chunk_size=10_000):
            found.update(repr(row).encode())
    return found.hexdigest()


if __name__ == "__main__":
    main()
