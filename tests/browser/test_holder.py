"""A buyer's own page: money that a sale owes comes back by a button."""

import os
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from generation.models import Drop
from minting import indexer, services
from tests.browser.conftest import PHONE, Enter
from tests.browser.test_turn import WALLET, shoot
from tests.fixtures.chain import ALICE, Chain
from tests.fixtures.living import AUCTION_ENDS, HIGH_WEI, LAST_WEI, buy, pass_time
from tests.fixtures.stack import chromium

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = [pytest.mark.enable_socket, pytest.mark.usefixtures("chain_settings")]
OTHER = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc"  # what WALLET signs for


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


def press(page: Page, name: str) -> None:
    """Connect, press, and look again once the site has read the block."""
    page.get_by_role("button", name="Connect Test wallet").click()
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("status")).to_contain_text("Done.")
    indexer.poll()
    page.reload()


def test_a_buyer_claims_back_what_was_above_the_last_price(
    enter: Enter, chain: Chain, auction_drop: Drop
) -> None:
    buy(chain, OTHER, 2, HIGH_WEI)
    buy(chain, ALICE, 1, LAST_WEI)
    pass_time(chain, AUCTION_ENDS + timedelta(minutes=1))
    page = enter(OTHER, "/sign-in")
    page.context.add_init_script(WALLET % chain.url)
    page.goto(f"/wallets/{OTHER}")

    expect(page.locator(".owed li")).to_contain_text("0.018 ETH")
    shoot(page, "holder-owed")
    press(page, "Settle it")
    before = chain.balance_wei(OTHER)
    press(page, "Claim it back")

    expect(page.locator(".owed")).to_have_count(0)
    gained = chain.balance_wei(OTHER) - before
    assert 0.017e18 < gained < 2 * (HIGH_WEI - LAST_WEI)


def test_nobody_else_sees_what_is_owed(enter: Enter, chain: Chain, auction_drop: Drop) -> None:
    buy(chain, OTHER, 2, HIGH_WEI)
    pass_time(chain, AUCTION_ENDS + timedelta(minutes=1))

    page = enter(ALICE, f"/wallets/{OTHER}", PHONE)

    expect(page.locator("h1")).to_have_text("Works of a wallet")
    expect(page.locator(".owed")).to_have_count(0)


@pytest.fixture
def with_votes(living_draft: Drop) -> None:
    services.plan_contract(collection=living_draft.collection, has_votes=True)


def test_a_holder_votes_with_their_works(
    enter: Enter, chain: Chain, with_votes: None, auction_drop: Drop
) -> None:
    buy(chain, OTHER, 2, HIGH_WEI)
    page = enter(OTHER, "/sign-in")
    page.context.add_init_script(WALLET % chain.url)
    page.goto(f"/wallets/{OTHER}")
    votes = page.get_by_text("votes on chain")

    expect(votes).to_contain_text("0 votes on chain. Its own works vote once they have a delegate.")
    press(page, "Vote with them yourself")

    expect(votes).to_contain_text("2 votes on chain. This wallet's works vote for itself.")
    shoot(page, "holder-votes")
