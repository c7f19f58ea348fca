"""API addresses of what people think."""

from django.urls import path

from sentiment import api

urlpatterns = [
    path("auth/nonce", api.NonceView.as_view(), name="auth-nonce"),
    path("auth/verify", api.VerifyView.as_view(), name="auth-verify"),
    path("auth/logout", api.LogoutView.as_view(), name="auth-logout"),
    path("auth/me", api.MeView.as_view(), name="auth-me"),
    path("rounds", api.RoundsView.as_view(), name="rounds"),
    path("artworks/<int:pk>/comments", api.CommentsView.as_view(), name="comments"),
    path("comments/<int:pk>/hide", api.HideView.as_view(), name="comment-hide"),
    path("rounds/<int:pk>/pair", api.PairView.as_view(), name="round-pair"),
    path("rounds/<int:pk>/votes", api.VotesView.as_view(), name="round-votes"),
    path("rounds/<int:pk>/inputs", api.InputsView.as_view(), name="round-inputs"),
    path("rounds/<int:pk>/close", api.CloseView.as_view(), name="round-close"),
    path("proposals/<int:pk>", api.ProposalView.as_view(), name="proposal"),
    path("proposals/<int:pk>/decision", api.DecisionView.as_view(), name="proposal-decision"),
]
