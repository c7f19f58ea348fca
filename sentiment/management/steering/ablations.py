"""What each part of our way to steer is for: the same without it, and a rule that it took over."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import softmax

from sentiment.control.allocate import best_strength
from sentiment.control.shares import normalised_entropy, total_variation
from sentiment.management.steering.policies import (
    BOLD,
    Array,
    Ints,
    Ours,
    Policy,
    Seen,
    votes_of,
)
from sentiment.preference import bradley_terry
from sentiment.preference.bradley_terry import Belief


class ByLot(Ours):
    """Pairs by lot."""

    name = "without-pairs"

    def pairs(
        self, seen: Seen, places: Ints, n: int, now: int, chance: np.random.Generator
    ) -> tuple[Ints, Ints]:
        return Policy.pairs(self, seen, places, n, now, chance)


class Trusting(Ours):
    """Nobody is set aside."""

    name = "without-teams"

    def belief(self, seen: Seen, now: int) -> Belief:
        believed = bradley_terry.fit(votes_of(seen, now), self.prior)
        return self.with_sales(seen, now, believed)


class Unsold(Ours):
    """Votes alone."""

    name = "without-sales"

    def with_sales(self, seen: Seen, now: int, belief: Belief) -> Belief:
        return belief


class Bold(Ours):
    """No doubt about what is believed."""

    name = "without-caution"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.caution = BOLD


class Narrow(Ours):
    """A prior of half the width."""

    name = "half-the-prior"

    @property
    def prior(self) -> Belief:
        return Belief.prior(len(self.names), bradley_terry.EFFECT_SD / 2)


class Floored(Policy):
    """``bt-map`` with p_min + (1 - O p_min) softmax(effect / lambda) for shares."""

    name = "bt-floored"

    def follow(self, belief: Belief) -> None:
        shares = dict(self.parameters.distributions)
        effects = dict(zip(self.names, belief.effects.tolist(), strict=True))
        for attribute, old in shares.items():
            mean = np.array([effects[attribute, value] for value in old])
            before = np.array(list(old.values()))
            target = self._floored(mean)
            distance = total_variation(before, target)
            cut = min(1.0, self.bounds.max_step / distance) if distance else 1.0
            moved = before + cut * (target - before)
            shares[attribute] = dict(zip(old, (moved / moved.sum()).tolist(), strict=True))
        latents = belief.effects[self.n_options :].reshape(-1, 2)
        most = self.bounds.max_latent_step
        strengths = {
            name: strength
            + float(np.clip(best_strength(one, self.bounds.max_latent) - strength, -most, most))
            for (name, strength), one in zip(
                (self.parameters.directions or {}).items(), latents, strict=True
            )
        }
        self.parameters = replace(self.parameters, distributions=shares, directions=strengths)

    def _floored(self, mean: Array) -> Array:
        scaled = (mean - mean.max()) / max(float(np.ptp(mean)), 1e-12)
        floor = self.bounds.p_min

        def at(log_width: float) -> Array:
            found: Array = floor + (1 - len(mean) * floor) * softmax(scaled / np.exp(log_width))
            return found

        def excess(log_width: float) -> float:
            return normalised_entropy(at(log_width)) - self.bounds.min_entropy

        return at(float(brentq(excess, -7, 13)))


ABLATIONS: Sequence[type[Policy]] = (ByLot, Trusting, Unsold, Bold, Narrow, Floored)
