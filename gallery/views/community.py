"""The simulated community of a local chain: a lead starts and stops it, a process follows."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from gallery.serializers import ActivityLine, activity_line
from gallery.views.console import lead_only
from generation.models import Job
from generation.services import create_job, resume_job, stop_job
from minting.chain.node import LOCAL_CHAIN_ID

# What a process of its own does as long as a lead wants it (manage.py community --follow).
KIND, KEY = "community", "community"
ARGS = {"wallets": 24, "pace": 120, "seed": 1}
MAX_ACTIONS = 1_000_000


@lead_only
@require_http_methods(["GET", "HEAD", "POST"])
def community(request: HttpRequest) -> HttpResponse:
    """Whether it runs, what it has done, and the switch."""
    if request.method == "POST":
        return _switch(request)
    return render(request, "gallery/community_page.html", context())


@lead_only
@require_safe
def community_live(request: HttpRequest) -> HttpResponse:
    return render(request, "gallery/community.html", context())


def context() -> dict[str, Any]:
    return {"community": line(), "may_simulate": settings.CHAIN_ID == LOCAL_CHAIN_ID}


def line() -> ActivityLine | None:
    job = Job.objects.filter(key=KEY).first()
    return None if job is None else activity_line(job)


def _switch(request: HttpRequest) -> HttpResponse:
    if settings.CHAIN_ID != LOCAL_CHAIN_ID:
        messages.error(request, f"Simulated voters act on chain {LOCAL_CHAIN_ID} only.")
        return render(request, "gallery/community_page.html", context(), status=409)
    job = create_job(kind=KIND, key=KEY, total=MAX_ACTIONS, args=ARGS)
    if request.POST.get("verb") == "stop":
        stop_job(job=job)
        messages.success(request, "The simulated community stops.")
    else:
        resume_job(job=job)
        messages.success(request, "The simulated community is on its way.")
    return redirect("gallery:community")
