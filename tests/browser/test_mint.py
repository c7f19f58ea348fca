"""A lead opens a drop that is drawn as it is minted; a stranger mints, and sees the work appear."""

import os

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_turn import page_in, shoot
from tests.fixtures.stack import Stack, chromium

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = pytest.mark.enable_socket
LIVE = "/collections/tides/drops/1"


def lead_in(browser: Browser, stack: Stack) -> Page:
    page = page_in(browser, stack)
    page.goto("/sign-in?next=/console")
    page.get_by_label("Name").fill("lead")
    page.get_by_label("Password").fill(stack.lead_password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/console*")
    return page


def begin_drop(lead: Page) -> None:
    """A collection of its own, its first drop committed."""
    lead.goto("/console/new")
    lead.get_by_label("Name").fill("Tides")
    lead.get_by_label("Address").fill("tides")
    lead.get_by_label("Story").fill("Every mint draws a face.")
    shoot(lead, "new-collection")
    lead.get_by_role("button", name="Make the collection").click()
    lead.get_by_label("Works in the next drop").fill("40")
    lead.get_by_label("They are").select_option("on_the_fly")
    lead.get_by_role("button", name="Start the next drop").click()
    shoot(lead, "console-living-draft")
    lead.get_by_role("button", name="Commit on chain").click()
    expect(lead.locator("h1 .state")).to_have_text("committed", timeout=60_000)


def plan_sale(lead: Page, wallet: str) -> None:
    """An allow list with a bad row, then a good one, a falling price, and everybody."""
    lead.get_by_role("link", name="Phases, allow lists, auctions").click()
    lead.get_by_label("Sold to").select_option(label="allow list")
    bad = f"wallet,max_quantity,price_eth\n{wallet},2,0.005\n0x1234,1,0.005\n"
    choose_list(lead, bad)
    lead.get_by_role("button", name="Add this phase").click()
    expect(lead.get_by_text("List, row 2")).to_be_visible()
    lead.get_by_label("Sold to").select_option(label="allow list")
    choose_list(lead, f"wallet,max_quantity,price_eth\n{wallet},2,0.005\n")
    lead.get_by_role("button", name="Add this phase").click()
    expect(lead.get_by_text("1 wallet on the list")).to_be_visible()
    lead.get_by_label("Sold to").select_option(label="falling price")
    lead.get_by_label("Price (ETH)").fill("0.1")
    lead.get_by_label("Falls to (ETH)").fill("0.02")
    lead.get_by_label("by (ETH)", exact=True).fill("0.01")
    lead.get_by_label("every (minutes)").fill("30")
    shoot(lead, "launch-phase")
    lead.get_by_role("button", name="Add this phase").click()
    lead.get_by_label("Price (ETH)").fill("0.03")
    lead.get_by_role("button", name="Add this phase").click()
    expect(lead.locator(".phases .panel")).to_have_count(3)
    lead.get_by_label("Works are final by").fill("2099-01-01T00:00")
    shoot(lead, "launch-planned")
    lead.get_by_role("button", name="Open the sale with 3 phases").click()
    expect(lead.locator("h1 .state")).to_have_text("minting", timeout=60_000)


def choose_list(lead: Page, text: str) -> None:
    lead.get_by_label("Allow list, CSV").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )


def test_a_stranger_mints_and_sees_the_work_being_drawn(browser: Browser, stack: Stack) -> None:
    buyer = page_in(browser, stack)
    buyer.goto("/sign-in")
    buyer.get_by_role("button", name="Use a trial wallet").click()
    buyer.wait_for_url("**/")
    wallet = buyer.locator("header .who").get_attribute("title")
    assert wallet is not None
    lead = lead_in(browser, stack)
    begin_drop(lead)

    buyer.goto(f"{LIVE}/mint")
    expect(buyer.locator("h1")).to_have_text("Drop 1 is not on sale")
    shoot(buyer, "mint-waits")
    plan_sale(lead, wallet)

    expect(buyer.locator("h1")).to_have_text("Mint a work of drop 1")  # nobody loaded it again
    shoot(buyer, "mint-away")
    buyer.get_by_role("button", name="Use a trial wallet").click()
    expect(buyer.locator(".choice")).to_have_count(3)
    expect(buyer.locator(".choice").first).to_contain_text("2 works at most")
    expect(buyer.locator(".choice").last).to_contain_text("Everybody 0.03 ETH")
    buyer.get_by_role("spinbutton", name="Works").fill("2")
    buyer.get_by_role("spinbutton", name="Works").blur()
    expect(buyer.locator(".bill .total dd")).to_contain_text("0.01", timeout=30_000)
    shoot(buyer, "mint-bill")
    buyer.get_by_role("button", name="Mint 2 works").click()
    expect(buyer.locator(".stages")).to_contain_text("The works are yours.", timeout=30_000)
    expect(buyer.locator(".fresh img:visible")).to_have_count(2, timeout=60_000)
    expect(buyer.locator(".stages")).to_contain_text("Here they are.")
    shoot(buyer, "mint-done")
    expect(buyer.locator("#live .work img").first).to_be_visible(timeout=30_000)
    expect(buyer.locator(".choice").first).to_contain_text("has its 2 works already")

    buyer.locator(".fresh a").first.click()
    expect(buyer.locator("h1")).to_contain_text("Tides #1")
    shoot(buyer, "work-living")

    buyer.goto(f"/wallets/{wallet}")
    expect(buyer.locator("h1")).to_have_text("Your works")
    expect(buyer.locator(".history li")).to_have_count(2)
    lead.reload()
    expect(lead.locator("#live")).to_contain_text("0.01 ETH")
    lead.get_by_role("button", name="Let works be staked").click()
    expect(lead.locator(".checklist")).to_contain_text("Let works be staked")
    staking = lead.locator(".checklist .done", has_text="Let works be staked")
    expect(staking).to_be_visible(timeout=60_000)
    shoot(lead, "launch-minting")

    buyer.reload()
    buyer.get_by_role("button", name="Use a trial wallet").click()
    expect(buyer.locator("#stakes ~ div li")).to_contain_text("Tides: 0 ETH")
    buyer.locator("label.tick").first.click()
    shoot(buyer, "holder")
    buyer.get_by_role("button", name="Stake what is chosen").click()
    expect(buyer.locator("[role=status]:visible")).to_contain_text("Done.")
    buyer.wait_for_timeout(4_500)
    buyer.reload()
    expect(buyer.locator(".work.staked")).to_have_count(1)
    expect(buyer.locator("dl.facts")).to_contain_text("Staked1")
    for page in (buyer, lead):
        assert page.errors == []  # type: ignore[attr-defined]
