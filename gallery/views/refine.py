"""Latent refinement: sliders with live pictures; directions sought, named, combined, saved."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from drf_spectacular.utils import extend_schema
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from rest_framework.exceptions import APIException
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from gallery.forms import SearchForm
from gallery.serializers import job_line
from gallery.views.console import lead_only
from gallery.views.effects import effect_context
from generation import answers
from generation.models import Checkpoint, Direction, Job
from generation.services import (
    DirectionNameTakenError,
    FoundDirection,
    combinations,
    find_candidates,
    found_in,
    keep_found,
    known_directions,
    num_ws,
    request_combination,
    request_search,
    resume_job,
    searches,
    steps_of,
    stop_job,
)
from generation.services.refinements import KINDS
from generation.tasks import ask_preview, ring_refine
from generation.traits.preview_spec import MAX_SEED, STRIP, PreviewSpec, SpecError

PER_PAGE = 20
SEARCHES = 3
ROW = 6
# torch takes some seconds to load before the first picture of a worker's life.
WAIT_S = 20.0
FEW_SLIDERS = 12


@lead_only
@require_safe
def checkpoints(request: HttpRequest) -> HttpResponse:
    """All checkpoints, and how each is used."""
    rows = Checkpoint.objects.order_by("-created_at", "-pk").annotate(
        n_directions=Count("directions", distinct=True),
        n_collections=Count("collections", distinct=True),
    )
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "gallery/checkpoints.html", {"page": page})


@lead_only
@require_safe
def refine(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole page; what it shows is in its address."""
    checkpoint = get_object_or_404(Checkpoint, pk=pk)
    problem, spec = "", PreviewSpec(seed=1)
    try:
        spec = read_spec(request.GET, checkpoint)
    except ValueError as error:
        problem = str(error)
    context = {"problem": problem, "form": SearchForm(checkpoint)}
    context |= page_context(checkpoint, spec)
    return render(request, "gallery/refine.html", context, status=400 if problem else 200)


@lead_only
@require_safe
def refine_live(request: HttpRequest, pk: int) -> HttpResponse:
    """Searches and combinations at work, and what they found."""
    checkpoint = get_object_or_404(Checkpoint, pk=pk)
    return render(request, "gallery/refine_live.html", work_context(checkpoint))


@lead_only
@require_safe
def refine_effect(request: HttpRequest, pk: int) -> HttpResponse:
    """What the direction of the strip does."""
    checkpoint = get_object_or_404(Checkpoint, pk=pk)
    try:
        context = shown_effect(checkpoint, request.GET.get("strip", ""))
    except ValueError as error:
        return HttpResponse(str(error), status=400, content_type="text/plain")
    return render(request, "gallery/refine_effect.html", context)


def read_spec(query: QueryDict, checkpoint: Checkpoint) -> PreviewSpec:
    """The look an address describes; ValueError in words for one that cannot be drawn."""
    spec = PreviewSpec.from_query(query.dict())  # type: ignore[arg-type]
    spec.check(checkpoint.schema, num_ws(checkpoint))
    steps_of(checkpoint, spec.directions)
    return spec


def query_of(spec: PreviewSpec) -> str:
    """The shortest address of a look."""
    said: dict[str, Any] = {"seed": spec.seed}
    said |= {f"a.{name}": value for name, value in spec.values.items()}
    if spec.truncation_psi != 1:
        said["psi"] = f"{spec.truncation_psi:g}"
    if spec.truncation_cutoff is not None:
        said["cutoff"] = spec.truncation_cutoff
    if spec.mix_seed is not None:
        said |= {"mix": spec.mix_seed, "from": spec.mix_from}
    said |= {f"d.{name}": f"{strength:g}" for name, strength in spec.moved.items()}
    if spec.strip:
        said["strip"] = spec.strip
    return urlencode(said, safe=":")


def page_context(checkpoint: Checkpoint, spec: PreviewSpec) -> dict[str, Any]:
    layers = num_ws(checkpoint)
    groups, names = slider_groups(checkpoint, spec)
    shown = spec.strip or next(iter(names), "")
    look = replace(spec, strip=shown)
    return {
        "checkpoint": checkpoint,
        "resolution": checkpoint.config["img_resolution"],
        "spec": spec,
        "num_ws": layers,
        "cutoff": layers if spec.truncation_cutoff is None else spec.truncation_cutoff,
        "mix_from": layers if spec.mix_seed is None else spec.mix_from,
        "attributes": [
            {
                "name": name,
                "title": name.replace("_", " "),
                "values": values,
                "chosen": spec.values.get(name, ""),
            }
            for name, values in checkpoint.schema.items()
        ],
        "groups": groups,
        "names": names,
        "strip": shown,
        "query": query_of(spec),
        # The digest tells browsers' copies apart where an installation began anew.
        "preview_url": f"{reverse('gallery:preview', args=[checkpoint.pk])}"
        f"?of={checkpoint.sha256[:12]}",
        "look_query": query_of(look),
        "row": [
            {"seed": seed, "query": query_of(replace(spec, seed=seed))}
            for seed in range(spec.seed + 1, min(spec.seed + ROW, MAX_SEED) + 1)
        ],
        "marks": [f"{strength:+g}" if strength else "0" for strength in STRIP],
        **shown_effect(checkpoint, shown),
        **work_context(checkpoint),
    }


def slider_groups(
    checkpoint: Checkpoint, spec: PreviewSpec
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Sliders by what they are about, and every direction's title by its reference."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in known_directions(checkpoint).defer("effect_body", "vector"):
        title = row.attribute.replace("_", " ") if row.attribute else row.get_method_display()
        found.setdefault(title, []).append(slider(row.name, row.name, spec))
    for reference, candidate, saved_as in candidates(checkpoint, searches(checkpoint).first()):
        if not saved_as:
            title = "found, without a name yet"
            found.setdefault(title, []).append(slider(reference, candidate.name, spec))
    in_order = dict(sorted(found.items()))
    n = sum(len(group) for group in found.values())
    groups = [
        {
            "title": title,
            "sliders": group,
            "is_open": n <= FEW_SLIDERS or any(one["strength"] != "0" for one in group),
        }
        for title, group in in_order.items()
    ]
    every = [one for group in in_order.values() for one in group]
    return groups, {one["reference"]: one["in_list"] for one in every}


def slider(reference: str, title: str, spec: PreviewSpec) -> dict[str, str]:
    return {
        "reference": reference,
        "title": title,
        "in_list": f"{title} (found)" if ":" in reference else title,
        "strength": f"{spec.strengths.get(reference, 0.0):g}",
    }


def candidates(checkpoint: Checkpoint, job: Job | None) -> list[tuple[str, FoundDirection, str]]:
    """What a search has found: its reference, itself, and the name it has been saved under."""
    if job is None:
        return []
    rows = checkpoint.directions.values_list("vector", "scale", "name").order_by("name")
    saved = {(bytes(vector), scale): name for vector, scale, name in rows}
    return [
        (f"{job.pk}:{one.name}", one, saved.get((one.vector.tobytes(), one.scale), ""))
        for one in found_in(job)
    ]


def shown_effect(checkpoint: Checkpoint, reference: str) -> dict[str, Any]:
    if not reference:
        return {"effect": None}
    row = checkpoint.directions.filter(name=reference).first()
    found = row or find_candidates(checkpoint, [reference])[reference]
    return {"effect": effect_context(found, reference)}


def work_context(checkpoint: Checkpoint) -> dict[str, Any]:
    """Jobs of this checkpoint; the newest search comes with what it found."""
    jobs = list(searches(checkpoint)[:SEARCHES])
    newest = jobs[0] if jobs else None
    found = candidates(checkpoint, newest)
    return {
        "checkpoint": checkpoint,
        "searches": [(search_title(job), job_line(job)) for job in jobs],
        "waiting": [job_line(job) for job in combinations(checkpoint)[:SEARCHES]],
        "found": [
            effect_context(one, reference) | {"saved_as": name} for reference, one, name in found
        ],
        "known": f"{checkpoint.directions.count()}-{len(found)}",
    }


def search_title(job: Job) -> str:
    about = f" of {job.args['attribute'].replace('_', ' ')}" if job.args["attribute"] else ""
    return f"{Direction.Method(job.args['method']).label}{about}"


@lead_only
@require_POST
def search(request: HttpRequest, pk: int) -> HttpResponse:
    """Look for directions."""
    checkpoint = get_object_or_404(Checkpoint, pk=pk)
    form = SearchForm(checkpoint, request.POST)
    try:
        if not form.is_valid():
            raise ValueError(form.first_error())
        with transaction.atomic():
            ring_refine(request_search(checkpoint=checkpoint, **form.search()))
    except ValueError as error:
        messages.error(request, str(error))
    return back(checkpoint, request)


@lead_only
@require_POST
def save(request: HttpRequest, pk: int) -> HttpResponse:
    """Name what the sliders add up to, or what a search has found."""
    checkpoint = get_object_or_404(Checkpoint, pk=pk)
    name, reference = request.POST.get("name", "").strip(), request.POST.get("found", "")
    assert isinstance(request.user, User)
    try:
        if reference:
            keep_found(
                checkpoint=checkpoint, reference=reference, name=name, created_by=request.user
            )
            messages.success(request, f"{name} is saved.")
        else:
            spec = read_spec(QueryDict(request.POST.get("query", "")), checkpoint)
            with transaction.atomic():
                job = request_combination(
                    checkpoint=checkpoint,
                    name=name,
                    strengths=spec.moved,
                    created_by=request.user,
                )
                ring_refine(job)
            is_done = job.state == Job.State.DONE
            said = "is saved already." if is_done else "is being measured; then it is saved."
            messages.success(request, f"{name} {said}")
    except (ValueError, DirectionNameTakenError) as error:
        messages.error(request, f"Not saved: {error}")
    return back(checkpoint, request)


@lead_only
@require_POST
def control(request: HttpRequest, pk: int, job_id: int) -> HttpResponse:
    """Stop a search or a measurement, or go on with it."""
    checkpoint = get_object_or_404(Checkpoint, pk=pk)
    jobs = Job.objects.filter(kind__in=KINDS, args__checkpoint=pk)
    job = get_object_or_404(jobs, pk=job_id)
    if request.POST.get("verb") == "stop":
        stop_job(job=job)
    else:
        with transaction.atomic():
            resume_job(job=job)
            job.refresh_from_db()
            ring_refine(job)
    return back(checkpoint, request)


def back(checkpoint: Checkpoint, request: HttpRequest) -> HttpResponse:
    """To the look the lead came from."""
    query = QueryDict(request.POST.get("query", "")).urlencode(safe=":")
    address = reverse("gallery:refine", args=[checkpoint.pk])
    return redirect(f"{address}?{query}" if query else address)


class UndrawableError(APIException):
    status_code = 400
    default_code = "undrawable"


class NoWorkerError(APIException):
    status_code = 503
    default_code = "no_worker"
    default_detail = (
        "The preview worker does not answer: it is starting, or not running. "
        "The page tries again by itself."
    )


class FailedError(APIException):
    status_code = 422
    default_code = "failed"


@extend_schema(exclude=True)
class Preview(APIView):
    """The pictures of a look, side by side in one PNG: ``view`` is one, row or strip.

    The same address is always the same picture, as directions never change, so browsers keep it.
    """

    permission_classes = [IsAdminUser]
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "preview"

    def get(self, request: Request, pk: int) -> HttpResponse:
        checkpoint = get_object_or_404(Checkpoint, pk=pk)
        try:
            spec = viewed(read_spec(request.query_params, checkpoint), request.query_params)
        except ValueError as error:
            raise UndrawableError(str(error)) from error
        response = HttpResponse(drawn(checkpoint, spec), content_type="image/png")
        response["Cache-Control"] = "private, max-age=86400, immutable"
        return response


def viewed(spec: PreviewSpec, query: QueryDict) -> PreviewSpec:
    """The part of a look that is asked for: the work, those that follow it, or the strip."""
    match query.get("view", "one"):
        case "one":
            return replace(spec, strip="")
        case "row":
            seed = min(spec.seed + 1, MAX_SEED)
            return replace(spec, strip="", seed=seed, n_works=ROW)
        case "strip" if spec.strip:
            return spec
    raise SpecError("view is one, row, or strip with the name of a direction")


def drawn(checkpoint: Checkpoint, spec: PreviewSpec) -> bytes:
    """What the preview worker answers."""
    name = uuid4().hex
    try:
        ask_preview(checkpoint_id=checkpoint.pk, spec=spec.to_json(), name=name, limit_s=WAIT_S)
        return answers.wait_for(name, WAIT_S)
    except answers.ProblemError as error:
        raise FailedError(str(error)) from error
    except (answers.UnansweredError, OperationalError, RedisError) as error:
        raise NoWorkerError from error
