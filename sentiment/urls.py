"""API addresses of what people think."""

from django.urls import path

from sentiment import api
from sentiment.api import comments, records

urlpatterns = [
    path("auth/nonce", api.NonceView.as_view(), name="auth-nonce"),
    path("auth/verify", api.VerifyView.as_view(), name="auth-verify"),
    path("auth/logout", api.LogoutView.as_view(), name="auth-logout"),
    path("auth/me", api.MeView.as_view(), name="auth-me"),
    path("rounds", api.RoundsView.as_view(), name="rounds"),
    path("artworks/<int:pk>/comments", comments.CommentsView.as_view(), name="comments"),
    path("artworks/<int:pk>/opinion", comments.OpinionView.as_view(), name="opinion"),
    path("comments/<int:pk>/hide", comments.HideView.as_view(), name="comment-hide"),
    path("rounds/<int:pk>/pair", api.PairView.as_view(), name="round-pair"),
    path("rounds/<int:pk>/votes", api.VotesView.as_view(), name="round-votes"),
    path("rounds/<int:pk>/votes/mine", records.MyVotesView.as_view(), name="round-votes-mine"),
    path("rounds/<int:pk>/inputs", records.InputsView.as_view(), name="round-inputs"),
    path("rounds/<int:pk>/bundle", records.BundleView.as_view(), name="round-bundle"),
    path("rounds/<int:pk>/close", api.CloseView.as_view(), name="round-close"),
    path("proposals/<int:pk>", api.ProposalView.as_view(), name="proposal"),
    path("proposals/<int:pk>/decision", api.DecisionView.as_view(), name="proposal-decision"),
]
