"""A holder proposes, votes and carries out, with a wallet in a real browser."""

import os

import pytest
from playwright.sync_api import Page, expect

from minting import indexer, services
from minting.chain.abi import compiled
from minting.chain.bounds import STEP, share_name
from minting.chain.contracts import WITH_VOTES
from tests.browser.conftest import AXE, PHONE, Enter
from tests.browser.test_turn import WALLET, shoot
from tests.fixtures.chain import ALICE, Chain
from tests.fixtures.government import TERMS, Government
from tests.fixtures.stack import chromium

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = [pytest.mark.enable_socket, pytest.mark.usefixtures("chain_settings")]
OTHER = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc"  # what WALLET signs for
PAGE = "/collections/portraits/governance"


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def holder(enter: Enter, chain: Chain, government: Government) -> Page:
    """Three of four works are theirs, and nobody votes with them yet."""
    for token_id in (1, 2, 3):
        give = compiled(WITH_VOTES).call("transferFrom", ALICE, OTHER, token_id)
        chain.succeed(give, government.row.contract.address, ALICE)
    indexer.poll()
    page = enter(OTHER, "/sign-in")
    page.context.add_init_script(WALLET % chain.url)
    page.goto(PAGE)
    return page


def connect(page: Page) -> None:
    page.get_by_role("button", name="Connect Test wallet").click()


def press(page: Page, name: str) -> None:
    """Press, and let the site read the block."""
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Done.")).to_be_visible()
    indexer.poll()


def check_axe(page: Page) -> None:
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "axe.run().then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
    )
    assert found == []


def propose(page: Page) -> None:
    page.get_by_label("What").select_option(STEP)
    page.get_by_label("At most, in per cent, as a number").fill("10")
    page.get_by_label("At most, in per cent, as a number").press("Tab")
    page.get_by_role("button", name="Add to the proposal").click()
    page.get_by_label("Why").fill("Slower, please\n\nThe last drop changed too much at once.")
    press(page, "Propose to the holders")


def test_a_holder_sets_a_bound(holder: Page, chain: Chain, government: Government) -> None:
    page = holder
    shoot(page, "governance-empty")
    connect(page)
    expect(page.get_by_text("Your works vote once")).to_be_visible()
    expect(page.get_by_text("To propose takes 1 vote, and you have 0.")).to_be_visible()
    press(page, "Vote with them yourself")
    expect(page.get_by_text("To propose takes 1 vote: you have enough.")).to_be_visible()
    chain.mine()  # the votes of the block before count
    propose(page)

    title = page.get_by_role("link", name="Slower, please")
    expect(title).to_be_visible()
    shoot(page, "governance-proposed")
    chain.mine(TERMS.delay + 1)
    indexer.poll()
    title.click()
    connect(page)
    page.get_by_label("Reason, if you like").fill("It jumps")
    shoot(page, "governance-vote")
    press(page, "For")
    expect(page.locator(".tally")).to_contain_text("3 for")
    expect(page.locator(".voters")).to_contain_text("It jumps")
    expect(page.get_by_text("You have voted.")).to_be_visible()
    shoot(page, "governance-voted")
    chain.mine(TERMS.period)
    indexer.poll()
    press(page, "Queue it in the timelock")
    expect(page.get_by_text("It waits in the timelock for its time.")).to_be_visible()
    government.wait()
    indexer.poll()
    press(page, "Execute it")
    expect(page.locator(".state")).to_have_text("In force")

    page.goto(PAGE)
    expect(page.locator(".limits").first).to_contain_text("at most 10 %")
    shoot(page, "governance-decided")
    check_axe(page)
    found = services.bounds_at(government.row.contract.collection, chain.block_number())
    assert found == {STEP: (0.0, 0.1)}


def test_a_refusal_is_explained_before_anything_is_signed(
    holder: Page, chain: Chain, government: Government
) -> None:
    page = holder
    connect(page)
    press(page, "Vote with them yourself")
    chain.mine()
    propose(page)
    page.get_by_role("link", name="Slower, please").click()
    connect(page)
    expect(page.get_by_text("Voting has not begun.")).to_be_visible()
    chain.mine(TERMS.delay + 1)
    indexer.poll()
    expect(page.get_by_role("button", name="For", exact=True)).to_be_visible()
    chain.mine(TERMS.period + 5)  # the site has not read these

    page.get_by_role("button", name="For", exact=True).click()

    expect(page.get_by_role("alert").filter(has_text="voting may not have begun")).to_be_visible()


def test_a_node_that_is_away_is_an_error_in_words(holder: Page) -> None:
    page = holder
    page.evaluate("document.querySelector('[x-data=governance]').dataset.rpcUrl += '1'")
    page.get_by_role("button", name="Use a trial wallet").click()

    expect(page.locator("[x-data=governance] [role=alert]")).to_be_visible()
    expect(page.get_by_role("heading", name="Bounds in force")).to_be_visible()


def test_what_a_reader_unfolds_stays_so_while_the_page_follows_the_chain(
    enter: Enter, government: Government
) -> None:
    page = enter(ALICE, PAGE)
    page.get_by_text("background").first.click()
    government.propose("Slower", (STEP, 0, 100_000))
    indexer.poll()

    expect(page.get_by_role("link", name="Slower")).to_be_visible()
    expect(page.locator("#limits-2")).to_have_attribute("open", "")


def test_a_phone_shows_it_without_scrolling_sideways(
    enter: Enter, chain: Chain, government: Government
) -> None:
    head, *_, skin = services.options_of(government.row.contract.collection)
    bounds = ((STEP, 0, 100_000), (share_name(*head), 0, 0), (share_name(*skin), 100_000, 400_000))
    government.decide("Fewer", *bounds)
    number = government.propose("A" * 200 + "\nlong", (STEP, 0, 100_000))
    indexer.poll()
    for path in (PAGE, f"{PAGE}/0x{number:064x}"):
        page = enter(ALICE, path, PHONE)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE[0]
        shoot(page, f"governance-bounds-{'one' if path != PAGE else 'all'}")
