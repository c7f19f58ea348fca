"""Sockets. They carry hints; every page is complete without them."""

from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer

from generation.progress import drop_group

MAX_ID = 2**63 - 1


class DropConsumer(AsyncJsonWebsocketConsumer):
    """Says that something of a drop has changed."""

    async def connect(self) -> None:
        drop_id = self.scope["url_route"]["kwargs"]["drop_id"]
        if drop_id > MAX_ID:
            await self.close()
            return
        self.group = drop_group(drop_id)
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "group"):
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """Pages have nothing to say here; what they send is not even read."""

    async def drop_event(self, message: dict[str, Any]) -> None:
        await self.send_json(message["event"])
