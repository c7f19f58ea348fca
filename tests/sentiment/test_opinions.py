"""Thumbs on works through the API, and what becomes of them in a round's document."""

import json
from typing import Any

import pytest
from django.test import Client

from generation.models import Artwork
from sentiment.derivation.document import read
from sentiment.models import Opinion, Proposal, Round, Voter
from sentiment.services import close_round, round_inputs, write_comment
from tests.sentiment.conftest import vote_by

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(voter: Voter) -> Client:
    client = Client()
    client.force_login(voter.user)
    return client


def say(client: Client, work: Artwork, liked: Any) -> Any:
    body = json.dumps({"liked": liked})
    return client.put(f"/api/artworks/{work.pk}/opinion", body, content_type="application/json")


def test_the_last_opinion_holds(browser: Client, open_one: Round, works: list[Artwork]) -> None:
    first, second = say(browser, works[0], True), say(browser, works[0], False)

    assert first.json() == {"liked": 1, "disliked": 0, "own": True}
    assert second.json() == {"liked": 0, "disliked": 1, "own": False}
    assert [one.liked for one in Opinion.objects.all()] == [False]


def test_an_opinion_can_be_taken_back(
    browser: Client, open_one: Round, works: list[Artwork]
) -> None:
    say(browser, works[0], True)

    reply = say(browser, works[0], None)

    assert reply.json()["own"] is None
    assert not Opinion.objects.exists()


@pytest.mark.parametrize("liked", ["maybe", 3, [], {}])
def test_what_is_no_opinion_is_refused(
    browser: Client, open_one: Round, works: list[Artwork], liked: Any
) -> None:
    assert say(browser, works[0], liked).status_code == 400
    assert not Opinion.objects.exists()


def test_a_drop_that_nobody_votes_on_has_no_opinions(browser: Client, works: list[Artwork]) -> None:
    reply = say(browser, works[0], True)

    assert (reply.status_code, reply.json()["code"]) == (409, "not_voted_on")


def test_a_stranger_is_asked_to_sign_in(
    client: Client, open_one: Round, works: list[Artwork]
) -> None:
    assert say(client, works[0], True).status_code == 403


def test_opinions_and_comments_go_into_the_document(
    open_one: Round, works: list[Artwork], voters: list[Voter], browser: Client
) -> None:
    say(browser, works[0], True)
    write_comment(voter=voters[1], artwork=works[1], text="I hate this ugly, terrible face.")
    write_comment(voter=voters[1], artwork=works[1], text="I love this wonderful face!")
    write_comment(voter=voters[2], artwork=works[2], text="A face.")
    hidden, _ = write_comment(voter=voters[3], artwork=works[3], text="Awful, awful, bad.")
    hidden.is_hidden = True
    hidden.save()

    close_round(round=open_one)
    rows = read(round_inputs(round=open_one)).opinions.rows

    assert [(row.work, row.voter, row.source, row.liked) for row in rows] == [
        (f"1/{works[0].index}", voters[0].address, "opinions", True),
        (f"1/{works[1].index}", voters[1].address, "comments", True),
    ]
    assert rows[0].weight == 1
    assert 0 < rows[1].weight < 0.5


def test_likes_alone_teach(open_one: Round, works: list[Artwork], voters: list[Voter]) -> None:
    attribute = next(iter(works[0].parsed))
    wanted = works[0].parsed[attribute]
    for voter in voters:
        client = Client()
        client.force_login(voter.user)
        for work in works:
            say(client, work, work.parsed[attribute] == wanted)

    proposal = close_round(round=open_one)

    row = next(r for r in proposal.rows if (r["attribute"], r["value"]) == (attribute, wanted))
    assert row["mean"] > 2 * row["sd"]
    assert row["target"] > 2 * row["old"]
    assert row["n_opinions"] > 0
    assert set(row["without"]) == {"opinions"}


def test_without_opinions_nothing_is_as_it_was(
    open_one: Round, works: list[Artwork], voters: list[Voter]
) -> None:
    vote_by(open_one, voters, lambda work: work.index, every=5)

    close_round(round=open_one)

    inputs = round_inputs(round=open_one)
    assert inputs["opinions"]["rows"] == []
    assert inputs["opinions"]["averages"] == {}
    assert set(Proposal.objects.get().rows[0]["without"]) == {"votes"}
