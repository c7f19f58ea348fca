"""Socket addresses."""

from django.urls import path

from gallery.consumers import (
    BoardConsumer,
    DropConsumer,
    LaunchConsumer,
    RefineConsumer,
    RunConsumer,
)

websocket_urlpatterns = [
    path("ws/drops/<int:drop_id>", DropConsumer.as_asgi()),  # type: ignore[arg-type]
    path("ws/runs/<int:job_id>", RunConsumer.as_asgi()),  # type: ignore[arg-type]
    path("ws/checkpoints/<int:checkpoint_id>", RefineConsumer.as_asgi()),  # type: ignore[arg-type]
    path("ws/drops/<int:drop_id>/board", BoardConsumer.as_asgi()),  # type: ignore[arg-type]
    path("ws/drops/<int:drop_id>/launch", LaunchConsumer.as_asgi()),  # type: ignore[arg-type]
]
