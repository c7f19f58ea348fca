"""One community, one policy, six rounds; what is left to gain at the end."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sentiment.management.steering.policies import Policy, Seen
from sentiment.market import prices
from sentiment.simulation import attacks, world
from sentiment.simulation.attacks import Attack
from sentiment.simulation.world import Guard, Shape, Works, World

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

BATCHES = 5  # within a round, between which a policy may look at the votes
TREND_SD = 0.2  # of the log price level, from round to round


@dataclass(frozen=True)
class Rules:
    """How much there is to learn from."""

    n_rounds: int = 6
    n_works: int = 200
    n_votes: int = 4  # of a voter in a round
    n_sales: int = 150
    n_voters: int = 500

    @property
    def shape(self) -> Shape:
        return Shape(n_voters=self.n_voters)


SCARCE = Rules(n_voters=100, n_votes=2)


def play(seed: int, policies: Sequence[type[Policy]], rules: Rules, attack: Attack) -> list[float]:
    """The regret of each policy in the community of a seed: 0 the best there is, 1 equal shares."""
    with threadpool_limits(1, "blas"):  # matrices are small, and processes are many
        drawn = world.draw(rules.shape, np.random.default_rng([seed, 0]))
        return [_Game(seed, policy, drawn, rules, attack).run() for policy in policies]


def regret(of: World, shares: Array, means: Array) -> float:
    """Worth that is missed, as a part of what the best allowed parameters add to equal shares."""
    best = world.worth(of, *world.oracle(of, Guard()))
    start = world.worth(of, world.uniform(of.shape), np.zeros(of.shape.n_latents))
    return (best - world.worth(of, shares, means)) / (best - start)


class _Game:
    """Chance is drawn for what it decides, so that policies meet the same of it."""

    def __init__(
        self, seed: int, policy: type[Policy], of: World, rules: Rules, attack: Attack
    ) -> None:
        self.seed, self.world, self.rules, self.attack = seed, of, rules, attack
        shape = of.shape
        self.policy = policy((shape.n_categories, shape.n_options, shape.n_latents), seed)
        self.pushed = attacks.targets(of, attack.n_targets, self._chance(1))
        self.works = Works(np.zeros((0, shape.n_traits)), np.zeros((0, shape.n_latents)))
        self.ballots, self.sales = np.zeros((0, 5), np.int64), np.zeros((0, 5), np.int64)
        self.log_price, self.rarity = np.zeros(0), np.zeros(0)
        self.level = 0.0

    def _chance(self, *what: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *what])

    def run(self) -> float:
        for now in range(self.rules.n_rounds):
            if now and self.attack.drift:
                self.world = world.drifted(self.world, self.attack.drift, self._chance(2, now))
            self._draw(now)
            self._vote(now)
            self._trade(now)
            self.policy.steer(self._seen(), now)
        return regret(self.world, self.policy.shares, self.policy.means)

    def _seen(self) -> Seen:
        latents = self.works.latents
        both = np.stack([latents, latents**2], axis=2).reshape(len(latents), -1)
        features = np.hstack([self.works.traits, both])
        return Seen(features, self.ballots, self.sales, self.log_price, self.rarity)

    def _draw(self, now: int) -> None:
        shares, means = self.policy.shares, self.policy.means
        chance = self._chance(3, now)
        drawn = world.draw_works(self.world.shape, shares, means, self.rules.n_works, chance)
        self.works = self.works.joined(drawn)

    def _vote(self, now: int) -> None:
        rules, chance = self.rules, self._chance(4, now)
        places = np.arange(len(self.works) - rules.n_works, len(self.works))
        voters = np.tile(np.arange(rules.n_voters), rules.n_votes)
        for batch in np.array_split(voters, BATCHES):
            pair = self.policy.pairs(self._seen(), places, len(batch), now, chance)
            honest = world.answer(self.world, self.works, batch, *pair, chance)
            won = attacks.cast(
                self.attack, self.works, batch, pair, honest, self.pushed, rules.n_voters, chance
            )
            rows = [*pair, won, batch, np.full(len(batch), now)]
            self.ballots = np.vstack([self.ballots, np.stack(rows, axis=1).astype(np.int64)])

    def _trade(self, now: int) -> None:
        n, chance = self.rules.n_sales, self._chance(5, now)
        frequencies = self.works.traits.mean(0)
        shown = self.works.traits.reshape(len(self.works), self.world.shape.n_categories, -1)
        picked = shown.argmax(2) + self.world.shape.n_options * np.arange(shown.shape[1])
        rarity = prices.rarity(frequencies[picked])
        self.level += chance.normal(0, TREND_SD)
        sold = world.sales(self.world, self.works, rarity, n, self.level, chance)
        sold = attacks.wash(self.attack, self.works, sold, self.pushed, chance)
        rows = [sold.places, sold.sellers, sold.buyers, np.full(n, now), np.arange(n)]
        self.sales = np.vstack([self.sales, np.stack(rows, axis=1)])
        self.log_price = np.append(self.log_price, sold.log_price)
        self.rarity = np.append(self.rarity, rarity[sold.places])
