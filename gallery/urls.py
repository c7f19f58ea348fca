"""Pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from gallery import api
from gallery.views import (
    art,
    board,
    cards,
    catalogue,
    charts,
    community,
    console,
    curate,
    public,
    training,
    work,
)

app_name = "gallery"
drop = "collections/<slug:slug>/drops/<int:number>"
one_work = "collections/<slug:slug>/works/<int:token_id>"
urlpatterns = [
    path("", public.home, name="home"),
    path("health", public.health, name="health"),
    path("sign-in", public.SignIn.as_view(), name="sign-in"),
    path("sign-out", LogoutView.as_view(), name="sign-out"),
    path("collections/<slug:slug>", public.home, name="collection"),
    path("collections/<slug:slug>/works", catalogue.works, name="works"),
    path(one_work, work.work_page, name="work"),
    path(
        f"{one_work}/card.png",
        cards.work_card_image,
        name="work-card",
    ),
    path(f"api/{one_work}/metadata", api.metadata, name="work-metadata"),
    path(f"api/{one_work}/proof", api.ProofView.as_view(), name="work-proof"),
    path(drop, public.drop_page, name="drop"),
    path(f"{drop}/card.png", cards.drop_card_image, name="drop-card"),
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
    path("console/drops/<int:pk>/permission", console.permit, name="permit"),
    path("console/drops/<int:pk>/voting", console.open_voting, name="open-voting"),
    path("console/drops/<int:pk>/score", console.close_voting, name="close-voting"),
    path("console/community", community.community, name="community"),
    path("console/community/live", community.community_live, name="community-live"),
    path("console/drops/<int:pk>/extend", console.extend, name="extend-plan"),
    path("console/drops/<int:pk>/retry", console.retry_parts, name="retry-parts"),
    path("console/drops/<int:pk>/board", board.board, name="board"),
    path("console/drops/<int:pk>/board/part", board.board_part, name="board-part"),
    path("console/drops/<int:pk>/board/works", board.FoundWorks.as_view(), name="board-works"),
    path("console/drops/<int:pk>/board/decisions", board.Decide.as_view(), name="board-decide"),
    path("console/charts/<slug:slug>", charts.charts, name="charts"),
    path("console/charts/<slug:slug>/numbers", charts.Numbers.as_view(), name="chart-numbers"),
    path("console/art", art.datasets, name="datasets"),
    path("console/art/live", art.datasets_live, name="datasets-live"),
    path("console/art/jobs/<int:pk>", art.control_job, name="control-job"),
    path("console/art/<int:pk>", art.dataset, name="dataset"),
    path("console/art/<int:pk>/curate", curate.curate, name="curate"),
    path("console/art/<int:pk>/curate/compared", curate.compared, name="curate-compared"),
    path("console/art/<int:pk>/label", art.label, name="label"),
    path("console/art/<int:pk>/pictures/<str:digest>", art.picture, name="dataset-picture"),
    path("console/training", training.training, name="training"),
    path("console/training/<int:pk>", training.run, name="run"),
    path("console/training/<int:pk>/live", training.run_live, name="run-live"),
    path("console/training/<int:pk>/numbers", training.RunNumbers.as_view(), name="run-numbers"),
    path("console/training/<int:pk>/samples.png", training.run_samples, name="run-samples"),
    path("console/training/<int:pk>/control", training.control_run, name="control-run"),
    path("console/proposals/<int:pk>", console.decide_proposal, name="decide-proposal"),
]
