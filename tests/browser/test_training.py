"""A training run as a lead sees it: art in, the first samples live, stop, go on, keep."""

import io
import os
import re
import zipfile

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from generation.imaging import codec
from tests.browser.test_turn import page_in, shoot
from tests.fixtures.networks import flat_art
from tests.fixtures.stack import Stack, chromium

if chromium() is None and os.environ.get("REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium: set CHROME_BIN or install it", allow_module_level=True)

pytestmark = pytest.mark.enable_socket


def archive() -> bytes:
    """Sixty labelled pictures of 16 px."""
    pictures, labels = flat_art(60)
    noise = np.random.default_rng(1).integers(-15, 16, pictures.shape)
    pictures = np.clip(pictures + noise, 0, 255).astype(np.uint8)
    colours, glasses = ("sand", "sky", "rose"), ("none", "glasses")
    lines = ["file,background,accessory"]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for i, (picture, (colour, worn)) in enumerate(zip(pictures, labels, strict=True)):
            file.writestr(f"{i:03d}.png", codec.encode_png(picture))
            lines.append(f"{i:03d}.png,{colours[colour]},{glasses[worn]}")
        file.writestr("attributes.csv", "\n".join(lines))
    return out.getvalue()


def test_a_lead_trains_a_generator_and_watches_it_learn(browser: Browser, stack: Stack) -> None:
    lead = page_in(browser, stack)
    lead.goto("/sign-in?next=/console/art")
    lead.get_by_label("Name").fill("lead")
    lead.get_by_label("Password").fill(stack.lead_password)
    lead.get_by_role("button", name="Sign in").click()
    lead.get_by_label("What is in it").select_option("pictures")
    lead.get_by_label("ZIP archive").set_input_files(
        {"name": "flat.zip", "mimeType": "application/zip", "buffer": archive()}
    )
    lead.get_by_label("Name", exact=True).fill("flat")
    lead.get_by_label(re.compile("Source")).fill("tests")
    lead.get_by_label(re.compile("Licence")).fill("CC0-1.0")
    lead.get_by_label(re.compile("Side of a picture")).select_option("16")
    lead.get_by_role("button", name="Upload").click()
    expect(lead.get_by_role("link", name="flat")).to_be_visible(timeout=60_000)

    lead.get_by_role("link", name="Train a generator on it").click()
    lead.get_by_label("Thousand pictures in all").fill("40")
    lead.get_by_label("Thousand pictures between two saves").fill("0.1")
    shoot(lead, "training")
    lead.get_by_role("button", name="Train").click()

    expect(lead.get_by_text("Waiting for a worker")).to_be_visible()
    # The demo's drop renders beside it, and so may other tests: minutes, not seconds.
    expect(lead.locator("img.samples")).to_be_visible(timeout=240_000)
    first = lead.locator("#run").get_attribute("data-points")
    expect(lead.locator("#run")).not_to_have_attribute("data-points", first or "", timeout=300_000)
    expect(lead.locator('[data-chart="losses"] canvas')).to_be_visible()
    shoot(lead, "training-run")

    lead.get_by_role("button", name="Stop").click()
    expect(lead.locator("h1 .state")).to_have_text("stopped")
    lead.get_by_role("button", name="Keep these weights as a checkpoint").click()
    expect(lead.get_by_text("is kept")).to_be_visible()
    lead.get_by_role("button", name="Go on").click()
    expect(lead.locator("h1 .state")).to_have_text(re.compile("queued|running"))
    lead.get_by_role("button", name="Stop").click()
    expect(lead.locator("h1 .state")).to_have_text("stopped")
    assert lead.errors == []  # type: ignore[attr-defined]
