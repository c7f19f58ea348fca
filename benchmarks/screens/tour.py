"""The first drop of a collection from its curation to the plan of the next one."""

import io
import subprocess
import tempfile
import zipfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from benchmarks.screens.camera import (
    LOOKS,
    WAIT_MS,
    Camera,
    becomes,
    context_of,
    press,
    pressing,
    save,
)
from benchmarks.screens.installation import ROOT

DROP = "/collections/portraits/drops/1"


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
    camera.shoot("training", "/console/training")
    lead.get_by_label("Thousand pictures in all").fill("40")
    lead.get_by_label("Thousand pictures between two saves").fill("0.1")
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
    voting(browser, camera)
    camera.shoot("community", "/console/community")
    camera.shoot("home", "/")
    camera.shoot("drop", DROP)
    camera.shoot("standings", f"{DROP}/results")
    camera.shoot("gallery", "/collections/portraits/works")
    camera.shoot("gallery-filtered", "/collections/portraits/works?trait.accessory=glasses")
    camera.shoot("work", "/collections/portraits/works/7")
    camera.shoot("work-checked", "/collections/portraits/works/7", pressing("Check it yourself"))
    camera.shoot("mint", f"{DROP}/mint")
    camera.shoot("launch", "/console/drops/1/launch")
    camera.shoot("market", "/collections/portraits/market")
    lead.goto("/collections/portraits/market")
    camera.shoot("wallet", lead.locator('a[href^="/wallets/"]').first.get_attribute("href") or "")
    camera.shoot("console-listening", "/console")
    camera.shoot("not-found", "/nowhere")
    integrity(camera)
    lead.goto("/console/community")
    press(lead, "Stop")
    becomes(lead, "listening")
    press(lead, "Close voting and score")
    becomes(lead, "scored")
    camera.shoot("proposal", "/console")
    camera.shoot("before-after", "/console", sheets, "#before-after")
    camera.shoot("charts", "/console/charts/portraits")
    camera.shoot("market-scored", "/collections/portraits/market#premiums")
    lead.goto("/console")
    press(lead, "Approve")
    becomes(lead, "closed")
    camera.shoot("results", f"{DROP}/results")
    camera.shoot("results-next", f"{DROP}/results", part="#next")
    camera.shoot("steering", "/console/steering/portraits")
    camera.shoot("story", "/collections/portraits/story")
    lead.goto("/console")
    press(lead, "Open a draft to plan")
    lead.get_by_role("link", name="Plan exact counts").click()
    camera.shoot("plan", lead.url, pressing("Check"))


def integrity(camera: Camera) -> None:
    """Who may be one person, with the chain read for who funded whom."""
    lead = camera.lead
    lead.goto("/console/steering/portraits")
    lead.locator("#voters a").first.click()
    press(lead, "Look at the chain")
    camera.shoot("integrity", lead.url)


def sheets(page: Page) -> None:
    """Wait until the works before and after are drawn."""
    page.locator("#before-after").scroll_into_view_if_needed()
    for note in page.locator(".sheet [role=status]").all():
        note.wait_for(state="hidden")


def voting(browser: Browser, camera: Camera) -> None:
    """The voting page as a voter with a trial wallet sees it."""
    for look in LOOKS:
        context = context_of(browser, look)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.goto(f"/sign-in?next={DROP}/vote")
        press(page, "Use a trial wallet")
        page.locator("#left").wait_for()
        page.wait_for_timeout(800)
        save(page, camera.out / f"vote-{look}.webp")
        context.close()
