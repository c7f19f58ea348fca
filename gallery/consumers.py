"""Sockets. They carry hints; every page is complete without them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

from channels.generic.websocket import AsyncJsonWebsocketConsumer

from generation.progress import board_group, drop_group, files_group, refine_group, run_group

MAX_ID = 2**63 - 1
# A curator whose server died is forgotten by the others after three of these.
HERE_EVERY_S = 10.0


class HintConsumer(AsyncJsonWebsocketConsumer):
    """Says that something has changed; ``kwarg`` of the address names what."""

    kwarg = ""
    group_of: Callable[[int], str]

    async def connect(self) -> None:
        pk = self.scope["url_route"]["kwargs"][self.kwarg]
        if pk > MAX_ID or not self.is_welcome():
            await self.close()
            return
        self.group = type(self).group_of(pk)
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    def is_welcome(self) -> bool:
        return True

    def is_lead(self) -> bool:
        user = self.scope.get("user")
        return user is not None and user.is_active and user.is_staff

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "group"):
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """Pages have nothing to say here; what they send is not even read."""

    async def drop_event(self, message: dict[str, Any]) -> None:
        await self.send_json(message["event"])


class DropConsumer(HintConsumer):
    """Something of a drop has changed. For everybody."""

    kwarg = "drop_id"
    group_of = staticmethod(drop_group)


class RunConsumer(HintConsumer):
    """A training run has gone on. For leads."""

    kwarg = "job_id"
    group_of = staticmethod(run_group)

    def is_welcome(self) -> bool:
        return self.is_lead()


class RefineConsumer(HintConsumer):
    """Directions of a checkpoint are looked for or measured. For leads."""

    kwarg = "checkpoint_id"
    group_of = staticmethod(refine_group)

    def is_welcome(self) -> bool:
        return self.is_lead()


class LaunchConsumer(DropConsumer):
    """What changes of a drop, and of its files being published. For leads."""

    def is_welcome(self) -> bool:
        return self.is_lead()

    async def connect(self) -> None:
        await super().connect()
        if hasattr(self, "group"):
            self.files = files_group(self.scope["url_route"]["kwargs"]["drop_id"])
            await self.channel_layer.group_add(self.files, self.channel_name)

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        if hasattr(self, "files"):
            await self.channel_layer.group_discard(self.files, self.channel_name)


class BoardConsumer(DropConsumer):
    """A curator at the board: who else is there, and who decides what."""

    def is_welcome(self) -> bool:
        return self.is_lead()

    async def connect(self) -> None:
        await super().connect()
        if not hasattr(self, "group"):
            return
        self.board = board_group(self.scope["url_route"]["kwargs"]["drop_id"])
        self.place, self.who = uuid4().hex, str(self.scope["user"])
        await self.channel_layer.group_add(self.board, self.channel_name)
        await self.channel_layer.group_send(self.board, {"type": "who.is.here"})
        self.heart = asyncio.create_task(self.beat())

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        if not hasattr(self, "board"):
            return
        self.heart.cancel()
        with suppress(asyncio.CancelledError):
            await self.heart
        await self.channel_layer.group_discard(self.board, self.channel_name)
        await self.tell({"kind": "left", "place": self.place})

    async def beat(self) -> None:
        while True:
            await asyncio.sleep(HERE_EVERY_S)
            await self.who_is_here({})

    async def who_is_here(self, message: dict[str, Any]) -> None:
        await self.tell({"kind": "here", "place": self.place, "who": self.who})

    async def tell(self, event: dict[str, Any]) -> None:
        await self.channel_layer.group_send(self.board, {"type": "drop.event", "event": event})
