"""Sockets, through the application that the web server runs."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import User
from django.test import Client

from config.asgi import application
from generation import progress

HERE = b"http://localhost"
MESSAGES = ["null", "[]", '{"type": "drop.event"}', '{"type": "websocket.close"}']
JUNK = ["", "{", "\0", "é" * 1000, '{"a":' * 1000]


Communicator: Any = ApplicationCommunicator  # it has no types


class Page:
    """An open page's end of its socket, in ASGI messages."""

    def __init__(self, path: str, origin: bytes | None, cookie: bytes = b"") -> None:
        sent = [(b"cookie", cookie)] if cookie else []
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": b"",
            "headers": sent if origin is None else [(b"origin", origin), *sent],
            "subprotocols": [],
        }
        self.server = Communicator(application, scope)

    async def connect(self) -> bool:
        await self.server.send_input({"type": "websocket.connect"})
        answer = await self.server.receive_output()
        return bool(answer["type"] == "websocket.accept")

    async def say(self, **frame: str | bytes) -> None:
        await self.server.send_input({"type": "websocket.receive", **frame})

    async def hear(self) -> Any:
        message = await self.server.receive_output()
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def hears_nothing(self) -> bool:
        return bool(await self.server.receive_nothing())

    async def leave(self) -> None:
        await self.server.send_input({"type": "websocket.disconnect", "code": 1001})
        await self.server.wait()


def socket(path: str = "/ws/drops/7", origin: bytes | None = HERE) -> Page:
    return Page(path, origin)


async def announce(drop_id: int, event: dict[str, Any]) -> None:
    await sync_to_async(progress.announce)(drop_id=drop_id, event=event)


async def test_a_page_of_ours_may_listen() -> None:
    page = socket()

    assert await page.connect()
    await page.leave()


@pytest.mark.parametrize(
    "origin",
    [None, b"https://example.org", b"http://localhost.example.org", b"null", b"", b"file://"],
)
async def test_a_foreign_page_may_not(origin: bytes | None) -> None:
    page = socket(origin=origin)

    assert not await page.connect()
    await page.server.wait()


async def test_what_is_announced_arrives() -> None:
    page = socket()
    await page.connect()

    await announce(7, {"kind": "rendered"})

    assert await page.hear() == {"kind": "rendered"}
    await page.leave()


async def test_every_page_of_the_drop_hears_it() -> None:
    pages = [socket(), socket()]
    for page in pages:
        await page.connect()

    await announce(7, {"kind": "state"})

    assert [await page.hear() for page in pages] == [{"kind": "state"}] * 2
    for page in pages:
        await page.leave()


async def test_other_drops_are_not_heard() -> None:
    page = socket()
    await page.connect()

    await announce(8, {"kind": "state"})

    assert await page.hears_nothing()
    await page.leave()


async def test_after_leaving_nothing_waits_for_the_page() -> None:
    page = socket()
    await page.connect()
    await page.leave()

    await announce(7, {"kind": "state"})

    assert await page.hears_nothing()


@pytest.mark.parametrize("text", MESSAGES)
async def test_what_a_page_says_changes_nothing(text: str) -> None:
    page = socket()
    await page.connect()

    await page.say(text=text)
    await announce(7, {"kind": "state"})

    assert await page.hear() == {"kind": "state"}
    await page.leave()


@pytest.mark.parametrize("junk", JUNK)
async def test_junk_from_a_page_changes_nothing(junk: str) -> None:
    page = socket()
    await page.connect()

    await page.say(text=junk)
    await announce(7, {"kind": "state"})

    assert await page.hear() == {"kind": "state"}
    await page.leave()


async def test_bytes_from_a_page_change_nothing() -> None:
    page = socket()
    await page.connect()

    await page.say(bytes=b"\xff\x00")
    await announce(7, {"kind": "state"})

    assert await page.hear() == {"kind": "state"}
    await page.leave()


async def test_what_pages_say_is_not_passed_on() -> None:
    speaker, listener = socket(), socket()
    await speaker.connect()
    await listener.connect()

    await speaker.say(text='{"type": "drop.event", "event": {"kind": "forged"}}')

    assert await listener.hears_nothing()
    await speaker.leave()
    await listener.leave()


async def test_a_drop_with_a_very_long_number_is_refused() -> None:
    page = socket(path=f"/ws/drops/{'9' * 120}")

    assert not await page.connect()


def board_of(name: str, path: str = "/ws/drops/7/board", **rights: Any) -> Page:
    """The board, or another page, of a signed-in user."""
    browser = Client()
    browser.force_login(User.objects.create_user(name, **rights))
    cookie = f"sessionid={browser.cookies['sessionid'].value}".encode()
    return Page(path, HERE, cookie)


@pytest.mark.parametrize("rights", [{}, {"is_staff": True, "is_active": False}])
async def test_the_board_is_for_curators(transactional_db: None, rights: dict[str, Any]) -> None:
    page = await sync_to_async(board_of)("somebody", **rights)

    assert not await page.connect()
    assert not await socket("/ws/drops/7/board").connect()


async def test_curators_learn_who_is_there_and_who_left(transactional_db: None) -> None:
    ada, ben = [await sync_to_async(board_of)(name, is_staff=True) for name in ("ada", "ben")]
    await ada.connect()
    alone = await ada.hear()
    await ben.connect()

    together = {(await ada.hear())["who"] for _ in range(2)}
    await ben.leave()
    left = await ada.hear()

    assert (alone["kind"], alone["who"]) == ("here", "ada")
    assert together == {"ada", "ben"}
    assert left["kind"] == "left"
    await ada.leave()


async def test_what_curators_are_told_reaches_no_visitor(transactional_db: None) -> None:
    curator, visitor = await sync_to_async(board_of)("ada", is_staff=True), socket()
    for page in (curator, visitor):
        await page.connect()
    await curator.hear()

    await sync_to_async(progress.tell_board)(drop_id=7, event={"kind": "decided", "by": "ben"})

    assert await curator.hear() == {"kind": "decided", "by": "ben"}
    assert await visitor.hears_nothing()
    await announce(7, {"kind": "state"})
    assert await curator.hear() == {"kind": "state"}
    for page in (curator, visitor):
        await page.leave()


async def test_leads_hear_that_a_search_has_gone_on(transactional_db: None) -> None:
    lead = await sync_to_async(board_of)("ada", path="/ws/checkpoints/7", is_staff=True)
    await lead.connect()

    await sync_to_async(progress.announce_refine)(checkpoint_id=8)
    await sync_to_async(progress.announce_refine)(checkpoint_id=7)

    assert await lead.hear() == {"kind": "refined"}
    assert await lead.hears_nothing()
    assert not await socket("/ws/checkpoints/7").connect()
    await lead.leave()


async def test_leads_hear_of_a_drop_and_of_its_files_at_its_launch(transactional_db: None) -> None:
    lead = await sync_to_async(board_of)("ada", path="/ws/drops/7/launch", is_staff=True)
    visitor = socket("/ws/drops/7")
    await lead.connect()
    await visitor.connect()

    await sync_to_async(progress.announce_files)(drop_id=7)
    await sync_to_async(progress.announce)(drop_id=7, event={"kind": "state"})

    assert [await lead.hear(), await lead.hear()] == [{"kind": "files"}, {"kind": "state"}]
    assert await visitor.hear() == {"kind": "state"}
    assert not await socket("/ws/drops/7/launch").connect()
    await lead.leave()
    await visitor.leave()
