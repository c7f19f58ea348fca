"""How soon a minted work has its picture, when 100 wallets mint at once.

    .venv/bin/python -m benchmarks.living [--mints 100] [--json FILE]

Starts what `make up` starts in a folder of its own, opens a drop that is drawn on the fly for each
generator, and mints from as many new wallets at once. A work's time is from the sending of all
mints to its row with a picture; pages hear of it then. Needs what `make test` installs.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
PRICE_WEI = 10**15
LONGEST_S = 300.0


@dataclass(frozen=True)
class Row:
    """Seconds from a mint's block to its picture."""

    generator: str
    mints: int
    median_s: float
    p95_s: float
    last_s: float

    def __str__(self) -> str:
        return (
            f"{self.generator:34} {self.mints:5} {self.median_s:9.2f} {self.p95_s:8.2f} "
            f"{self.last_s:8.2f}"
        )


@contextmanager
def installation() -> Iterator[str]:
    """Every process of the embedded default; gives the node's address."""
    from tests.fixtures.stack import PORT_NAMES, free_port, start, stop

    ports = {name: str(free_port()) for name in PORT_NAMES}
    with tempfile.TemporaryDirectory(prefix="morphora-living-") as folder:
        stack = start(Path(folder), ports, demo_size=32)
        try:
            os.environ |= ports | {
                "MORPHORA_VAR": folder,
                "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
            }
            import django

            django.setup()
            yield stack.rpc_url
        finally:
            stop(stack.process)


def checkpoints(folder: Path) -> dict[str, Any]:
    """The shipped generators, and a StyleGAN3-T of 64 px whose weights are random: as slow."""
    import torch

    from generation import services, shipped
    from generation.gan.checkpoint import save_generator
    from generation.gan.config import AttributeSchema
    from generation.gan.schedule import StyleGAN3Config
    from generation.gan.stylegan3 import StyleGAN3

    portraits, alias_free = (services.register_shipped_checkpoint(one) for one in shipped.SHIPPED)
    torch.manual_seed(0)
    path = folder / "stylegan3-64.safetensors"
    config = StyleGAN3Config(
        AttributeSchema.from_mapping(portraits.schema), 64, channel_base=2048, channel_max=128
    )
    save_generator(path, StyleGAN3(config), {"seed": 0})
    large = services.register_checkpoint(
        name="StyleGAN3-T 64 px",
        path=path,
        parser_path=Path(portraits.parser_path),
        source="random weights",
        licence="CC0-1.0",
    )
    return {
        "BigGAN 64 px": portraits,
        "StyleGAN3-T 32 px": alias_free,
        "StyleGAN3-T 64 px": large,
    }


def on_sale(name: str, checkpoint: Any, n_works: int) -> Any:
    """A drop of its own collection, on sale, its block captured."""
    from django.utils import timezone

    from generation.models import Drop
    from generation.services import create_collection, open_drop
    from minting import revealing, services

    slug = "".join(letter if letter.isalnum() else "-" for letter in name.lower())
    collection = create_collection(slug=slug, name=name, story="", checkpoint=checkpoint)
    drop = open_drop(
        collection=collection,
        parameter_set=collection.parameter_sets.get(),
        size=n_works,
        kind=Drop.Kind.ON_THE_FLY,
    )
    services.request_living_commit(drop=drop, reveal_block=revealing.choose_block())
    until(lambda: Drop.objects.get(pk=drop.pk).state == Drop.State.COMMITTED)
    start = timezone.now() - timedelta(minutes=1)
    end = start + timedelta(days=1)
    phases = services.public_sale(price_wei=PRICE_WEI, max_per_transaction=1, start=start, end=end)
    final_by = int((end + timedelta(days=1)).timestamp())
    services.request_open_sale(drop=drop, phases=phases, final_by=final_by)
    until(lambda: drop.commitment.events.filter(kind="captured").exists())
    time.sleep(15)  # the network is read in the meantime, as it is before people come
    return drop


def until(holds: Any) -> None:
    end = time.monotonic() + LONGEST_S
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("the installation does not go on")
        time.sleep(0.2)


def measure(name: str, drop: Any, rpc_url: str, n: int) -> Row:
    """Mint from as many new wallets, all at once, and wait for the pictures."""
    from eth_account import Account

    from generation.models import Artwork
    from minting.chain import contracts
    from minting.chain.client import Client
    from minting.chain.signer import Signer, TransactionRequest
    from minting.models import Token

    signers = [
        Signer("0x" + Account.create().key.hex().removeprefix("0x"), 31337) for _ in range(n)
    ]
    with Client(rpc_url) as node:
        node.batch(("anvil_setBalance", [one.address, hex(10**18)]) for one in signers)
        request = TransactionRequest(
            nonce=0,
            to=drop.collection.contract.address,
            data=contracts.mint(drop.commitment.number, 0, 1),
            value_wei=PRICE_WEI,
            gas=300_000,
            max_fee_wei=10**11,
            tip_wei=10**9,
        )
        signed = [one.sign(request) for one in signers]
        sent_at = time.time()
        refusals = [one for one in node.send_all([one.raw for one in signed]) if one]
        assert not refusals, refusals[0]
    works = Artwork.objects.filter(drop=drop, token__isnull=False)
    until(lambda: works.count() == n)
    assert Token.objects.filter(drop=drop).values("token_id").distinct().count() == n
    assert works.values("image_digest").distinct().count() == n
    drawn = [at.timestamp() - sent_at for at in works.values_list("created_at", flat=True)]
    return Row(
        name,
        n,
        float(np.median(drawn)),
        float(np.percentile(drawn, 95)),
        max(drawn),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mints", type=int, default=100)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    print(f"{'generator':34} {'mints':>5} {'median s':>9} {'p95 s':>8} {'last s':>8}")
    rows = []
    with installation() as rpc_url, tempfile.TemporaryDirectory() as folder:
        for name, checkpoint in checkpoints(Path(folder)).items():
            drop = on_sale(name, checkpoint, asked.mints)
            rows.append(measure(name, drop, rpc_url, asked.mints))
            print(rows[-1], flush=True)
    if asked.json:
        asked.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
