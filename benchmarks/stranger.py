"""A drop is published, its site deleted, and a stranger's fresh clone checks it.

    .venv/bin/python -m benchmarks.stranger [--size 200] [--sample 32] [--install] [--json FILE]

A site in a temporary folder draws a drop with the shipped generator, commits it on a fresh node,
sells a tenth of it, and packs its CAR. Of all that, three files stay: the CAR, the generator, the
parser; database, pictures and everything else of the site are deleted. Then the last commit of
this repository is cloned into another folder, where ``manage.py verify`` gets the node's URL, the
contract's address and the three files, and no variable of this process. ``--install`` makes the
clone its own environment by ``make install``; else it borrows this one's packages.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PER_MINT = 20
FLAGS = ["--gas-limit", "3000000000"]


@dataclass(frozen=True)
class Known:
    """All that a stranger is told."""

    rpc_url: str
    contract: str
    car: Path
    checkpoint: Path
    parser: Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=200)
    parser.add_argument("--sample", type=int, default=32)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="morphora-stranger-") as name, running() as rpc_url:
        folder = Path(name)
        known = publish(folder, rpc_url, asked.size)
        clone = clone_into(folder / "elsewhere", install=asked.install)
        figures = verify(clone, known, asked.sample) | {"works": asked.size}
    print(json.dumps(figures, indent=1))
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1) + "\n")
    if figures["exit_status"]:
        sys.exit("the stranger is not satisfied")


@contextmanager
def running() -> Iterator[str]:
    from minting.chain import node

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with node.running(node.anvil(ROOT / "node_modules"), port, flags=FLAGS) as url:
        yield url


def publish(folder: Path, rpc_url: str, size: int) -> Known:
    """The site's whole life, in a process of its own so that nothing of it stays in this one."""
    out = folder / "public"
    out.mkdir()
    site = {
        "MORPHORA_VAR": str(folder / "site"),
        "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
        "CHAIN_RPC_URL": rpc_url,
    }
    code = "import sys; from benchmarks import stranger; stranger.run_site(*sys.argv[1:])"
    command = [sys.executable, "-c", code, str(size), str(out)]
    subprocess.run(command, cwd=ROOT, env=os.environ | site, check=True)
    shutil.rmtree(folder / "site")
    contract = (out / "contract").read_text()
    files = [out / name for name in ("drop.car", "generator.safetensors", "parser.safetensors")]
    return Known(rpc_url, contract, *files)


def run_site(size: str, out: str) -> None:
    """Draw, commit, sell a tenth, and put what is public into folder ``out``."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collection", "open", size=int(size))

    from django.utils import timezone

    from generation.models import Drop
    from minting import services
    from minting.models import Contract

    drop = Drop.objects.get()
    services.request_commit(drop=drop)
    pump()
    drop.refresh_from_db()
    begun = timezone.now() - timedelta(hours=1)
    phases = services.public_sale(price_wei=0, max_per_transaction=PER_MINT, start=begun)
    services.request_open_sale(drop=drop, phases=phases)
    pump()
    drop.refresh_from_db()
    for key in range(-(-int(size) // (10 * PER_MINT))):
        services.request_mint(drop=drop, quantity=min(PER_MINT, int(size)), key=str(key))
    pump()
    files: dict[str, Path] = {
        "drop.car": services.drop_car(commitment=drop.commitment),
        "generator.safetensors": Path(drop.checkpoint.path),
        "parser.safetensors": Path(drop.checkpoint.parser_path),
    }
    for name, path in files.items():
        shutil.copy(path, Path(out) / name)
    (Path(out) / "contract").write_text(Contract.objects.get().address)


def pump() -> None:
    """Until nothing waits for a block any more."""
    from django.utils import timezone

    from minting import sender
    from minting.models import ChainTransaction

    while ChainTransaction.objects.unsettled().exists():
        sender.pump(timezone.now())
        time.sleep(0.05)
    refused = ChainTransaction.objects.exclude(state="confirmed")
    assert not refused.exists(), [row.error for row in refused]


def clone_into(folder: Path, *, install: bool) -> Path:
    subprocess.run([str(shutil.which("git")), "clone", "-q", str(ROOT), str(folder)], check=True)
    if install:
        subprocess.run([str(shutil.which("make")), "-s", "install"], cwd=folder, check=True)
    else:
        (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def verify(clone: Path, known: Known, sample: int) -> dict[str, Any]:
    """What ``manage.py verify`` finds, with an empty environment, and how long it takes."""
    asked = {
        "--rpc": known.rpc_url,
        "--contract": known.contract,
        "--car": known.car,
        "--checkpoint": known.checkpoint,
        "--parser": known.parser,
        "--sample": sample,
    }
    words = [str(word) for pair in asked.items() for word in pair]
    command = [".venv/bin/python", "manage.py", "verify", *words, "--json"]
    paths = {"PATH": os.environ["PATH"], "HOME": str(clone)}
    started = time.perf_counter()
    done = subprocess.run(command, cwd=clone, env=paths, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - started
    findings = json.loads(done.stdout)
    for one in findings:
        print(f"{one['state']:14} {one['subject']:10} {one['check']}: {one['why']}")
    return {
        "seconds": round(seconds, 1),
        "exit_status": done.returncode,
        **Counter(one["state"] for one in findings),
    }


if __name__ == "__main__":
    main()
