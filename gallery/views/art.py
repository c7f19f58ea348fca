"""Art on its way in: uploads, datasets, and labels for what came without."""

import re
from collections import Counter
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gallery.forms import FinishLabelsForm, LabelForm, UploadForm
from gallery.serializers import job_line, percent
from gallery.views.console import lead_only
from generation.imaging.reader import DatasetError
from generation.models import Dataset, ItemLabel, Job
from generation.services import (
    NotEmbeddedError,
    UploadRefusedError,
    create_job,
    embedding,
    finish_labels,
    label_items,
    receive_upload,
    resume_job,
    said_labels,
    stop_job,
)
from generation.tasks import INTAKE, ring_intake

PER_PAGE = 20
SAMPLE = 36
GROUPS = 8
SHOWN_OF_GROUP = 10
QUESTIONS = 24
JOBS = 8
DIGEST = re.compile(r"[0-9a-f]{64}")


@lead_only
@require_http_methods(["GET", "HEAD", "POST"])
def datasets(request: HttpRequest) -> HttpResponse:
    """All datasets, uploads at work, and the form for another one."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                job = receive_upload(chunks=form.cleaned_data["file"].chunks(), about=form.about())
                ring_intake(job)
        except UploadRefusedError as error:
            form.add_error("file", str(error))
        else:
            return redirect("gallery:datasets")
    context = {"form": form, **intake_context(request)}
    return render(request, "gallery/datasets.html", context, status=400 if form.errors else 200)


@lead_only
@require_safe
def datasets_live(request: HttpRequest) -> HttpResponse:
    return render(request, "gallery/datasets_live.html", intake_context(request))


def intake_context(request: HttpRequest) -> dict[str, Any]:
    jobs = list(Job.objects.filter(kind="dataset").order_by("-created_at", "-pk")[:JOBS])
    rows = Dataset.objects.order_by("-created_at", "-pk")
    return {
        "jobs": [job_line(job) for job in jobs],
        "is_working": any(job.state in (Job.State.QUEUED, Job.State.RUNNING) for job in jobs),
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
    }


@lead_only
@require_POST
def control_job(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop an upload that is being read, or go on with one that ended early."""
    job = get_object_or_404(Job, pk=pk, kind__in=list(INTAKE))
    if request.POST.get("verb") == "stop":
        stop_job(job=job)
    else:
        with transaction.atomic():
            resume_job(job=job)
            ring_intake(job)
    return redirect("gallery:datasets")


@lead_only
@require_safe
def dataset(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Dataset.objects.select_related("parent", "made_by"), pk=pk)
    items = found.items()
    shares = [
        {"name": name, "values": _shares(items, name, values)}
        for name, values in found.schema.items()
    ]
    step = max(1, len(items) // SAMPLE)
    context = {
        "dataset": found,
        "shares": shares,
        "sample": [item["digest"] for item in items[::step][:SAMPLE]],
        "started": _attributes(found),
    }
    return render(request, "gallery/dataset.html", context)


@lead_only
@require_safe
def picture(request: HttpRequest, pk: int, digest: str) -> FileResponse:
    """A picture of a dataset, by its digest: a manifest may be megabytes, and is not read here."""
    path = get_object_or_404(Dataset, pk=pk).item_path(digest)
    if not DIGEST.fullmatch(digest) or not path.is_file():
        raise Http404
    response = FileResponse(path.open("rb"), content_type="image/png")
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["ETag"] = f'"{digest}"'
    return response


@lead_only
@require_http_methods(["GET", "HEAD", "POST"])
def label(request: HttpRequest, pk: int) -> HttpResponse:
    """Name groups of pictures, then answer for the ones that a model is least sure of."""
    found = get_object_or_404(Dataset, pk=pk)
    attribute = request.POST.get("attribute") or request.GET.get("attribute") or ""
    if request.method == "POST":
        return _take_labels(request, found, attribute)
    try:
        features = embedding(found)
    except NotEmbeddedError:
        job = _look(found)
        return render(request, "gallery/label_wait.html", {"dataset": found, "job": job_line(job)})
    context: dict[str, Any] = {
        "dataset": found,
        "attribute": attribute,
        "started": _attributes(found),
        "n_said": 0,
    }
    if attribute:
        said = said_labels(found, attribute)
        values = sorted(set(said.values()))
        context |= {"n_said": len(said), "values": values}
        if len(values) < 2:
            context["groups"] = _groups(found, features, request.GET.get("groups"))
        else:
            context |= _questions(found, features, said)
    return render(request, "gallery/label.html", context)


def _look(found: Dataset) -> Job:
    """The job that looks at a dataset's pictures, rung when it is new."""
    with transaction.atomic():
        key, args = f"embed:{found.digest}", {"dataset": found.pk}
        job = create_job(kind="embed", key=key, total=found.n_items, args=args)
        if job.state == Job.State.QUEUED:
            ring_intake(job)
    return job


def _groups(found: Dataset, features: Any, asked: str | None) -> list[dict[str, Any]]:
    from generation.traits import labelling  # scikit-learn takes a second to load

    k = int(asked) if asked and asked.isdecimal() else GROUPS
    k = min(max(2, k), 40, len(features))
    items = found.items()
    return [
        {
            "field": f"group-{n}",
            "size": len(rows),
            "places": rows[:SHOWN_OF_GROUP],
            "pictures": [items[place]["digest"] for place in rows[:SHOWN_OF_GROUP]],
        }
        for n, rows in enumerate(labelling.clusters(features, k), start=1)
    ]


def _questions(found: Dataset, features: Any, said: dict[int, str]) -> dict[str, Any]:
    from generation.traits import labelling

    reading = labelling.read(features, said)
    best, confidence = reading.best, reading.confidence
    asked = labelling.unsure(reading, set(said), QUESTIONS)
    sure = float((confidence >= 0.9).mean())
    items = found.items()
    return {
        "questions": [
            {
                "place": k,
                "picture": items[k]["digest"],
                "guess": best[k],
                "percent": round(100 * confidence[k]),
            }
            for k in asked
        ],
        "accuracy_percent": None if reading.accuracy is None else round(100 * reading.accuracy),
        "sure_percent": round(100 * sure),
        "counts": [{"value": v, "n": best.count(v)} for v in reading.values],
        "finish": FinishLabelsForm(),
    }


def _take_labels(request: HttpRequest, found: Dataset, attribute: str) -> HttpResponse:
    form = LabelForm(request.POST)
    try:
        if request.POST.get("verb") == "finish":
            return _finish(request, found, attribute)
        values = form.values()
        user = request.user
        assert isinstance(user, User)
        label_items(dataset=found, attribute=attribute, values=values, labelled_by=user)
    except (ValueError, DatasetError, NotEmbeddedError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{len(values)} pictures labelled.")
    return redirect(f"{reverse('gallery:label', args=[found.pk])}?attribute={attribute}")


def _finish(request: HttpRequest, found: Dataset, attribute: str) -> HttpResponse:
    form = FinishLabelsForm(request.POST)
    if not form.is_valid():
        raise ValueError(form.first_error())
    made, left_out = finish_labels(
        dataset=found,
        attributes=[attribute],
        min_confidence=form.cleaned_data["min_confidence_percent"] / 100,
        name=form.cleaned_data["name"] or found.name,
    )
    messages.success(request, f"{made.n_items} pictures labelled, {left_out} left out as unsure.")
    return redirect("gallery:dataset", pk=made.pk)


def _attributes(found: Dataset) -> list[str]:
    """Attributes somebody has begun to label."""
    rows = ItemLabel.objects.filter(dataset=found).order_by("attribute")
    return list(rows.values_list("attribute", flat=True).distinct())


def _shares(
    items: list[dict[str, Any]], name: str, values: list[str]
) -> list[dict[str, str | int | float]]:
    seen = Counter(item["attributes"][name] for item in items)
    shares = {value: seen[value] / len(items) for value in values}
    return [
        {"value": value, "n": seen[value], "share": share, "percent": percent(share)}
        for value, share in shares.items()
    ]
