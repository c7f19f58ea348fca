"""Does the loop steer? Five seeds, each with and without steering, through all real components.

    .venv/bin/python -m benchmarks.loop [--seeds 5] [--drops 3] [--size 60]

Every run is `manage.py loop` in a folder of its own: a network draws, a chain commits and mints,
and simulated voters with a hidden taste vote through the API. Prints the mean worth of the accepted
works to the community (log-odds) in the first and the last drop, beside the last one without
steering.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent


def run(seed: int, drops: int, size: int, *extra: str) -> tuple[list[float], float]:
    """Utility of each drop of one run, and its time in s."""
    with tempfile.TemporaryDirectory(prefix="morphora-loop-") as folder:
        out = Path(folder) / "report.json"
        environment = os.environ | {"MORPHORA_VAR": folder, "MORPHORA_CHAIN_PORT": "8645"}
        numbers = ["--drops", str(drops), "--size", str(size), "--seed", str(seed)]
        command = [sys.executable, "manage.py", "loop", *numbers, "--json", str(out), *extra]
        started = time.perf_counter()
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stderr=subprocess.DEVNULL)
        elapsed = time.perf_counter() - started
        return [drop["utility"] for drop in json.loads(out.read_text())["drops"]], elapsed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--drops", type=int, default=3)
    parser.add_argument("--size", type=int, default=60)
    options = parser.parse_args()
    print("seed    first     last  unsteered    gain  over control    time")
    gains, leads = [], []
    for seed in range(1, options.seeds + 1):
        steered, elapsed = run(seed, options.drops, options.size)
        control, _ = run(seed, options.drops, options.size, "--no-steering", "--votes", "0")
        gains.append(steered[-1] - steered[0])
        leads.append(steered[-1] - control[-1])
        figures = f"{steered[0]:9.2f}{steered[-1]:9.2f}{control[-1]:11.2f}"
        print(f"{seed:4}{figures}{gains[-1]:8.2f}{leads[-1]:14.2f}{elapsed:6.0f} s", flush=True)
    for name, values in (("gain", gains), ("over control", leads)):
        error = np.std(values, ddof=1) / np.sqrt(len(values))
        above = sum(value > 0 for value in values)
        spread = f"{np.mean(values):.2f} +- {error:.2f} log-odds"
        print(f"{name}: {spread}, above 0 in {above} of {len(values)}")


if __name__ == "__main__":
    main()
