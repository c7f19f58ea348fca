"""A lead decides: what the votes propose, numbers of one's own, and back to where it began."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from generation.imaging import codec
from generation.models import ParameterSet
from sentiment.models import Proposal
from sentiment.services import close_round, open_round, register_wallet
from tests.browser.conftest import AXE, PHONE, Enter
from tests.fixtures.stack import chromium
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import address, vote_by

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = pytest.mark.enable_socket
SCREENS = os.environ.get("MORPHORA_SCREENS")
PNG = codec.encode_png(np.zeros((32, 192, 3), np.uint8))


@pytest.fixture
def proposal(transactional_db: None, make_drop: MakeDrop) -> Proposal:
    """A proposal with a change, for everybody likes long hair."""
    voters = [register_wallet(address=address(n)) for n in range(1, 13)]
    current = open_round(drop=make_drop(30))
    vote_by(current, voters, lambda w: (w.parsed["head"] == "long") + w.index / 1000, every=11)
    return close_round(round=current)


def shoot(page: Page, name: str) -> None:
    if SCREENS:
        page.screenshot(path=str(Path(SCREENS) / f"{name}.png"), full_page=True)


def test_a_lead_edits_what_is_proposed_and_goes_back(enter: Enter, proposal: Proposal) -> None:
    page = enter("ana", f"/console?drop={proposal.drop_id}")
    foretold = page.locator("#what-if")
    expect(foretold).to_contain_text("likely an improvement")
    shoot(page, "proposal")
    page.evaluate("scrollTo(0, 0)")
    expect(page.get_by_role("button", name="Approve")).to_be_in_viewport()
    why = page.locator("tr", has_text="mohawk").locator(".why")
    why.locator("summary").click()
    expect(why).to_contain_text("votes tell")

    page.get_by_label("head long in percent").fill("90")
    page.get_by_label("head bun in percent").fill("0")
    expect(foretold).to_contain_text("head: the shares come to")

    heads = page.locator('input[name^="head."]')
    for i in range(heads.count()):
        heads.nth(i).fill("12.5")
    page.get_by_label("head long in percent").fill("15.5")
    page.get_by_label("head bald in percent").fill("9.5")
    expect(foretold).to_contain_text(re.compile(r"worth \+\d\.\d\d ± \d\.\d\d log-odds"))
    with page.expect_response("**/console/live**"):
        page.evaluate("document.querySelector('[data-live]').dispatchEvent(new Event('changed'))")
    expect(page.get_by_label("head long in percent")).to_have_value("15.5")
    expect(why).to_have_attribute("open", "")
    expect(foretold).to_contain_text("likely an improvement")
    page.get_by_label("Reason").fill("A little longer")
    page.get_by_role("button", name="Apply my numbers").click()

    expect(page.locator("#proposal")).to_contain_text("A little longer")
    page.get_by_role("link", name="Steering").click()
    expect(page.locator(".river")).to_have_count(len(proposal.base.parameters.distributions))
    shoot(page, "steering")
    page.get_by_text("Back to these").click()
    page.get_by_label("Why", exact=True).fill("It was too long")
    page.get_by_role("button", name=f"Go back to {proposal.base.number}").click()

    expect(page.get_by_role("status").or_(page.locator(".messages"))).to_contain_text(
        "byte for byte"
    )
    sets = list(ParameterSet.objects.order_by("number"))
    assert len(sets) == 3
    assert sets[1].parameters.distributions["head"]["long"] == pytest.approx(0.155)
    assert sets[2].body == proposal.base.body
    assert sets[2].reason.endswith("It was too long")


def test_a_slider_moves_its_value_and_the_others_give_way(enter: Enter, proposal: Proposal) -> None:
    page = enter("ana", f"/console?drop={proposal.drop_id}")
    foretold = page.locator("#what-if")
    expect(foretold).to_contain_text("likely an improvement")
    before = foretold.inner_text()

    slider = page.get_by_label("head long, the others give way")
    slider.focus()
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    moved = page.get_by_label("head long in percent").input_value()
    heads = page.locator('input[name^="head."]')
    total = sum(float(heads.nth(i).input_value()) for i in range(heads.count()))
    page.get_by_label("head bun in percent").fill("12.5")

    assert float(moved) == pytest.approx(float(slider.input_value()), abs=0.11)
    assert total == pytest.approx(100, abs=0.01)
    expect(page.get_by_label("head bun, the others give way")).to_have_value("12.5")
    expect(foretold).not_to_have_text(before)


def test_numbers_beyond_the_bounds_are_said_before_and_refused_after(
    enter: Enter, proposal: Proposal
) -> None:
    page = enter("ana", f"/console?drop={proposal.drop_id}")
    heads = page.locator('input[name^="head."]')
    for i in range(heads.count()):
        heads.nth(i).fill("0")
    page.get_by_label("head long in percent").fill("100")
    expect(page.locator("#what-if")).to_contain_text("head: evenness 0.00 is below 0.70")

    page.get_by_role("button", name="Apply my numbers").click()

    expect(page.locator("body")).to_contain_text("is below 2.0%")
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.PENDING


def test_each_sheet_says_for_itself_whether_it_is_drawn(enter: Enter, proposal: Proposal) -> None:
    page = enter("ana", f"/console/steering/{proposal.drop.collection.slug}")
    page.route("**/before.png*", lambda route: route.fulfill(body=PNG, content_type="image/png"))
    page.route("**/after.png*", lambda route: route.abort())
    page.goto(f"/console?drop={proposal.drop_id}")
    before, after = page.locator(".sheet").all()
    before.scroll_into_view_if_needed()

    expect(after.get_by_role("status")).to_be_visible()

    expect(before.get_by_role("status")).to_be_hidden()


@pytest.mark.parametrize("size", [(1280, 900), PHONE], ids=["desktop", "phone"])
def test_the_room_fits_and_is_accessible(
    enter: Enter, proposal: Proposal, size: tuple[int, int]
) -> None:
    slug = proposal.drop.collection.slug

    page = enter("ana", f"/console/steering/{slug}", size)

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run()")
    assert [one["id"] for one in found["violations"]] == []
    shoot(page, f"steering-{size[0]}")
