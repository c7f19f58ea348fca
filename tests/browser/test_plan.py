"""The plan of a draft in a browser: sums, a rule from lists, a check, and the plan kept."""

import os

import pytest
from playwright.sync_api import expect

from generation.models import Drop, DropPlan
from generation.services import open_drop
from generation.traits.planner import exclude
from tests.browser.conftest import AXE, PHONE, Enter
from tests.fixtures.stack import chromium
from tests.fixtures.works import MakeDrop

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def draft(transactional_db: None, make_drop: MakeDrop) -> Drop:
    collection = make_drop(1, Drop.State.CLOSED).collection
    return open_drop(collection=collection, parameter_set=collection.parameter_sets.get(), size=120)


@pytest.mark.parametrize("size", [(1280, 900), PHONE], ids=["desktop", "phone"])
def test_a_lead_plans_a_draft(enter: Enter, draft: Drop, size: tuple[int, int]) -> None:
    page = enter("ada", f"/console/drops/{draft.pk}/plan", size)
    skin = page.locator('[data-attribute="skin"]')
    expect(skin.locator(".total")).to_have_text("100 % of 100 %")

    skin.get_by_label("Given as").select_option("counts")
    for value, n in zip(draft.checkpoint.schema["skin"], (40, 40, 20, 20, 1), strict=True):
        skin.get_by_label(f"skin {value}").fill(str(n))
    expect(skin.locator(".total.bad")).to_have_text("121 of 120 works")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("alert")).to_contain_text("The counts of skin sum to 121")
    skin.get_by_label("skin umber").fill("0")
    page.locator('[data-rule="if"]').select_option("head=bald")
    page.locator('[data-rule="then"]').select_option("accessory=glasses")
    page.get_by_role("button", name="Add the rule").click()
    expect(page.get_by_label("One a line", exact=True)).to_have_value(
        "head=bald excludes accessory=glasses"
    )

    page.get_by_role("button", name="Check").click()
    expect(page.locator("#plan-result caption").first).to_be_visible()
    expect(page.locator("#plan-result")).to_contain_text("120 works with")
    folder = os.environ.get("SCREENS")
    if folder:
        page.screenshot(path=f"{folder}/plan-{size[0]}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.evaluate(AXE.read_text())
    assert page.evaluate("axe.run().then(r => r.violations.map(v => v.id))") == []
    page.get_by_role("button", name="Use this plan").click()

    expect(page.get_by_text("is planned. Render it when you like.")).to_be_visible()
    request = DropPlan.objects.get(drop=draft).request
    assert request.rules == (exclude("head", "bald", "accessory", "glasses"),)
