"""A lead brings in the community: it trades in the pool of a law, and pictures change."""

import os
import threading

import pytest
from django.core.cache import cache
from playwright.sync_api import expect
from pytest_django import Settings

from generation.models import Drop, Job
from minting import indexer, services
from minting.chain.exchange import open_exchange
from minting.evolution import laws
from minting.evolution.laws import Choice
from minting.evolution.rules import Source
from minting.models import Contract
from sentiment.management.commands.community import Command
from sentiment.management.crowd import _account
from tests.browser.conftest import Enter
from tests.browser.test_living import PAGE, picture
from tests.browser.test_turn import shoot
from tests.fixtures.chain import Chain
from tests.fixtures.stack import chromium

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = [pytest.mark.enable_socket, pytest.mark.usefixtures("chain_settings")]
ACTS_S = 8.0


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def holder(chain: Chain) -> str:
    """The first wallet of the community that the console brings in."""
    address = str(_account(1, 0).address)
    chain.call("anvil_impersonateAccount", address)
    chain.call("anvil_setBalance", address, hex(10**20))
    return address


@pytest.fixture
def evolving_draft(
    living_draft: Drop, small_student: None, settings: Settings, chain: Chain
) -> Drop:
    settings.CHAIN_REVEAL_BLOCKS = 40
    venue = open_exchange(chain, settings.NODE_MODULES).venue
    choices = [
        Choice(Source.POSITION, "fuller hair", 16, venue.manager, venue.pool),
        Choice(Source.INTERACTIONS, "a tilted head", 4),
    ]
    services.plan_contract(collection=living_draft.collection, law=laws.plan(choices))
    return living_draft


def run_for(seconds: float, site: str, chain: Chain) -> None:
    """The process that follows the switch, for a while."""
    command = Command()
    command.is_over = False
    job = command._next_job()
    assert job is not None
    timer = threading.Timer(seconds, command._stop)
    timer.start()
    command._run_job(
        job, {"base_url": site, "rpc_url": chain.url, "minutes": None, "actions": None}
    )
    timer.join()
    indexer.poll()


def test_a_community_that_a_lead_brings_in_moves_pictures(
    enter: Enter, evolving_works: Contract, chain: Chain, site: str
) -> None:
    cache.clear()
    page = enter("lead", "/console/community")
    before = picture(page)

    page.get_by_role("button", name="Bring in a simulated community").click()
    Job.objects.filter(kind="community").update(args={"wallets": 3, "pace": 6000, "seed": 1})
    run_for(ACTS_S, site, chain)
    page.goto("/console/community")
    counts = page.locator("#community dl.facts")

    expect(counts).to_contain_text("swaps")
    done = Job.objects.get(kind="community").checkpoint
    for name, noun in {"swap": "swaps", "provide": "positions", "adjust": "moves of"}.items():
        count = counts.locator("div", has_text=noun).locator("dd")
        expect(count).to_have_text(str(done[name]))
        assert done[name] > 0
    shoot(page, "living-community")
    page.goto(PAGE)
    shoot(page, "living-community-work")
    assert picture(page) != before
