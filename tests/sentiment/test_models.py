import numpy as np
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from generation.models import Artwork, Drop
from sentiment.models import Round, Vote, Voter
from sentiment.services import cast_vote, close_round, open_round
from tests.fixtures.works import MakeDrop


def refuse(**fields: object) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Vote.objects.create(**fields)


def test_a_pair_is_stored_in_canonical_order_only(
    open_one: Round, voter: Voter, works: list[Artwork]
) -> None:
    a, b = works[:2]

    refuse(round=open_one, voter=voter, first=b, second=a, winner=a, shown_left=a)


def test_a_winner_is_one_of_the_pair(open_one: Round, voter: Voter, works: list[Artwork]) -> None:
    a, b, c = works[:3]

    refuse(round=open_one, voter=voter, first=a, second=b, winner=c, shown_left=a)


def test_the_left_one_is_one_of_the_pair(
    open_one: Round, voter: Voter, works: list[Artwork]
) -> None:
    a, b, c = works[:3]

    refuse(round=open_one, voter=voter, first=a, second=b, winner=a, shown_left=c)


def test_the_database_takes_a_pair_once_from_each_voter(
    open_one: Round, voters: list[Voter], works: list[Artwork]
) -> None:
    a, b = works[:2]
    for voter in voters[:2]:
        Vote.objects.create(round=open_one, voter=voter, first=a, second=b, winner=a, shown_left=a)

    refuse(round=open_one, voter=voters[0], first=a, second=b, winner=b, shown_left=b)
    assert Vote.objects.count() == 2


def test_a_closed_round_has_a_time(drop: Drop) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Round.objects.create(drop=drop, state=Round.State.CLOSED, opened_at=timezone.now())


def test_arrays_say_who_was_left_and_who_won(
    open_one: Round, voters: list[Voter], works: list[Artwork]
) -> None:
    a, b, c = (work.pk for work in works[:3])
    cast_vote(round=open_one, voter=voters[1], left_id=c, right_id=b, winner_id=b)
    cast_vote(round=open_one, voter=voters[0], left_id=a, right_id=b, winner_id=a)

    arrays = Vote.objects.as_arrays(open_one)

    assert arrays.artwork_ids == [a, b, c]
    assert arrays.left.tolist() == [0, 2]
    assert arrays.right.tolist() == [1, 1]
    assert arrays.left_won.tolist() == [True, False]
    assert arrays.voters.tolist() == [voters[0].pk, voters[1].pk]
    assert arrays.ages.tolist() == [0, 0]


def test_arrays_of_a_round_without_votes_are_empty(open_one: Round) -> None:
    arrays = Vote.objects.as_arrays(open_one)

    assert arrays.artwork_ids == []
    assert arrays.left.shape == arrays.right.shape == arrays.ages.shape == (0,)
    assert arrays.left_won.dtype == np.bool_


def test_arrays_hold_closed_earlier_rounds_with_their_age(
    make_drop: MakeDrop, voter: Voter
) -> None:
    rounds = []
    for n in range(3):
        current = open_round(drop=make_drop(3, seed=n))
        a, b, _ = current.drop.artworks.order_by("pk")
        cast_vote(round=current, voter=voter, left_id=a.pk, right_id=b.pk, winner_id=a.pk)
        rounds.append(current)
    close_round(round=rounds[0])
    close_round(round=rounds[2])

    assert Vote.objects.as_arrays(rounds[2]).ages.tolist() == [1, 0]
    assert Vote.objects.as_arrays(rounds[1]).ages.tolist() == [1, 0]
    assert Vote.objects.as_arrays(rounds[0]).ages.tolist() == [0]
