"""A work that its contract draws: its holder interacts with it, and the picture is another one."""

import os
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect
from pytest_django import Settings

from generation.models import Drop
from minting import indexer
from minting.chain import evolving
from minting.evolution import moved
from minting.models import Contract, DropEvent
from minting.services import word_of
from tests.browser.conftest import DESKTOP, PHONE, Enter
from tests.browser.test_integrity import assert_sound
from tests.browser.test_turn import WALLET, shoot
from tests.fixtures.chain import Chain
from tests.fixtures.living import draw, mint, pass_time, until
from tests.fixtures.outbox import pump
from tests.fixtures.painted import draw_moved, prove
from tests.fixtures.stack import chromium

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = [pytest.mark.enable_socket, pytest.mark.usefixtures("chain_settings")]
OTHER = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc"  # what WALLET signs for
PAGE = "/collections/living/works/1"


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def holder() -> str:
    """Whose the evolving works are."""
    return OTHER


def picture(page: Page) -> bytes:
    raw: bytes = page.request.get(f"{PAGE}/living.png").body()
    return raw


def test_a_holder_interacts_and_the_picture_changes(
    enter: Enter, evolving_works: Contract, chain: Chain
) -> None:
    cache.clear()
    token = evolving_works.tokens.get(token_id=1)
    assert word_of(token)
    page = enter(OTHER, "/sign-in")
    page.context.add_init_script(WALLET % chain.url)
    page.goto(PAGE)
    before = picture(page)
    section = page.locator("section.living")
    shoot(page, "living-before")

    section.get_by_role("button", name="Interact with Test wallet").click()
    expect(section.get_by_role("status")).to_contain_text("Done.")
    indexer.poll()
    cache.clear()
    page.goto(PAGE)

    expect(section).to_contain_text("interactions 1 of 4")
    expect(section).to_contain_text("Interaction 1")
    assert picture(page) != before
    shoot(page, "living-after")


def test_a_holder_signs_and_the_site_pays(
    enter: Enter, evolving_works: Contract, chain: Chain, settings: Settings
) -> None:
    settings.RELAYED_A_DAY = 1
    cache.clear()
    before = chain.nonce(OTHER)
    page = enter(OTHER, "/sign-in")
    page.context.add_init_script(WALLET % chain.url)
    page.goto(PAGE)
    section = page.locator("section.living")
    expect(section).to_contain_text("this site sends it to the contract and pays")

    section.get_by_role("button", name="Interact with Test wallet").click()
    expect(section.get_by_role("status")).to_contain_text("Signed. The site sends it")
    shoot(page, "living-signed")
    pump()
    indexer.poll()
    expect(section.get_by_role("status")).to_contain_text("Done.")

    cache.clear()
    page.goto(PAGE)
    expect(section).to_contain_text("interactions 1 of 4")
    section.get_by_role("button", name="Interact with Test wallet").click()
    expect(section.get_by_role("alert")).to_contain_text("It may be done again from")
    assert chain.nonce(OTHER) == before


def test_a_work_that_is_not_drawn_yet_is_interacted_with(
    enter: Enter, evolving_drop: Drop, chain: Chain
) -> None:
    cache.clear()
    mint(chain, 3, OTHER)
    indexer.poll()
    pass_time(chain, timedelta(minutes=20))
    until(DropEvent.Kind.CAPTURED, evolving_drop)
    draw(evolving_drop)
    page = enter(OTHER, "/sign-in")
    page.context.add_init_script(WALLET % chain.url)
    page.goto(PAGE)
    section = page.locator("section.living")
    expect(section).to_contain_text("once the secret of its drop is told")

    section.get_by_role("button", name="Interact with Test wallet").click()
    expect(section.get_by_role("status")).to_contain_text("Done.")
    expect(section.get_by_role("alert")).to_be_hidden()
    section.get_by_role("button", name="Interact with Test wallet").click()

    expect(section.get_by_role("alert")).to_contain_text("it may be done again later")
    expect(section.get_by_role("status")).to_be_hidden()


def test_a_browser_can_check_it(
    enter: Enter, evolving_drop: Drop, evolving_works: Contract
) -> None:
    until(DropEvent.Kind.SEALED, evolving_drop)
    page = enter(OTHER, PAGE)

    page.get_by_role("button", name="Check it yourself").click()

    expect(page.locator(".verdict")).to_be_visible()
    assert page.locator(".check-steps > li.failed").count() == 0
    expect(page.locator(".check-steps")).to_contain_text("draws and describes this work itself")


def test_sliders_show_what_would_be(enter: Enter, evolving_works: Contract) -> None:
    cache.clear()
    page = enter(OTHER, PAGE)
    section = page.locator("section.living")
    image = section.locator("img").first

    section.get_by_role("button", name="What if?").click()
    section.get_by_role("slider", name="volume").fill("10")
    expect(image).to_have_attribute("src", f"{PAGE}/living.png?levels=10,0,0,0")
    expect(section).to_contain_text("As it would be")
    expect(section.locator(".level").first).to_have_text("10")
    shoot(page, "living-what-if")
    section.get_by_role("button", name="As it is").click()

    expect(image).to_have_attribute("src", f"{PAGE}/living.png")
    expect(section.locator(".level").first).to_have_text("0")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_its_picture_stays_in_sight_of_the_sliders(
    enter: Enter, evolving_works: Contract, size: tuple[int, int]
) -> None:
    cache.clear()
    page = enter(OTHER, PAGE, size)
    section = page.locator("section.living")

    section.get_by_role("button", name="What if?").click()
    slider = section.locator(".what-if input").last
    slider.evaluate("(one) => one.scrollIntoView({block: 'end', behavior: 'instant'})")

    expect(slider).to_be_in_viewport(ratio=0.9)
    expect(section.locator("img").first).to_be_in_viewport(ratio=0.9)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_slider_goes_through_its_life(
    enter: Enter, evolving_works: Contract, chain: Chain, width: int
) -> None:
    cache.clear()
    for _ in range(2):
        chain.succeed(evolving.interact(1), evolving_works.evolution_address, OTHER)
        chain.call("evm_increaseTime", 90_000)
        chain.mine()
    indexer.poll()
    page = enter(OTHER, PAGE)
    page.set_viewport_size({"width": width, "height": 844})
    section = page.locator("section.living")
    image, meter = section.locator("img").first, section.locator(".meters > li").nth(2)

    section.get_by_role("button", name="Through its life").click()
    slider = section.get_by_role("slider", name="Moment of its life")
    expect(slider).to_have_value("2")
    expect(slider).to_have_attribute(
        "aria-valuetext", re.compile("^3 of 3: Interaction 2, .*block")
    )
    slider.press("ArrowLeft")

    expect(section.get_by_role("status").first).to_contain_text("2 of 3: Interaction 1")
    expect(image).to_have_attribute("src", f"{PAGE}/living.png?levels=0,0,1,0")
    expect(meter).to_contain_text("1 of 4")
    shoot(page, f"living-life-{width}")
    section.get_by_role("button", name="Play").click()
    expect(slider).to_have_value("2")
    section.get_by_role("button", name="First drawn").click()
    expect(slider).to_have_value("0")
    expect(meter).to_contain_text("0 of 4")
    section.get_by_role("button", name="As it is now").click()

    expect(image).to_have_attribute("src", f"{PAGE}/living.png")
    expect(meter).to_contain_text("2 of 4")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_life_that_cannot_be_read_is_said(enter: Enter, evolving_works: Contract) -> None:
    page = enter(OTHER, PAGE)
    page.route("**/life.json", lambda route: route.abort())
    section = page.locator("section.living")

    section.get_by_role("button", name="Through its life").click()

    expect(section.get_by_role("alert")).to_contain_text("The server does not answer")
    expect(section.get_by_role("slider")).to_have_count(0)


def test_a_visitor_reads_how_pictures_of_epochs_are_checked(
    enter: Enter, evolving_works: Contract
) -> None:
    prove(evolving_works, {1: 10**18, 2: 0, 3: 0})
    draw_moved(evolving_works)
    page = enter(OTHER, PAGE)
    section = page.locator("section.living")

    section.get_by_text("Draw these again yourself").click()

    expect(section.locator(".command")).to_contain_text("--moved moved-1.json")
    with page.expect_download() as told:
        section.get_by_role("link", name="what is told of these pictures").click()
    work = moved.read(told.value.path().read_bytes())
    assert told.value.suggested_filename == "moved-1.json"
    assert [row.epoch for row in work.pictures] == [1]
    assert_sound(page)
    shoot(page, "living-epochs")
