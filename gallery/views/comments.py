"""What voters have said, for leads: the newest first, hidden and shown many at once."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from gallery.serializers import Picture, picture
from gallery.views.console import lead_only
from sentiment.models import Comment
from sentiment.services import moderate_comments
from sentiment.text.evidence import NEUTRAL

PER_PAGE = 50
SHOWS = {"all": "All", "waiting": "Waiting", "hidden": "Hidden"}
VERBS = {"hide": True, "show": False}


@dataclass(frozen=True)
class CommentRow:
    """A comment with its work and what a scorer read in it."""

    comment: Comment
    picture: Picture
    work: str
    work_url: str
    mood: str
    score: str

    @property
    def scored_by(self) -> str:
        return self.comment.scored_by


@lead_only
@require_http_methods(["GET", "HEAD", "POST"])
def comments(request: HttpRequest) -> HttpResponseBase:
    return decide(request) if request.method == "POST" else queue(request)


def queue(request: HttpRequest) -> HttpResponse:
    show = chosen(request)
    every = Comment.objects.all()
    found = {"all": every, "waiting": every.waiting(), "hidden": every.hidden()}
    rows = found[show].newest_first().select_related("voter", "artwork__drop__collection")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "rows": [comment_row(comment) for comment in page],
        "page": page,
        "page_query": f"show={show}&",
        "show": show,
        "shows": [(name, says, found[name].count()) for name, says in SHOWS.items()],
    }
    return render(request, "gallery/comments.html", context)


def decide(request: HttpRequest) -> HttpResponse:
    """Hide or show what was ticked, and come back."""
    back = redirect(f"{reverse('gallery:comments')}?{request.GET.urlencode()}")
    ids = [int(pk) for pk in request.POST.getlist("comment") if pk.isdecimal() and len(pk) < 19]
    verb = request.POST.get("verb", "")
    if verb not in VERBS or not ids:
        messages.error(request, "Tick comments first, then hide or show them.")
        return back
    n = moderate_comments(ids=ids, is_hidden=VERBS[verb])
    messages.success(request, f"{n} {'hidden' if VERBS[verb] else 'shown'}.")
    return back


def chosen(request: HttpRequest) -> str:
    asked = request.GET.get("show", "")
    return asked if asked in SHOWS else "all"


def comment_row(comment: Comment) -> CommentRow:
    work = comment.artwork
    slug, number = work.drop.collection.slug, work.drop.number
    is_public = work.token_id is not None
    return CommentRow(
        comment=comment,
        picture=picture(work),
        work=f"#{work.token_id}" if is_public else f"drop {number}, {work.index}",
        work_url=reverse("gallery:work", args=[slug, work.token_id]) if is_public else "",
        mood=mood(comment.score),
        score="" if comment.score is None else f"{comment.score:+.2f}",
    )


def mood(score: float | None) -> str:
    if score is None:
        return "not read"
    if abs(score) < NEUTRAL:
        return "neutral"
    return "likes" if score > 0 else "dislikes"
