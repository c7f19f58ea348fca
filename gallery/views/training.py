"""Training runs: start one, watch it learn, stop it, keep what it learned."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery.forms import TrainForm
from gallery.serializers import run_line
from gallery.views.console import lead_only
from gallery.views.fidelity import score_rows
from generation.gan.config import ConfigError
from generation.models import Checkpoint, Dataset, Job
from generation.services import (
    UnfinishedRunError,
    keep_run,
    request_run,
    resume_job,
    run_folder,
    starts,
    stop_job,
)
from generation.tasks import ring_run

PER_PAGE = 20
MAX_POINTS = 400  # of a curve: more than a screen has columns for
CURVES = (
    ("losses", "Losses", "nats", {"critic": "loss_d", "generator": "loss_g"}),
    ("attributes", "Attribute loss of the generator", "nats", {"attributes": "loss_attributes"}),
    ("penalty", "Gradient penalty (R1 and R2)", "squared norm", {"penalty": "penalty"}),
    ("diversity", "How much samples vary", "RMS levels of 255", {"samples": "diversity"}),
    ("kid", "KID-traits", "squared discrepancy", {"KID-traits": "kid"}),
    (
        "shares",
        "Precision, recall, coverage",
        "share of 1",
        {name: name for name in ("precision", "recall", "coverage")},
    ),
    ("density", "Density", "1: as the art", {"density": "density"}),
    ("nearest", "Distance to the nearest art", "1: as art to art", {"nearest": "nearest"}),
    ("speed", "Speed", "pictures a second", {"speed": "images_per_s"}),
)


def runs() -> Any:
    return Job.objects.filter(kind="train").order_by("-created_at", "-pk")


@lead_only
@require_http_methods(["GET", "HEAD", "POST"])
def training(request: HttpRequest) -> HttpResponse:
    """All runs, and the form for another one."""
    asked = request.POST.get("dataset") or request.GET.get("dataset") or ""
    art = Dataset.objects.order_by("-created_at", "-pk")
    chosen = art.filter(pk=asked).first() if asked.isdecimal() else art.first()
    known = starts(chosen)
    form = TrainForm(request.POST or None, initial={"dataset": chosen}, starts=known)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                job = request_run(**form.run())
                ring_run(job)
        except (ConfigError, ValueError, TypeError) as error:
            form.add_error("start" if form.cleaned_data["start"] else "architecture", str(error))
        else:
            return redirect("gallery:run", pk=job.pk)
    page = Paginator(runs(), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "lines": [run_line(job) for job in page],
        "has_art": art.exists(),
        "chosen": chosen,
        "misfits": [one for one in known if one.reason],
    }
    return render(request, "gallery/training.html", context, status=400 if form.errors else 200)


@lead_only
@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(runs(), pk=pk)
    return render(request, "gallery/run.html", run_context(job))


@lead_only
@require_safe
def run_live(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(runs(), pk=pk)
    return render(request, "gallery/run_live.html", run_context(job))


def run_context(job: Job) -> dict[str, Any]:
    dataset = Dataset.objects.filter(digest=job.args["dataset"]).first()
    path = run_folder(job) / "samples.png"
    return {
        "job": job,
        "line": run_line(job),
        "dataset": dataset,
        "settings": job.args["train"],
        "has_samples": path.is_file(),
        "samples_url": f"{reverse('gallery:run-samples', args=[job.pk])}?at={job.done}-{job.fence}",
        "charts": curves(job),
        "scores": scores(job),
        "numbers_url": reverse("gallery:run-numbers", args=[job.pk]),
        "kept": Checkpoint.objects.filter(recipe__dataset=job.args["dataset"]).order_by("-pk")[:5],
    }


def curves(job: Job) -> list[dict[str, Any]]:
    """What the charts draw; long runs thinned out evenly, the newest point always there."""
    history = job.checkpoint.get("history", [])
    found = [_curve(history, *named) for named in CURVES]
    return [curve for curve in found if curve["rows"]]


def _curve(
    history: list[dict[str, Any]], key: str, title: str, unit: str, fields: dict[str, str]
) -> dict[str, Any]:
    """One chart, of the points at which its values were measured."""
    known = [p for p in history if all(p.get(field) is not None for field in fields.values())]
    points = known[::-1][:: max(1, -(-len(known) // MAX_POINTS))][::-1]
    at = [round(point["n_images"] / 1000, 2) for point in points]
    values = {name: [round(p[field], 4) for p in points] for name, field in fields.items()}
    return {
        "key": key,
        "title": title,
        "unit": unit,
        "axis": "thousand pictures",
        "drops": at,
        "series": [{"name": name, "values": line} for name, line in values.items()],
        "rows": [
            {"drop": n, "values": list(row)} for n, *row in zip(at, *values.values(), strict=True)
        ],
    }


def scores(job: Job) -> dict[str, Any] | None:
    """The newest measurement in words; None before the first, or without a parser."""
    history = job.checkpoint.get("history", [])
    newest = next((point for point in reversed(history) if point.get("kid") is not None), None)
    if newest is None:
        return None
    return {"kimg": newest["n_images"] / 1000, "rows": score_rows(newest)}


@extend_schema(exclude=True)
class RunNumbers(APIView):
    """The curves of a training run."""

    permission_classes = [IsAdminUser]

    def get(self, request: Request, pk: int) -> Response:
        return Response({"charts": curves(get_object_or_404(runs(), pk=pk))})


@lead_only
@require_safe
def run_samples(request: HttpRequest, pk: int) -> FileResponse:
    path = run_folder(get_object_or_404(runs(), pk=pk)) / "samples.png"
    if not path.is_file():
        raise Http404
    response = FileResponse(path.open("rb"), content_type="image/png")
    response["Cache-Control"] = "private, no-cache"
    return response


@lead_only
@require_POST
def control_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop, go on, or make the newest weights a checkpoint."""
    job = get_object_or_404(runs(), pk=pk)
    verb = request.POST.get("verb")
    if verb == "stop":
        stop_job(job=job)
        messages.success(request, "The run stops after the interval in work; nothing is lost.")
    elif verb == "resume":
        with transaction.atomic():
            resume_job(job=job)
            ring_run(job)
        messages.success(request, "The run goes on from its last saved interval.")
    elif verb == "keep":
        _keep(request, job)
    else:
        return HttpResponse("unknown button", status=400)
    return redirect("gallery:run", pk=pk)


def _keep(request: HttpRequest, job: Job) -> None:
    name = request.POST.get("name", "").strip()[:100] or job.args["name"]
    try:
        checkpoint = keep_run(job=job, name=name)
    except UnfinishedRunError as error:
        messages.error(request, str(error))
        return
    read = "" if checkpoint.parser_path else " No parser knows this art: its works have no traits."
    messages.success(request, f"{checkpoint} is kept.{read}")
