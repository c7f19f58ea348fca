"""One turn of the loop as people see it: a visitor, a voter with a wallet, and a lead."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fixtures.stack import Stack, chromium

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = pytest.mark.enable_socket
SCREENS = os.environ.get("MORPHORA_SCREENS")

# A wallet as browsers have them: it announces itself (EIP-6963) and signs with a key of the node.
WALLET = """
(() => {
  const rpc = async (method, params = []) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const headers = { "Content-Type": "application/json" };
    const reply = await fetch("%s", { method: "POST", body, headers });
    const { result, error } = await reply.json();
    if (error) throw error;
    return result;
  };
  const account = async () => (await rpc("eth_accounts"))[5];
  const provider = {
    async request({ method, params }) {
      if (method === "eth_requestAccounts" || method === "eth_accounts") return [await account()];
      return rpc(method, params);
    },
    on() {}, removeListener() {},
  };
  const detail = Object.freeze({
    info: { uuid: "350670db-19fa-4704-a166-e52e178b59d2", name: "Test wallet", icon: "data:," },
    provider,
  });
  const announce = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  addEventListener("eip6963:requestProvider", announce);
  announce();
})();
"""


# Other tests of this file may have had the stack before: then its first drop is drawn already.
MORE_OR_DONE = """n => document.querySelectorAll(".work").length > n
  || document.querySelector("h1 .state").dataset.state !== "rendering" """


def shoot(page: Page, name: str) -> None:
    """Keep a picture of the page, wide and 390 px, where MORPHORA_SCREENS names a folder."""
    if not SCREENS:
        return
    page.screenshot(path=str(Path(SCREENS) / f"{name}.png"), full_page=True)
    size = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 844})
    page.screenshot(path=str(Path(SCREENS) / f"{name}-390.png"), full_page=True)
    assert size is not None
    page.set_viewport_size(size)


def page_in(browser: Browser, stack: Stack, script: str = "") -> Page:
    context = browser.new_context(base_url=stack.address, viewport={"width": 1280, "height": 900})
    if script:
        context.add_init_script(script)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda line: errors.append(line.text) if "Content Security" in line.text else None,
    )
    page.errors = errors  # type: ignore[attr-defined]
    return page


def state_becomes(page: Page, state: str) -> None:
    expect(page.locator("h1 .state")).to_have_text(state, timeout=60_000)


def test_a_drop_renders_live_is_minted_voted_on_and_steers_the_next(
    browser: Browser, stack: Stack
) -> None:
    visitor = page_in(browser, stack)
    visitor.goto("/collections/portraits/drops/1")
    expect(visitor.locator("#live")).to_be_visible()
    seen = visitor.locator(".work").count()
    visitor.wait_for_function(MORE_OR_DONE, arg=seen, timeout=120_000)
    shoot(visitor, "drop-rendering")
    state_becomes(visitor, "curating")
    shoot(visitor, "drop-curating")

    lead = page_in(browser, stack)
    lead.goto("/sign-in?next=/console")
    shoot(lead, "sign-in")
    lead.get_by_label("Name").fill("lead")
    lead.get_by_label("Password").fill(stack.lead_password)
    lead.get_by_role("button", name="Sign in").click()
    state_becomes(lead, "curating")
    shoot(lead, "console-curating")
    lead.get_by_role("link", name="Open the board").click()
    lead.locator("ul.board a.open").first.focus()
    lead.keyboard.press("r")
    lead.keyboard.press("a")
    expect(lead.locator("#undecided")).to_contain_text("1 accepted · 1 rejected")
    shoot(lead, "board")
    lead.goto("/console")
    expect(lead.locator("#live")).to_contain_text("1 accepted · 1 rejected")
    lead.get_by_role("button", name="Accept all undecided").click()
    lead.get_by_role("button", name="Close curation and commit on chain").click()
    state_becomes(lead, "committed")
    lead.get_by_role("button", name="Open the sale").click()
    state_becomes(lead, "minting")
    lead.get_by_role("button", name="Open voting").click()
    state_becomes(lead, "listening")
    state_becomes(visitor, "listening")

    voter = page_in(browser, stack, WALLET % stack.rpc_url)
    voter.goto("/collections/portraits/drops/1/vote")
    shoot(voter, "vote-signed-out")
    voter.get_by_role("link", name="Sign in to vote").click()
    voter.get_by_role("button", name="Use Test wallet").click()
    expect(voter.locator("#left")).to_be_visible()
    shoot(voter, "vote")
    for n in range(1, 13):
        expect(voter.locator(".pair .chosen")).to_have_count(0)  # the next pair is there
        if n % 3:
            voter.keyboard.press("ArrowLeft" if n % 2 else "ArrowRight")
        else:
            voter.locator("#left").click()
        expect(voter.locator("#vote-count")).to_have_text(f"{n} vote{'s' if n > 1 else ''}")

    voter.goto("/collections/portraits/drops/1")
    on_sale = int(voter.locator("dl.facts dd").nth(1).inner_text())
    voter.get_by_role("link", name="Mint a work").click()
    voter.get_by_role("button", name="Connect Test wallet").click()
    voter.get_by_role("button", name="Mint 1 work").click()
    expect(voter.locator(".stages")).to_contain_text("The works are yours.")
    expect(voter.locator(".fresh img:visible")).to_have_count(1)
    shoot(voter, "mint-fixed")
    voter.get_by_role("link", name="Drop 1").click()
    expect(voter.locator("#sale")).to_contain_text(f"{on_sale - 1} of {on_sale} left")
    expect(voter.locator("dl.facts").first).to_contain_text("Minted1", timeout=30_000)
    shoot(voter, "drop-listening")

    lead.reload()
    lead.get_by_role("button", name="Close voting and score").click()
    state_becomes(lead, "scored")
    expect(lead.locator("#proposal")).to_contain_text("12 votes of 1 voter.")
    shoot(lead, "console-proposal")
    lead.get_by_role("button", name="Approve").click()
    state_becomes(lead, "closed")
    lead.get_by_label("Works in the next drop").fill("64")
    lead.get_by_role("button", name="Start the next drop").click()
    expect(lead.locator("h1")).to_contain_text("Drop 2")
    state_becomes(lead, "curating")
    visitor.goto("/")
    shoot(visitor, "home")
    expect(visitor.get_by_role("link", name="Drop 2")).to_be_visible()

    for page in (visitor, lead, voter):
        assert page.errors == []  # type: ignore[attr-defined]


def test_a_trial_wallet_signs_in(browser: Browser, stack: Stack) -> None:
    page = page_in(browser, stack)
    page.goto("/sign-in")

    page.get_by_role("button", name="Use a trial wallet").click()

    expect(page.locator(".who")).to_contain_text("0x")
    assert page.errors == []  # type: ignore[attr-defined]
