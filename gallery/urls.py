"""Pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from gallery.views import console, public

app_name = "gallery"
drop = "collections/<slug:slug>/drops/<int:number>"
urlpatterns = [
    path("", public.home, name="home"),
    path("health", public.health, name="health"),
    path("sign-in", public.SignIn.as_view(), name="sign-in"),
    path("sign-out", LogoutView.as_view(), name="sign-out"),
    path("collections/<slug:slug>", public.home, name="collection"),
    path(drop, public.drop_page, name="drop"),
    path(f"{drop}/live", public.drop_live, name="drop-live"),
    path(f"{drop}/vote", public.vote, name="vote"),
    path("console", console.console, name="console"),
    path("console/live", console.console_live, name="console-live"),
    path("console/collections/<slug:slug>/next", console.next_drop, name="next-drop"),
    path("console/works/<int:pk>", console.decide_one, name="decide"),
    path("console/drops/<int:pk>/render", console.render_drop, name="render"),
    path("console/drops/<int:pk>/accept", console.decide_all, name="decide-all"),
    path("console/drops/<int:pk>/commit", console.commit, name="commit"),
    path("console/drops/<int:pk>/sale", console.open_sale, name="open-sale"),
    path("console/drops/<int:pk>/voting", console.open_voting, name="open-voting"),
    path("console/drops/<int:pk>/score", console.close_voting, name="close-voting"),
    path("console/proposals/<int:pk>", console.decide_proposal, name="decide-proposal"),
]
