"""Voting by key, click and swipe, and taking it back, in a browser against a real server."""

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from generation.models import Artwork, Drop
from sentiment.models import Round, Vote, Voter
from sentiment.services import approve_proposal, close_round, open_round, register_wallet
from tests.fixtures.stack import chromium
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import address, vote_by

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = pytest.mark.enable_socket
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def round(transactional_db: None, make_drop: MakeDrop) -> Round:
    return open_round(drop=make_drop(12, Drop.State.MINTING))


@pytest.fixture
def voter(transactional_db: None) -> Voter:
    return register_wallet(address=address(1))


Ballot = Callable[..., Page]


@pytest.fixture
def ballot(browser: Browser, round: Round, voter: Voter) -> Iterator[Ballot]:
    """Opens the voting page of a signed-in voter; its errors fail the test."""
    server = LiveServer("localhost")
    client = Client()
    client.force_login(voter.user)
    errors: list[str] = []

    def opened(width: int = 1280, height: int = 900, *, touch: bool = False) -> Page:
        context = browser.new_context(
            base_url=server.url, viewport={"width": width, "height": height}, has_touch=touch
        )
        cookie = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"/collections/portraits/drops/{round.drop.number}/vote")
        expect(page.locator("#left")).to_be_visible()
        return page

    yield opened
    for context in browser.contexts:
        context.close()
    server.stop()
    assert errors == []


def shown(page: Page) -> tuple[str | None, str | None]:
    images = [page.locator(f"#{side} img") for side in ("left", "right")]
    left, right = (image.get_attribute("src") for image in images)
    return left, right


def has_votes(page: Page, n: int) -> None:
    """The votes so far, sent or waiting, and the next pair is there."""
    expect(page.locator(".pair .chosen")).to_have_count(0)
    expect(page.locator("#vote-count")).to_have_text(f"{n} vote{'' if n == 1 else 's'}")


def drag(where: Locator, dx: int) -> None:
    """A finger that goes down in the middle, moves sideways and is lifted."""
    box = where.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for kind, at in (("pointerdown", 0.0), ("pointermove", dx / 2), ("pointermove", float(dx))):
        where.dispatch_event(kind, {"pointerType": "touch", "clientX": x + at, "clientY": y})
    where.dispatch_event("pointerup", {"pointerType": "touch", "clientX": x + dx, "clientY": y})


def test_a_choice_can_be_taken_back_before_it_is_sent(ballot: Ballot) -> None:
    page = ballot()
    first = shown(page)

    page.keyboard.press("ArrowLeft")
    has_votes(page, 1)
    page.keyboard.press("u")

    has_votes(page, 0)
    assert shown(page) == first
    page.wait_for_timeout(500)
    assert not Vote.objects.exists()


def test_the_choice_about_the_last_pair_can_be_taken_back_too(ballot: Ballot, round: Round) -> None:
    Artwork.objects.filter(drop=round.drop, index__gt=1).update(status=Artwork.Status.REJECTED)
    page = ballot()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("You have seen every pair")).to_be_visible()

    page.locator("#undo").click()

    has_votes(page, 0)
    expect(page.locator("#left")).to_be_visible()
    assert not Vote.objects.exists()


def test_the_next_choice_sends_the_one_before_and_undo_takes_the_last(
    ballot: Ballot, round: Round
) -> None:
    page = ballot()
    page.keyboard.press("ArrowLeft")
    has_votes(page, 1)
    page.locator("#right").click()
    has_votes(page, 2)

    expect(page.locator("#undo")).to_be_enabled()
    page.locator("#undo").click()

    has_votes(page, 1)
    page.wait_for_timeout(300)
    (vote,) = Vote.objects.all()
    assert vote.winner_id == vote.shown_left_id
    assert vote.round_id == round.pk


def test_a_choice_is_sent_when_its_time_is_up(ballot: Ballot) -> None:
    page = ballot()

    with page.expect_response(lambda reply: reply.url.endswith("/votes"), timeout=12_000) as sent:
        page.keyboard.press("ArrowRight")

    assert sent.value.status == 201
    expect(page.locator("#undo")).to_be_disabled()
    assert Vote.objects.count() == 1


def test_leaving_the_page_sends_what_waits_and_coming_back_does_not_double_it(
    ballot: Ballot,
) -> None:
    page = ballot()
    page.keyboard.press("ArrowLeft")
    has_votes(page, 1)

    page.goto("/")
    page.wait_for_timeout(500)
    left_behind = Vote.objects.count()
    page.go_back()

    has_votes(page, 1)
    assert left_behind == 1
    assert Vote.objects.count() == 1


def test_leaving_while_a_vote_is_on_its_way_loses_neither_it_nor_the_next(
    ballot: Ballot,
) -> None:
    page = ballot()
    page.evaluate(
        "() => { window.fetch = ((send) => async (url, more) => {"
        " const slow = more.method === 'POST' && !more.keepalive;"
        " if (slow) await new Promise((done) => setTimeout(done, 5000));"
        " return send(url, more); })(window.fetch); }"
    )
    page.keyboard.press("ArrowLeft")
    has_votes(page, 1)
    page.keyboard.press("ArrowRight")
    expect(page.locator("#vote-count")).to_have_text("2 votes")

    page.goto("/")
    page.wait_for_timeout(500)

    assert Vote.objects.count() == 2


def test_a_lost_connection_keeps_the_vote_and_sends_it_later(ballot: Ballot) -> None:
    page = ballot()
    page.keyboard.press("ArrowLeft")
    has_votes(page, 1)
    page.context.set_offline(True)

    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("alert")).to_contain_text("Your vote is kept")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()

    has_votes(page, 2)
    expect(page.get_by_role("alert")).to_be_hidden()
    page.wait_for_timeout(300)
    assert Vote.objects.count() == 2


def test_a_swipe_chooses_the_work_it_goes_towards_and_a_short_one_chooses_nothing(
    ballot: Ballot,
) -> None:
    page = ballot(**PHONE, touch=True)
    pair = page.locator(".pair")

    drag(pair, 30)
    page.wait_for_timeout(300)
    has_votes(page, 0)
    drag(pair, 120)
    has_votes(page, 1)
    page.goto("/")
    page.wait_for_timeout(500)

    (vote,) = Vote.objects.all()
    assert vote.winner_id != vote.shown_left_id


def test_both_pictures_fit_on_a_phone(ballot: Ballot) -> None:
    page = ballot(**PHONE)

    boxes = [page.locator(f"#{side}").bounding_box() for side in ("left", "right")]

    assert all(box is not None and box["width"] > 150 for box in boxes)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("size", [(1280, 900), (390, 844), (390, 664), (844, 390)])
def test_both_pictures_are_whole_and_the_buttons_are_in_reach(
    ballot: Ballot, size: tuple[int, int]
) -> None:
    width, height = size
    page = ballot(width, height)

    boxes = [page.locator(at).bounding_box() for at in ("#left", "#right", "#undo")]

    for box in boxes:
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_one_picture_stands_below_the_other_where_that_makes_them_larger(ballot: Ballot) -> None:
    phone, desktop = ballot(**PHONE), ballot(1280, 900)

    above, below = (phone.locator(at).bounding_box() for at in ("#left", "#right"))
    left, right = (desktop.locator(at).bounding_box() for at in ("#left", "#right"))

    assert above is not None
    assert below is not None
    assert left is not None
    assert right is not None
    assert above["y"] + above["height"] <= below["y"]
    assert above["x"] < below["x"]
    assert above["width"] > PHONE["width"] / 2
    assert left["x"] + left["width"] <= right["x"]


def test_the_goal_is_counted_and_reaching_it_does_not_stop_anybody(ballot: Ballot) -> None:
    page = ballot()
    expect(page.locator("#goal")).to_have_text("0 of 20")
    for n in range(1, 21):
        expect(page.get_by_text("20 pairs decided.")).to_be_hidden()
        page.keyboard.press("ArrowLeft")
        has_votes(page, n)

    expect(page.get_by_text("20 pairs decided.")).to_be_visible()
    expect(page.locator("#goal")).to_have_text("as many as you like")
    page.keyboard.press("ArrowLeft")
    has_votes(page, 21)


def test_the_ballot_does_not_move_for_those_who_want_no_motion(ballot: Ballot) -> None:
    page = ballot()
    page.emulate_media(reduced_motion="reduce")

    found = page.evaluate("getComputedStyle(document.querySelector('.goal-met')).animationName")

    assert found == "none"


@pytest.fixture
def decided_before(
    transactional_db: None, make_drop: MakeDrop, voter: Voter, django_user_model: Any
) -> Round:
    """A round in which everybody preferred long hair, applied; asked for before ``round``."""
    lead = django_user_model.objects.create_user("lead", is_staff=True)
    first = open_round(drop=make_drop(30, Drop.State.MINTING))
    voters = [voter, *(register_wallet(address=address(n)) for n in range(2, 13))]
    vote_by(first, voters, lambda w: (w.parsed["head"] == "long") + w.index / 1000, every=11)
    approve_proposal(proposal=close_round(round=first), lead=lead)
    return first


def test_what_became_of_the_last_votes_is_told_and_keys_do_not_vote_behind_it(
    decided_before: Round, ballot: Ballot
) -> None:
    page = ballot()
    expect(page.locator("#streak")).to_have_text("vote for 2 in a row")
    page.get_by_role("button", name="Last time").click()
    taken = r"On drop 1 you took \w+ \([\w ]+\) \d+ of \d+ times"
    told = re.compile(taken + r".* went from \d+\.\d % to \d+\.\d %")
    expect(page.locator("#last-time")).to_contain_text(told)

    page.keyboard.press("ArrowLeft")
    has_votes(page, 0)
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")

    has_votes(page, 1)
    expect(page.locator("#streak")).to_have_text("2 rounds in a row")


def test_every_pair_can_be_decided_once(ballot: Ballot, round: Round) -> None:
    page = ballot()
    n_pairs = 12 * 11 // 2
    for n in range(1, n_pairs + 1):
        page.keyboard.press("ArrowLeft" if n % 2 else "ArrowRight")
        has_votes(page, n)

    expect(page.get_by_text("You have seen every pair")).to_be_visible()
    pairs = set(Vote.objects.values_list("first_id", "second_id"))
    assert len(pairs) == Vote.objects.filter(round=round).count() >= n_pairs - 1
