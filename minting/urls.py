"""API addresses of what is on chain."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from minting.api import (
    ChainView,
    CollectionListingsView,
    DropCarView,
    DropSaleView,
    MintView,
    MovedView,
    SnapshotView,
    TokenListingsView,
    TokenViewSet,
)
from minting.api.interactions import InteractionView
from minting.api.trading import DraftView, TradeView

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
    path(
        "tokens/<str:contract>/<int:token_id>/listings/draft",
        DraftView.as_view(),
        name="listing-draft",
    ),
    path("listings/<str:order_hash>/trade", TradeView.as_view(), name="listing-trade"),
    path(
        "tokens/<str:contract>/<int:token_id>/interaction",
        InteractionView.as_view(),
        name="token-interaction",
    ),
    path("tokens/<str:contract>/<int:token_id>/moved", MovedView.as_view(), name="moved-work"),
    path("epochs/<str:snapshot_hash>", SnapshotView.as_view(), name="epoch-snapshot"),
    *router.urls,
]
