"""A community with a hidden taste for traits and for the latent, its market, and who attacks it.

What a benchmark of steering plays against. It draws works from parameters, answers votes, pays
prices, and knows what parameters are worth; nothing here knows how anybody steers. The taste is
no linear one: options please or clash where they meet, and of the latent the community likes a
middle that it does not name. Noise is scaled until two voters agree on .60 of pairs, as a real
crowd does.
"""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

LAPSE = 0.05
LEFT_BIAS = 0.1
AGREEMENT = 0.60
N_CALIBRATION = 4_000  # pairs by which the noise is scaled


@dataclass(frozen=True)
class Shape:
    """How large the world is, and how its tastes spread before the noise is scaled."""

    n_categories: int = 8
    n_options: int = 8
    n_latents: int = 6
    n_voters: int = 500
    n_interactions: int = 20
    option_sd: float = 1.0
    personal_sd: float = 0.7
    interaction_sd: float = 1.0
    ideal_sd: float = 0.8
    ideal_weight: float = 0.6

    @property
    def n_traits(self) -> int:
        return self.n_categories * self.n_options


@dataclass(frozen=True)
class Guard:
    """What no parameters may break, whoever sets them."""

    p_min: float = 0.02
    min_entropy: float = 0.70
    max_latent: float = 1.8


@dataclass(frozen=True)
class Works:
    """Works as voters see them: traits [N, K O] of 0 and 1, latents [N, L] in sd of the latent."""

    traits: Array
    latents: Array

    def __len__(self) -> int:
        return len(self.traits)

    def joined(self, other: "Works") -> "Works":
        return Works(
            np.vstack([self.traits, other.traits]), np.vstack([self.latents, other.latents])
        )


@dataclass(frozen=True)
class World:
    """A taste in log-odds.

    Parameters
    ----------
    options : [K O] effects of options.
    pairs, pair_effects : [I, 2], [I] options that please or clash where they meet.
    ideal, weight : [L] the latent that is liked best, and how much a step away from it costs.
    personal : [V, K O + L] what each voter adds to the effects of options and of the latent.
    """

    shape: Shape
    options: Array
    pairs: Ints
    pair_effects: Array
    ideal: Array
    weight: Array
    personal: Array


def draw(shape: Shape, chance: np.random.Generator) -> World:
    """A world of normal tastes, scaled so that two voters agree on .60 of pairs."""
    n, n_latents = shape.n_traits, shape.n_latents
    first, second = chance.integers(n, size=(2, shape.n_interactions))
    apart = (first // shape.n_options) == (second // shape.n_options)
    second = np.where(apart, (second + shape.n_options) % n, second)
    world = World(
        shape=shape,
        options=chance.normal(0, shape.option_sd, n),
        pairs=np.stack([first, second], axis=1),
        pair_effects=chance.normal(0, shape.interaction_sd, shape.n_interactions),
        ideal=chance.normal(0, shape.ideal_sd, n_latents),
        weight=shape.ideal_weight * chance.uniform(0.5, 1.5, n_latents),
        personal=chance.normal(0, shape.personal_sd, (shape.n_voters, n + n_latents)),
    )
    works = draw_works(shape, uniform(shape), np.zeros(n_latents), 2 * N_CALIBRATION, chance)
    voters = chance.integers(shape.n_voters, size=(2, N_CALIBRATION))
    leads = [_lead(world, works, v, np.arange(N_CALIBRATION), N_CALIBRATION) for v in voters]

    def excess(log_scale: float) -> float:
        p, q = (chosen(np.exp(log_scale) * lead) for lead in leads)
        return float((p * q + (1 - p) * (1 - q)).mean() - AGREEMENT)

    return _scaled(world, float(np.exp(brentq(excess, -6, 4))))


def _lead(world: World, works: Works, voters: Ints, left: Ints, offset: int) -> Array:
    right = left + offset
    own = own_lead(world, works, voters, left, right)
    worth = utility(world, works)
    lead: Array = worth[left] - worth[right] + own
    return lead


def _scaled(world: World, by: float) -> World:
    return replace(
        world,
        options=by * world.options,
        pair_effects=by * world.pair_effects,
        weight=by * world.weight,
        personal=by * world.personal,
    )


def drifted(world: World, by: float, chance: np.random.Generator) -> World:
    """The taste a round later: a part ``by`` of it is drawn anew."""
    kept = sqrt(1 - by**2)
    sd, ideal_sd = float(world.options.std()), world.shape.ideal_sd
    return replace(
        world,
        options=kept * world.options + by * chance.normal(0, sd, len(world.options)),
        ideal=kept * world.ideal + by * chance.normal(0, ideal_sd, len(world.ideal)),
    )


def uniform(shape: Shape) -> Array:
    """Equal shares [K, O]."""
    return np.full((shape.n_categories, shape.n_options), 1 / shape.n_options)


def draw_works(
    shape: Shape, shares: Array, means: Array, n: int, chance: np.random.Generator
) -> Works:
    """Works of a drop; the same chance gives like works under like parameters.

    Parameters
    ----------
    shares : [K, O] of each option of each category.
    means : [L] of the latent.
    """
    uniforms = chance.random((n, shape.n_categories))
    noise = chance.normal(size=(n, shape.n_latents))
    picked = (uniforms[:, :, None] > np.cumsum(shares, axis=1)[None]).sum(2)
    traits = np.eye(shape.n_options)[picked.clip(0, shape.n_options - 1)]
    return Works(traits.reshape(n, -1), means + noise)


def utility(world: World, works: Works) -> Array:
    """Worth [N] of works to the community as a whole, in log-odds."""
    met = works.traits[:, world.pairs[:, 0]] * works.traits[:, world.pairs[:, 1]]
    away = ((works.latents - world.ideal) ** 2) @ world.weight / 2
    worth: Array = works.traits @ world.options + met @ world.pair_effects - away
    return worth


def own_lead(world: World, works: Works, voters: Ints, left: Ints, right: Ints) -> Array:
    """What each voter [V] adds to the lead of the left work."""
    seen = np.hstack([works.traits, works.latents])
    lead: Array = ((seen[left] - seen[right]) * world.personal[voters]).sum(1)
    return lead


def chosen(lead: Array) -> Array:
    """Probability [V] of choosing the left work, blind votes included."""
    p: Array = LAPSE / 2 + (1 - LAPSE) * expit(lead)
    return p


def answer(
    world: World,
    works: Works,
    voters: Ints,
    left: Ints,
    right: Ints,
    chance: np.random.Generator,
) -> NDArray[np.bool_]:
    """Whether each voter [V] prefers the left of the two works shown."""
    worth = utility(world, works)
    lead = worth[left] - worth[right] + own_lead(world, works, voters, left, right)
    return chance.random(len(voters)) < chosen(lead + LEFT_BIAS)


def worth(world: World, shares: Array, means: Array) -> float:
    """Expected worth of a work under parameters: shares [K, O], means [L]."""
    p = shares.ravel()
    met = p[world.pairs[:, 0]] * p[world.pairs[:, 1]] @ world.pair_effects
    away = ((means - world.ideal) ** 2 + 1) @ world.weight / 2
    return float(p @ world.options + met - away)


def oracle(world: World, guard: Guard) -> tuple[Array, Array]:
    """The best parameters that the guard lets somebody reach who sees the taste.

    Category by category, until nothing moves: with the others' shares fixed the worth is linear in
    a category's, and the best of them under the guard is ``sharpest``.
    """
    shares = uniform(world.shape)
    for _ in range(50):
        before = shares.copy()
        for category in range(world.shape.n_categories):
            shares[category] = sharpest(_slopes(world, shares)[category], guard)
        if np.abs(shares - before).max() < 1e-9:
            break
    return shares, world.ideal.clip(-guard.max_latent, guard.max_latent)


def _slopes(world: World, shares: Array) -> Array:
    """Derivative [K, O] of the worth by the shares."""
    p, slopes = shares.ravel(), world.options.copy()
    first, second = world.pairs.T
    np.add.at(slopes, first, p[second] * world.pair_effects)
    np.add.at(slopes, second, p[first] * world.pair_effects)
    return slopes.reshape(shares.shape)


def sharpest(effects: Array, guard: Guard) -> Array:
    """The shares [O] of most worth with every share and the entropy at their bounds or above.

    By the conditions of Karush, Kuhn and Tucker p = max(p_min, exp((effect - nu) / lambda)).
    """
    n = len(effects)

    def at(log_width: float) -> Array:
        return _poured((effects - effects.max()) / np.exp(log_width), guard.p_min)

    def excess(log_width: float) -> float:
        p = at(log_width)
        return float(-(p * np.log(p)).sum() / np.log(n) - guard.min_entropy)

    if excess(-7) >= 0:
        return at(-7)
    return at(float(brentq(excess, -7, 8)))


def _poured(scores: Array, p_min: float) -> Array:
    """max(p_min, exp(score - nu)), with the nu by which the shares sum to 1."""
    order = np.argsort(-scores)
    weights = np.exp(scores[order])
    for n_free in range(len(scores), 0, -1):
        left = 1 - p_min * (len(scores) - n_free)
        free = left * weights[:n_free] / weights[:n_free].sum()
        if free[-1] >= p_min or n_free == 1:
            break
    shares = np.full(len(scores), p_min)
    shares[order[:n_free]] = free
    return shares


@dataclass(frozen=True)
class Sales:
    """Sales [S] in order: places of the works, prices as logarithms, and who traded."""

    places: Ints
    log_price: Array
    sellers: Ints
    buyers: Ints


def sales(
    world: World,
    works: Works,
    rarity: Array,
    n: int,
    period_effect: float,
    chance: np.random.Generator,
    *,
    kappa: float = 0.35,
    rho: float = 0.08,
    noise_sd: float = 0.3,
) -> Sales:
    """Sales of a round: buyers pay for what is liked, for rarity, and for the times.

    Parameters
    ----------
    rarity : [N] nats of each work; the confounder, since what nobody draws is dear too.
    """
    places = chance.integers(len(works), size=n)
    liked = utility(world, works)[places]
    noise = noise_sd * chance.standard_t(4, n)
    price: Array = period_effect + kappa * liked + rho * rarity[places] + noise
    wallets = chance.integers(world.shape.n_voters, size=n)
    others = (wallets + chance.integers(1, world.shape.n_voters, size=n)) % world.shape.n_voters
    return Sales(places, price, wallets, others)
