"""Votes that the voter's wallet signs, in a browser against a real server."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from eth_account import Account
from eth_account.messages import encode_typed_data
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from generation.models import Drop
from sentiment.models import Vote
from sentiment.services import begin_voting, register_wallet
from tests.fixtures.stack import chromium
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import address

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = pytest.mark.enable_socket
SCREENS = os.environ.get("MORPHORA_SCREENS")

# A wallet that announces itself (EIP-6963); what it signs, the test signs.
WALLET = """
(() => {
  const provider = {
    async request({ method, params }) {
      if (method === "eth_requestAccounts" || method === "eth_accounts") return ["%s"];
      if (method !== "eth_signTypedData_v4") throw new Error("asked for " + method);
      if (window.declines) throw Object.assign(new Error("no"), { code: 4001 });
      return window.signTyped(params[1]);
    },
    on() {}, removeListener() {},
  };
  const detail = { info: { uuid: "1", name: "Test wallet", icon: "data:," }, provider };
  const announce = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  addEventListener("eip6963:requestProvider", announce);
})();
"""


def sign(text: str) -> str:
    message = encode_typed_data(full_message=json.loads(text))
    return "0x" + bytes(Account.sign_message(message, (1).to_bytes(32)).signature).hex()


@pytest.fixture
def page(transactional_db: None, browser: Browser, make_drop: MakeDrop) -> Iterator[Page]:
    """The voting page of a voter whose wallet is there; its errors fail the test."""
    current = begin_voting(drop=make_drop(12, Drop.State.MINTING), hides_standings=True)
    server, client, errors = LiveServer("localhost"), Client(), list[str]()
    client.force_login(register_wallet(address=address(1)).user)
    context = browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 900})
    context.expose_function("signTyped", sign)
    context.add_init_script(WALLET % address(1))
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": server.url}])
    opened = context.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(f"/collections/portraits/drops/{current.drop.number}/vote")
    expect(opened.locator("#left")).to_be_visible()
    yield opened
    context.close()
    server.stop()
    assert errors == []


def shoot(page: Page, name: str) -> None:
    if not SCREENS:
        return
    for width, height in ((1280, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=str(Path(SCREENS) / f"{name}-{width}.png"), full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_each_choice_is_signed_and_the_switch_is_remembered(page: Page) -> None:
    page.get_by_label("Sign my votes").check()
    shoot(page, "vote-signing")

    page.keyboard.press("ArrowLeft")
    expect(page.locator("#vote-count")).to_have_text("1 vote")
    expect(page.locator(".pair .chosen")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    expect(page.locator("#vote-count")).to_have_text("2 votes")
    page.goto("/")
    page.wait_for_timeout(500)
    page.go_back()

    expect(page.locator("#sign-votes")).to_be_checked()
    expect(page.locator("#vote-count")).to_have_text("2 votes")
    assert [len(vote.signature) for vote in Vote.objects.order_by("pk")] == [132, 132]


def test_a_choice_that_the_wallet_does_not_sign_is_not_taken(page: Page) -> None:
    page.get_by_label("Sign my votes").check()
    page.evaluate("window.declines = true")
    shown = page.locator("#left img").get_attribute("src")

    page.locator("#left").click()
    expect(page.locator("#unsigned")).to_have_text("Not signed, not counted. The wallet declined.")
    shoot(page, "vote-declined")

    assert page.locator("#left img").get_attribute("src") == shown
    expect(page.locator("#vote-count")).to_have_text("0 votes")
    page.get_by_label("Sign my votes").uncheck()
    page.locator("#left").click()
    expect(page.locator("#vote-count")).to_have_text("1 vote")
    page.goto("/")
    page.wait_for_timeout(300)
    assert [vote.signature for vote in Vote.objects.all()] == [""]
