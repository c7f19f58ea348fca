"""The check of a work that was drawn on the fly, in a browser, against a real chain."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from generation.models import Drop
from tests.fixtures.chain import Chain
from tests.fixtures.networks import register_small
from tests.fixtures.published import fixed_drop, living_drop
from tests.fixtures.stack import chromium

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = pytest.mark.enable_socket
FIRST = 8  # the fixed drop has seven works


@pytest.fixture
def drop(transactional_db: None, chain_settings: Settings, chain: Chain, tmp_path: Path) -> Drop:
    chain_settings.MEDIA_ROOT = tmp_path / "media"
    chain_settings.CHAIN_REVEAL_BLOCKS = 12
    return living_drop(chain, fixed_drop(chain, register_small(tmp_path)), seal=True)


@pytest.fixture
def page(browser: Browser, drop: Drop) -> Iterator[Page]:
    server = LiveServer("localhost")
    context = browser.new_context(base_url=server.url)
    opened = context.new_page()
    yield opened
    context.close()
    server.stop()


def run_check(page: Page, token_id: int) -> list[tuple[str, str]]:
    page.goto(f"/collections/open/works/{token_id}")
    page.get_by_role("button", name="Check it yourself").click()
    expect(page.locator(".verdict")).to_be_visible()
    items = page.locator(".check-steps > li").all()
    return [(i.locator("strong").inner_text(), str(i.get_attribute("class"))) for i in items]


def test_a_work_that_was_drawn_on_the_fly_passes(page: Page) -> None:
    steps = run_check(page, FIRST + 1)

    assert [state for _, state in steps] == ["passed"] * 8
    expect(page.locator(".check-steps")).to_contain_text("committed before the sale")


@pytest.mark.parametrize(
    ("name", "value", "failed"),
    [
        ("item_seed", "0x" + "00" * 32, ["The seed"]),
        ("attempt", 1, ["The seed"]),
        ("chain_id", 1, ["The chain of drops", *("The root on chain", "The address on chain")]),
    ],
)
def test_a_forged_claim_is_found(page: Page, name: str, value: Any, failed: list[str]) -> None:
    def forge(route: Any) -> None:
        route.fulfill(json=route.fetch().json() | {name: value})

    page.route("**/proof", forge)

    steps = run_check(page, FIRST)

    assert [title for title, state in steps if state == "failed"][: len(failed)] == failed
