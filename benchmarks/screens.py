"""Pictures of every page, light, dark and on a phone, from a living installation.

    .venv/bin/python -m benchmarks.screens [--out docs/screens] [--minutes 1.5]

Starts what `make up` starts in a folder of its own, curates and commits its first drop as a lead in
a browser, brings art in and trains on it, brings in the simulated community, lets it act, scores
the round, plans the next drop, and photographs the pages on the way. Needs Chromium and what
`make test` installs.
"""

import argparse
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PORTS = {
    "MORPHORA_WEB_PORT": "8190",
    "MORPHORA_BROKER_PORT": "8191",
    "MORPHORA_CHAIN_PORT": "8192",
}
ADDRESS = f"http://localhost:{PORTS['MORPHORA_WEB_PORT']}"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
LOOKS = {"light": (1280, 900), "dark": (1280, 900), "phone": (390, 844)}
DROP = "/collections/portraits/drops/1"
WAIT_MS = 120_000


class Camera:
    """A lead's browser in three looks, all signed in."""

    def __init__(self, browser: Browser, out: Path, password: str) -> None:
        self.out = out
        self.contexts = {name: self._context(browser, name) for name in LOOKS}
        self.pages = {name: context.new_page() for name, context in self.contexts.items()}
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

    def _context(self, browser: Browser, name: str) -> BrowserContext:
        width, height = LOOKS[name]
        return browser.new_context(
            base_url=ADDRESS,
            viewport={"width": width, "height": height},
            color_scheme="dark" if name == "dark" else "light",
            device_scale_factor=2 if name == "phone" else 1,
        )

    def shoot(self, name: str, address: str, prepare: str = "") -> None:
        """Save ``name`` in each look; ``prepare`` is the name of a button to press first."""
        for look, page in self.pages.items():
            page.goto(address)
            page.wait_for_load_state("networkidle")
            if prepare:
                page.get_by_role("button", name=prepare).click()
                page.wait_for_timeout(1500)
            page.wait_for_timeout(600)
            raw = page.screenshot()
            Image.open(io.BytesIO(raw)).save(self.out / f"{name}-{look}.webp", quality=80, method=6)
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()


def becomes(page: Page, state: str) -> None:
    page.goto("/console")
    page.locator(f'[data-state="{state}"]').wait_for()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()


@contextmanager
def installation() -> Iterator[str]:
    """`make up` in a folder of its own; gives the lead's password."""
    with tempfile.TemporaryDirectory(prefix="morphora-screens-") as folder:
        environment = os.environ | PORTS | {"MORPHORA_VAR": folder, "MORPHORA_DEMO_SIZE": "120"}
        process = subprocess.Popen(
            [sys.executable, "-m", "config.embedded", "up"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _wait()
            yield (Path(folder) / "secrets" / "lead_password").read_text()
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def _wait() -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{ADDRESS}/health", timeout=2):  # noqa: S310
                return
        except OSError:
            time.sleep(0.3)
    raise TimeoutError(ADDRESS)


def studio(camera: Camera) -> None:
    """Art in, its curation, a training run on it, and the latent space of the shipped generator."""
    lead = camera.lead
    lead.goto("/console/art")
    lead.get_by_label("What is in it").select_option("pictures")
    lead.get_by_label("ZIP archive").set_input_files(
        {"name": "portraits.zip", "mimeType": "application/zip", "buffer": portraits(240)}
    )
    lead.get_by_label("Name", exact=True).fill("open peeps")
    lead.get_by_label("Source").fill("Open Peeps by Pablo Stanley")
    lead.get_by_label("Licence").fill("CC0-1.0")
    lead.get_by_label("Side of a picture").select_option("32")
    lead.get_by_role("button", name="Upload").click()
    lead.get_by_role("link", name="open peeps").first.click()
    dataset = lead.url
    camera.shoot("art", "/console/art")
    lead.goto(f"{dataset}/curate")
    lead.locator(".compared, table.heat").first.wait_for()
    lead.wait_for_timeout(20_000)  # pictures are compared by a job
    camera.shoot("curate", f"{dataset}/curate")
    lead.goto("/console/training")
    lead.get_by_label("Thousand pictures in all").fill("40")
    lead.get_by_label("Thousand pictures between two saves").fill("0.1")
    camera.shoot("training", lead.url)
    press(lead, "Train")
    lead.locator("img.samples").wait_for(timeout=5 * WAIT_MS)
    lead.wait_for_timeout(60_000)
    camera.shoot("training-run", lead.url)
    press(lead, "Stop")
    camera.shoot("checkpoints", "/console/checkpoints")
    lead.get_by_role("cell").get_by_role("link").first.click()
    camera.shoot("checkpoint", lead.url)
    lead.locator('a[href$="/refine"]').first.click()
    lead.wait_for_timeout(15_000)  # the first preview loads the network
    camera.shoot("refine", lead.url)


def portraits(n: int) -> bytes:
    """Labelled portraits as a ZIP archive."""
    script = ROOT / "generation" / "art" / "portraits.mjs"
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--out", folder, "--count", str(n), "--size", "64", "--seed", "3"]
        subprocess.run(["node", script, *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S607
        raw = io.BytesIO()
        with zipfile.ZipFile(raw, "w") as archive:
            for path in sorted(Path(folder).rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(folder))
    return raw.getvalue()


def tour(camera: Camera, browser: Browser, minutes: float) -> None:
    lead = camera.lead
    camera.shoot("sign-in", "/sign-in")
    becomes(lead, "curating")
    camera.shoot("home-quiet", "/")
    camera.shoot("console-curating", "/console")
    board = lead.get_by_role("link", name="board").first.get_attribute("href")
    camera.shoot("board", board or "")
    lead.goto(board or "")
    lead.locator("ul.board a.open").nth(4).click()
    lead.get_by_text("Retouch by hand").wait_for()
    camera.shoot("retouch", lead.url)
    studio(camera)
    becomes(lead, "curating")
    press(lead, "Accept all undecided")
    press(lead, "Close curation and commit on chain")
    becomes(lead, "committed")
    press(lead, "Open the sale")
    becomes(lead, "minting")
    press(lead, "Open voting")
    becomes(lead, "listening")
    lead.goto("/console/community")
    press(lead, "Bring in a simulated community")
    lead.wait_for_timeout(60_000 * minutes)
    voting(browser, camera.out)
    camera.shoot("community", "/console/community")
    camera.shoot("home", "/")
    camera.shoot("drop", DROP)
    camera.shoot("gallery", "/collections/portraits/works")
    camera.shoot("gallery-filtered", "/collections/portraits/works?trait.accessory=glasses")
    camera.shoot("work", "/collections/portraits/works/7")
    camera.shoot("work-checked", "/collections/portraits/works/7", prepare="Check it yourself")
    camera.shoot("mint", f"{DROP}/mint")
    camera.shoot("launch", "/console/drops/1/launch")
    camera.shoot("market", "/collections/portraits/market")
    lead.goto("/collections/portraits/market")
    camera.shoot("wallet", lead.locator('a[href^="/wallets/"]').first.get_attribute("href") or "")
    camera.shoot("console-listening", "/console")
    camera.shoot("not-found", "/nowhere")
    lead.goto("/console/community")
    press(lead, "Stop")
    becomes(lead, "listening")
    press(lead, "Close voting and score")
    becomes(lead, "scored")
    camera.shoot("proposal", "/console")
    camera.shoot("charts", "/console/charts/portraits")
    lead.goto("/console")
    press(lead, "Approve")
    becomes(lead, "closed")
    press(lead, "Open a draft to plan")
    lead.get_by_role("link", name="Plan exact counts").click()
    camera.shoot("plan", lead.url, prepare="Check")


def voting(browser: Browser, out: Path) -> None:
    """The voting page as a voter with a trial wallet sees it."""
    for look, (width, height) in LOOKS.items():
        context = browser.new_context(
            base_url=ADDRESS,
            viewport={"width": width, "height": height},
            color_scheme="dark" if look == "dark" else "light",
        )
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.goto(f"/sign-in?next={DROP}/vote")
        press(page, "Use a trial wallet")
        page.locator("#left").wait_for()
        page.wait_for_timeout(800)
        raw = page.screenshot()
        Image.open(io.BytesIO(raw)).save(out / f"vote-{look}.webp", quality=80, method=6)
        context.close()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=Path, default=ROOT / "docs" / "screens")
    arguments.add_argument("--minutes", type=float, default=1.5, help="for the community to act")
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    program = os.environ.get("CHROME_BIN") or shutil.which("chromium")
    with installation() as password, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        tour(Camera(browser, options.out, password.strip()), browser, options.minutes)
        browser.close()


if __name__ == "__main__":
    main()
