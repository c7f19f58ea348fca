"""From rows to what the mathematics takes: the votes that bear on a round, and their belief."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import log

from generation.models import Artwork
from sentiment.models import Round, Vote, VoteArrays
from sentiment.preference import bradley_terry, features, trust
from sentiment.preference.bradley_terry import Belief, Votes
from sentiment.preference.features import Option

# Pairs are chosen by a belief that is renewed whenever a round's votes have grown by a tenth, so
# that all its fits together cost about ten times the last one.
GROWTH = 1.1


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
    names = features.options(round.drop.parameter_set.parameters.distributions)
    arrays = Vote.objects.as_arrays(round)
    works = Artwork.objects.in_bulk(arrays.artwork_ids)
    votes = Votes(
        features=features.encode([works[pk].parsed for pk in arrays.artwork_ids], names),
        left=arrays.left,
        right=arrays.right,
        left_won=arrays.left_won,
        weights=trust.weights(arrays.voters, arrays.ages),
    )
    return Evidence(names, arrays, votes)


def current_belief(round: Round) -> Belief:
    """What the votes so far say; at most a tenth of a round's votes behind."""
    n_votes = round.votes.count()
    return _belief(round.pk, round.opened_at, int(log(n_votes + 1) / log(GROWTH)))


@lru_cache(maxsize=16)
def _belief(round_id: int, opened_at: datetime, growth: int) -> Belief:
    found = gather(Round.objects.select_related("drop__parameter_set").get(pk=round_id))
    return bradley_terry.fit(found.votes, found.prior)
