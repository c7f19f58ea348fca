"""The curation of a dataset: look, say, take back, publish a version."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from gallery.forms import CurateForm
from gallery.serializers import job_line
from gallery.views import curated
from gallery.views.console import lead_only
from gallery.views.curated import Shown, edited_meanwhile, pictures, told
from generation.imaging.reader import DatasetError
from generation.models import Dataset, Job
from generation.services import (
    Desk,
    EditedMeanwhileError,
    NothingChangedError,
    comparison,
    create_job,
    desk,
    publish_version,
    record_edit,
    resume_job,
    undo_edit,
)
from generation.tasks import ring_intake
from generation.traits.edits import Kind


def datasets() -> Any:
    return Dataset.objects.select_related("first", "parent", "made_by")


@lead_only
@never_cache  # going back must not show how it was before the last edit
@require_http_methods(["GET", "HEAD", "POST"])
def curate(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(datasets(), pk=pk)
    if request.method != "POST":
        return page(request, found)
    form = CurateForm(request.POST)
    try:
        if not form.is_valid():
            raise ValueError(form.first_error())
        made, said = act(request, found, form)
    except EditedMeanwhileError as error:
        return page(request, found, wrong=edited_meanwhile(error.newer), status=409)
    except (NothingChangedError, DatasetError, ValueError) as error:
        return page(request, found, wrong=sentence(str(error)), status=400)
    if made is not None:
        messages.success(request, said)
        return elsewhere(request, reverse("gallery:curate", args=[made.pk]))
    if is_part(request):
        return page(request, found, said=said)
    messages.success(request, said)
    return redirect(request.get_full_path())


@lead_only
@require_safe
def compared(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the comparison of the pictures is: a part of the page."""
    found = get_object_or_404(Dataset, pk=pk)
    context = {"dataset": found, **comparing(found, comparison(found) is not None)}
    return render(request, "gallery/curate_compared.html", context)


def act(request: HttpRequest, found: Dataset, form: CurateForm) -> tuple[Dataset | None, str]:
    """Do what a button says: (the version it made, what happened in words)."""
    user, given = cast("User", request.user), form.cleaned_data
    verb, number, seen = form.word(), form.number(), given["seen"]
    if verb == "publish":
        made = publish_version(dataset=found, seen=seen, made_by=user)
        return made, f"{made.title} is there: {pictures(made.n_items)}. {found.title} stays."
    if verb == "undo":
        undo = undo_edit(dataset=found, number=number, made_by=user)
        return None, f"Taken back: {told(undo.undoes) if undo.undoes else ''}.{published(found)}"
    if verb == "compare":
        with transaction.atomic():
            job = comparison_job(found)
            resume_job(job=job)
            ring_intake(job)
        return None, "Comparing the pictures."
    row = record_edit(
        dataset=found,
        kind=Kind.REJECT if verb in ("keep", "keep-all") else Kind(verb),
        places=places(request, found, form),
        seen=seen,
        made_by=user,
        **form.said(found.schema),
    )
    return None, f"You {told(row)}.{published(found)}"


def places(request: HttpRequest, found: Dataset, form: CurateForm) -> list[int]:
    """The pictures that a button is about: the selected, all of the filter, or all but a first."""
    verb = form.word()
    if verb not in ("keep", "keep-all") and not form.cleaned_data["every"]:
        return form.places()
    shown = Shown(desk(found), comparison(found), request.GET)
    if verb == "keep-all":
        return [place for group in shown.found_groups for place in group[1:]]
    if verb == "keep":
        groups = (group for group in shown.groups if group[0] == form.number())
        return next(groups, [])[1:]
    return shown.places


def published(found: Dataset) -> str:
    """A word where a version exists already that this edit is not in."""
    newest = found.children.order_by("-version").first()
    return f" {newest.title} was made before and does not have it." if newest else ""


def page(
    request: HttpRequest, found: Dataset, *, said: str = "", wrong: str = "", status: int = 200
) -> HttpResponse:
    context = page_context(request, found) | {"said": said, "wrong": wrong}
    part = "gallery/curate_part.html" if is_part(request) else "gallery/curate.html"
    return render(request, part, context, status=status)


def page_context(request: HttpRequest, found: Dataset) -> dict[str, Any]:
    table = desk(found)
    seen = comparison(found)
    shown = Shown(table, seen, request.GET)
    versions = list(Dataset.objects.versions_of(found).select_related("parent", "made_by"))
    state = table.state
    return {
        "dataset": found,
        "search": shown.search,
        "selected": set(request.POST.getlist("place")),
        "seen": table.seen,
        "n_kept": len(shown.kept),
        "changes": {
            "rejected": len(state.rejected),
            "relabelled": len(state.labels),
            "relicensed": len(state.licences),
            "any": state.n_changes,
        },
        "versions": versions,
        "next_version": versions[0].version + 1,
        "published": published_as(table, versions),
        "matrix": curated.matrix(shown),
        **curated.history(table, request.user),
        **curated.options(shown),
        **curated.grid(shown),
        **comparing(found, seen is not None),
    }


def published_as(table: Desk, versions: list[Dataset]) -> Dataset | None:
    """The version that has all edits already: made from this dataset after the newest of them."""
    made = [row for row in versions if row.parent_id == table.dataset.pk]
    newest = table.edits[-1].created_at if table.edits else None
    return next((row for row in made if newest is not None and row.created_at > newest), None)


def comparing(found: Dataset, is_compared: bool) -> dict[str, Any]:
    """Where the comparison stands; whoever looks first asks for it."""
    if is_compared:
        return {"is_compared": True}
    job = comparison_job(found)
    is_second = job.checkpoint.get("step") == "compare"
    return {
        "is_compared": False,
        "job": job_line(job),
        "step": "compared with each other" if is_second else "looked at",
    }


def comparison_job(found: Dataset) -> Job:
    """The job that compares a dataset's pictures, rung when it is new."""
    key = f"compare:{found.digest}"
    if job := Job.objects.filter(key=key).first():
        return job
    with transaction.atomic():
        args = {"dataset": found.pk}
        job = create_job(kind="embed", key=key, total=found.n_items, args=args)
        ring_intake(job)
    return job


def is_part(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def elsewhere(request: HttpRequest, address: str) -> HttpResponse:
    """Another page, also where only a part asked."""
    if is_part(request):
        return HttpResponse(headers={"HX-Redirect": address})
    return redirect(address)


def sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}. Nothing was written."
