"""Measures whether steering by votes raises what a community thinks of the drops.

Works are drawn as traits from the shares of each drop, a community with a hidden taste compares
them, and the loop that serves a real round (fit, propose, apply) sets the shares of the next drop.
The control draws its works from the shares of drop 1 throughout, with the same chance, and nobody
steers.

    python -m benchmarks.steering --seeds 20
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.traits.parameters import Parameters, uniform
from sentiment.control import allocate
from sentiment.preference import bradley_terry, features, pairing, trust
from sentiment.simulation import community

ART = Path(__file__).parent.parent / "generation" / "art" / "portraits.json"
# The belief that chooses pairs is renewed this often within a round.
BATCHES = 5

Array = NDArray[np.float64]


def draw_works(parameters: Parameters, n_works: int, chance: np.random.Generator) -> Array:
    """One-hot works [N, D]; the same chance gives like works under like shares."""
    blocks = []
    for shares in parameters.distributions.values():
        edges = np.cumsum(list(shares.values()))
        picked = np.searchsorted(edges / edges[-1], chance.random(n_works), side="right")
        blocks.append(np.eye(len(shares))[picked])
    return np.hstack(blocks)


class Rounds:
    """Votes of all rounds so far, as the services hand them to the fit."""

    def __init__(self, n_features: int, effect_sd: float) -> None:
        self.prior = bradley_terry.Belief.prior(n_features, effect_sd)
        self.works = np.zeros((0, n_features))
        self.votes = np.zeros((0, 5), np.int64)  # left, right, left won, voter, round

    def belief(self, now: int) -> bradley_terry.Belief:
        left, right, left_won, voter, cast_in = self.votes.T
        weights = trust.weights(voter, now - cast_in)
        votes = bradley_terry.Votes(self.works, left, right, left_won.astype(np.bool_), weights)
        return bradley_terry.fit(votes, self.prior)

    def ask(
        self,
        crowd: community.Community,
        works: Array,
        n_votes: int,
        now: int,
        chance: np.random.Generator,
    ) -> None:
        start, n_voters = len(self.works), len(crowd.personal)
        self.works = np.vstack([self.works, works])
        for batch in range(BATCHES):
            belief = self.belief(now)
            share = n_votes * n_voters // BATCHES
            pairs = [
                pairing.choose(
                    works, pairing.draw_unseen(len(works), set(), chance), belief, chance
                )
                for _ in range(share)
            ]
            left, right = np.array(pairs, np.int64).reshape(-1, 2).T
            voters = (batch * share + np.arange(share)) % n_voters
            won = community.answer(crowd, works, voters, left, right, chance)
            rows = [start + left, start + right, won, voters, np.full(share, now)]
            self.votes = np.vstack([self.votes, np.stack(rows, axis=1)])


def run(seed: int, options: argparse.Namespace) -> Array:
    """Mean worth [2, drops] of the works of each drop: steered, and control."""
    schema = {k: list(v["values"]) for k, v in json.loads(ART.read_text())["attributes"].items()}
    names = features.options(schema)
    crowd = community.draw(len(names), options.voters, np.random.default_rng([seed, 0]))
    start = steered = uniform(schema)
    rounds = Rounds(len(names), options.effect_sd)
    worth = np.zeros((2, options.drops))
    for drop in range(options.drops):
        for arm, parameters in enumerate((steered, start)):
            works = draw_works(parameters, options.works, np.random.default_rng([seed, 1, drop]))
            worth[arm, drop] = community.utility(crowd, works).mean()
            if arm == 0:
                chance = np.random.default_rng([seed, 2, drop])
                rounds.ask(crowd, works, options.votes, drop, chance)
        changes = allocate.propose(steered, names, rounds.belief(drop))
        steered = allocate.apply(steered, changes)
    return worth


def mean_and_error(samples: Array) -> str:
    error = samples.std(ddof=1) / np.sqrt(len(samples))
    return f"{samples.mean():+.3f} +- {error:.3f}"


def report(worth: Array) -> str:
    """Lines about worth [seeds, 2, drops], in log-odds of being preferred."""
    lines = [f"{worth.shape[0]} communities, worth of a work in log-odds, mean +- standard error"]
    for drop in range(worth.shape[2]):
        steered, control = worth[:, 0, drop], worth[:, 1, drop]
        lines.append(
            f"drop {drop + 1}: steered {mean_and_error(steered)}, "
            f"control {mean_and_error(control)}, paired {mean_and_error(steered - control)}"
        )
    gain = worth[:, :, -1] - worth[:, :, 0]
    lines.append(f"last less first: steered {mean_and_error(gain[:, 0])}")
    lines.append(f"                 control {mean_and_error(gain[:, 1])}")
    lines.append(f"                 paired  {mean_and_error(gain[:, 0] - gain[:, 1])}")
    better = int((gain[:, 0] > gain[:, 1]).sum())
    lines.append(f"steering gained more in {better} of {len(worth)} communities")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--voters", type=int, default=60)
    parser.add_argument("--votes", type=int, default=20, help="votes of a voter in a round")
    parser.add_argument("--works", type=int, default=64, help="works in a drop")
    parser.add_argument("--drops", type=int, default=3)
    parser.add_argument("--effect-sd", type=float, default=bradley_terry.EFFECT_SD)
    options = parser.parse_args()
    worth = np.stack([run(seed, options) for seed in range(options.seeds)])
    sys.stdout.write(report(worth))


if __name__ == "__main__":
    main()
