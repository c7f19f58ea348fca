"""From rows to what the mathematics takes: the votes that bear on a round, and their belief."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import log

import numpy as np
from numpy.typing import NDArray

from generation.models import Artwork
from sentiment.control.shares import Bounds
from sentiment.control.stakes import stakes
from sentiment.models import Round, Vote, VoteArrays
from sentiment.preference import bradley_terry, features, trust
from sentiment.preference.bradley_terry import Belief, Votes
from sentiment.preference.features import Option
from sentiment.services.weights import vote_weights

# Pairs are chosen by a belief that is renewed whenever a round's votes have grown by a tenth, so
# that all its fits together cost about ten times the last one.
GROWTH = 1.1


def names_of(round: Round) -> list[Option]:
    """What the coordinates of a belief about a round's works stand for."""
    parameters = round.drop.parameter_set.parameters
    return features.options(parameters.distributions, sorted(parameters.directions or {}))


def encoded(round: Round, works: Sequence[Artwork]) -> NDArray[np.float64]:
    """Works as rows of features [N, D]."""
    parsed, latents = [work.parsed for work in works], [latents_of(round, work) for work in works]
    return features.encode(parsed, names_of(round), latents)


def latents_of(round: Round, work: Artwork | None) -> dict[str, float]:
    """How far a work lies along each direction that the round's drop is steered by, if known."""
    steered = round.drop.parameter_set.parameters.directions or {}
    known = {} if work is None else work.latents
    return {name: known[name] for name in sorted(steered) if name in known}


@dataclass(frozen=True)
class Evidence:
    """Votes with their works' features, and what each feature stands for."""

    names: list[Option]
    arrays: VoteArrays
    votes: Votes

    @property
    def prior(self) -> Belief:
        return Belief.prior(len(self.names))


def gather(round: Round) -> Evidence:
    """All evidence that a round has of its own and from the rounds before it."""
    names = names_of(round)
    arrays = Vote.objects.as_arrays(round)
    works = Artwork.objects.in_bulk(arrays.artwork_ids)
    votes = Votes(
        features=encoded(round, [works[pk] for pk in arrays.artwork_ids]),
        left=arrays.left,
        right=arrays.right,
        left_won=arrays.left_won,
        weights=vote_weights(arrays) * trust.weights(arrays.voters, arrays.ages),
    )
    return Evidence(names, arrays, votes)


@dataclass(frozen=True)
class Current:
    """A belief, and what is at stake where it is wrong [D, D]."""

    belief: Belief
    stakes: NDArray[np.float64]


def current_belief(round: Round) -> Current:
    """What the votes so far say; at most a tenth of a round's votes behind."""
    n_votes, n_discounts = round.votes.count(), round.discounts.count()
    growth = int(log(n_votes + 1) / log(GROWTH))
    return _belief(round.pk, round.opened_at, growth, n_discounts)


@lru_cache(maxsize=16)
def _belief(round_id: int, opened_at: datetime, growth: int, n_discounts: int) -> Current:
    found = gather(Round.objects.select_related("drop__parameter_set").get(pk=round_id))
    belief = bradley_terry.fit(found.votes, found.prior)
    return Current(belief, stakes(found.names, belief, Bounds()))
