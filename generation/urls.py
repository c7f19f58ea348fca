"""API addresses of what is drawn."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from generation.api import (
    ArtworkViewSet,
    CollectionViewSet,
    DropViewSet,
    artwork_image,
    artwork_thumbnail,
)

router = SimpleRouter(trailing_slash=False)
router.register("collections", CollectionViewSet)
router.register("drops", DropViewSet)
router.register("artworks", ArtworkViewSet)

urlpatterns = [
    path("images/<str:digest>.png", artwork_image, name="artwork-image"),
    path(
        "images/<str:digest>-<int:side_px>.webp",
        artwork_thumbnail,
        name="artwork-thumbnail",
    ),
    *router.urls,
]
