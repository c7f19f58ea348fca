"""A community with a hidden taste, to measure steering against. No steering code sees inside it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

LAPSE = 0.05
LEFT_BIAS = 0.1


@dataclass(frozen=True)
class Community:
    """Voters who agree in part.

    Parameters
    ----------
    common : [D] effects of the options on everybody's judgement, in log-odds.
    personal : [K, D] what each of K voters adds.
    pairs, pair_effects : [I, 2], [I] options that please or clash where they meet in one work.
    left_bias
        log-odds in favour of the left one.
    lapse
        share of votes cast blindly.
    """

    common: NDArray[np.float64]
    personal: NDArray[np.float64]
    pairs: NDArray[np.int64]
    pair_effects: NDArray[np.float64]
    left_bias: float = LEFT_BIAS
    lapse: float = LAPSE


def draw(
    n_features: int,
    n_voters: int,
    chance: np.random.Generator,
    *,
    taste_sd: float = 0.42,
    personal_sd: float = 0.3,
    n_interactions: int = 20,
    interaction_sd: float = 0.3,
) -> Community:
    """A community of normal tastes; with the default sds two voters agree on .60 of pairs."""
    return Community(
        common=chance.normal(0, taste_sd, n_features),
        personal=chance.normal(0, personal_sd, (n_voters, n_features)),
        pairs=chance.integers(n_features, size=(n_interactions, 2)),
        pair_effects=chance.normal(0, interaction_sd, n_interactions),
    )


def utility(community: Community, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Worth [N] of works [N, D] to the community as a whole, in log-odds."""
    met = features[:, community.pairs[:, 0]] * features[:, community.pairs[:, 1]]
    worth: NDArray[np.float64] = features @ community.common + met @ community.pair_effects
    return worth


def answer(
    community: Community,
    features: NDArray[np.float64],
    voters: NDArray[np.int64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    chance: np.random.Generator,
) -> NDArray[np.bool_]:
    """Whether each voter [V] prefers the left of the two works shown."""
    common = utility(community, features)
    own = np.einsum("vd,vd->v", community.personal[voters], features[left] - features[right])
    lead = common[left] - common[right] + own + community.left_bias
    chosen = chance.random(len(voters)) < expit(lead)
    blind = chance.random(len(voters)) < community.lapse
    return np.where(blind, chance.random(len(voters)) < 0.5, chosen)


def bids(
    community: Community,
    features: NDArray[np.float64],
    rarity: NDArray[np.float64],
    chance: np.random.Generator,
    *,
    kappa: float = 0.35,
    rho: float = 0.05,
    noise_sd: float = 0.25,
) -> NDArray[np.float64]:
    """Log of what each voter would pay [K, N] for works, in units of an everyday price.

    Parameters
    ----------
    rarity : [N] nats; voters pay ``rho`` for each of them, whatever they like.
    kappa
        log price per log-odds of liking.
    """
    common = utility(community, features)
    liking = common[None, :] + community.personal @ features.T
    noise = chance.normal(0, noise_sd, liking.shape)
    offered: NDArray[np.float64] = kappa * liking + rho * rarity[None, :] + noise
    return offered
