"""The queue of comments in a browser: by keys, and on a phone."""

import pytest

from sentiment.models import Comment
from sentiment.services import register_wallet, write_comment
from tests.browser.conftest import PHONE, Enter
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import address

SAID = "[role=status].notice"


@pytest.fixture
def said(make_drop: MakeDrop) -> list[Comment]:
    works = make_drop(6).artworks.order_by("pk")
    voter = register_wallet(address=address(1))
    return [
        write_comment(voter=voter, artwork=work, text=f"comment {n}")[0]
        for n, work in enumerate(works)
    ]


def hidden() -> list[str]:
    return list(Comment.objects.hidden().order_by("pk").values_list("text", flat=True))


def test_comments_are_ticked_and_hidden_by_keys(enter: Enter, said: list[Comment]) -> None:
    page = enter("lead", "/console/comments")

    for key in ("j", "Space", "ArrowDown", "j", "Space", "k", "j"):
        page.keyboard.press(key)
    ticked = page.inner_text(".board-bar .num")
    page.keyboard.press("h")
    page.wait_for_selector(SAID)

    assert ticked == "2 ticked"
    assert hidden() == ["comment 3", "comment 5"]


def test_one_in_focus_is_hidden_without_a_tick(enter: Enter, said: list[Comment]) -> None:
    page = enter("lead", "/console/comments?show=waiting")

    page.keyboard.press("j")
    page.keyboard.press("h")
    page.wait_for_selector(SAID)

    assert hidden() == ["comment 5"]


def test_a_thumb_reaches_everything_on_a_phone(enter: Enter, said: list[Comment]) -> None:
    page = enter("lead", "/console/comments", PHONE)

    page.get_by_text("comment 4").tap()
    bar = page.locator(".board-bar").bounding_box()
    page.get_by_role("button", name="Hide").tap()
    page.wait_for_selector(SAID)

    assert bar is not None
    assert bar["y"] + bar["height"] <= PHONE[1] + 1, "the buttons are on the screen"
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    assert hidden() == ["comment 4"]
