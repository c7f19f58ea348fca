"""API addresses of what is on chain."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from minting.api import ChainView, TokenViewSet

router = SimpleRouter(trailing_slash=False)
router.register("tokens", TokenViewSet)

urlpatterns = [
    path("collections/<slug:slug>/chain", ChainView.as_view(), name="collection-chain"),
    *router.urls,
]
