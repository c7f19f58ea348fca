"""What several pictures for each work bring: `-m benchmarks.selection [--seeds N]`.

Communities with a hidden taste (`sentiment.simulation.world`): one drop of 200 works in equal
shares, 500 voters of 4 votes, a belief from these. Then a drop of which each place has n candidates
of the same traits, of which the best believed is taken, one place in five by lot. In log-odds: how
much more the works of that drop are worth to the community than with one candidate, paired; and
what is left of it when works are weighed by their exposure, as votes on them are.
"""

import argparse

import numpy as np

from generation.traits.selection import CHANCE, settle
from sentiment.preference import bradley_terry
from sentiment.preference.bradley_terry import Belief, Votes
from sentiment.simulation import world
from sentiment.simulation.world import Shape, Works

N_WORKS, N_VOTES = 200, 4
CANDIDATES = (1, 2, 4, 8)


def features(works: Works) -> np.ndarray:
    both = np.stack([works.latents, works.latents**2], axis=2)
    return np.hstack([works.traits, both.reshape(len(works.latents), -1)])


def believed(community: world.World, shape: Shape, chance: np.random.Generator) -> Belief:
    """What votes on a drop in equal shares say."""
    works = world.draw_works(
        shape, world.uniform(shape), np.zeros(shape.n_latents), N_WORKS, chance
    )
    voters = np.tile(np.arange(shape.n_voters), N_VOTES)
    left = chance.integers(N_WORKS, size=len(voters))
    right = (left + chance.integers(1, N_WORKS, size=len(voters))) % N_WORKS
    won = world.answer(community, works, voters, left, right, chance).astype(bool)
    rows = features(works)
    votes = Votes(rows, left, right, won, np.ones(len(voters)))
    return bradley_terry.fit(votes, Belief.prior(rows.shape[1]))


def gains(seed: int) -> tuple[list[float], list[float]]:
    """Worth over one candidate for each number of candidates, plain and weighed by exposure."""
    shape, chance = Shape(), np.random.default_rng([seed, 77])
    community = world.draw(shape, np.random.default_rng([seed, 0]))
    belief = believed(community, shape, chance)
    most = max(CANDIDATES)
    plain = world.uniform(shape), np.zeros(shape.n_latents)
    drawn = world.draw_works(shape, *plain, N_WORKS * most, chance)
    traits = np.repeat(drawn.traits[::most], most, axis=0)
    drawn = Works(traits, drawn.latents)
    worth = world.utility(community, drawn).reshape(N_WORKS, most)
    told = (features(drawn) @ belief.effects).reshape(N_WORKS, most)
    lots = frozenset(chance.permutation(N_WORKS)[: round(CHANCE * N_WORKS)].tolist())
    found, weighed = [], []
    for n in CANDIDATES:
        picks, exposures = settle(told[:, :n].tolist(), lots, CHANCE)
        taken = worth[np.arange(N_WORKS), picks]
        found.append(float(taken.mean() - worth[:, 0].mean()))
        weighed.append(float(np.average(taken, weights=exposures) - worth[:, 0].mean()))
    return found, weighed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50)
    asked = parser.parse_args()
    rows = np.array([gains(1000 + seed) for seed in range(asked.seeds)])
    print("| candidates | worth more (log-odds) | weighed by exposure |\n|---|---|---|")
    for place, n in enumerate(CANDIDATES):
        cells = [rows[:, side, place] for side in (0, 1)]
        told = [f"{one.mean():+.3f} ± {one.std(ddof=1) / len(one) ** 0.5:.3f}" for one in cells]
        print(f"| {n} | {' | '.join(told)} |")


if __name__ == "__main__":
    main()
