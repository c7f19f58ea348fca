"""Requests through the application that the web server runs."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from pytest_django import Settings

from config.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)
Communicator: Any = ApplicationCommunicator  # it has no types
seen: list[str] = []


def note(get_response: Any) -> Any:
    """Middleware that says in which thread it runs."""

    def run(request: HttpRequest) -> HttpResponse:
        seen.append(threading.current_thread().name)
        response: HttpResponse = get_response(request)
        return response

    return run


def stream(request: HttpRequest) -> StreamingHttpResponse:
    seen.append(threading.current_thread().name)

    def parts() -> Iterator[bytes]:
        yield b"one "
        yield b"two"

    return StreamingHttpResponse(parts())


urlpatterns = [path("stream", stream)]


async def ask(app: Any, where: str, body: bytes = b"", method: str = "GET") -> tuple[int, bytes]:
    """Status and body of an answer."""
    headers = [(b"host", b"localhost"), (b"content-length", str(len(body)).encode())]
    scope = {"type": "http", "method": method, "path": where, "headers": headers}
    server = Communicator(app, scope | {"query_string": b"", "http_version": "1.1"})
    await server.send_input({"type": "http.request", "body": body, "more_body": False})
    start = await server.receive_output()
    found = b""
    while True:
        part = await server.receive_output(5)
        found += part.get("body", b"")
        if not part.get("more_body"):
            return start["status"], found


async def test_a_page_is_answered() -> None:
    assert await ask(application, "/health") == (200, b'{"collections": 0}')


async def test_an_unknown_page_is_not_found() -> None:
    status, _ = await ask(application, "/no/such/page")

    assert status == 404


async def test_a_body_is_read_and_refused_without_a_token() -> None:
    status, found = await ask(application, "/api/auth/verify", b"{}", "POST")

    assert status == 403
    assert b"CSRF" in found


async def test_a_request_stays_in_one_thread_and_may_be_streamed(settings: Settings) -> None:
    from config.handler import ThreadsHandler

    seen.clear()
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [f"{__name__}.note"]
    with pytest.warns(Warning, match="synchronous iterators"):
        status, found = await ask(ThreadsHandler(), "/stream")

    assert (status, found) == (200, b"one two")
    assert len(set(seen)) == 1
    assert seen[0].startswith("web")


async def test_who_leaves_before_the_end_is_not_answered() -> None:
    scope = {"type": "http", "method": "POST", "path": "/health", "headers": []}
    server = Communicator(application, scope | {"query_string": b"", "http_version": "1.1"})

    await server.send_input({"type": "http.request", "body": b"half", "more_body": True})
    await server.send_input({"type": "http.disconnect"})
    await server.wait()

    assert await server.receive_nothing()
