from itertools import combinations

import numpy as np
import pytest
from django.contrib.auth.models import User

from generation.models import Artwork
from sentiment.models import Round, Vote, Voter
from sentiment.services import (
    AlreadyVotedError,
    NotAPairError,
    RoundClosedError,
    UnknownWorkError,
    cast_vote,
    close_round,
    next_pair,
    open_round,
    register_wallet,
)
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import address, vote_by


def test_a_wallet_becomes_a_voter_without_a_password(db: None) -> None:
    voter = register_wallet(address=address(1).lower())

    assert voter.address == address(1)
    assert not voter.user.has_usable_password()
    assert not voter.user.is_staff


def test_a_wallet_that_comes_back_is_the_same_voter(db: None) -> None:
    assert register_wallet(address=address(1)) == register_wallet(address=address(1))
    assert User.objects.count() == Voter.objects.count() == 1


def test_a_vote_is_stored_in_canonical_order_with_its_left_one(
    open_one: Round, voter: Voter, works: list[Artwork]
) -> None:
    a, b = works[0].pk, works[1].pk

    vote = cast_vote(round=open_one, voter=voter, left_id=b, right_id=a, winner_id=a)

    assert (vote.first_id, vote.second_id) == (a, b)
    assert (vote.winner_id, vote.shown_left_id) == (a, b)


@pytest.mark.parametrize("turned", [False, True])
def test_a_pair_is_decided_once_whichever_way_round(
    open_one: Round, voter: Voter, works: list[Artwork], turned: bool
) -> None:
    a, b = works[0].pk, works[1].pk
    cast_vote(round=open_one, voter=voter, left_id=a, right_id=b, winner_id=a)
    left, right = (b, a) if turned else (a, b)

    with pytest.raises(AlreadyVotedError) as caught:
        cast_vote(round=open_one, voter=voter, left_id=left, right_id=right, winner_id=b)

    assert (caught.value.voter, caught.value.first_id, caught.value.second_id) == (voter, a, b)
    assert Vote.objects.get().winner_id == a


def test_two_voters_may_decide_the_same_pair(
    open_one: Round, voters: list[Voter], works: list[Artwork]
) -> None:
    a, b = works[0].pk, works[1].pk

    for voter in voters:
        cast_vote(round=open_one, voter=voter, left_id=a, right_id=b, winner_id=a)

    assert Vote.objects.count() == len(voters)


def test_a_vote_in_a_closed_round_is_refused(
    open_one: Round, voter: Voter, works: list[Artwork]
) -> None:
    close_round(round=open_one)
    a, b = works[0].pk, works[1].pk

    with pytest.raises(RoundClosedError):
        cast_vote(round=open_one, voter=voter, left_id=a, right_id=b, winner_id=a)

    assert not Vote.objects.exists()


def test_a_winner_outside_the_pair_is_refused(
    open_one: Round, voter: Voter, works: list[Artwork]
) -> None:
    a, b, c = (work.pk for work in works[:3])

    with pytest.raises(NotAPairError) as caught:
        cast_vote(round=open_one, voter=voter, left_id=a, right_id=b, winner_id=c)

    assert caught.value.winner_id == c


def test_a_work_against_itself_is_refused(
    open_one: Round, voter: Voter, works: list[Artwork]
) -> None:
    a = works[0].pk

    with pytest.raises(NotAPairError):
        cast_vote(round=open_one, voter=voter, left_id=a, right_id=a, winner_id=a)


def test_works_of_another_drop_and_of_none_are_refused(
    open_one: Round, voter: Voter, works: list[Artwork], make_drop: MakeDrop
) -> None:
    foreign = make_drop(1).artworks.get().pk

    for stranger in (foreign, 10**12):
        with pytest.raises(UnknownWorkError) as caught:
            cast_vote(
                round=open_one,
                voter=voter,
                left_id=works[0].pk,
                right_id=stranger,
                winner_id=stranger,
            )
        assert caught.value.artwork_ids == [stranger]


def test_a_rejected_work_cannot_be_voted_for(
    open_one: Round, voter: Voter, works: list[Artwork]
) -> None:
    a, b = works[0].pk, works[1].pk
    Artwork.objects.filter(pk=b).update(status=Artwork.Status.REJECTED)

    with pytest.raises(UnknownWorkError):
        cast_vote(round=open_one, voter=voter, left_id=a, right_id=b, winner_id=a)


def test_a_voter_is_shown_every_pair_once_and_then_none(open_one: Round, voter: Voter) -> None:
    chance = np.random.default_rng(0)
    shown = []

    while (pair := next_pair(round=open_one, voter=voter, rng=chance)) is not None:
        left, right = pair[0].pk, pair[1].pk
        cast_vote(round=open_one, voter=voter, left_id=left, right_id=right, winner_id=left)
        shown.append(tuple(sorted((left, right))))

    ids = sorted(open_one.drop.artworks.values_list("pk", flat=True))
    assert sorted(shown) == sorted(combinations(ids, 2))


def test_only_accepted_works_are_shown(open_one: Round, voter: Voter, works: list[Artwork]) -> None:
    kept = {work.pk for work in works[:2]}
    Artwork.objects.exclude(pk__in=kept).update(status=Artwork.Status.REJECTED)

    pair = next_pair(round=open_one, voter=voter, rng=np.random.default_rng(0))

    assert pair is not None
    assert {pair[0].pk, pair[1].pk} == kept


def test_a_drop_of_one_work_has_no_pair(make_drop: MakeDrop, voter: Voter) -> None:
    current = open_round(drop=make_drop(1))

    assert next_pair(round=current, voter=voter, rng=np.random.default_rng(0)) is None


def test_no_pair_is_shown_once_the_round_is_closed(open_one: Round, voter: Voter) -> None:
    close_round(round=open_one)
    open_one.refresh_from_db()

    with pytest.raises(RoundClosedError):
        next_pair(round=open_one, voter=voter, rng=np.random.default_rng(0))


def test_pairs_and_sides_follow_from_the_generator(open_one: Round, voters: list[Voter]) -> None:
    vote_by(open_one, voters[:1], worth=lambda work: work.index)

    pairs = [
        next_pair(round=open_one, voter=voters[1], rng=np.random.default_rng(seed))
        for seed in (1, 1, 2, 3)
    ]

    assert pairs[0] == pairs[1]
    assert len(set(pairs)) > 1
