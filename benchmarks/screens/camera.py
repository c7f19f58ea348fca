"""A browser in three looks that photographs pages and parts of pages."""

import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.screens.installation import ADDRESS

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
LOOKS = {"light": (1280, 900), "dark": (1280, 900), "phone": (390, 844)}
WAIT_MS = 120_000
MARGIN_PX = 12  # above a part that is scrolled to


@contextmanager
def chromium() -> Iterator[Browser]:
    program = os.environ.get("CHROME_BIN") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def context_of(browser: Browser, look: str) -> BrowserContext:
    width, height = LOOKS[look]
    return browser.new_context(
        base_url=ADDRESS,
        viewport={"width": width, "height": height},
        color_scheme="dark" if look == "dark" else "light",
        device_scale_factor=2 if look == "phone" else 1,
    )


def save(page: Page, path: Path) -> None:
    """What is in the window, as WebP."""
    Image.open(io.BytesIO(page.screenshot())).save(path, quality=80, method=6)


class Camera:
    """A lead's browser in three looks, all signed in."""

    def __init__(self, browser: Browser, out: Path, password: str) -> None:
        self.out = out
        self.contexts = {look: context_of(browser, look) for look in LOOKS}
        self.pages = {look: context.new_page() for look, context in self.contexts.items()}
        for page in self.pages.values():
            page.set_default_timeout(WAIT_MS)
            page.goto("/sign-in?next=/console")
            page.get_by_label("Name").fill("lead")
            page.get_by_label("Password").fill(password)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/console")

    @property
    def lead(self) -> Page:
        return self.pages["light"]

    def shoot(
        self,
        name: str,
        address: str,
        prepare: Callable[[Page], None] | None = None,
        part: str = "",
    ) -> None:
        """Save ``name`` in each look, after ``prepare``, with ``part`` at the top of the window."""
        for look, page in self.pages.items():
            page.goto(address)
            page.wait_for_load_state("networkidle")
            if prepare is not None:
                prepare(page)
            if part:
                _scroll(page, part)
            page.wait_for_timeout(600)
            save(page, self.out / f"{name}-{look}.webp")
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()


def _scroll(page: Page, part: str) -> None:
    """Bring a part to the top, and wait for the pictures that load when they are seen."""
    page.locator(part).first.evaluate(
        "(one, margin) => scrollTo({top: one.getBoundingClientRect().top + scrollY - margin,"
        " behavior: 'instant'})",
        MARGIN_PX,
    )
    page.wait_for_load_state("networkidle")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()


def pressing(name: str) -> Callable[[Page], None]:
    """Press a button and give the page time to answer."""

    def prepare(page: Page) -> None:
        press(page, name)
        page.wait_for_timeout(1500)

    return prepare


def becomes(page: Page, state: str, collection: str = "portraits") -> None:
    page.goto(f"/console?collection={collection}")
    page.locator(f'[data-state="{state}"]').wait_for()
