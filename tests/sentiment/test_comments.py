"""Comments through the API: who may write, what is refused, what readers see."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from generation.models import Artwork
from sentiment.models import Comment, Voter
from sentiment.services import register_wallet
from sentiment.text import minilm
from sentiment.text.judging import Accuracy
from sentiment.text.minilm import DIMENSIONS, SentenceScorer
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import address

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    cache.clear()


@pytest.fixture
def work(make_drop: MakeDrop) -> Artwork:
    return make_drop(3).artworks.in_order()[0]


@pytest.fixture
def voter() -> Voter:
    return register_wallet(address=address(1))


@pytest.fixture
def browser(voter: Voter) -> Client:
    client = Client()
    client.force_login(voter.user)
    return client


def say(client: Client, work: Artwork, text: Any) -> Any:
    body = json.dumps({"text": text})
    return client.post(f"/api/artworks/{work.pk}/comments", body, content_type="application/json")


def read(client: Client, work: Artwork) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(f"/api/artworks/{work.pk}/comments").json()["results"]
    return rows


def test_a_voter_comments_and_everybody_reads_the_newest_first(
    browser: Client, client: Client, work: Artwork, voter: Voter
) -> None:
    say(browser, work, "quiet  eyes\n")
    reply = say(browser, work, "the hat 🎩 wins")

    rows = read(client, work)
    assert reply.status_code == 201
    assert [row["text"] for row in rows] == ["the hat 🎩 wins", "quiet eyes"]
    assert rows[0]["voter"] == voter.address
    assert rows[0]["is_simulated"] is False


def test_the_same_words_again_are_one_comment(browser: Client, work: Artwork) -> None:
    first, second = say(browser, work, "good"), say(browser, work, " good ")

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert Comment.objects.count() == 1


@pytest.mark.parametrize(
    "text", ["", "  ", "x" * 501, "evil \u202e text", "nul \x00", "\ud800", None, ["a"]]
)
def test_what_is_no_comment_is_refused_with_a_code(
    browser: Client, work: Artwork, text: Any
) -> None:
    reply = say(browser, work, text)

    assert reply.status_code == 400
    assert reply.json()["code"]
    assert not Comment.objects.exists()


@pytest.mark.skipif(minilm.is_installed(), reason="the extra minilm is there")
def test_a_scorer_that_cannot_read_is_said_and_nothing_is_stored(
    browser: Client, work: Artwork, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "scorer.safetensors"
    measured = Accuracy(0.8, 0.02, 100, 20)
    minilm.save(SentenceScorer(np.ones(DIMENSIONS), 0.0, measured), path)
    settings.COMMENT_SCORER = str(path)

    reply = say(browser, work, "lovely colours")

    assert reply.status_code == 503
    assert reply.json()["code"] == "no_scorer"
    assert "the extra minilm" in reply.json()["detail"]
    assert not Comment.objects.exists()


def test_markup_is_kept_as_text(browser: Client, client: Client, work: Artwork) -> None:
    say(browser, work, "<script>alert(1)</script>")

    page = client.get(f"/api/artworks/{work.pk}/comments")
    assert page.headers["Content-Type"] == "application/json"
    assert read(client, work)[0]["text"] == "<script>alert(1)</script>"


def test_visitors_read_and_do_not_write(client: Client, work: Artwork) -> None:
    reply = say(client, work, "hello")

    assert reply.status_code == 403
    assert read(client, work) == []


def test_a_rejected_work_takes_no_comments(browser: Client, work: Artwork) -> None:
    Artwork.objects.filter(pk=work.pk).update(status=Artwork.Status.REJECTED)

    assert say(browser, work, "hello").status_code == 404


def test_a_lead_hides_a_comment_and_shows_it_again(
    browser: Client, client: Client, work: Artwork
) -> None:
    pk = say(browser, work, "rude").json()["id"]
    lead = Client()
    lead.force_login(User.objects.create_user("lead", is_staff=True))
    hide = f"/api/comments/{pk}/hide"

    refused = browser.post(hide, {"hidden": True}, content_type="application/json")
    lead.post(hide, {"hidden": True}, content_type="application/json")
    hidden = read(client, work)
    lead.post(hide, {"hidden": False}, content_type="application/json")

    assert refused.status_code == 403
    assert hidden == []
    assert len(read(client, work)) == 1


def test_comments_are_throttled_and_reading_is_not(
    browser: Client, work: Artwork, settings: Settings
) -> None:
    replies = [say(browser, work, f"comment {n}").status_code for n in range(21)]

    assert replies == [201] * 20 + [429]
    assert len(read(browser, work)) == 20
