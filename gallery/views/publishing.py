"""A drop's files on its launch page: what it costs to publish them, how far it is, what is lost."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from gallery.views.console import lead_only
from generation.models import Drop, Job
from generation.services import stop_job
from minting.models import PackedCar, Publication, StoredWork
from minting.publishing.gateway import Found
from minting.publishing.targets import Target, TargetKind
from minting.publishing.transport import host
from minting.services import (
    CostChangedError,
    NotPackedError,
    NotSealedError,
    Quote,
    Storage,
    UnknownTargetError,
    find_target,
    is_final,
    request_packing,
    request_publication,
    resume_publication,
    start_round,
    storage_of,
)
from minting.tasks import ring_packing, ring_publication, ring_storage

MONTHS = (1, 6, 12, 24, 60, 120)
USUAL_MONTHS = 12
KINDS = {
    TargetKind.PINNING: "pinning service",
    TargetKind.CAR: "node that takes CAR files",
    TargetKind.PUT: "address for files",
}
FIRST_TROUBLES = 6
PER_PAGE = 100
# What the page of all works can be narrowed to; a word for people, and what it means.
SHOWS: dict[str, tuple[str, Q]] = {
    "trouble": ("not as they should be", ~Q(own=Found.FOUND, remote__in=[Found.FOUND, ""])),
    "missing": ("missing", Q(own=Found.MISSING) | Q(remote=Found.MISSING)),
    "wrong": ("with other bytes", Q(own=Found.WRONG) | Q(remote=Found.WRONG)),
    "unreachable": (
        "out of reach",
        Q(own=Found.UNREACHABLE) | Q(remote=Found.UNREACHABLE),
    ),
    "all": ("all", Q()),
}
SAYS = {
    Found.FOUND: "found",
    Found.MISSING: "missing",
    Found.WRONG: "other bytes",
    Found.UNREACHABLE: "out of reach",
    "": "not asked",
}


@dataclass(frozen=True)
class TargetFacts:
    """A target, what it would cost, and what is known of the drop there."""

    name: str
    kind: str
    host: str
    price: str
    terms: list[tuple[str, str, bool]]  # value, what it says, whether it is the usual one
    row: Publication | None
    says: str
    state: str
    sent_bytes: int
    sent_share: int

    @property
    def is_known(self) -> bool:
        """Whether the settings still name it."""
        return bool(self.host)


@dataclass(frozen=True)
class FileFacts:
    """The state of a drop's files; ``says`` and ``state`` are its line in the checklist."""

    is_final: bool
    car: PackedCar | None
    packing: Job | None
    targets: list[TargetFacts]
    has_targets: bool
    has_gateways: bool
    storage: Storage
    troubles: list[dict[str, Any]]
    says: str
    state: str


def file_facts(drop: Drop) -> FileFacts:
    car = PackedCar.objects.filter(drop=drop).first()
    packing = drop.jobs.filter(kind="pack").order_by("-pk").first()
    rows = {row.target: row for row in drop.publications.select_related("job").in_order()}
    named: dict[str, Target] = settings.PUBLISH_TARGETS
    targets = [_target_facts(target, rows.pop(name, None), car) for name, target in named.items()]
    targets += [_forgotten(row) for row in rows.values()]
    has_works = is_final(drop)
    says, state = _line(targets, has_works)
    troubles = StoredWork.objects.filter(drop=drop).with_trouble().in_order()
    return FileFacts(
        is_final=has_works,
        car=car,
        packing=packing,
        targets=targets,
        has_targets=bool(named),
        has_gateways=bool(settings.IPFS_GATEWAYS),
        storage=storage_of(drop),
        troubles=[_trouble(row) for row in troubles[:FIRST_TROUBLES]],
        says=says,
        state=state,
    )


def _line(targets: list[TargetFacts], has_works: bool) -> tuple[str, str]:
    """What the checklist says of publishing."""
    if not has_works:
        return "once its works are final", "to do"
    if not targets:
        return "no target is set on this installation", "none"
    there = [one.name for one in targets if one.state == "done"]
    if there:
        return f"at {', '.join(there)}", "done"
    if any(one.state in ("running", "queued") for one in targets):
        return "the CAR file, where others keep it", "on its way"
    failed = any(one.state == "failed" for one in targets)
    return "the CAR file, where others keep it", "failed" if failed else "to do"


def _target_facts(target: Target, row: Publication | None, car: PackedCar | None) -> TargetFacts:
    terms = []
    if car is not None:
        is_monthly = target.price is None or bool(target.price.per_gb_month)
        for months in MONTHS if is_monthly else (USUAL_MONTHS,):
            told = Quote(target, car.n_bytes, months)
            time = f"{months} month{'s' if months > 1 else ''}" if is_monthly else "one upload"
            cost = told.cost or "cost not known"
            terms.append((f"{months}|{told.cost}", f"{time}: {cost}", months == USUAL_MONTHS))
    return TargetFacts(
        name=target.name,
        kind=KINDS[target.kind],
        host=host(target.url),
        price=str(target.price) if target.price else "no price is set",
        terms=terms,
        **_progress(row),
    )


def _forgotten(row: Publication) -> TargetFacts:
    """A publication whose target the settings name no more."""
    kind = KINDS[TargetKind(row.kind)]
    return TargetFacts(name=row.target, kind=kind, host="", price="", terms=[], **_progress(row))


def _progress(row: Publication | None) -> dict[str, Any]:
    if row is None:
        return {"row": None, "says": "", "state": "", "sent_bytes": 0, "sent_share": 0}
    job = row.job
    sent = sum(row.parts.exclude(sent_at=None).values_list("n_bytes", flat=True))
    if job.state in (Job.State.RUNNING, Job.State.QUEUED):
        sent += int(job.checkpoint.get("sent_bytes", 0))
    sent = row.n_bytes if job.state == Job.State.DONE else min(sent, row.n_bytes)
    return {
        "row": row,
        "says": _says(row),
        "state": str(job.state),
        "sent_bytes": sent,
        "sent_share": 100 * sent // max(1, row.n_bytes),
    }


def _says(row: Publication) -> str:
    """What the target says, or what is waited for."""
    if row.job.state == Job.State.DONE:
        if row.checked_at is None:
            return "There, says the target. No gateway is set to read it back through."
        return f"There: {row.n_checked} blocks read back through {row.checked_through}."
    if row.job.state == Job.State.FAILED:
        return ""
    if row.kind == TargetKind.PINNING and row.remote:
        told = Publication.Remote(row.remote).label
        return f"The service says: it {told}{', ' if row.remote_says else ''}{row.remote_says}."
    if row.remote_says:
        return f"{row.remote_says}. It goes on by itself."
    if row.job.state == Job.State.QUEUED:
        return "Waiting for a worker."
    if row.kind == TargetKind.PINNING:
        return "Asking for the pin."
    n_sent = row.parts.exclude(sent_at=None).count()
    n_parts = row.parts.count()
    if n_sent == n_parts and n_parts:
        return "All parts are there; they are being read back."
    return f"{n_sent} of {n_parts or row.job.total - 1} parts sent."


def _trouble(row: StoredWork) -> dict[str, Any]:
    return {
        "token_id": row.token_id,
        "own": SAYS[row.own],
        "remote": SAYS[row.remote],
        "is_own_bad": row.own != Found.FOUND,
        "is_remote_bad": row.remote not in (Found.FOUND, ""),
        "file": row.file,
        "through": row.through,
        "why": row.why,
        "uri": row.uri,
        "checked_at": row.checked_at,
    }


def find_drop(pk: int) -> Drop:
    return get_object_or_404(Drop.objects.select_related("collection"), pk=pk)


def back(drop: Drop) -> HttpResponse:
    return redirect(reverse("gallery:launch", args=[drop.pk]) + "#files")


@lead_only
@require_POST
def pack(request: HttpRequest, pk: int) -> HttpResponse:
    """Pack the CAR file, so that its size and the cost are known."""
    drop = find_drop(pk)
    try:
        with transaction.atomic():
            ring_packing(request_packing(drop=drop))
    except NotSealedError as error:
        messages.error(request, str(error))
    return back(drop)


@lead_only
@require_POST
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Publish at a target, on the terms that were shown with the button."""
    drop = find_drop(pk)
    months, _, cost = request.POST.get("terms", "").partition("|")
    if not months.isdecimal() or int(months) not in MONTHS:
        return HttpResponse("unknown terms", status=400)
    try:
        target = find_target(request.POST.get("target", ""))
        with transaction.atomic():
            row = request_publication(drop=drop, target=target, months=int(months), agreed=cost)
            ring_publication(row)
    except (UnknownTargetError, NotSealedError, NotPackedError, CostChangedError) as error:
        messages.error(request, str(error))
    return back(drop)


@lead_only
@require_POST
def control(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a publication, or let it go on."""
    row = get_object_or_404(Publication.objects.select_related("job", "drop"), pk=pk)
    verb = request.POST.get("verb")
    if verb == "stop":
        stop_job(job=row.job)
        messages.success(request, "It stops. What was sent stays there and is not sent again.")
    elif verb == "resume":
        with transaction.atomic():
            resume_publication(publication=row)
            row.job.refresh_from_db()
            ring_publication(row)
    else:
        return HttpResponse("unknown button", status=400)
    return back(row.drop)


@lead_only
@require_POST
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Look for the files of all works once more, from the first one on."""
    drop = find_drop(pk)
    if not is_final(drop):
        messages.error(request, "Its works are not final yet.")
        return back(drop)
    with transaction.atomic():
        start_round(drop=drop, now=timezone.now())
        ring_storage()
    messages.success(request, "The check begins with the first work.")
    return back(drop)


@lead_only
@require_safe
def storage(request: HttpRequest, pk: int) -> HttpResponse:
    """All works that were looked at, narrowed to what is wrong with them."""
    drop = find_drop(pk)
    show = request.GET.get("show", "trouble")
    if show not in SHOWS:
        show = "trouble"
    rows = StoredWork.objects.filter(SHOWS[show][1], drop=drop).in_order()
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    counts = {
        name: StoredWork.objects.filter(meaning, drop=drop).count()
        for name, (_, meaning) in SHOWS.items()
    }
    context = {
        "drop": drop,
        "collection": drop.collection,
        "page": page,
        "page_query": f"show={show}&",
        "show": show,
        "shows": [(name, says, counts[name]) for name, (says, _) in SHOWS.items()],
        "rows": [_trouble(row) for row in page],
        "storage": storage_of(drop),
        "has_gateways": bool(settings.IPFS_GATEWAYS),
    }
    return render(request, "gallery/storage.html", context)
