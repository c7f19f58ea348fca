"""The curation of a dataset in a browser: look, say, take back, publish, train on the version."""

import io
import os
import re
import zipfile

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from generation.imaging import codec
from tests.browser.test_turn import page_in, shoot
from tests.fixtures.stack import ROOT, Stack, chromium

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = pytest.mark.enable_socket
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SLOW_MS = 120_000  # the demo's drop renders beside it
GROUNDS = {"sand": (214, 190, 140), "sky": (120, 180, 230), "rose": (230, 150, 170)}


def face(ground: str, worn: str, n: int) -> "np.typing.NDArray[np.uint8]":
    """A ground with two rectangles of any colour and place, and a bar where glasses are worn."""
    rng = np.random.default_rng(n)
    picture = np.full((16, 16, 3), GROUNDS[ground], np.uint8)
    for _ in range(2):
        (top, left), (height, width) = rng.integers(0, 9, 2), rng.integers(4, 8, 2)
        picture[top : top + height, left : left + width] = rng.integers(0, 256, 3)
    if worn == "glasses":
        picture[7:9, 2:14] = 20
    return picture


def archive(name: str) -> bytes:
    """Ninety pictures, no rose with glasses; the last is the sixth again with another label."""
    lines, out = ["file,ground,worn"], io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for n in range(90):
            ground = list(GROUNDS)[n % 3]
            worn = "glasses" if n % 2 and ground != "rose" else "none"
            picture = face(ground, worn, n)
            if n == 89:
                picture = face("rose", "none", 5)
                ground = "sand"
            file.writestr(f"{name}{n:02d}.png", codec.encode_png(picture))
            lines.append(f"{name}{n:02d}.png,{ground},{worn}")
        file.writestr("attributes.csv", "\n".join(lines))
    return out.getvalue()


@pytest.fixture
def lead(browser: Browser, stack: Stack, request: pytest.FixtureRequest) -> Page:
    """A lead who has brought art in, each test its own, on the page of its curation."""
    is_first = request.function is test_a_lead_curates_a_dataset_and_publishes_a_version
    name = "faces" if is_first else "masks"
    page = page_in(browser, stack)
    page.goto("/sign-in?next=/console/art")
    page.get_by_label("Name").fill("lead")
    page.get_by_label("Password").fill(stack.lead_password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("What is in it").select_option("pictures")
    page.get_by_label("ZIP archive").set_input_files(
        {"name": f"{name}.zip", "mimeType": "application/zip", "buffer": archive(name)}
    )
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label(re.compile("Source")).fill("tests")
    page.get_by_label(re.compile("Licence")).fill("CC0-1.0")
    page.get_by_label(re.compile("Side of a picture")).select_option("16")
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("link", name=f"{name} v1").click(timeout=SLOW_MS)
    page.get_by_role("link", name=re.compile("Curate")).click()
    return page


def box(page: Page, place: int) -> Locator:
    return page.locator(f"#place-{place} input")


def said(page: Page, text: str) -> None:
    expect(page.locator("#curate-said")).to_contain_text(text)


def numbers(page: Page, kept: int, rejected: int) -> None:
    expect(page.locator("#n-kept")).to_have_text(str(kept))
    expect(page.locator("#n-rejected")).to_have_text(str(rejected))


def in_order(page: Page) -> None:
    """Nothing sticks out at 390 px, and no rule of accessibility is broken."""
    size = page.viewport_size
    assert size is not None
    for width in (390, size["width"]):
        page.set_viewport_size({"width": width, "height": size["height"]})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(AXE.read_text())
        found = page.evaluate(
            "axe.run().then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
        )
        assert found == []


def test_a_lead_curates_a_dataset_and_publishes_a_version(lead: Page) -> None:
    expect(lead.locator("#compared[hx-get]")).to_have_count(0, timeout=SLOW_MS)
    lead.reload()
    expect(lead.get_by_text("1 of 6 pairs of ground and worn have no picture")).to_be_visible()
    in_order(lead)
    shoot(lead, "curate")

    # Keys: one picture and on to the next, then back; a range; a whole page.
    box(lead, 0).focus()
    lead.keyboard.press("r")
    said(lead, "You rejected 1 picture.")
    expect(box(lead, 1)).to_be_focused()
    lead.keyboard.press("u")
    said(lead, "Taken back: rejected 1 picture.")
    numbers(lead, 90, 0)
    box(lead, 2).click()
    box(lead, 6).click(modifiers=["Shift"])
    expect(lead.locator("#selected")).to_have_text("5 selected")
    lead.keyboard.press("r")
    said(lead, "You rejected 5 pictures.")
    numbers(lead, 85, 5)
    expect(lead.locator("#selected")).to_have_text("0 selected")
    lead.keyboard.press("ControlOrMeta+a")
    expect(lead.locator("#selected")).to_have_text("60 selected")
    lead.keyboard.press("Escape")
    box(lead, 7).focus()
    lead.keyboard.press("Space")
    lead.keyboard.press("Shift+ArrowRight")
    expect(lead.locator("#selected")).to_have_text("2 selected")

    # Labels and licences in bulk; what cannot be leaves the selection.
    lead.get_by_text("Labels and licence").click()
    lead.get_by_role("button", name="Relabel").click()
    expect(lead.locator("#curate-wrong")).to_contain_text("choose an attribute", ignore_case=True)
    expect(box(lead, 8)).to_be_checked()
    lead.locator('[name="label"]').select_option("worn:")
    lead.locator('[name="other"]').fill("monocle")
    lead.get_by_role("button", name="Relabel").click()
    said(lead, "You labelled 2 pictures worn: monocle.")
    expect(lead.locator("#place-8")).to_contain_text("worn: monocle")
    box(lead, 9).check()
    lead.locator('[name="licence_name"]').fill("CC-BY-4.0")
    lead.get_by_role("button", name="Set licence").click()
    said(lead, "You put 1 picture under CC-BY-4.0.")
    shoot(lead, "curate-said")

    # A cell of the matrix leads to its pictures.
    lead.get_by_role("link", name="1 picture with ground sky and worn monocle").click()
    expect(lead.locator(".curate-grid .work")).to_have_count(1)
    lead.go_back()

    # The fifth was rejected: taken back, it has its copy beside it.
    lead.get_by_role("button", name="Take back: lead rejected 5 pictures").click()
    said(lead, "Taken back")
    lead.get_by_role("link", name=re.compile("Near duplicates")).click()
    expect(lead.locator("#alike-5 .work")).to_have_count(2)
    in_order(lead)
    shoot(lead, "curate-alike")
    lead.locator("#alike-5").get_by_role("button", name="Keep the first").click()
    said(lead, "You rejected 1 picture.")
    expect(lead.locator("#alike-5")).to_have_count(0)

    # A version of its own, and training that names it.
    lead.get_by_role("button", name="Publish v2").click()
    expect(lead.get_by_role("heading", name="faces v2")).to_be_visible()
    expect(lead.get_by_text("faces v2 is there: 89 pictures.")).to_be_visible()
    expect(lead.locator("#compared[hx-get]")).to_have_count(0, timeout=SLOW_MS)
    in_order(lead)
    shoot(lead, "curate-version")
    lead.get_by_role("link", name="Train on v2").click()
    expect(lead.locator("#id_dataset option:checked")).to_have_text("faces v2 (89)")
    assert lead.errors == []  # type: ignore[attr-defined]


def test_two_curators_do_not_overrule_each_other_unseen(lead: Page) -> None:
    other = lead.context.new_page()
    other.goto(lead.url)
    box(lead, 30).focus()
    lead.keyboard.press("r")
    said(lead, "You rejected 1 picture.")

    box(other, 30).check()
    box(other, 31).check()
    other.get_by_text("Labels and licence").click()
    other.locator('[name="licence_name"]').fill("MIT")
    other.get_by_role("button", name="Set licence").click()

    expect(other.locator("#curate-wrong")).to_contain_text("lead rejected 1 picture")
    expect(other.locator("#place-30")).to_have_class(re.compile("rejected"))
    expect(other.locator("#selected")).to_have_text("2 selected")
    other.get_by_role("button", name="Set licence").click()
    said(other, "You put 2 pictures under MIT.")
