"""The gallery and a work's page in a browser: filters, keys, the check against a real chain."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from eth_abi.abi import encode
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from generation.models import Drop
from minting import indexer, services
from minting.chain import contracts
from minting.models import Contract
from sentiment.models import Opinion
from sentiment.services import open_round, register_wallet
from tests.fixtures.chain import ALICE, BOB, Chain
from tests.fixtures.outbox import pump
from tests.fixtures.sales import everybody
from tests.fixtures.stack import ROOT, chromium
from tests.fixtures.works import MakeDrop

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = pytest.mark.enable_socket
PRICE_WEI = 10**15
SCREENS = os.environ.get("MORPHORA_SCREENS")
WORKS = "/collections/portraits/works"
PAGES = {
    "home": "/",
    "works": WORKS,
    "filtered": f"{WORKS}?trait.head=bun&sort=newest",
    "nothing found": f"{WORKS}?q=999",
    "refused": f"{WORKS}?sort=beauty",
    "work": f"{WORKS}/2",
    "drop": "/collections/portraits/drops/1",
    "mint": "/collections/portraits/drops/1/mint",
    "market": "/collections/portraits/market",
    "story": "/collections/portraits/story",
    "results": "/collections/portraits/drops/1/results",
    "holder": f"/wallets/{ALICE}",
    "sign in": "/sign-in",
}


@pytest.fixture
def drop(
    transactional_db: None, chain_settings: Settings, chain: Chain, make_drop: MakeDrop
) -> Drop:
    """60 works on sale on the real chain, three of them minted."""
    drop = make_drop(60, Drop.State.CURATING)
    services.request_commit(drop=drop)
    pump()
    services.request_open_sale(drop=drop, phases=everybody(PRICE_WEI, 5))
    pump()
    address = Contract.objects.get().address
    chain.succeed(contracts.mint(1, 0, 3), address, ALICE, 3 * PRICE_WEI)
    indexer.poll()
    drop.refresh_from_db()
    return drop


@pytest.fixture
def site(drop: Drop) -> Iterator[str]:
    """A server of this test alone: what its pages may reach is fixed when it starts."""
    server = LiveServer("localhost")
    yield server.url
    server.stop()


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    context = browser.new_context(base_url=site, viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on(
        "console",
        lambda line: errors.append(line.text) if "Content Security" in line.text else None,
    )
    yield opened
    context.close()
    assert errors == []


def heads(drop: Drop, *values: str) -> int:
    return sum(work.parsed["head"] in values for work in drop.artworks.all())


def test_filters_change_the_works_the_counts_and_the_address(page: Page, drop: Drop) -> None:
    page.goto(WORKS)
    page.evaluate("window.stayed = true")
    page.get_by_role("checkbox", name="bun").check()
    expect(page.locator(".found")).to_contain_text(f"{heads(drop, 'bun')} work")
    page.get_by_role("checkbox", name="bob").check()
    expect(page.locator(".found")).to_contain_text(f"{heads(drop, 'bun', 'bob')} work")

    expect(page.locator(".card")).to_have_count(heads(drop, "bun", "bob"))
    assert "trait.head=bob" in page.url
    assert "trait.head=bun" in page.url
    assert page.evaluate("window.stayed")

    page.get_by_role("link", name="Remove head: bun").click()
    expect(page.locator(".found")).to_contain_text(f"{heads(drop, 'bob')} work")
    expect(page.get_by_role("checkbox", name="bun")).not_to_be_checked()
    expect(page.get_by_role("checkbox", name="bob")).to_be_checked()
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator(".found")).to_contain_text("60 works")


def test_filters_that_are_chosen_in_haste_all_count(page: Page, drop: Drop) -> None:
    page.goto(WORKS)

    page.evaluate(
        "for (const v of ['bun', 'bob', 'long']) document.querySelector(`[value=${v}]`).click()"
    )

    expect(page.locator(".found")).to_contain_text(f"{heads(drop, 'bun', 'bob', 'long')} work")
    for name in ("bun", "bob", "long"):
        expect(page.get_by_role("checkbox", name=name)).to_be_checked()
    expect(page.locator("#silence")).to_be_hidden()


def test_a_filtered_address_can_be_shared_and_gone_back_to(page: Page, drop: Drop) -> None:
    page.goto(f"{WORKS}?trait.head=bun")
    expect(page.get_by_role("checkbox", name="bun")).to_be_checked()

    page.get_by_role("checkbox", name="bob").check()
    expect(page.locator(".found")).to_contain_text(f"{heads(drop, 'bun', 'bob')} work")
    page.go_back()

    expect(page.locator(".found")).to_contain_text(f"{heads(drop, 'bun')} work")
    expect(page.get_by_role("checkbox", name="bob")).not_to_be_checked()


def test_filters_work_from_the_keyboard_and_keep_the_focus(page: Page, drop: Drop) -> None:
    page.goto(WORKS)
    page.get_by_role("checkbox", name="bun").focus()

    page.keyboard.press("Space")

    expect(page.locator(".found")).to_contain_text(f"{heads(drop, 'bun')} work")
    expect(page.get_by_role("checkbox", name="bun")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("checkbox", name="curly")).to_be_checked()
    expect(page.locator(".found")).to_contain_text(f"{heads(drop, 'bun', 'curly')} work")


def test_the_order_is_kept_with_the_filters(page: Page, drop: Drop) -> None:
    page.goto(f"{WORKS}?trait.head=bun")

    page.get_by_label("Sort").select_option("newest")

    page.wait_for_url("**sort=newest**")
    newest = max(w.token_id or 0 for w in drop.artworks.all() if w.parsed["head"] == "bun")
    expect(page.locator(".card strong").first).to_have_text(f"#{newest}")


def test_without_scripts_the_filters_are_a_form(browser: Browser, site: str, drop: Drop) -> None:
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto(WORKS)

    page.get_by_role("checkbox", name="bun").check()
    page.get_by_role("button", name="Apply filters").click()

    expect(page.locator(".found")).to_contain_text(f"{heads(drop, 'bun')} work")
    context.close()


def test_a_phone_opens_the_filters_with_a_button(page: Page, drop: Drop) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(WORKS)
    expect(page.get_by_role("checkbox", name="bun")).to_be_hidden()

    page.get_by_text("Filters", exact=True).click()
    page.get_by_role("checkbox", name="bun").check()

    expect(page.locator(".found")).to_contain_text(f"{heads(drop, 'bun')} work")
    expect(page.get_by_role("checkbox", name="bun")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_home_fits_a_narrow_phone(page: Page, drop: Drop) -> None:
    page.set_viewport_size({"width": 340, "height": 740})
    page.goto("/")
    expect(page.locator(".drops .strip img").last).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= 340


def test_a_silent_server_is_named_and_the_works_stay(page: Page, drop: Drop) -> None:
    page.goto(WORKS)
    page.route("**/works?**", lambda route: route.abort())

    page.get_by_role("checkbox", name="bun").check()

    expect(page.locator("#silence")).to_be_visible()
    expect(page.locator(".card")).to_have_count(48)


def test_arrows_lead_to_the_works_beside(page: Page, drop: Drop) -> None:
    page.goto(f"{WORKS}/2")

    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**{WORKS}/3")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**{WORKS}/2")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**{WORKS}/1")


@pytest.mark.parametrize("token_id", [2, 60])
def test_a_work_passes_its_check_minted_or_not(page: Page, drop: Drop, token_id: int) -> None:
    steps = run_check(page, token_id)

    assert [state for _, state in steps] == ["passed"] * 8
    expect(page.locator(".verdict")).to_contain_text("Everything fits")
    shown = " ".join(page.locator(".check-steps dd").all_inner_texts())
    assert f"0x{drop.commitment.metadata_root}" in shown
    assert Contract.objects.get().address in shown


def test_one_changed_byte_of_the_picture_is_found(page: Page, drop: Drop) -> None:
    page.goto(f"{WORKS}/2")  # the browser has seen, and may keep, the right picture
    flip_byte(drop.artworks.get(token_id=2).image_path)

    steps = run_check(page, 2)

    assert [title for title, state in steps if state == "failed"] == ["The picture"]
    expect(page.locator(".verdict")).to_contain_text("What failed: the picture.")
    expect(page.locator(".check-steps li.failed")).to_contain_text(
        "not the ones that were committed"
    )


def test_metadata_that_were_changed_are_found(page: Page, drop: Drop) -> None:
    def forge(route: Any) -> None:
        body = route.fetch().text().replace("Portraits #2", "Portraits #1")
        route.fulfill(body=body, content_type="application/json")

    page.route("**/works/2/metadata", forge)

    steps = run_check(page, 2)

    assert [title for title, state in steps if state == "failed"] == ["The metadata"]


def test_a_whole_forged_claim_fails_at_the_chain(page: Page, drop: Drop) -> None:
    """Picture, metadata and proof fit each other, but not what the contract holds."""
    path = drop.artworks.get(token_id=2).image_path
    flip_byte(path)
    page.goto(f"{WORKS}/2")
    forged = page.evaluate(FORGE, [str(drop.artworks.get(token_id=2).image_digest)])
    page.route("**/works/2/proof", lambda route: route.fulfill(json=forged))

    steps = run_check(page, 2)

    assert [title for title, state in steps if state == "failed"] == [
        "From the leaf to the root",
        "The root on chain",
    ]


# What a dishonest site would send: the hash of its own picture in place of the committed one.
FORGE = """
async ([digest]) => {
  const claim = await (await fetch("/api/collections/portraits/works/2/proof")).json();
  const reply = await fetch(`/api/images/${digest}.png`, { cache: "no-store" });
  const bytes = await reply.arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  claim.image_sha256 = "0x" + [...hash].map((b) => b.toString(16).padStart(2, "0")).join("");
  return claim;
}
"""


def test_a_silent_chain_is_named(page: Page, drop: Drop, chain: Chain) -> None:
    page.route(f"{chain.url}/**", lambda route: route.abort())

    steps = run_check(page, 2)

    assert [title for title, state in steps if state == "failed"] == [
        "The chain of drops",
        "The root on chain",
        "The address on chain",
        "The seed",
    ]
    expect(page.locator(".check-steps")).to_contain_text("The chain could not be read")


def test_a_forged_address_is_found(page: Page, drop: Drop, chain: Chain) -> None:
    """A node that says that the contract sends people elsewhere."""

    def forge(route: Any) -> None:
        request = route.request.post_data_json
        reply = route.fetch()
        call = request["method"] == "eth_call" and request["params"][0]["data"]
        if call and call.startswith("0xc87b56dd"):  # tokenURI
            raw = encode(["string"], ["ipfs://elsewhere/2.json"])
            route.fulfill(json={"jsonrpc": "2.0", "id": request["id"], "result": "0x" + raw.hex()})
        else:
            route.fulfill(response=reply)

    page.route(f"{chain.url}/**", forge)

    steps = run_check(page, 2)

    assert [title for title, state in steps if state == "failed"] == ["The address on chain"]


def run_check(page: Page, token_id: int) -> list[tuple[str, str]]:
    """Press the button; (title, state) of each step."""
    if not page.url.endswith(f"{WORKS}/{token_id}"):
        page.goto(f"{WORKS}/{token_id}")
    page.get_by_role("button", name="Check it yourself").click()
    expect(page.locator(".verdict")).to_be_visible()
    items = page.locator(".check-steps > li")
    return [
        (item.locator("strong").inner_text(), str(item.get_attribute("class")))
        for item in items.all()
    ]


def flip_byte(path: Path) -> None:
    """Change one byte of the picture, at the same length."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_barrier(browser: Browser, site: str, scheme: Any) -> None:
    axe = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
    context = browser.new_context(base_url=site, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    found = {}

    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for name, address in PAGES.items():
            page.goto(address)
            page.wait_for_load_state("load")
            page.add_script_tag(content=axe)
            found[name, width] = page.evaluate(AXE)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name

    context.close()
    assert {place: rules for place, rules in found.items() if rules} == {}


AXE = """
async () => (await axe.run()).violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html)}`)
"""


def test_a_thumb_is_kept_and_taken_back(browser: Browser, site: str, drop: Drop) -> None:
    open_round(drop=drop)
    voter = register_wallet(address=BOB)
    client = Client()
    client.force_login(voter.user)
    context = browser.new_context(base_url=site, viewport={"width": 390, "height": 844})
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
    page = context.new_page()
    page.goto(f"{WORKS}/2")
    like, dislike = (page.get_by_role("button", name=name) for name in ("I like it", "I do not"))

    like.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".thumbs [role=status]")).to_have_text("1 like it, 0 do not")
    dislike.click()
    expect(dislike).to_have_attribute("aria-pressed", "true")
    expect(like).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(dislike).to_have_attribute("aria-pressed", "true")
    dislike.scroll_into_view_if_needed()
    if SCREENS:
        page.screenshot(path=Path(SCREENS) / "thumbs-phone.png")
    dislike.click()
    expect(page.locator(".thumbs [role=status]")).to_have_text("")

    assert not Opinion.objects.exists()
    context.close()
