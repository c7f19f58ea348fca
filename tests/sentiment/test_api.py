"""Voting over HTTP."""

import json
import time
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient
from rest_framework.throttling import ScopedRateThrottle

from generation import progress
from generation.models import Artwork
from sentiment.models import Round, Vote, Voter
from sentiment.services import close_round, open_round
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import assert_refused, signed_in, vote_by


@pytest.fixture
def ballot(works: list[Artwork]) -> dict[str, Any]:
    return {"left": works[1].pk, "right": works[0].pk, "winner": works[0].pk}


def cast(browser: APIClient, round: Round, body: Any) -> Any:
    return browser.post(f"/api/rounds/{round.pk}/votes", body, format="json")


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
