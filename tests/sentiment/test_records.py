"""A voter's own votes over HTTP."""

import pytest
from rest_framework.test import APIClient

from sentiment.models import Round, Voter
from sentiment.services import close_round
from tests.sentiment.conftest import vote_by


@pytest.fixture
def closed(open_one: Round, voters: list[Voter]) -> Round:
    vote_by(open_one, voters[:2], lambda work: work.index)
    close_round(round=open_one)
    return open_one


def ask(round: Round, voter: Voter | None) -> tuple[int, dict[str, object]]:
    client = APIClient()
    if voter is not None:
        client.force_login(voter.user)
    reply = client.get(f"/api/rounds/{round.pk}/votes/mine")
    return reply.status_code, reply.json()


def test_a_voter_gets_their_votes_with_proofs(closed: Round, voters: list[Voter]) -> None:
    status, found = ask(closed, voters[0])

    assert status == 200
    assert found["root"] == closed.score_run.tally_root
    assert isinstance(found["votes"], list)
    assert len(found["votes"]) == closed.votes.filter(voter=voters[0]).count()


def test_who_did_not_vote_has_no_votes(closed: Round, voters: list[Voter]) -> None:
    assert ask(closed, voters[5])[1]["votes"] == []


def test_an_open_round_has_no_tally_yet(open_one: Round, voters: list[Voter]) -> None:
    status, found = ask(open_one, voters[0])

    assert (status, found["code"]) == (404, "no_bundle")


def test_who_has_no_wallet_has_no_votes_to_ask_for(closed: Round) -> None:
    assert ask(closed, None)[0] == 403


def test_proofs_are_throttled(closed: Round, voters: list[Voter]) -> None:
    statuses = [ask(closed, voters[0])[0] for _ in range(21)]

    assert statuses == [200] * 20 + [429]
