"""Voting and proposals over HTTP."""

import json
import time
from itertools import combinations
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient
from rest_framework.throttling import ScopedRateThrottle

from generation import progress
from generation.models import Artwork, Drop, ParameterSet
from sentiment.control.explain import input_hash
from sentiment.models import Proposal, Round, Vote, Voter
from sentiment.services import close_round, open_round
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import vote_by


def signed_in(user: User) -> APIClient:
    browser = APIClient(raise_request_exception=False)
    browser.force_login(user)
    return browser


@pytest.fixture
def browser(voter: Voter) -> APIClient:
    """A voter's."""
    return signed_in(voter.user)


@pytest.fixture
def console(lead: User) -> APIClient:
    """A lead's."""
    return signed_in(lead)


@pytest.fixture
def ballot(works: list[Artwork]) -> dict[str, Any]:
    return {"left": works[1].pk, "right": works[0].pk, "winner": works[0].pk}


@pytest.fixture
def proposal(make_drop: MakeDrop, voters: list[Voter]) -> Proposal:
    current = open_round(drop=make_drop(30))
    vote_by(current, voters, lambda w: (w.parsed["head"] == "long") + w.index / 1000, every=11)
    return close_round(round=current)


def cast(browser: APIClient, round: Round, body: Any) -> Any:
    return browser.post(f"/api/rounds/{round.pk}/votes", body, format="json")


def assert_refused(reply: Any, status: int, code: str) -> None:
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert reply.headers["Content-Type"] == "application/problem+json"


def test_a_pair_is_two_works_with_their_pictures(browser: APIClient, open_one: Round) -> None:
    reply = browser.get(f"/api/rounds/{open_one.pk}/pair")

    pair = reply.json()
    works = {work.pk: work for work in open_one.drop.artworks.all()}
    assert reply.status_code == 200
    assert pair["left"]["id"] != pair["right"]["id"]
    for side in pair.values():
        work = works[side["id"]]
        assert (side["index"], side["image_digest"]) == (work.index, work.image_digest)
        assert side["image"] == f"/api/images/{work.image_digest}.png"


def test_the_number_of_queries_for_a_pair_does_not_depend_on_the_drop(
    browser: APIClient, make_drop: MakeDrop, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    current = open_round(drop=make_drop(40))

    with django_assert_max_num_queries(15):
        browser.get(f"/api/rounds/{current.pk}/pair")


def test_pairs_chosen_on_a_page_and_not_sent_yet_are_not_asked_about(
    browser: APIClient, make_drop: MakeDrop
) -> None:
    current = open_round(drop=make_drop(6))
    ids = sorted(current.drop.artworks.values_list("pk", flat=True))
    *kept, last = combinations(ids, 2)
    # Either way round, with one that the round does not have and one that is no pair.
    without = ",".join(f"{b}-{a}" for a, b in [*kept, (10**9, 1), (ids[0], ids[0])])

    pair = browser.get(f"/api/rounds/{current.pk}/pair", {"without": without}).json()

    assert {pair["left"]["id"], pair["right"]["id"]} == set(last)
    all_of_them = {"without": f"{without},{last[0]}-{last[1]}"}
    assert browser.get(f"/api/rounds/{current.pk}/pair", all_of_them).status_code == 204


@pytest.mark.parametrize("without", ["3", "3-x", "0-1", "3-4;5-6", ",".join(["3-4"] * 21)])
def test_what_names_no_pairs_is_refused(browser: APIClient, open_one: Round, without: str) -> None:
    reply = browser.get(f"/api/rounds/{open_one.pk}/pair", {"without": without})

    assert reply.status_code == 400
    assert "without" in str(reply.json())


def test_a_voter_who_has_seen_all_gets_an_empty_answer(
    browser: APIClient, voter: Voter, open_one: Round
) -> None:
    vote_by(open_one, [voter], lambda work: work.index)

    reply = browser.get(f"/api/rounds/{open_one.pk}/pair")

    assert (reply.status_code, reply.content) == (204, b"")


def test_a_vote_is_stored_and_shown(
    browser: APIClient, open_one: Round, ballot: dict[str, Any]
) -> None:
    reply = cast(browser, open_one, ballot)

    vote = Vote.objects.get()
    assert reply.status_code == 201
    assert reply.json()["id"] == vote.pk
    assert vote.winner_id == ballot["winner"]
    assert vote.shown_left_id == ballot["left"]


def test_a_vote_takes_three_questions(
    browser: APIClient,
    open_one: Round,
    ballot: dict[str, Any],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """Session, account with its voter, and the vote with all that it depends on."""
    with django_assert_num_queries(3):
        cast(browser, open_one, ballot)


def test_many_votes_are_one_hint_a_second_and_one_that_follows(
    browser: APIClient,
    open_one: Round,
    works: list[Artwork],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[float] = []
    monkeypatch.setattr(progress, "_tell", lambda *hint: told.append(time.monotonic()))
    monkeypatch.setattr(progress, "_told", {})

    started = time.monotonic()
    for work in works[1:]:
        body = {"left": works[0].pk, "right": work.pk, "winner": work.pk}
        assert cast(browser, open_one, body).status_code == 201
    ended = time.monotonic()
    time.sleep(progress.QUIET_S + 0.2)

    assert len(told) <= 2 + (ended - started) / progress.QUIET_S
    assert told[0] < ended < told[-1]


def test_a_repeated_vote_is_refused(
    browser: APIClient, open_one: Round, ballot: dict[str, Any]
) -> None:
    cast(browser, open_one, ballot)

    assert_refused(cast(browser, open_one, ballot), 409, "already_voted")
    assert Vote.objects.count() == 1


def test_a_vote_in_a_closed_round_is_refused(
    browser: APIClient, open_one: Round, ballot: dict[str, Any]
) -> None:
    close_round(round=open_one)

    assert_refused(cast(browser, open_one, ballot), 409, "round_closed")
    assert_refused(browser.get(f"/api/rounds/{open_one.pk}/pair"), 409, "round_closed")


@pytest.mark.parametrize("pk", [999, 2**63, 10**30])
def test_an_unknown_round_is_not_found(browser: APIClient, ballot: dict[str, Any], pk: int) -> None:
    reply = browser.post(f"/api/rounds/{pk}/votes", ballot, format="json")

    assert_refused(reply, 404, "not_found")
    assert_refused(browser.get(f"/api/rounds/{pk}/pair"), 404, "not_found")


def test_an_unknown_work_is_not_found(
    browser: APIClient, open_one: Round, ballot: dict[str, Any]
) -> None:
    assert_refused(cast(browser, open_one, ballot | {"left": 10**9}), 404, "unknown_work")


def test_a_winner_outside_the_pair_is_refused(
    browser: APIClient, open_one: Round, ballot: dict[str, Any], works: list[Artwork]
) -> None:
    assert_refused(cast(browser, open_one, ballot | {"winner": works[2].pk}), 400, "not_a_pair")


WRONG = ["-1", "0", "1.5", "1e400", "true", "null", '"x"', "[1]", "{}", str(2**63), str(2**256)]


@pytest.mark.parametrize("field", ["left", "right", "winner"])
@pytest.mark.parametrize("value", WRONG)
def test_a_field_that_names_no_work_is_refused(
    browser: APIClient, open_one: Round, ballot: dict[str, Any], field: str, value: str
) -> None:
    raw = json.dumps({**ballot, field: "HERE"}).replace('"HERE"', value)

    reply = browser.post(f"/api/rounds/{open_one.pk}/votes", raw, content_type="application/json")

    assert_refused(reply, 400, "invalid")
    assert field in reply.json()["errors"]
    assert not Vote.objects.exists()


@pytest.mark.parametrize("weight", [str(2**256), "-1", "1"])
def test_a_vote_with_a_weight_is_refused(
    browser: APIClient, open_one: Round, ballot: dict[str, Any], weight: str
) -> None:
    raw = json.dumps(ballot)[:-1] + f', "weight": {weight}}}'

    reply = browser.post(f"/api/rounds/{open_one.pk}/votes", raw, content_type="application/json")

    assert_refused(reply, 400, "invalid")
    assert reply.json()["errors"] == {"weight": ["No such field."]}
    assert not Vote.objects.exists()


@pytest.mark.parametrize(
    "raw", ['{"winner": NaN}', '{"winner": Infinity}', "{", "\xff", "[" * 9999]
)
def test_what_is_no_json_is_refused(browser: APIClient, open_one: Round, raw: str) -> None:
    reply = browser.post(
        f"/api/rounds/{open_one.pk}/votes",
        raw.encode("latin-1"),
        content_type="application/json",
    )

    assert_refused(reply, 400, "parse_error")


numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
anything = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
bodies = anything | st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("left", "right", "winner", "weight"), anything)
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=bodies)
def test_no_body_whatever_breaks_the_ballot_box(
    browser: APIClient, open_one: Round, body: object
) -> None:
    reply = cast(browser, open_one, body)

    assert reply.status_code in (400, 404)
    assert reply.json()["code"] in ("invalid", "parse_error", "not_a_pair", "unknown_work")
    assert not Vote.objects.exists()


def test_visitors_and_leads_without_a_wallet_do_not_vote(
    console: APIClient, open_one: Round, ballot: dict[str, Any]
) -> None:
    stranger = APIClient()

    assert_refused(cast(stranger, open_one, ballot), 403, "not_authenticated")
    assert_refused(cast(console, open_one, ballot), 403, "not_a_voter")
    assert_refused(console.get(f"/api/rounds/{open_one.pk}/pair"), 403, "not_a_voter")
    assert not Vote.objects.exists()


@pytest.mark.parametrize("headers", [{}, {"X-CSRFToken": "x" * 32}])
def test_a_vote_without_the_csrf_token_is_refused(
    voter: Voter, open_one: Round, ballot: dict[str, Any], headers: dict[str, str]
) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(voter.user)

    reply = browser.post(f"/api/rounds/{open_one.pk}/votes", ballot, format="json", headers=headers)

    assert_refused(reply, 403, "permission_denied")
    assert not Vote.objects.exists()


def test_votes_are_throttled(
    browser: APIClient,
    open_one: Round,
    ballot: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "vote", "2/min")

    replies = [cast(browser, open_one, ballot) for _ in range(3)]

    assert [reply.status_code for reply in replies] == [201, 409, 429]
    assert_refused(replies[2], 429, "throttled")


def test_accounts_behind_one_address_may_be_throttled_together(
    voters: list[Voter],
    open_one: Round,
    ballot: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "vote-address", "2/min")

    replies = [cast(signed_in(voter.user), open_one, ballot) for voter in voters[:3]]

    assert [reply.status_code for reply in replies] == [201, 201, 429]


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
