import random
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from generation.models import Artwork, Drop
from generation.services import WrongStateError
from sentiment.control import explain
from sentiment.control.explain import code_version, input_hash
from sentiment.derivation.derive import derive
from sentiment.models import Proposal, Round, ScoreRun, Vote, Voter
from sentiment.services import close_round, open_round, round_inputs
from sentiment.services.evidence import current_belief
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import vote_by


def likes_long_hair(work: Artwork) -> float:
    return float(work.parsed["head"] == "long") + work.index / 1000


def test_opening_a_round_makes_the_drop_listen(drop: Drop) -> None:
    current = open_round(drop=drop)

    drop.refresh_from_db()
    assert drop.state == Drop.State.LISTENING
    assert current.is_open


def test_opening_twice_gives_one_round(drop: Drop) -> None:
    assert open_round(drop=drop) == open_round(drop=drop)
    assert Round.objects.count() == 1


@pytest.mark.parametrize("state", [Drop.State.CURATING, Drop.State.COMMITTED, Drop.State.CLOSED])
def test_a_drop_that_is_not_minting_has_no_round(make_drop: MakeDrop, state: Drop.State) -> None:
    with pytest.raises(WrongStateError):
        open_round(drop=make_drop(2, state))

    assert not Round.objects.exists()


def test_closing_scores_the_round_and_proposes(open_one: Round, voters: list[Voter]) -> None:
    n_votes = vote_by(open_one, voters[:3], likes_long_hair)

    proposal = close_round(round=open_one)

    open_one.refresh_from_db()
    open_one.drop.refresh_from_db()
    run = proposal.score_run
    assert not open_one.is_open
    assert open_one.drop.state == Drop.State.SCORED
    assert (run.n_votes, run.n_voters) == (n_votes, 3)
    assert run.code_version == code_version()
    assert proposal.state == Proposal.State.PENDING
    assert proposal.old == open_one.drop.parameter_set.body


def test_closing_twice_gives_one_proposal(open_one: Round, voters: list[Voter]) -> None:
    vote_by(open_one, voters[:1], likes_long_hair)

    assert close_round(round=open_one) == close_round(round=open_one)
    assert ScoreRun.objects.count() == Proposal.objects.count() == 1


def test_what_voters_like_is_proposed_more_often(make_drop: MakeDrop, voters: list[Voter]) -> None:
    current = open_round(drop=make_drop(30))
    vote_by(current, voters, likes_long_hair, every=11)

    proposal = close_round(round=current)

    old, new = proposal.old["distributions"]["head"], proposal.proposed["distributions"]["head"]
    assert max(new, key=lambda value: new[value] - old[value]) == "long"
    row = next(r for r in proposal.rows if (r["attribute"], r["value"]) == ("head", "long"))
    assert row["proposed"] == new["long"]
    assert row["confidence"] > 0.9
    assert row["without"]["votes"] == pytest.approx(new["long"] - old["long"])


def test_a_round_without_votes_proposes_no_change(open_one: Round) -> None:
    proposal = close_round(round=open_one)

    assert not proposal.is_change
    assert proposal.proposed == proposal.old
    assert {row["stopped_by"] for row in proposal.rows} == {"no_evidence"}


def test_the_posterior_is_stored_with_its_names(open_one: Round, voters: list[Voter]) -> None:
    vote_by(open_one, voters[:2], likes_long_hair)

    posterior = close_round(round=open_one).score_run.posterior

    n = len(posterior["names"])
    assert ["head", "long"] in posterior["names"]
    assert len(posterior["mean"]) == n + 1
    assert np.array(posterior["covariance"]).shape == (n + 1, n + 1)


def test_the_order_in_which_votes_came_does_not_matter(
    open_one: Round, voters: list[Voter]
) -> None:
    vote_by(open_one, voters[:3], likes_long_hair)
    inputs, arrays = round_inputs(round=open_one), Vote.objects.as_arrays(open_one)
    votes = list(Vote.objects.all())
    Vote.objects.all().delete()
    random.Random(1).shuffle(votes)
    for vote in votes:
        vote.pk = None
        vote.save()

    assert round_inputs(round=open_one) == inputs
    again = Vote.objects.as_arrays(open_one)
    assert again.left.tolist() == arrays.left.tolist()
    assert again.left_won.tolist() == arrays.left_won.tolist()


def test_the_hash_is_that_of_the_published_inputs(open_one: Round, voters: list[Voter]) -> None:
    vote_by(open_one, voters[:2], likes_long_hair)

    proposal = close_round(round=open_one)

    open_one.refresh_from_db()
    inputs = round_inputs(round=open_one)
    assert proposal.score_run.input_hash == input_hash(inputs)
    assert len(inputs["votes"]["rows"]) == proposal.score_run.n_votes
    assert {row[3] for row in inputs["votes"]["rows"]} == {v.address for v in voters[:2]}
    assert set(inputs["works"]) == {f"1/{i}" for i in range(12)}


def test_one_vote_less_is_another_hash(open_one: Round, voters: list[Voter]) -> None:
    vote_by(open_one, voters[:1], likes_long_hair)
    before = input_hash(round_inputs(round=open_one))
    Vote.objects.order_by("pk").last().delete()  # type: ignore[union-attr]  # there are votes

    assert input_hash(round_inputs(round=open_one)) != before


def test_the_votes_of_an_earlier_round_still_count(
    make_drop: MakeDrop, voters: list[Voter]
) -> None:
    first = open_round(drop=make_drop(30))
    vote_by(first, voters, likes_long_hair, every=11)
    close_round(round=first)

    proposal = close_round(round=open_round(drop=make_drop(30)))

    assert proposal.score_run.n_votes == 0
    assert proposal.proposed["distributions"]["head"]["long"] > 0.125


def test_the_belief_that_chooses_pairs_follows_the_votes(
    open_one: Round, voters: list[Voter]
) -> None:
    before = current_belief(open_one).belief
    vote_by(open_one, voters[:2], likes_long_hair)

    after = current_belief(open_one).belief

    assert not before.effects.any()
    assert np.trace(after.effect_covariance) < np.trace(before.effect_covariance)


def test_a_round_is_overdue_from_its_closing_time_on(drop: Drop) -> None:
    noon = timezone.now()
    current = open_round(drop=drop, closes_at=noon)

    assert list(Round.objects.overdue(noon)) == [current]
    assert not Round.objects.overdue(noon - timedelta(seconds=1)).exists()


def test_what_a_round_proposes_follows_from_its_inputs_alone(
    open_one: Round, voters: list[Voter]
) -> None:
    vote_by(open_one, voters[:3], likes_long_hair)

    proposal = close_round(round=open_one)

    derived = derive(round_inputs(round=open_one))
    assert derived.proposed == proposal.proposed
    assert derived.rows == proposal.rows
    assert derived.posterior["mean"] == proposal.score_run.posterior["mean"]


def test_the_inputs_of_a_closed_round_stay_whatever_becomes_of_code_and_rows(
    open_one: Round, voters: list[Voter], monkeypatch: pytest.MonkeyPatch
) -> None:
    vote_by(open_one, voters[:2], likes_long_hair)
    run = close_round(round=open_one).score_run

    Vote.objects.all().delete()
    monkeypatch.setattr(explain, "code_version", lambda: "another")

    assert input_hash(round_inputs(round=open_one)) == run.input_hash


def test_votes_of_an_earlier_round_name_its_drop(make_drop: MakeDrop, voters: list[Voter]) -> None:
    first = open_round(drop=make_drop(6))
    vote_by(first, voters[:1], likes_long_hair)
    close_round(round=first)
    second = open_round(drop=make_drop(6))
    vote_by(second, voters[:1], likes_long_hair)

    rows = round_inputs(round=second)["votes"]["rows"]

    assert {(row[0][0], row[4], row[5], row[6]) for row in rows} == {
        ("1", 1, 1.0, 1),
        ("2", 0, 1.0, 2),
    }
