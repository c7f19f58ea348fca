"""A lead tries a law on sales of the past, and sees what it does and costs."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from generation.models import Checkpoint, Collection
from sentiment.models import ReferenceSale
from tests.browser.conftest import DESKTOP, PHONE, Enter
from tests.browser.test_turn import shoot
from tests.fixtures.stack import chromium

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = [pytest.mark.enable_socket, pytest.mark.usefixtures("chain_settings")]
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def sales(transactional_db: None) -> None:
    """Sixty days of a market in which some works are sold more often, and for more."""
    for row in range(300):
        ReferenceSale.objects.create(
            source="another market",
            source_row=row,
            sold_at=START + timedelta(hours=5 * row),
            token_ref=str(row**2 % 101),
            price_wei=10**14 * (1 + row**2 % 37) ** 2,
        )


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_lead_tries_a_law_before_it_is_for_good(
    enter: Enter,
    sales: None,
    small_student: None,
    small_checkpoint: Checkpoint,
    size: tuple[int, int],
) -> None:
    page = enter("lead", "/console/new", size)
    page.get_by_text("What moves works, where the contract lets them move").click()
    page.get_by_text("What the directions do").click()
    expect(page.get_by_role("img", name="One work on its way to fuller hair")).to_be_visible()
    page.get_by_label("The past of").select_option("file:another market")

    page.get_by_role("button", name="Try it").click()

    trial = page.locator("#trial")
    expect(trial.get_by_role("heading", level=3)).to_contain_text("works would have moved")
    assert trial.get_by_role("img", name="at first").count() == 8
    expect(trial.get_by_role("row", name="An interaction")).to_contain_text("85,203")
    before = trial.locator(".meters li").first.inner_text()
    shoot(page, f"trial-{size[0]}")
    page.get_by_label("levels").first.fill("3")
    page.get_by_role("button", name="Try it").click()

    expect(trial.locator(".meters li").first).not_to_have_text(before)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert Collection.objects.count() == 0
