"""A work in three dimensions, in a browser: asked for, turned by keys, and what may go wrong."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from PIL import Image
from playwright.sync_api import Page, Route, expect
from pytest_django import Settings

from generation.models import Drop
from minting.models import Token
from minting.services import find_account
from tests.browser.conftest import AXE, DESKTOP, PHONE, Enter
from tests.fixtures.stack import chromium
from tests.fixtures.works import MakeDrop
from tests.gallery.conftest import STEPS

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = pytest.mark.enable_socket
SCREENS = os.environ.get("MORPHORA_SCREENS")
MINTED, WORK = (f"/collections/portraits/works/{token_id}" for token_id in (1, 2))
# Software drawing of WebGL beside other work; a model is on the screen in 2 to 4 s.
PATIENCE_MS = 40_000


@pytest.fixture(autouse=True)
def drop(transactional_db: None, make_drop: MakeDrop) -> Drop:
    """12 works on sale, the first one minted; the chain's part is written by hand."""
    lead = User.objects.create(username="lead", is_staff=True)
    drop = make_drop(12, Drop.State.CURATING)
    for state in (Drop.State.COMMITTED, Drop.State.MINTING):
        STEPS[state](drop, lead)
        drop.refresh_from_db()
    return drop


def show(page: Page) -> None:
    button = page.get_by_role("button", name="Show it in three dimensions")
    button.focus()
    page.keyboard.press("Enter")
    wait(page)
    expect(page.locator("model-viewer")).to_be_focused()


def wait(page: Page) -> None:
    expect(page.locator(".solid-says")).to_contain_text("arrow keys", timeout=PATIENCE_MS)


def scene(page: Page) -> np.ndarray:
    page.wait_for_timeout(1200)
    with Image.open(io.BytesIO(page.locator(".solid-stage").screenshot())) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_both_shapes_are_shown_and_turn_with_the_keys(
    enter: Enter, name: str, size: tuple[int, int]
) -> None:
    page = enter("lead", WORK, size)

    show(page)
    card = scene(page)
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    turned = scene(page)
    page.get_by_role("radio", name="Relief").check()
    wait(page)
    relief = scene(page)

    assert len(np.unique(card.reshape(-1, 3), axis=0)) > 50
    assert (card != turned).mean() > 0.01
    assert (turned != relief).mean() > 0.01
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    if SCREENS:
        page.locator(".solid").screenshot(path=Path(SCREENS) / f"solid-{name}.png")


def test_the_viewer_loads_when_it_is_asked_for_and_sizes_are_told(enter: Enter) -> None:
    page = enter("lead", "/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(WORK)
    page.wait_for_load_state("networkidle")

    before = [url for url in asked if "model-viewer" in url or url.endswith(".glb")]
    show(page)

    assert before == []
    assert any("model-viewer" in url for url in asked)
    expect(page.locator(".solid .num")).to_contain_text(["kB", "kB"])


def test_a_file_that_cannot_be_had_is_said_and_may_be_tried_again(enter: Enter) -> None:
    page = enter("lead", WORK)

    def refuse(route: Route) -> None:
        route.fulfill(status=503)

    page.route("**/*-card.glb", refuse)
    page.get_by_role("button", name="Show it in three dimensions").click()
    expect(page.locator(".solid [role=alert]")).to_contain_text("could not", timeout=PATIENCE_MS)
    page.unroute("**/*-card.glb")
    show(page)

    expect(page.locator(".solid [role=alert]")).to_be_hidden()


def test_a_viewer_that_cannot_be_had_is_said(enter: Enter) -> None:
    page = enter("lead", WORK)
    page.route("**/model-viewer-*.js", lambda route: route.abort())

    page.get_by_role("button", name="Show it in three dimensions").click()

    expect(page.locator(".solid [role=alert]")).to_contain_text("viewer could not be loaded")
    expect(page.get_by_role("button", name="Show it in three dimensions")).to_be_visible()


def test_without_webgl_the_files_are_left(enter: Enter) -> None:
    page = enter("lead", "/")
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto(WORK)

    page.get_by_role("button", name="Show it in three dimensions").click()

    expect(page.locator(".solid [role=alert]")).to_contain_text("no WebGL 2")
    expect(page.locator(".solid a")).to_have_count(2)


WEI = {"eth_getBalance": hex(15 * 10**17), "eth_getCode": "0x"}


def test_the_browser_asks_what_an_account_holds(enter: Enter, settings: Settings) -> None:
    page = enter("lead", MINTED)
    asked: list[str] = []

    def answer(route: Route) -> None:
        request: Any = route.request.post_data_json
        asked.append(request["params"][0])
        route.fulfill(
            json={"jsonrpc": "2.0", "id": request["id"], "result": WEI[request["method"]]},
            headers={"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"},
        )

    page.route(f"{settings.CHAIN_RPC_URL}/**", answer)
    before = list(asked)
    page.get_by_role("button", name="Ask the chain what else it holds").click()

    said = page.locator("section", has=page.locator("#account")).get_by_role("status")
    expect(said).to_have_text(
        "It holds 1.5 ETH. This chain has no registry of accounts, so it cannot be created yet."
    )
    assert before == []
    assert find_account(Token.objects.get()).address in asked
    if SCREENS:
        page.screenshot(path=Path(SCREENS) / "account-desktop.png", full_page=True)


def test_a_chain_that_cannot_be_asked_is_said(enter: Enter) -> None:
    page = enter("lead", MINTED, PHONE)

    page.get_by_role("button", name="Ask the chain what else it holds").click()

    alert = page.locator("section", has=page.locator("#account")).get_by_role("alert")
    expect(alert).to_have_text("The chain could not be asked.")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    if SCREENS:
        page.screenshot(path=Path(SCREENS) / "account-phone.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_open_view_has_no_barrier(enter: Enter, scheme: str) -> None:
    page = enter("lead", MINTED, DESKTOP, scheme)
    show(page)

    page.evaluate(AXE.read_text())
    found = page.evaluate("async () => (await axe.run()).violations.map((v) => v.id)")

    assert found == []
