"""Socket addresses."""

from django.urls import path

from gallery.consumers import BoardConsumer, DropConsumer

websocket_urlpatterns = [
    path("ws/drops/<int:drop_id>", DropConsumer.as_asgi()),  # type: ignore[arg-type]
    path("ws/drops/<int:drop_id>/board", BoardConsumer.as_asgi()),  # type: ignore[arg-type]
]
