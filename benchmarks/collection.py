"""A whole drop by one call, stage by stage, beside the tools that others use for its parts.

    .venv/bin/python -m benchmarks.collection [--size 10000] [--peers-only]

Runs ``manage.py collection`` in a temporary folder and prints its stages. Then, each paired with
ours in the same run: layered art at 512 px, a plain engine on a canvas (layered_engine.mjs) and
``generation.imaging.compose``; rarity of 10,000 works by OpenRarity's own package; a CAR file of
10,000 pictures and their metadata by ipfs-car. Peers are installed into a temporary folder by npm.
CPU seconds are those of all processes; other work on the machine moves the clock more than them.
"""

import argparse
import gc
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from generation.imaging import codec, compose
from generation.imaging.reader import Source
from generation.traits import rarity
from minting.provenance import metadata
from minting.provenance.canonical import canonicalize

ROOT = Path(__file__).parent.parent
IPFS_CAR, CANVAS = "ipfs-car@3.1.0", "@napi-rs/canvas@1.1.1"
SEED = "11" * 32
ROUNDS = 3
N_LAYERED = 200
# With more than 1,000 entries ipfs-car shards a folder, with a block of 256 KiB we do: at this
# number both.
N_WORKS = 10_000
TRAITS = {f"trait {k}": [f"value {v}" for v in range(6 + 2 * k)] for k in range(8)}
MISSING = 0.15
PACK = "import sys; from pathlib import Path; from minting.provenance import cid; "
PACK += "print(cid.write_car(Path(sys.argv[1]), Path(sys.argv[2])))"

Row = dict[str, str | None]


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock and of the processor."""

    wall_s: float
    cpu_s: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--peers-only", action="store_true")
    asked = parser.parse_args()
    print(f"{_processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    with tempfile.TemporaryDirectory(prefix="morphora-collection-") as name:
        folder = Path(name)
        if not asked.peers_only:
            whole(folder / "var", asked.size)
        peers = folder / "peers"
        _install(peers)
        print("\n| what | ours, CPU-s | peer, CPU-s | ratio | ours, s | peer, s |")
        print("|---|---|---|---|---|---|")
        layered(folder / "layered", peers)
        rarities()
        cars(folder / "car", peers)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")


def whole(folder: Path, size: int) -> None:
    """The command as anyone calls it."""
    folder.mkdir()
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    environment |= {
        "MORPHORA_VAR": str(folder),
        "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
        "OMP_NUM_THREADS": "1",
    }
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    out = folder / "report.json"
    call = ["collection", "bench", "--size", str(size), "--seed", SEED, "--json", str(out)]
    cost, _ = _run([*manage, *call], environment)
    report = json.loads(out.read_text())
    print(f"\n{report['works']:,} of {size:,} works in {cost.wall_s:.0f} s ", end="")
    print(f"({cost.cpu_s:.0f} CPU-s), {report['peak_mib']:,.0f} MiB at most, ", end="")
    print(f"a CAR of {report['car_bytes'] / 1e6:.1f} MB, root {report['root_cid']}\n")
    print("| step | s | works/s | CPU-s | CPU-ms a work |")
    print("|---|---|---|---|---|")
    cpu = report["cpu_seconds"]
    for step, seconds in report["seconds"].items():
        ms = 1e3 * cpu[step] / size
        print(f"| {step} | {seconds:.1f} | {size / seconds:,.0f} | {cpu[step]:.1f} | {ms:.1f} |")


def layered(folder: Path, peers: Path) -> None:
    """The same layers, as many pictures: a plain engine, and our compositor."""
    script = ["node", "benchmarks/layered_engine.mjs"]
    environment = os.environ | {"CANVAS": str(peers / "node_modules" / "@napi-rs" / "canvas")}
    subprocess.run([*script, "layers", str(folder)], cwd=ROOT, env=environment, check=True)

    def engine() -> Cost:
        _, said = _run([*script, "run", str(folder), str(N_LAYERED)], environment)
        return Cost(**json.loads(said))

    ours, peer = _paired(lambda: _timed(lambda: _compose(folder, N_LAYERED)), engine)
    _print_pair(f"{N_LAYERED} layered pictures of 512 px", ours, peer)
    print(
        f"| (pictures a CPU-second) | {N_LAYERED / ours.cpu_s:.0f} | {N_LAYERED / peer.cpu_s:.0f} "
        "| | | |"
    )


def _compose(folder: Path, n: int) -> None:
    """Pictures of random layers, their PNG files and descriptions, as the engine makes them."""
    out = folder / "ours"
    out.mkdir(exist_ok=True)
    source = Source(folder / "layers")
    art = compose.read_layers(source)
    composer = compose.Composer(art, source, 512)
    for number, chosen in enumerate(compose.plan(art, n, "bench")):
        raw = codec.encode_png(composer.picture(chosen))
        about = {"name": f"#{number}", "image": f"{number}.png", "attributes": chosen}
        (out / f"{number}.png").write_bytes(raw)
        (out / f"{number}.json").write_text(json.dumps(about))


def rarities() -> None:
    """Rank and score of each work, from the same rows; a missing trait is none of the work's."""
    rows = _table(N_WORKS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from open_rarity import (  # type: ignore[import-untyped]  # ships no types
            Collection,
            RarityRanker,
            Token,
        )

    def tokens() -> list[Any]:
        return [
            Token.from_erc721("0x" + "0" * 40, i, {k: v for k, v in row.items() if v is not None})
            for i, row in enumerate(rows)
        ]

    def rank(tokens: list[Any]) -> list[Any]:
        ranked: list[Any] = RarityRanker.rank_collection(Collection(name="bench", tokens=tokens))
        return ranked

    _compare(rarity.score(rows), rank(tokens()))
    what = f"rarity of {N_WORKS:,} works, 8 traits, {MISSING:.0%} missing"
    score = partial(rarity.score, rows)
    _print_pair(what, *_paired(lambda: _timed(score), lambda: _timed(lambda: rank(tokens()))))
    made = tokens()
    gc.freeze()  # or ours would pay for looking through the peer's tokens
    _print_pair(
        "the same, peer's tokens made before",
        *_paired(lambda: _timed(score), lambda: _timed(lambda: rank(made))),
    )


def _compare(ours: list[rarity.Rarity], theirs: list[Any]) -> None:
    """AssertionError unless ranks are the same and scores differ by rounding alone."""
    ranked = {r.token.token_identifier.token_id: (r.rank, r.score) for r in theirs}
    assert [r.rank for r in ours] == [ranked[i][0] for i in range(len(ours))]
    scores = np.array([[r.score, ranked[i][1]] for i, r in enumerate(ours)])
    apart = float(np.abs(scores[:, 0] / scores[:, 1] - 1).max())
    assert apart < 1e-12
    print(f"| (the same ranks, scores within {apart:.0e}) | | | | | |")


def _table(n: int) -> list[Row]:
    """Random traits, some missing, most of low numbers."""
    chance = np.random.default_rng(0)
    columns = {
        name: np.minimum(chance.geometric(0.3, n) - 1, len(values) - 1)
        for name, values in TRAITS.items()
    }
    gone = chance.random((n, len(TRAITS))) < MISSING
    return [
        {
            name: None if gone[row, k] else values[columns[name][row]]
            for k, (name, values) in enumerate(TRAITS.items())
        }
        for row in range(n)
    ]


def cars(folder: Path, peers: Path) -> None:
    """The same folder packed twice, from the start of each process to its end."""
    _write_works(folder / "drop")
    roots = set()

    def ours() -> Cost:
        call = [sys.executable, "-c", PACK, str(folder / "drop"), str(folder / "ours.car")]
        cost, said = _run(call, dict(os.environ))
        roots.add(said.strip())
        return cost

    def theirs() -> Cost:
        tool, out = peers / "node_modules" / ".bin" / "ipfs-car", folder / "theirs.car"
        call = [str(tool), "pack", str(folder / "drop"), "--output", str(out)]
        cost, said = _run(call, dict(os.environ))
        roots.add(said.strip())
        return cost

    mine, peer = _paired(ours, theirs)
    assert len(roots) == 1, roots
    _print_pair(f"CAR of {N_WORKS:,} PNG and {N_WORKS:,} JSON", mine, peer)
    print(f"| (the same root, {roots.pop()}) | | | | | |")


def _write_works(folder: Path) -> None:
    """Pictures of noise, about as large as a drop's, and the metadata of their traits."""
    (folder / "images").mkdir(parents=True)
    (folder / "metadata").mkdir()
    chance = np.random.default_rng(0)
    for token_id, row in enumerate(_table(N_WORKS), 1):
        picture = chance.integers(0, 256, (46, 46, 3), np.uint8)
        (folder / "images" / f"{token_id}.png").write_bytes(codec.encode_png(picture))
        about = metadata.build(
            token_id=token_id,
            collection_name="Bench",
            description="",
            image=f"ipfs://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi/{token_id}.png",
            parsed={name: value or "none" for name, value in row.items()},
        )
        (folder / "metadata" / f"{token_id}.json").write_bytes(canonicalize(about))


def _install(folder: Path) -> None:
    folder.mkdir()
    npm = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--prefix", str(folder)]
    subprocess.run([*npm, IPFS_CAR, CANVAS], check=True, capture_output=True)


def _paired(ours: Callable[[], Cost], peer: Callable[[], Cost]) -> tuple[Cost, Cost]:
    """Both, in turn, so that what else the machine does meets both; medians of the rounds."""
    costs = [(ours(), peer()) for _ in range(ROUNDS)]
    return _median([one for one, _ in costs]), _median([other for _, other in costs])


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.wall_s for cost in costs),
        statistics.median(cost.cpu_s for cost in costs),
    )


def _timed(call: Callable[[], object]) -> Cost:
    started, cpu = time.perf_counter(), time.process_time()
    call()
    return Cost(time.perf_counter() - started, time.process_time() - cpu)


def _run(call: Sequence[str], environment: dict[str, str]) -> tuple[Cost, str]:
    """A process, with all that it starts, and what it says."""
    started, cpu = time.perf_counter(), _children_s()
    said = subprocess.run(call, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
    return Cost(time.perf_counter() - started, _children_s() - cpu), said.stdout.decode()


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _print_pair(what: str, ours: Cost, peer: Cost) -> None:
    ratio = peer.cpu_s / ours.cpu_s
    print(
        f"| {what} | {ours.cpu_s:.3f} | {peer.cpu_s:.3f} | {ratio:.1f} "
        f"| {ours.wall_s:.3f} | {peer.wall_s:.3f} |"
    )


def _processor() -> str:
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    names = [line.split(": ", 1)[1] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()
