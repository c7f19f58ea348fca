"""HTTP requests in a few threads that stay, each in one of them from beginning to end."""

from concurrent.futures import ThreadPoolExecutor
from tempfile import SpooledTemporaryFile
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.urls import set_script_prefix


class ThreadsHandler(ASGIHandler):
    """Django's handler for an application without asynchronous views.

    Django's own gives each request a new thread, hence a new connection to the database, and
    changes threads at every middleware: a third of the time that a vote took.
    """

    def __init__(self) -> None:
        super().__init__()
        self.threads = ThreadPoolExecutor(settings.WEB_THREADS, "web")

    def load_middleware(self, is_async: bool = False) -> None:
        """All of it synchronous, whatever the base class asks for."""
        super().load_middleware(is_async=False)

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        try:
            response = await self.in_thread(self.respond, scope, body)
            try:
                await self.send_response(response, send)
            finally:
                if response.streaming:
                    await self.in_thread(response.close)
        finally:
            body.close()

    async def in_thread(self, work: Any, *arguments: Any) -> Any:
        run = sync_to_async(work, thread_sensitive=False, executor=self.threads)
        return await run(*arguments)

    def respond(self, scope: Any, body: SpooledTemporaryFile[bytes]) -> Any:
        """The answer; if all of it is here, nothing is open any more."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body)
        response: Any = self.get_response(request) if request is not None else refusal
        response._handler_class = type(self)
        if response.streaming:
            response.block_size = self.chunk_size
        else:
            response.close()
        return response
