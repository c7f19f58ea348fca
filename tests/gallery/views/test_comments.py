"""The queue of comments: what leads see, and what hiding does."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from generation.models import Artwork
from sentiment.models import Comment, Voter
from sentiment.services import hide_comment, write_comment
from tests.fixtures.works import MakeDrop

QUEUE = "/console/comments"


@pytest.fixture
def works(make_drop: MakeDrop) -> list[Artwork]:
    return list(make_drop(3).artworks.order_by("pk"))


@pytest.fixture
def said(voter: Voter, works: list[Artwork]) -> list[Comment]:
    """Four comments, of which the last one was hidden."""
    texts = ["I love it", "ugly hat", "a hat", "rude"]
    found = [
        write_comment(voter=voter, artwork=works[i % 3], text=t)[0] for i, t in enumerate(texts)
    ]
    hide_comment(comment=found[3], is_hidden=True)
    return found


def shown(console: Client, query: str = "") -> list[str]:
    return [row.comment.text for row in console.get(QUEUE + query).context["rows"]]


def press(console: Client, query: str = "", **asked: Any) -> Any:
    return console.post(QUEUE + query, asked, follow=True)


def test_the_newest_comes_first_in_each_part(console: Client, said: list[Comment]) -> None:
    assert shown(console) == ["rude", "a hat", "ugly hat", "I love it"]
    assert shown(console, "?show=waiting") == ["a hat", "ugly hat", "I love it"]
    assert shown(console, "?show=hidden") == ["rude"]
    assert shown(console, "?show=nonsense") == shown(console, "?show=all")


def test_a_row_says_what_was_read_in_it(console: Client, said: list[Comment]) -> None:
    page = console.get(QUEUE)

    moods = {row.comment.text: (row.mood, row.score) for row in page.context["rows"]}
    assert moods["I love it"] == ("likes", "+0.64")
    assert moods["ugly hat"] == ("dislikes", "-0.51")
    assert moods["a hat"] == ("neutral", "+0.00")
    assert said[0].voter.address in page.content.decode()


def test_many_are_hidden_at_once_and_shown_again(
    console: Client, client: Client, said: list[Comment]
) -> None:
    two = [said[0].pk, said[1].pk]

    hidden = press(console, "?show=waiting", comment=two, verb="hide")
    after_hiding = shown(console, "?show=hidden")
    press(console, comment=two, verb="show")

    assert "2 hidden." in hidden.content.decode()
    assert hidden.redirect_chain[0][0] == f"{QUEUE}?show=waiting"
    assert after_hiding == ["rude", "ugly hat", "I love it"]
    assert shown(console, "?show=hidden") == ["rude"]
    assert shown(console, "?show=waiting") == ["a hat"], "what was looked at does not wait"


@pytest.mark.parametrize(
    "asked",
    [{}, {"verb": "hide"}, {"comment": ["1"], "verb": "burn"}, {"comment": ["x", "9" * 30]}],
)
def test_what_makes_no_sense_changes_nothing(
    console: Client, said: list[Comment], asked: dict[str, Any]
) -> None:
    reply = press(console, **asked)

    assert "Tick comments first" in reply.content.decode()
    assert Comment.objects.filter(is_hidden=True).count() == 1


def test_hidden_words_are_not_given_to_readers(client: Client, said: list[Comment]) -> None:
    replies = [client.get(f"/api/artworks/{one.artwork_id}/comments").content for one in said]

    assert b"rude" not in b"".join(replies)


def test_only_leads_come_in(client: Client, voter: Voter, said: list[Comment]) -> None:
    client.force_login(voter.user)

    assert client.get(QUEUE).status_code == 302
    client.post(QUEUE, {"comment": [said[0].pk], "verb": "hide"})
    assert Comment.objects.filter(is_hidden=True).count() == 1


def test_the_number_of_queries_does_not_depend_on_the_comments(
    console: Client,
    voter: Voter,
    works: list[Artwork],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for n in range(60):
        write_comment(voter=voter, artwork=works[n % 3], text=f"comment {n}")

    with django_assert_max_num_queries(12):
        assert len(shown(console)) == 50


def test_markup_is_shown_as_text(console: Client, voter: Voter, works: list[Artwork]) -> None:
    write_comment(voter=voter, artwork=works[0], text="<script>alert(1)</script>")

    assert b"<script>alert(1)" not in console.get(QUEUE).content
