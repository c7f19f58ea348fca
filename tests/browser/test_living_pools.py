"""A holder names the position that moves a work; a trade past its range moves the work back."""

import os

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from minting import indexer
from minting.models import Contract
from tests.browser.conftest import Enter
from tests.browser.test_living import OTHER, PAGE, picture
from tests.browser.test_turn import WALLET, shoot
from tests.fixtures.chain import BOB, Chain
from tests.fixtures.stack import chromium
from tests.minting.test_moving_pools import RANGE, evolving_draft
from tests.minting.uniswap import WIDE, Exchange, open_exchange

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = [pytest.mark.enable_socket, pytest.mark.usefixtures("chain_settings")]
__all__ = ["evolving_draft"]


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def holder() -> str:
    return OTHER


@pytest.fixture
def exchange(chain: Chain) -> Exchange:
    found = open_exchange(chain, OTHER, BOB)
    found.add_range(BOB, -WIDE, WIDE, 10**18)
    found.add_shares(BOB, 10**18, 10**18)
    found.add_range(OTHER, -RANGE, RANGE, 10**18)
    return found


def test_a_trade_changes_the_picture(
    enter: Enter, evolving_works: Contract, exchange: Exchange, chain: Chain
) -> None:
    cache.clear()
    page = enter(OTHER, "/sign-in")
    page.context.add_init_script(WALLET % chain.url)
    page.goto(PAGE)
    before = picture(page)
    section = page.locator("section.living")

    section.get_by_label("Your position's number").fill("2")
    section.get_by_role("button", name="Name the position with Test wallet").click()
    expect(section.get_by_role("status")).to_contain_text("Done.")
    indexer.poll()
    moved = picture(page)
    cache.clear()
    page.goto(PAGE)
    expect(section).to_contain_text("Position 2 counts as liquidity from here on")
    shoot(page, "living-pool")
    exchange.send(exchange.v3_trade(BOB, 2 * 10**18))

    assert moved != before
    assert picture(page) == before


@pytest.mark.parametrize("number", ["-3", "1.5"])
def test_a_position_has_a_whole_number(
    enter: Enter, evolving_works: Contract, exchange: Exchange, chain: Chain, number: str
) -> None:
    cache.clear()
    page = enter(OTHER, "/sign-in")
    page.context.add_init_script(WALLET % chain.url)
    page.goto(PAGE)
    section = page.locator("section.living")

    section.get_by_label("Your position's number").fill(number)
    section.get_by_role("button", name="Name the position with Test wallet").click()

    expect(section.get_by_role("alert")).to_contain_text("Type the number of your position")
