"""Sockets. They carry hints; every page is complete without them."""

from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer

from generation.progress import drop_group


class DropConsumer(AsyncJsonWebsocketConsumer):
    """Says that something of a drop has changed."""

    async def connect(self) -> None:
        self.group = drop_group(self.scope["url_route"]["kwargs"]["drop_id"])
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Clients have nothing to say here."""

    async def drop_event(self, message: dict[str, Any]) -> None:
        await self.send_json(message["event"])
