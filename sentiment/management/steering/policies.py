"""Ways to steer: what each does with the same number of votes, within the same bounds."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from generation.traits.parameters import Parameters
from sentiment.control import allocate
from sentiment.control.allocate import Caution
from sentiment.control.shares import Bounds
from sentiment.control.stakes import stakes
from sentiment.market import hedonic, prices, wash
from sentiment.preference import bradley_terry, pairing, teams, trust
from sentiment.preference.bradley_terry import Belief, Votes
from sentiment.preference.features import Option, options

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

# Of those who do not doubt what they believe.
BOLD = Caution(min_confidence=0.0, min_step=0.0, false_alarms=1.0)
CERTAIN = 1e-12
N_FOURIER, LENGTH = 300, 3.2  # of the kernel: works that share no trait are 4 apart
N_PROBES = 4_000
DAY_ZERO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Seen:
    """All that has happened, as public as it is in a real collection.

    Parameters
    ----------
    features : [N, D] of all works so far: options, then x and x^2 along each direction.
    ballots : [V, 5] left, right, left won, voter, round.
    sales : [S, 5] work, seller, buyer, round, place within its round.
    log_price, rarity : [S].
    """

    features: Array
    ballots: Ints
    sales: Ints
    log_price: Array
    rarity: Array


@dataclass
class Policy:
    """Votes by lot, all believed alike: Bradley-Terry's maximum a posteriori (``bt-map``)."""

    name: ClassVar[str] = "bt-map"
    shape: tuple[int, int, int]
    seed: int
    bounds: Bounds = field(default_factory=Bounds)
    caution: Caution = BOLD

    def __post_init__(self) -> None:
        n_categories, n_options, n_latents = self.shape
        schema = {f"a{k}": [f"v{o}" for o in range(n_options)] for k in range(n_categories)}
        directions = [f"d{latent}" for latent in range(n_latents)]
        self.names: list[Option] = options(schema, directions)
        self.n_options = n_categories * n_options
        self.parameters = Parameters(
            {name: dict.fromkeys(values, 1 / n_options) for name, values in schema.items()},
            directions=dict.fromkeys(directions, 0.0),
        )

    @property
    def shares(self) -> Array:
        """Shares [K, O]."""
        return np.array([list(one.values()) for one in self.parameters.distributions.values()])

    @property
    def means(self) -> Array:
        """Strengths [L]."""
        return np.array(list((self.parameters.directions or {}).values()))

    def pairs(
        self, seen: Seen, places: Ints, n: int, now: int, chance: np.random.Generator
    ) -> tuple[Ints, Ints]:
        """Left and right works [n] to ask about next, of those at ``places``."""
        left = chance.integers(len(places), size=n)
        right = (left + chance.integers(1, len(places), size=n)) % len(places)
        return places[left], places[right]

    def steer(self, seen: Seen, now: int) -> None:
        """Set the parameters of the next drop after round ``now``."""
        self.follow(self.belief(seen, now))

    def belief(self, seen: Seen, now: int) -> Belief:
        return bradley_terry.fit(votes_of(seen, now), self.prior)

    @property
    def prior(self) -> Belief:
        return Belief.prior(len(self.names))

    def follow(self, belief: Belief) -> None:
        plan = allocate.propose(self.parameters, self.names, belief, self.bounds, self.caution)
        self.parameters = allocate.apply(self.parameters, plan)

    def follow_effects(self, effects: Array) -> None:
        """As far as the bounds allow, without a doubt."""
        mean = np.append(effects, 0.0)
        self.follow(Belief(mean, CERTAIN * np.eye(len(mean))))


def votes_of(seen: Seen, now: int) -> Votes:
    left, right, left_won, voter, cast_in = seen.ballots.T
    weights = trust.weights(voter, now - cast_in)
    return Votes(seen.features, left, right, left_won.astype(np.bool_), weights)


class Random(Policy):
    """Wanders within the bounds."""

    name = "random"

    def steer(self, seen: Seen, now: int) -> None:
        chance = np.random.default_rng([self.seed, 21, now])
        self.follow_effects(chance.normal(size=len(self.names)))


class GreedyMean(Policy):
    """Share of won votes of each option, and the mean latent of what won."""

    name = "greedy-mean"

    def steer(self, seen: Seen, now: int) -> None:
        votes = votes_of(seen, now)
        shown = votes.features[votes.left], votes.features[votes.right]
        won = np.where(votes.left_won[:, None], *shown)
        wins = votes.weights @ won
        seen_often = votes.weights @ (shown[0] + shown[1])
        effects = wins / np.maximum(seen_often, 1e-9)
        liked = wins[self.n_options :: 2] / votes.weights.sum()
        effects[self.n_options :: 2], effects[self.n_options + 1 :: 2] = 2 * liked, -1.0
        self.follow_effects(effects)


class Thompson(Policy):
    """Follows a taste drawn from the belief."""

    name = "thompson-bt"

    def steer(self, seen: Seen, now: int) -> None:
        belief = self.belief(seen, now)
        chance = np.random.default_rng([self.seed, 22, now])
        self.follow_effects(chance.multivariate_normal(belief.effects, belief.effect_covariance))


class Gaussian(Policy):
    """A Gaussian process over works (Chu and Ghahramani 2005), by random Fourier features.

    Its mean on works drawn at random is explained by options and latents, which are followed
    (Rahimi and Recht 2007 for the features).
    """

    name = "gp"

    def steer(self, seen: Seen, now: int) -> None:
        chance = np.random.default_rng([self.seed, 23])
        works = self._seen(seen.features)
        frequencies = chance.normal(0, 1 / LENGTH, (works.shape[1], N_FOURIER))
        phases = chance.uniform(0, 2 * np.pi, N_FOURIER)

        def waves(points: Array) -> Array:
            found: Array = np.sqrt(2 / N_FOURIER) * np.cos(points @ frequencies + phases)
            return found

        votes = replace(votes_of(seen, now), features=waves(works))
        belief = bradley_terry.fit(votes, Belief.prior(N_FOURIER, sd=2.0))
        probes = self._probes(chance)
        worth = waves(self._seen(probes)) @ belief.effects
        design = np.column_stack([probes, np.ones(len(probes))])
        ridge = design.T @ design + 1e-3 * np.eye(design.shape[1])
        explained: Array = np.linalg.solve(ridge, design.T @ worth).astype(np.float64)
        self.follow_effects(explained[:-1])

    def _seen(self, features: Array) -> Array:
        """Works as points: options and latents, without the squares."""
        return np.hstack([features[:, : self.n_options], features[:, self.n_options :: 2]])

    def _probes(self, chance: np.random.Generator) -> Array:
        blocks = [np.eye(len(row))[chance.choice(len(row), N_PROBES, p=row)] for row in self.shares]
        latents = self.means + chance.normal(size=(N_PROBES, len(self.means)))
        both = np.stack([latents, latents**2], axis=2).reshape(N_PROBES, -1)
        return np.hstack([*blocks, both])


class Ours(Policy):
    """What closes a real round: teams set aside, sales weighed in, a cautious proposal."""

    name = "morphora"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.caution = Caution()
        self.honesty: Array | None = None

    def pairs(
        self, seen: Seen, places: Ints, n: int, now: int, chance: np.random.Generator
    ) -> tuple[Ints, Ints]:
        left, right = (
            side.reshape(n, pairing.N_CANDIDATES)
            for side in super().pairs(seen, places, n * pairing.N_CANDIDATES, now, chance)
        )
        votes = votes_of(seen, now)
        if self.honesty is not None:
            votes = replace(votes, weights=votes.weights * self.honesty[seen.ballots[:, 3]])
        belief = bradley_terry.fit(votes, self.prior)
        pairs = np.column_stack([left.ravel(), right.ravel()])
        at_stake = stakes(self.names, belief, self.bounds)
        worth = pairing.worth_asking(seen.features, pairs, belief, at_stake).reshape(left.shape)
        best, row = worth.argmax(1), np.arange(n)
        return left[row, best], right[row, best]

    def belief(self, seen: Seen, now: int) -> Belief:
        voters = seen.ballots[:, 3]
        found = teams.fit_honest(votes_of(seen, now), voters, self.prior, self.n_options)
        self.honesty = found.honesty
        return self.with_sales(seen, now, found.belief)

    def with_sales(self, seen: Seen, now: int, belief: Belief) -> Belief:
        work, _, _, sold_in, _ = seen.sales.T
        kept = np.array([not reason for reason in wash.flags(_trades(seen.sales))], np.bool_)
        if not kept.any():
            return belief
        judged = prices.judge(
            prices.Prices(
                features=seen.features[work[kept]],
                log_price=seen.log_price[kept],
                rarity=seen.rarity[kept],
                periods=sold_in[kept],
                weights=trust.FORGETTING ** (now - sold_in[kept]).astype(np.float64),
            )
        )
        found = None if judged is None else hedonic.calibrate(judged, belief)
        if judged is None or found is None or not found.reliability:
            return belief
        return hedonic.fuse(belief, hedonic.information(judged, found))


def _trades(sales: Ints) -> list[wash.Trade]:
    """A round is a month, and its sales follow each other within it."""
    return [
        wash.Trade(
            token=str(work),
            at=DAY_ZERO + timedelta(days=30 * sold_in, minutes=place),
            place=(place,),
            seller=str(seller),
            buyer=str(buyer),
        )
        for work, seller, buyer, sold_in, place in sales.tolist()
    ]


POLICIES: Sequence[type[Policy]] = (Random, GreedyMean, Thompson, Gaussian, Policy, Ours)
