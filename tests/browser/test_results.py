"""The results of an open round in a browser: they follow the votes, at most once a second."""

import os
import time
from itertools import pairwise
from typing import Literal

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from generation.models import Drop
from sentiment.models import Round
from sentiment.services import open_round, register_wallet
from tests.browser.conftest import AXE, Enter
from tests.fixtures.stack import chromium
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import address, vote_by

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = pytest.mark.enable_socket
RESULTS = "/collections/portraits/drops/1/results"


@pytest.fixture
def round(transactional_db: None, make_drop: MakeDrop) -> Round:
    return open_round(drop=make_drop(12, Drop.State.MINTING))


@pytest.fixture
def ballot(browser: Browser, site: str, round: Round) -> Page:
    """The voting page of somebody who signed in with a wallet."""
    client = Client()
    client.force_login(register_wallet(address=address(1)).user)
    context = browser.new_context(base_url=site)
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
    page = context.new_page()
    page.goto("/collections/portraits/drops/1/vote")
    expect(page.locator("#left")).to_be_visible()
    return page


def choose(ballot: Page, n: int) -> None:
    """Decide the next n pairs; the last choice is sent when the next one is made."""
    for _ in range(n):
        expect(ballot.locator(".pair .chosen")).to_have_count(0)
        ballot.keyboard.press("ArrowLeft")


def test_an_open_round_follows_the_votes_at_most_once_a_second(enter: Enter, ballot: Page) -> None:
    page = enter("lead", RESULTS)
    expect(page.get_by_text("No votes yet.")).to_be_visible()
    asked: list[float] = []
    page.on("request", lambda one: asked.append(time.monotonic()) if "/live" in one.url else None)

    choose(ballot, 31)

    expect(page.locator("#n-votes")).to_have_text("30")
    expect(page.locator("table.intervals").first).to_be_visible()
    assert asked
    assert all(later - earlier > 0.9 for earlier, later in pairwise(asked))


def test_what_a_reader_has_opened_stays_open(enter: Enter, ballot: Page) -> None:
    choose(ballot, 2)
    page = enter("lead", RESULTS)
    page.locator("#heaviest summary").click()

    choose(ballot, 1)

    expect(page.locator("#n-votes")).to_have_text("2")
    expect(page.locator("#heaviest table")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_results_have_no_barrier(
    browser: Browser, site: str, round: Round, scheme: Literal["light", "dark"]
) -> None:
    voters = [register_wallet(address=address(n)) for n in (1, 2)]
    vote_by(round, voters, lambda work: float(work.parsed["head"] == "long"))
    Round.objects.update(hides_standings=False)
    context = browser.new_context(base_url=site, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()

    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(RESULTS)
        page.add_script_tag(content=AXE.read_text())
        found = page.evaluate(
            "async () => (await axe.run()).violations.map((v) => v.id + v.nodes.map((n) => n.html))"
        )
        assert found == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
