"""Sockets, through the application that the web server runs."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator

from config.asgi import application
from generation import progress

HERE = b"http://localhost"
MESSAGES = ["null", "[]", '{"type": "drop.event"}', '{"type": "websocket.close"}']
JUNK = ["", "{", "\0", "é" * 1000, '{"a":' * 1000]


Communicator: Any = ApplicationCommunicator  # it has no types


class Page:
    """An open page's end of its socket, in ASGI messages."""

    def __init__(self, path: str, origin: bytes | None) -> None:
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": b"",
            "headers": [] if origin is None else [(b"origin", origin)],
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
