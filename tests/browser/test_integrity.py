"""What a lead sees of voters who may be one, and what everybody sees of it, in a browser."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from generation.models import Drop
from sentiment.models import Funding, Holding, Round, Vote
from sentiment.services import open_round, register_wallet
from tests.browser.conftest import AXE, DESKTOP, PHONE, Enter
from tests.fixtures.stack import chromium
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import address, vote_by

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = pytest.mark.enable_socket
SCREENS = os.environ.get("MORPHORA_SCREENS")


@pytest.fixture
def ring(transactional_db: None, make_drop: MakeDrop) -> Round:
    """A round that counts works; three voters of one funder vote in step."""
    current = open_round(drop=make_drop(12, Drop.State.MINTING))
    voters = [register_wallet(address=address(n)) for n in range(1, 13)]
    vote_by(current, voters, lambda work: (work.pk * 37) % 11, every=4)
    Round.objects.filter(pk=current.pk).update(weighting="both", snapshot_block=120)
    now = timezone.now()
    for place, voter in enumerate(voters):
        Holding.objects.create(round=current, wallet=voter.address, n_works=1 + place % 4)
        for n, vote in enumerate(Vote.objects.filter(voter=voter).order_by("pk")):
            lag = 97 * n + 0.4 * place if place < 3 else 5000 * place + 31 * n
            Vote.objects.filter(pk=vote.pk).update(cast_at=now + timedelta(seconds=lag))
        if place < 3:
            Funding.objects.create(
                chain_id=31337,
                wallet=voter.address,
                funder=address(40),
                block_number=5,
                tx_hash="0x" + "1" * 64,
                value_wei=1,
            )
    current.refresh_from_db()
    return current


def shoot(page: Page, name: str) -> None:
    if not SCREENS:
        return
    for width, height in (DESKTOP, PHONE):
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=str(Path(SCREENS) / f"{name}-{width}.png"), full_page=True)
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})


def assert_sound(page: Page) -> None:
    """No fault of accessibility, and on a phone nothing beside the page."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run().then(r => r.violations.map(v => [v.id, v.nodes[0].html]))")
    assert found == []
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})


def test_a_lead_lets_a_group_count_less_and_everybody_reads_why(enter: Enter, ring: Round) -> None:
    page = enter("ana", f"/console/steering/{ring.drop.collection.slug}")
    page.get_by_role("link", name="Round 1, open").click()
    group = page.get_by_role("region", name="Votes together, group 2")
    expect(group).to_contain_text("kept the same distance to the second")
    assert_sound(page)
    shoot(page, "who-may-be-one")

    for box in group.get_by_role("checkbox").all()[1:]:
        box.check()
    group.get_by_label("Why, for everybody to read").fill("Half a second behind the first, always")
    group.get_by_role("button", name="Let those ticked count less").click()
    expect(page.get_by_text("Votes of 2 voters count 10 % in this round.")).to_be_visible()
    shoot(page, "counts-less")

    page.get_by_role("link", name="Round 1", exact=True).click()
    expect(page.locator("#less")).to_be_visible()
    expect(page.locator("#live")).to_contain_text("Half a second behind the first, always")
    assert_sound(page)
    shoot(page, "results-less")


def test_a_lead_chooses_what_votes_weigh(
    enter: Enter, transactional_db: None, make_drop: MakeDrop
) -> None:
    make_drop(12, Drop.State.MINTING)
    page = enter("ana", "/console")
    shoot(page, "open-voting")

    page.get_by_label("What votes weigh").select_option("works")
    page.get_by_role("button", name="Open voting").click()

    expect(page.get_by_text("works cannot be counted yet")).to_be_visible()
    assert not Round.objects.exists()
