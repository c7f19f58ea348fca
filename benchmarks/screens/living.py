"""A collection whose contract draws its works, from its sale to works that have moved."""

import time

from playwright.sync_api import Page

from benchmarks.screens.camera import Camera, press, pressing
from benchmarks.screens.installation import Installation

SLUG = "living-portraits"
PLACE = f"/collections/{SLUG}"
N_WORKS = 24
TEACHER = "64 px"  # what the network of the contract was taught by
PATIENCE_S = 600
EPOCH_MS = 20_000  # its root, its proofs and its pictures
ACTIONS = ("--pace", "600", "--actions", "60")


def living(camera: Camera, here: Installation, minutes: float) -> None:
    lead = camera.lead
    here.manage("living", "--size", str(N_WORKS))
    sell_out(lead, here)
    for _ in range(2):
        here.manage("community", "--pace", "600", "--minutes", str(minutes))
        close_epoch(lead)
    camera.shoot("living", PLACE)
    camera.shoot("living-story", f"{PLACE}/story")
    work = f"{PLACE}/works/{most_moved(lead)}"
    camera.shoot("living-work", work, drawn, ".living")
    camera.shoot("living-life", work, halfway, ".living")
    camera.shoot("living-what-if", work, imagined, ".living")
    camera.shoot("living-history", work, part="#moved")
    camera.shoot("living-checked", work, checked, ".check")
    camera.shoot("solid", work, solid, ".solid")
    camera.shoot("account", work, pressing("Ask the chain"), "section[x-data=account]")
    camera.shoot("new-collection", "/console/new")
    camera.shoot("law-tried", "/console/new", tried, "#trial")
    camera.shoot("living-market", f"{PLACE}/market")


def sell_out(page: Page, here: Installation) -> None:
    """Have the community mint until nothing is left and the secret is told."""
    until = time.monotonic() + PATIENCE_S
    while not is_revealed(page):
        if time.monotonic() > until:
            raise TimeoutError(PLACE)
        here.manage("community", *ACTIONS)


def close_epoch(page: Page) -> None:
    """Have what was paid for works move them, and their large pictures drawn again."""
    page.goto(f"/console?collection={SLUG}")
    page.locator('a[href$="/launch"]').first.click()
    press(page, "Close an epoch now")
    page.wait_for_timeout(EPOCH_MS)


def is_revealed(page: Page) -> bool:
    return len(tokens(page)) == N_WORKS and page.request.get(f"{PLACE}/works/1/living.png").ok


def tokens(page: Page) -> list[int]:
    found = page.request.get(f"/api/tokens?collection={SLUG}").json()["results"]
    return [one["token_id"] for one in found]


def most_moved(page: Page) -> int:
    """The work whose levels are highest, of different sources if possible."""

    def moved(token_id: int) -> tuple[int, int]:
        moments = page.request.get(f"{PLACE}/works/{token_id}/life.json").json()["moments"]
        levels = moments[-1]["levels"]
        return sum(level > 0 for level in levels), sum(levels)

    return max(tokens(page), key=moved)


def drawn(page: Page) -> None:
    """Bring both pictures into the window, where they load."""
    page.locator(".living-pair").scroll_into_view_if_needed()
    page.wait_for_timeout(1500)


def halfway(page: Page) -> None:
    """Its life, half of it back."""
    press(page, "Through its life")
    page.locator(".scrub [role=status]", has_text="block").wait_for()
    moment = page.get_by_label("Moment of its life")
    moment.fill(str(int(moment.get_attribute("max") or 0) // 2))
    drawn(page)


def imagined(page: Page) -> None:
    """Levels that it does not have, by the sliders."""
    press(page, "What if?")
    for place, slider in enumerate(page.locator(".what-if input").all()):
        highest = int(slider.get_attribute("max") or 0)
        slider.fill(str(highest if place % 2 else highest // 3))
    drawn(page)


def checked(page: Page) -> None:
    press(page, "Check it yourself")
    page.locator(".verdict").wait_for()


def solid(page: Page) -> None:
    press(page, "Show it")
    page.locator(".solid-says", has_text="arrow keys").wait_for()
    page.wait_for_timeout(1500)


def tried(page: Page) -> None:
    """A law on the past of the collection that lives."""
    page.get_by_text("What moves works, where the contract lets them move").click()
    taught = page.get_by_label("Generator").locator("option", has_text=TEACHER).first
    page.get_by_label("Generator").select_option(taught.get_attribute("value"))
    page.get_by_label("The past of").select_option(f"collection:{SLUG}")
    press(page, "Try it")
    page.locator("#tried").wait_for()
