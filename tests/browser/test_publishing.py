"""A lead publishes a drop's files and sees them on their way, and what is missing afterwards."""

import os
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Page, expect
from pytest_django import Settings

from generation.models import Drop
from minting import services, tasks
from minting.provenance import cid
from minting.publishing.targets import TargetKind
from tests.browser.conftest import AXE, DESKTOP, PHONE, Enter
from tests.fixtures.ipfs import IMPORT, Node
from tests.fixtures.stack import chromium
from tests.fixtures.works import MakeDrop

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def channels(broker: str, settings: Settings) -> None:
    """What one thread announces reaches the pages that another serves."""
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [broker]},
        }
    }


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[None]:
    """Every bell is answered by a thread."""
    threads: list[threading.Thread] = []

    def answered(task: Callable[..., None]) -> Callable[..., None]:
        def work(named: dict[str, Any]) -> None:
            task(**named)
            connection.close()

        def delay(**named: Any) -> None:
            threads.append(threading.Thread(target=work, args=(named,)))
            threads[-1].start()

        return delay

    for name in ("pack", "publish", "check_storage"):
        monkeypatch.setattr(f"minting.tasks.{name}.delay", answered(getattr(tasks, name)))
    yield
    for thread in threads:
        thread.join(30)


@pytest.fixture
def drop(
    channels: None, workers: None, make_drop: MakeDrop, ipfs: Node, settings: Settings
) -> Drop:
    settings.PUBLISH_PART_BYTES = 4000
    settings.PUBLISH_TARGETS = {
        "ours": ipfs.target(TargetKind.CAR, name="ours"),
        "pins": ipfs.target(TargetKind.PINNING, name="pins"),
    }
    settings.IPFS_GATEWAYS = (ipfs.url,)
    drop = make_drop(12, Drop.State.CURATING)
    services.prepare_commitment(drop=drop)
    Drop.objects.filter(pk=drop.pk).update(state=Drop.State.COMMITTED)
    return drop


def shoot(page: Page, name: str, size: tuple[int, int]) -> None:
    folder = os.environ.get("SCREENS")
    if folder:
        page.screenshot(path=f"{folder}/{name}-{size[0]}.png", full_page=True)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_lead_publishes_a_drop(
    enter: Enter, drop: Drop, ipfs: Node, size: tuple[int, int]
) -> None:
    page = enter("ada", f"/console/drops/{drop.pk}/launch", size)
    files, ours = page.locator("#files"), page.locator('[data-target="ours"]')
    shoot(page, "files-unpacked", size)

    files.get_by_role("button", name="Pack the CAR file").click()
    expect(files).to_contain_text(drop.commitment.root_cid)
    ours.get_by_label("Kept for, and what it costs").select_option(label="24 months: 0.0202 EUR")
    page.wait_for_timeout(1000)  # what is chosen survives a hint
    expect(ours.locator("select")).to_have_value("24|0.0202 EUR")
    shoot(page, "files-cost", size)
    ipfs.control(faults=[{"at": IMPORT, "times": 3, "delay": 1200}])
    ours.get_by_role("button", name="Publish").click()

    expect(ours).to_contain_text(re.compile(r"[1-9] of \d parts sent"))
    shoot(page, "files-running", size)
    ours.get_by_role("button", name="Stop").click()
    expect(ours.locator(".state")).to_have_text("stopped")
    ours.get_by_role("button", name="Go on").click()
    expect(ours).to_contain_text("blocks read back through 127.0.0.1", timeout=20_000)
    expect(ours.locator(".state")).to_have_text("done")
    ipfs.control(drop=[cid.file_cid(drop.artworks.get(token_id=7).image_path.read_bytes())])
    page.get_by_role("button", name="Check all works now").click()
    expect(page.locator("#storage")).to_contain_text("1 work is not as it should be.")
    shoot(page, "files-done", size)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.evaluate(AXE.read_text())
    assert page.evaluate("axe.run().then(r => r.violations.map(v => v.id))") == []

    page.get_by_role("link", name="All 1 of them").click()
    expect(page.locator(".stored li")).to_have_count(1)
    shoot(page, "storage", size)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.evaluate(AXE.read_text())
    assert page.evaluate("axe.run().then(r => r.violations.map(v => v.id))") == []
    link = page.get_by_role("link", name="#7")
    expect(link).to_have_attribute("href", "/collections/portraits/works/7")
