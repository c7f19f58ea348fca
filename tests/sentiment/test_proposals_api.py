"""Proposals and what leads decide about them, over HTTP."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from generation.models import Drop, ParameterSet
from sentiment.control.explain import input_hash
from sentiment.models import Proposal, Round, Voter
from sentiment.services import close_round, open_round
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import assert_refused, signed_in, vote_by


@pytest.fixture
def proposal(make_drop: MakeDrop, voters: list[Voter]) -> Proposal:
    current = open_round(drop=make_drop(30))
    vote_by(current, voters, lambda w: (w.parsed["head"] == "long") + w.index / 1000, every=11)
    return close_round(round=current)


def test_a_lead_closes_a_round_and_gets_its_proposal_twice(
    console: APIClient, open_one: Round
) -> None:
    first = console.post(f"/api/rounds/{open_one.pk}/close")
    second = console.post(f"/api/rounds/{open_one.pk}/close")

    assert first.status_code == second.status_code == 200
    assert first.json()["id"] == second.json()["id"] == Proposal.objects.get().pk


def test_voters_do_not_close_rounds(browser: APIClient, open_one: Round) -> None:
    assert_refused(browser.post(f"/api/rounds/{open_one.pk}/close"), 403, "permission_denied")
    open_one.refresh_from_db()
    assert open_one.is_open


def test_anybody_reads_a_proposal_with_its_audit(proposal: Proposal) -> None:
    found = APIClient().get(f"/api/proposals/{proposal.pk}").json()

    assert found["state"] == "pending"
    assert found["proposed"] == proposal.proposed
    assert len(found["rows"]) == 42
    assert found["rows"][0]["why"]
    assert found["n_voters"] == 12


def test_anybody_can_hash_the_inputs_of_a_closed_round(proposal: Proposal) -> None:
    reply = APIClient().get(f"/api/rounds/{proposal.score_run.round_id}/inputs")

    assert input_hash(reply.json()) == proposal.score_run.input_hash


def test_the_inputs_of_an_open_round_are_not_shown(browser: APIClient, open_one: Round) -> None:
    assert_refused(browser.get(f"/api/rounds/{open_one.pk}/inputs"), 404, "not_found")


def decide(browser: APIClient, proposal: Proposal, **body: Any) -> Any:
    return browser.post(f"/api/proposals/{proposal.pk}/decision", body, format="json")


def test_a_lead_approves(console: APIClient, proposal: Proposal) -> None:
    reply = decide(console, proposal, decision="approve", reason="Yes")

    assert reply.status_code == 200
    assert reply.json()["state"] == "approved"
    assert reply.json()["resulting"]["body"] == proposal.proposed
    assert Drop.objects.get(pk=proposal.drop_id).state == Drop.State.CLOSED


def test_a_lead_rejects(console: APIClient, proposal: Proposal) -> None:
    reply = decide(console, proposal, decision="reject", reason="No")

    assert (reply.json()["state"], reply.json()["reason"]) == ("rejected", "No")
    assert reply.json()["resulting"] is None


def test_a_lead_edits(console: APIClient, proposal: Proposal) -> None:
    own = json.loads(json.dumps(proposal.old)) | {"truncation_psi": 0.7}

    reply = decide(console, proposal, decision="edit", reason="Calmer", parameters=own)

    assert reply.status_code == 200
    assert reply.json()["resulting"]["body"] == own
    assert reply.json()["applied"]["truncation_psi"] == 0.7


def test_another_decision_afterwards_is_refused(console: APIClient, proposal: Proposal) -> None:
    decide(console, proposal, decision="reject", reason="No")

    assert_refused(decide(console, proposal, decision="approve"), 409, "already_decided")
    assert ParameterSet.objects.count() == 1


def test_voters_do_not_decide(proposal: Proposal, voters: list[Voter]) -> None:
    reply = decide(signed_in(voters[0].user), proposal, decision="approve")

    assert_refused(reply, 403, "permission_denied")
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.PENDING


def test_an_edit_of_foreign_attributes_is_refused(console: APIClient, proposal: Proposal) -> None:
    foreign = {"distributions": {"hat": {"red": 1}}, "truncation_psi": 1, "directions": {}}

    reply = decide(console, proposal, decision="edit", parameters=foreign)

    assert_refused(reply, 400, "bad_parameters")


PARAMETERS = {"truncation_psi": 1, "directions": {}}
BAD: dict[str, dict[str, Any]] = {
    "no decision": {},
    "unknown decision": {"decision": "maybe"},
    "edit without parameters": {"decision": "edit"},
    "parameters without edit": {"decision": "approve", "parameters": {}},
    "empty parameters": {"decision": "edit", "parameters": {}},
    "a list": {"decision": "edit", "parameters": []},
    "shares over one": {
        "decision": "edit",
        "parameters": {"distributions": {"head": {"bald": 2}}, **PARAMETERS},
    },
    "share out of range of floats": {
        "decision": "edit",
        "parameters": {"distributions": {"head": {"bald": 10**400}}, **PARAMETERS},
    },
    "share in words": {
        "decision": "edit",
        "parameters": {"distributions": {"head": {"bald": "one"}}, **PARAMETERS},
    },
    "psi out of range": {
        "decision": "edit",
        "parameters": {**PARAMETERS, "distributions": {"head": {"bald": 1}}, "truncation_psi": -1},
    },
    "a reason without end": {"decision": "approve", "reason": "a" * 301},
    "a field too many": {"decision": "approve", "now": True},
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_a_decision_out_of_form_is_refused(
    lead: User, open_one: Round, body: dict[str, Any]
) -> None:
    proposal = close_round(round=open_one)

    assert_refused(decide(signed_in(lead), proposal, **body), 400, "invalid")
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.PENDING
