"""Play the loop against communities with a hidden taste, beside other ways to steer."""

import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser
from numpy.typing import NDArray

from sentiment.management.steering.ablations import ABLATIONS
from sentiment.management.steering.game import SCARCE, Rules, play
from sentiment.management.steering.policies import POLICIES
from sentiment.simulation import attacks

FIRST_SEED = 1_000  # what was tuned was tuned on seeds below


class Command(BaseCommand):
    """Prints the regret of each: 0 the best parameters that are allowed, 1 equal shares."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seeds", type=int, default=50, help="communities, at least 2")
        parser.add_argument("--attack", default="", choices=["", *attacks.ATTACKS])
        parser.add_argument("--scarce", action="store_true", help="100 voters of 2 votes")
        parser.add_argument(
            "--policies", default="", help="names with commas between; the usual ones otherwise"
        )
        parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
        parser.add_argument("--jobs", type=int, default=2, help="processes")
        parser.add_argument("--json", type=Path, help="write each regret there, too")

    def handle(self, *args: Any, **options: Any) -> None:
        known = {policy.name: policy for policy in (*POLICIES, *ABLATIONS)}
        usual = [policy.name for policy in POLICIES]
        names = options["policies"].split(",") if options["policies"] else usual
        unknown = sorted(set(names) - set(known))
        if unknown or options["seeds"] < 2:
            raise CommandError(f"at least 2 seeds, and policies of {', '.join(known)}")
        rules = SCARCE if options["scarce"] else Rules()
        game = partial(
            play,
            policies=[known[name] for name in names],
            rules=rules,
            attack=attacks.named(options["attack"]),
        )
        first = options["first_seed"]
        rows = []
        with ProcessPoolExecutor(options["jobs"]) as pool:
            for row in pool.map(game, range(first, first + options["seeds"])):
                rows.append(row)
                self.stderr.write(f"\r{len(rows)} of {options['seeds']} communities", ending="")
        self.stderr.write("")
        self.stdout.write(report(names, np.array(rows)), ending="")
        if options["json"]:
            told = {"policies": names, "first_seed": first, "regret": rows}
            options["json"].write_text(json.dumps(told, indent=1) + "\n")


def report(names: list[str], regrets: NDArray[np.float64]) -> str:
    """Lines about regrets [seeds, policies]; differences are paired, to the last policy."""
    lines = [f"{len(regrets)} communities; regret, mean +- standard error; paired with {names[-1]}"]
    for name, own in zip(names, regrets.T, strict=True):
        apart = own - regrets[:, -1]
        beside = f"   {_told(apart, '+')}" if name != names[-1] else ""
        lines.append(f"{name:12} {_told(own)}{beside}")
    return "\n".join(lines) + "\n"


def _told(values: NDArray[np.float64], sign: str = "") -> str:
    error = values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():{sign}.4f} +- {error:.4f}"
