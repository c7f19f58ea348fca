"""Who took part in a round: read from the votes, and what one voter has been part of."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
from django.db.models import Count
from numpy.typing import NDArray

from sentiment.models import Proposal, Round, Vote, Voter
from sentiment.preference import effects, trust, turnout
from sentiment.preference.effects import Moved
from sentiment.preference.turnout import Agreement, Concentration
from sentiment.services.weights import voter_weights

N_HEAVIEST = 10


@dataclass(frozen=True)
class Weight:
    """A voter's weight in votes of the present round, and its share of all weight."""

    address: str
    is_simulated: bool
    votes: float
    share: float


@dataclass(frozen=True)
class Turnout:
    """A round's votes and voters; weight is that of all votes that bear on it, earlier ones too.

    ``over_time`` has the votes so far at each step of time, ``heaviest`` the voters of most weight.
    """

    n_votes: int
    n_voters: int
    n_simulated: int
    over_time: list[tuple[datetime, int]]
    agreement: Agreement | None
    concentration: Concentration | None
    n_weighing: int
    simulated_share: float
    heaviest: list[Weight]

    @property
    def votes_a_voter(self) -> float:
        return self.n_votes / self.n_voters if self.n_voters else 0.0


@dataclass(frozen=True)
class LastTime:
    """What became of the last round in which somebody voted, beside their own votes there."""

    proposal: Proposal
    n_votes: int
    moved: Moved | None


def read_turnout(round: Round) -> Turnout:
    """The turnout of a round, worked out once for each number of votes and of discounts."""
    return _read(round.pk, round.opened_at, round.votes.count(), round.discounts.count())


@lru_cache(maxsize=32)
def _read(round_id: int, opened_at: datetime, n_votes: int, n_discounts: int) -> Turnout:
    current = Round.objects.select_related("drop").get(pk=round_id)
    votes = current.votes.all()
    voters = Voter.objects.filter(votes__round=current).distinct()
    tallies = votes.tallies()
    weights = _weights(current)
    heaviest = weights[:N_HEAVIEST]
    return Turnout(
        n_votes=n_votes,
        n_voters=voters.count(),
        n_simulated=voters.filter(is_simulated=True).count(),
        over_time=votes.over_time(),
        agreement=turnout.agreement(tallies[:, 0], tallies[:, 1]),
        concentration=turnout.concentration(
            np.array([one.votes for one in weights], np.float64), N_HEAVIEST
        ),
        n_weighing=len(weights),
        simulated_share=sum(one.share for one in weights if one.is_simulated),
        heaviest=heaviest,
    )


def _weights(current: Round) -> list[Weight]:
    """Every voter with weight in a round, the heaviest first."""
    rounds = list(Round.objects.leading_to(current).values_list("pk", flat=True))
    ages = {pk: age for age, pk in enumerate(reversed(rounds))}
    columns = ("voter", "voter__address", "voter__is_simulated", "round")
    rows = list(
        Vote.objects.filter(round__in=rounds)
        .values_list(*columns)
        .annotate(n=Count("pk"))
        .order_by("voter", "round")
    )
    if not rows:
        return []
    ids, addresses, simulated, of_rounds, counts = zip(*rows, strict=True)
    known = {
        pk: (address, flag) for pk, address, flag in zip(ids, addresses, simulated, strict=True)
    }
    places = np.unique(np.array(ids), return_inverse=True)[1]
    own = voter_weights(rounds)
    each = np.array([own.get(key, 1.0) for key in zip(of_rounds, ids, strict=True)])
    summed = _summed(places, np.array([ages[pk] for pk in of_rounds]), np.array(counts), each)
    total = summed.sum()
    if not total:
        return []
    found = [
        Weight(*known[pk], votes=float(weight), share=float(weight / total))
        for pk, weight in zip(sorted(known), summed, strict=True)
    ]
    return sorted(found, key=lambda one: (-one.votes, one.address))


def _summed(
    voters: NDArray[np.int64],
    ages: NDArray[np.int64],
    counts: NDArray[np.int64],
    own: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The weight of each voter [K] from the number of their votes of each age, and their weight."""
    each = np.repeat(voters, counts)
    weights = np.repeat(own, counts) * trust.weights(each, np.repeat(ages, counts))
    return np.bincount(each, weights).astype(np.float64)


def streak(*, voter: Voter, round: Round) -> int:
    """Rounds of the collection in a row in which a voter voted; the present one may be to come."""
    rounds = Round.objects.leading_to(round)
    mine = set(rounds.voted_by(voter).values_list("pk", flat=True))
    return turnout.streak([pk in mine for pk in rounds.values_list("pk", flat=True)])


def last_time(*, voter: Voter, round: Round) -> LastTime | None:
    """What was decided after the last closed round before ``round`` in which a voter voted."""
    earlier = Round.objects.leading_to(round).exclude(pk=round.pk).voted_by(voter)
    proposals = Proposal.objects.select_related("drop__collection", "score_run")
    proposal = proposals.filter(score_run__round__in=earlier.order_by()).newest_first().first()
    if proposal is None:
        return None
    votes = Vote.objects.filter(round=proposal.score_run.round_id, voter=voter)
    rows = votes.order_by("pk").values_list("winner", "first", "first__parsed", "second__parsed")
    choices = [
        (first, second) if winner == first_id else (second, first)
        for winner, first_id, first, second in rows
    ]
    applied = proposal.applied or proposal.old
    return LastTime(
        proposal=proposal,
        n_votes=len(choices),
        moved=effects.moved_most(choices, proposal.old["distributions"], applied["distributions"]),
    )
