"""A work is sold and bought in browsers, over a real Seaport, and taken off sale again."""

import os
import re

import pytest
from playwright.sync_api import Locator, expect

from minting import indexer
from minting.models import Contract, Listing, Sale
from tests.browser.conftest import Enter
from tests.browser.test_living import OTHER, PAGE
from tests.browser.test_turn import WALLET, shoot
from tests.fixtures.chain import Chain
from tests.fixtures.stack import chromium
from tests.minting.market import open_bazaar

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = [pytest.mark.enable_socket, pytest.mark.usefixtures("chain_settings")]
PRICE_WEI = 5 * 10**16
NO_WALLET = "No wallet found in this browser."


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def holder() -> str:
    return OTHER


@pytest.fixture
def seaport(evolving_works: Contract, chain: Chain) -> str:
    return open_bazaar(chain, evolving_works.address).seaport


def said(trade: Locator) -> Locator:
    return trade.locator(".notice[role=status]")


def sell(enter: Enter, chain: Chain) -> Locator:
    page = enter(OTHER, "/sign-in")
    page.context.add_init_script(WALLET % chain.url)
    page.goto(PAGE)
    trade = page.locator(".trade")
    trade.get_by_text("Sell it").click()
    trade.get_by_label("Price (ETH)").fill("0.05")
    shoot(page, "trade-sell")
    trade.get_by_role("button", name="Sell with Test wallet").click()
    expect(said(trade)).to_contain_text("It is for sale.")
    return trade


def test_a_work_is_sold_and_bought(
    enter: Enter, evolving_works: Contract, seaport: str, chain: Chain
) -> None:
    sell(enter, chain)
    listing = Listing.objects.get()
    buyer = enter("visitor", PAGE)
    trade = buyer.locator(".trade")
    expect(buyer.locator(".offer")).to_contain_text("0.05 ETH")
    shoot(buyer, "trade-buy")

    trade.get_by_role("button", name="Buy with the trial wallet").click()
    expect(said(trade)).to_contain_text("It is yours.")
    indexer.poll()

    sale = Sale.objects.select_related("token").get()
    assert listing.price_wei == sale.price_wei == PRICE_WEI
    assert sale.token.owner == sale.buyer != OTHER
    assert chain.ask(evolving_works.address, "ownerOf", 1) == sale.buyer.lower()
    buyer.goto(PAGE)
    expect(buyer.locator(".trade")).to_contain_text("Sell it")


def test_a_seller_takes_it_off_sale(
    enter: Enter, evolving_works: Contract, seaport: str, chain: Chain
) -> None:
    page = sell(enter, chain).page
    page.goto(PAGE)

    page.locator(".trade").get_by_role("button", name="Buy with Test wallet").click()
    expect(said(page.locator(".trade"))).to_contain_text("It is not for sale any more.")
    indexer.poll()

    assert Listing.objects.get().state == Listing.State.CANCELLED
    assert chain.ask(evolving_works.address, "ownerOf", 1) == OTHER.lower()


def test_what_is_typed_wrong_and_whose_it_is_not_are_said(
    enter: Enter, evolving_works: Contract, seaport: str, chain: Chain
) -> None:
    page = enter(OTHER, "/sign-in")
    page.context.add_init_script(WALLET % chain.url)
    page.goto(PAGE)
    trade = page.locator(".trade")
    trade.get_by_text("Sell it").click()

    trade.get_by_role("button", name="Sell with Test wallet").click()
    expect(trade.get_by_role("alert")).to_contain_text("Type a price above 0")
    trade.get_by_role("button", name="Sell with the trial wallet").click()
    expect(trade.get_by_role("alert")).to_contain_text("this work is another one's")

    assert not Listing.objects.exists()


def test_without_a_wallet_that_is_said(
    enter: Enter, evolving_works: Contract, seaport: str
) -> None:
    page = enter("visitor", "/")
    page.route(
        re.compile(f"{PAGE}$|/sign-in$"),
        lambda route: route.fulfill(
            body=route.fetch().text().replace('data-chain-id="31337"', 'data-chain-id="1"'),
            content_type="text/html",
        ),
    )
    page.goto(PAGE)

    page.locator(".trade").get_by_text("Sell it").click()

    expect(page.locator(".trade").get_by_text(NO_WALLET)).to_be_visible()
    expect(page.locator(".trade").get_by_role("button")).to_have_count(0)
    expect(page.locator(".living").get_by_text(NO_WALLET)).to_be_visible()
    page.goto("/sign-in")
    expect(page.locator("[x-data=signIn]").get_by_text(NO_WALLET)).to_be_visible()
