"""API addresses of what is on chain."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from minting.api import (
    ChainView,
    CollectionListingsView,
    DropCarView,
    DropSaleView,
    MintView,
    TokenListingsView,
    TokenViewSet,
)

router = SimpleRouter(trailing_slash=False)
router.register("tokens", TokenViewSet)

urlpatterns = [
    path("collections/<slug:slug>/chain", ChainView.as_view(), name="collection-chain"),
    path(
        "collections/<slug:slug>/drops/<int:number>/sale",
        DropSaleView.as_view(),
        name="drop-sale",
    ),
    path("mints/<str:tx_hash>", MintView.as_view(), name="mint"),
    path("collections/<slug:slug>/drops/<int:number>/car", DropCarView.as_view(), name="drop-car"),
    path(
        "collections/<slug:slug>/listings",
        CollectionListingsView.as_view(),
        name="collection-listings",
    ),
    path(
        "tokens/<str:contract>/<int:token_id>/listings",
        TokenListingsView.as_view(),
        name="token-listings",
    ),
    *router.urls,
]
