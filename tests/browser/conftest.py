"""The application in a thread of the test's process, and browsers of its leads."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn
from channels.routing import ProtocolTypeRouter
from django.contrib.auth.models import User
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from config import asgi
from tests.fixtures.stack import ROOT, free_port

DESKTOP, PHONE = (1280, 900), (390, 844)
expect.set_options(timeout=15_000)  # ms; other tests share the machine
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module", autouse=True)
def threads_may_ask() -> Iterator[None]:
    """Playwright's sync API runs an event loop in this thread, in which Django refuses queries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture
def site(transactional_db: None) -> Iterator[str]:
    """The application with its sockets, in a thread of this process."""
    http = ASGIStaticFilesHandler(asgi.http)
    routes: Any = {**asgi.application.application_mapping, "http": http}
    port = free_port()
    config = uvicorn.Config(
        ProtocolTypeRouter(routes),
        port=port,
        lifespan="off",
        log_level="warning",
        ws="websockets-sansio",
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://localhost:{port}"
    server.should_exit = True
    thread.join(10)


Enter = Callable[..., Page]


@pytest.fixture
def enter(browser: Browser, site: str) -> Iterator[Enter]:
    """Opens a page as a lead of that name; its errors fail the test."""
    errors: list[str] = []

    def opened(
        name: str, path: str, size: tuple[int, int] = DESKTOP, scheme: Any = "light"
    ) -> Page:
        user, _ = User.objects.get_or_create(username=name, is_staff=True)
        client = Client()
        client.force_login(user)
        context = browser.new_context(
            base_url=site,
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            has_touch=size == PHONE,
        )
        cookie = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda line: errors.append(line.text) if "Content Security" in line.text else None,
        )
        page.goto(path)
        return page

    yield opened
    for context in browser.contexts:
        context.close()
    assert errors == []
