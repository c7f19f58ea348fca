"""API addresses of what is drawn."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from generation.api import (
    ArtworkViewSet,
    CollectionViewSet,
    DropViewSet,
    artwork_image,
    artwork_presentation,
    artwork_solid,
    artwork_thumbnail,
)
from generation.imaging.thumbnails import PRESENTATION_PX

router = SimpleRouter(trailing_slash=False)
router.register("collections", CollectionViewSet)
router.register("drops", DropViewSet)
router.register("artworks", ArtworkViewSet)

urlpatterns = [
    path(
        f"images/<str:digest>-{PRESENTATION_PX}.png",
        artwork_presentation,
        name="artwork-presentation",
    ),
    path("images/<str:digest>.png", artwork_image, name="artwork-image"),
    path(
        "images/<str:digest>-<int:side_px>.webp",
        artwork_thumbnail,
        name="artwork-thumbnail",
    ),
    path("images/<str:digest>-<slug:shape>.glb", artwork_solid, name="artwork-solid"),
    *router.urls,
]
