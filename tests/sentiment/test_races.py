"""Many at once, each on its own connection to the database."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from generation.models import Artwork, ParameterSet
from sentiment.models import Proposal, Round, Vote, Voter
from sentiment.services import (
    AlreadyVotedError,
    RoundClosedError,
    approve_proposal,
    cast_vote,
    close_round,
    open_round,
    register_wallet,
)
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import address, vote_by

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Results of the calls, or the exceptions they raised."""

    def run(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except (AlreadyVotedError, RoundClosedError) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_of_equal_votes_at_once_one_counts(
    open_one: Round, voter: Voter, works: list[Artwork]
) -> None:
    a, b = works[0].pk, works[1].pk

    def vote() -> Vote:
        return cast_vote(round=open_one, voter=voter, left_id=a, right_id=b, winner_id=a)

    found = at_once([vote] * 6)

    assert sorted(type(result).__name__ for result in found) == ["AlreadyVotedError"] * 5 + ["Vote"]
    assert Vote.objects.count() == 1


def test_every_vote_that_was_taken_is_counted_by_the_close(
    open_one: Round, voters: list[Voter], works: list[Artwork]
) -> None:
    pairs = list(combinations((work.pk for work in works), 2))[:10]

    def vote(voter: Voter) -> int:
        taken = 0
        for a, b in pairs:
            try:
                cast_vote(round=open_one, voter=voter, left_id=a, right_id=b, winner_id=a)
            except RoundClosedError:
                break
            taken += 1
        return taken

    calls: list[Callable[[], Any]] = [lambda v=v: vote(v) for v in voters[:4]]  # type: ignore[misc]
    *taken, proposal = at_once([*calls, lambda: close_round(round=open_one)])

    assert proposal.score_run.n_votes == sum(taken) == Vote.objects.count()


def test_a_vote_that_comes_while_its_round_is_closed_is_refused(
    open_one: Round, voter: Voter, works: list[Artwork]
) -> None:
    a, b = works[0].pk, works[1].pk

    def vote() -> Vote:
        return cast_vote(round=open_one, voter=voter, left_id=a, right_id=b, winner_id=a)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            held = Round.objects.select_for_update().get(pk=open_one.pk)
            waiting = pool.submit(at_once, [vote])
            time.sleep(0.3)
            was_waiting = not waiting.done()
            held.state, held.closed_at = Round.State.CLOSED, timezone.now()
            held.save()
        (found,) = waiting.result(10)

    assert was_waiting
    assert isinstance(found, RoundClosedError)
    assert not Vote.objects.exists()


def test_a_vote_does_not_wait_for_another(
    open_one: Round, voters: list[Voter], works: list[Artwork]
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    a, b = works[0].pk, works[1].pk

    def vote(voter: Voter) -> Vote:
        return cast_vote(round=open_one, voter=voter, left_id=a, right_id=b, winner_id=a)

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        vote(voters[0])
        (found,) = pool.submit(at_once, [lambda: vote(voters[1])]).result(10)

    assert found.pk


def test_a_round_closed_by_many_at_once_has_one_proposal(open_one: Round) -> None:
    found = at_once([lambda: close_round(round=open_one)] * 5)

    assert len({proposal.pk for proposal in found}) == Proposal.objects.count() == 1


def test_a_round_opened_by_many_at_once_is_one(make_drop: MakeDrop) -> None:
    drop = make_drop(3)

    found = at_once([lambda: open_round(drop=drop)] * 5)

    assert len({current.pk for current in found}) == Round.objects.count() == 1


def test_a_wallet_that_signs_in_many_times_at_once_is_one_voter() -> None:
    found = at_once([lambda: register_wallet(address=address(5))] * 5)

    assert len({voter.pk for voter in found}) == Voter.objects.count() == User.objects.count() == 1


def test_a_proposal_approved_by_many_at_once_appends_one_parameter_set(
    make_drop: MakeDrop, voters: list[Voter], lead: User
) -> None:
    current = open_round(drop=make_drop(30))
    vote_by(current, voters, lambda w: (w.parsed["head"] == "long") + w.index / 1000, every=11)
    proposal = close_round(round=current)

    found = at_once([lambda: approve_proposal(proposal=proposal, lead=lead)] * 4)

    assert len({decided.resulting_id for decided in found}) == 1
    assert ParameterSet.objects.count() == 2
