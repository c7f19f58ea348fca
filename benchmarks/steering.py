"""Does the loop find a hidden taste, and what do attacks do to it? All of `benchmark_steering`.

    python -m benchmarks.steering [--seeds 50] [--policies bt-map,morphora] [--json FILE]

Prints a Markdown table of regrets (0 the best parameters that are allowed, 1 equal shares), mean
and standard error over the same communities for every way to steer. Works are drawn as traits and
latents, without a generator: that the pictures follow is what `benchmarks.loop` shows.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SCENARIOS = {
    "honest": [],
    "20 % of voters push one option, else by coin": ["--attack", "naive20"],
    "40 % of voters push one option, else by coin": ["--attack", "naive40"],
    "20 % push one option, else as they like": ["--attack", "camouflaged"],
    "20 % push four options": ["--attack", "split"],
    "30 % of sales are wash trades": ["--attack", "wash30"],
    "taste drifts by .15 sd a round": ["--attack", "drift"],
    "100 voters of 2 votes": ["--scarce"],
}


def run(options: argparse.Namespace, extra: list[str]) -> dict[str, np.ndarray]:
    """Regret [seeds] of each policy."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "regret.json"
        asked = ["--seeds", str(options.seeds), "--policies", options.policies, *extra]
        command = [sys.executable, "manage.py", "benchmark_steering", "--json", str(out), *asked]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        told = json.loads(out.read_text())
    return dict(zip(told["policies"], np.array(told["regret"]).T, strict=True))


def line(name: str, regrets: dict[str, np.ndarray]) -> str:
    cells = [
        f"{own.mean():.4f} ± {own.std(ddof=1) / np.sqrt(len(own)):.4f}" for own in regrets.values()
    ]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--policies", default="", help="names with commas between; or all")
    parser.add_argument("--json", type=Path, help="write each regret there, too")
    options = parser.parse_args()
    rows: dict[str, dict[str, list[float]]] = {}
    for name, extra in SCENARIOS.items():
        regrets = run(options, extra)
        if not rows:
            print(f"| | {' | '.join(regrets)} |\n|{'---|' * (1 + len(regrets))}")
        print(line(name, regrets), flush=True)
        rows[name] = {policy: own.tolist() for policy, own in regrets.items()}
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
