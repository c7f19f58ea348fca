"""A work's own account on a real node: somebody creates it, its work's owner takes things out."""

import os

import pytest
from playwright.sync_api import expect

from minting import indexer, services
from minting.chain import accounts, contracts
from minting.models import Contract
from minting.services import find_account
from tests.browser.conftest import Enter
from tests.browser.test_living import OTHER, PAGE
from tests.browser.test_turn import WALLET, shoot
from tests.fixtures.chain import BOB, Chain
from tests.fixtures.outbox import pump
from tests.fixtures.stack import chromium

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = [pytest.mark.enable_socket, pytest.mark.usefixtures("chain_settings")]


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def holder() -> str:
    return OTHER


@pytest.fixture
def account(evolving_works: Contract, chain: Chain) -> str:
    """Of work 1: 1.5 ETH and work 2 are sent to it before it is there."""
    services.furnish_chain(contract=evolving_works)
    pump()
    address = find_account(evolving_works.tokens.get(token_id=1)).address
    chain.succeed(b"", address, BOB, 15 * 10**17)
    give = contracts.call("transferFrom", OTHER, address, 2)
    chain.succeed(give, evolving_works.address, OTHER)
    indexer.poll()
    return address


def test_an_owner_creates_the_account_and_takes_everything_out(
    enter: Enter, evolving_works: Contract, account: str, chain: Chain
) -> None:
    page = enter(OTHER, "/sign-in")
    page.context.add_init_script(WALLET % chain.url)
    page.goto(PAGE)
    section = page.locator("section", has=page.locator("#account"))

    section.get_by_role("button", name="Ask the chain what else it holds").click()
    expect(section.get_by_role("status")).to_contain_text("It holds 1.5 ETH. Nobody has created")
    section.get_by_role("button", name="Use Test wallet").click()
    section.get_by_role("button", name="Create the account").click()
    expect(section.get_by_text("The account is there.")).to_be_visible()
    shoot(page, "account")
    before = chain.balance_wei(OTHER)
    section.get_by_role("button", name="Take out 1.5 ETH").click()
    expect(section.get_by_role("button", name="Take out 1.5 ETH")).to_have_count(0)
    section.get_by_role("button", name="Take out #2").click()
    expect(section.get_by_role("button", name="Take out #2")).to_have_count(0)
    expect(section.get_by_text("Done.")).to_be_visible()

    assert chain.balance_wei(account) == 0
    assert chain.balance_wei(OTHER) - before > 149 * 10**16
    assert chain.ask(evolving_works.address, "ownerOf", 2) == OTHER.lower()
    indexer.poll()
    assert find_account(evolving_works.tokens.get(token_id=1)).works == []


def test_somebody_else_takes_nothing(
    enter: Enter, evolving_works: Contract, account: str, chain: Chain
) -> None:
    create = accounts.create(
        implementation=accounts.own_implementation(),
        chain_id=31337,
        contract=evolving_works.address,
        token_id=1,
    )
    chain.succeed(create, accounts.REGISTRY, BOB)
    page = enter("visitor", PAGE)
    section = page.locator("section", has=page.locator("#account"))

    section.get_by_role("button", name="Ask the chain what else it holds").click()
    section.get_by_role("button", name="Use the trial wallet").click()

    expect(section.get_by_role("alert")).to_contain_text("this work is another one's")
    expect(section.get_by_role("button", name="Take out")).to_have_count(0)
    assert chain.balance_wei(account) == 15 * 10**17
