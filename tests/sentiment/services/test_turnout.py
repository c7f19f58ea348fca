"""Reads of turnout, weight, streaks and standings from rows."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.contrib.auth.models import User

from generation.models import Artwork, Drop
from sentiment.models import Round, Vote, Voter
from sentiment.services import (
    approve_proposal,
    begin_voting,
    cast_vote,
    close_round,
    last_time,
    may_see_standings,
    open_round,
    read_standing,
    read_turnout,
    reject_proposal,
    streak,
)
from sentiment.services.evidence import gather
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import vote_by

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def likes_long_hair(work: Artwork) -> float:
    return float(work.parsed["head"] == "long") + work.index / 1000


def decide_pair(round: Round, voter: Voter, a: int, b: int, winner: int) -> Vote:
    works = list(round.drop.artworks.order_by("index"))
    left, right, won = works[a].pk, works[b].pk, works[winner].pk
    return cast_vote(round=round, voter=voter, left_id=left, right_id=right, winner_id=won)


def test_a_round_without_votes_has_no_turnout(open_one: Round) -> None:
    found = read_turnout(open_one)

    assert (found.n_votes, found.n_voters, found.over_time) == (0, 0, [])
    assert (found.agreement, found.concentration, found.heaviest) == (None, None, [])
    assert found.votes_a_voter == 0


def test_votes_and_voters_are_counted_and_the_simulated_ones_told(
    open_one: Round, voters: list[Voter]
) -> None:
    Voter.objects.filter(pk=voters[0].pk).update(is_simulated=True)
    for pair in ((0, 1), (0, 2), (1, 2)):
        decide_pair(open_one, voters[0], *pair, winner=pair[0])
    decide_pair(open_one, voters[1], 0, 1, winner=1)

    found = read_turnout(open_one)

    assert (found.n_votes, found.n_voters, found.n_simulated) == (4, 2, 1)
    assert found.simulated_share == pytest.approx(0.75)
    assert [(one.address, one.votes) for one in found.heaviest] == [
        (voters[0].address, 3.0),
        (voters[1].address, 1.0),
    ]


def test_agreement_counts_voters_who_judged_the_same_pair(
    open_one: Round, voters: list[Voter]
) -> None:
    for pair in ((0, 1), (0, 2), (1, 2), (3, 4), (5, 6)):
        decide_pair(open_one, voters[0], *pair, winner=pair[0])
        decide_pair(open_one, voters[1], *pair, winner=pair[0] if pair != (5, 6) else 6)

    found = read_turnout(open_one).agreement

    assert found is not None
    assert found.n_comparisons == 5
    assert found.share == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("apart", "step"),
    [
        (timedelta(seconds=20), timedelta(seconds=1)),
        (timedelta(minutes=20), timedelta(minutes=1)),
        (timedelta(hours=20), timedelta(hours=1)),
        (timedelta(days=20), timedelta(days=1)),
    ],
)
def test_votes_add_up_in_steps_that_suit_how_long_it_took(
    open_one: Round, voters: list[Voter], apart: timedelta, step: timedelta
) -> None:
    votes = [decide_pair(open_one, voter, 0, 1, winner=0) for voter in voters[:4]]
    for n, vote in enumerate(votes):
        late = apart if n == 3 else n * step / 10
        Vote.objects.filter(pk=vote.pk).update(cast_at=NOW.replace(hour=0) + late)

    found = read_turnout(open_one).over_time

    assert found == [(NOW.replace(hour=0), 3), (NOW.replace(hour=0) + apart, 4)]


def test_weights_are_those_of_the_evidence(
    make_drop: MakeDrop, voters: list[Voter], lead: User
) -> None:
    first = open_round(drop=make_drop(12))
    vote_by(first, voters[:3], likes_long_hair)
    reject_proposal(proposal=close_round(round=first), lead=lead)
    second = open_round(drop=make_drop(12))
    vote_by(second, voters[2:6], likes_long_hair, every=7)

    found = read_turnout(second)

    evidence = gather(second)
    ids, places = np.unique(evidence.arrays.voters, return_inverse=True)
    summed = np.bincount(places, evidence.votes.weights)
    addresses = dict(Voter.objects.values_list("pk", "address"))
    expected = {addresses[pk]: weight for pk, weight in zip(ids.tolist(), summed, strict=True)}
    assert {one.address: one.votes for one in found.heaviest} == pytest.approx(expected)
    assert sum(one.share for one in found.heaviest) == pytest.approx(1)


def test_a_streak_counts_rounds_of_the_collection_in_a_row(
    make_drop: MakeDrop, voter: Voter, lead: User
) -> None:
    seen = []
    for votes_here in (True, False, True, True, False):
        current = open_round(drop=make_drop(4))
        if votes_here:
            decide_pair(current, voter, 0, 1, winner=0)
        seen.append(streak(voter=voter, round=current))
        reject_proposal(proposal=close_round(round=current), lead=lead)

    assert seen == [1, 1, 1, 2, 2]


@pytest.fixture
def decided(make_drop: MakeDrop, voters: list[Voter], lead: User) -> Round:
    """A round whose proposal was applied: everybody likes long hair."""
    first = open_round(drop=make_drop(30))
    vote_by(first, voters, likes_long_hair, every=11)
    approve_proposal(proposal=close_round(round=first), lead=lead)
    return first


def test_last_time_tells_a_voters_own_choices_beside_what_was_applied(
    decided: Round, make_drop: MakeDrop, voters: list[Voter]
) -> None:
    found = last_time(voter=voters[0], round=open_round(drop=make_drop(4)))

    assert found is not None
    assert found.moved is not None
    assert found.proposal.applied is not None
    assert found.proposal.score_run.round_id == decided.pk
    assert found.n_votes == decided.votes.filter(voter=voters[0]).count()
    option = (found.moved.attribute, found.moved.value)
    assert found.moved.new == found.proposal.applied["distributions"][option[0]][option[1]]
    assert found.moved.old == found.proposal.old["distributions"][option[0]][option[1]]
    won = list(decided.votes.filter(voter=voters[0]))
    shown = [
        (
            vote.winner.parsed,
            (vote.second if vote.winner_id == vote.first_id else vote.first).parsed,
        )
        for vote in won
    ]
    name, value = option
    assert found.moved.chosen == sum(a[name] == value != b[name] for a, b in shown)
    assert found.moved.passed == sum(b[name] == value != a[name] for a, b in shown)


def test_last_time_is_nothing_for_a_first_time(
    decided: Round, make_drop: MakeDrop, voters: list[Voter]
) -> None:
    stranger = Voter.objects.create(
        user=User.objects.create_user("stranger"), address="0x" + "9" * 40
    )
    current = open_round(drop=make_drop(4))

    assert last_time(voter=stranger, round=current) is None
    assert last_time(voter=voters[0], round=decided) is None


def test_nothing_moved_where_the_lead_kept_the_parameters(
    make_drop: MakeDrop, voters: list[Voter], lead: User
) -> None:
    first = open_round(drop=make_drop(30))
    vote_by(first, voters, likes_long_hair, every=11)
    reject_proposal(proposal=close_round(round=first), lead=lead)

    found = last_time(voter=voters[0], round=open_round(drop=make_drop(4)))

    assert found is not None
    assert found.moved is None


def test_a_lead_says_when_a_round_is_opened_whether_it_hides_how_it_stands(drop: Drop) -> None:
    current = begin_voting(drop=drop, hides_standings=False)

    again = begin_voting(drop=drop, hides_standings=True)

    assert again == current
    assert not again.hides_standings


def test_standings_are_hidden_until_one_votes_in_the_round(
    open_one: Round, voters: list[Voter]
) -> None:
    def sees(voter: Voter | None, is_lead: bool = False) -> bool:
        return may_see_standings(round=open_one, voter=voter, is_lead=is_lead)

    assert open_one.hides_standings
    assert not sees(None)
    assert not sees(voters[0])
    assert sees(None, is_lead=True)
    decide_pair(open_one, voters[0], 0, 1, winner=0)
    assert sees(voters[0])
    assert not sees(voters[1])
    open_one.hides_standings = False
    assert sees(None)


def test_a_closed_round_stands_as_it_was_scored(
    open_one: Round, voters: list[Voter], lead: User
) -> None:
    vote_by(open_one, voters, likes_long_hair)
    close_round(round=open_one)
    open_one.refresh_from_db()

    found = read_standing(open_one)

    posterior = open_one.score_run.posterior
    mean = {tuple(n): m for n, m in zip(posterior["names"], posterior["mean"], strict=False)}
    heads = [value for name, value in found.effects.names if name == "head"]
    average = np.mean([mean["head", value] for value in heads])
    at = found.effects.names.index(("head", "long"))
    assert found.effects.mean[at] == pytest.approx(mean["head", "long"] - average)
    worths = [sum(mean[option] for option in work.parsed.items()) for work in found.best]
    assert worths == sorted(worths, reverse=True)
    assert len(found.best) == 6


def test_an_open_round_stands_by_its_votes_so_far(open_one: Round, voters: list[Voter]) -> None:
    before = read_standing(open_one)
    vote_by(open_one, voters, likes_long_hair)

    after = read_standing(open_one)

    at = after.effects.names.index(("head", "long"))
    assert before.effects.mean[at] == 0
    assert after.effects.low[at] > 0
