"""The lead's console. Each button is one service call; tasks are rung after the commit."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import user_passes_test
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from gallery.forms import DecideForm, ExtendForm, NextDropForm, SaleForm
from gallery.forms.steering import ProposalForm
from gallery.serializers import STEPS, render_progress, work_tile, work_tiles
from gallery.views.guard import guard_facts
from gallery.views.integrity import weightings
from gallery.views.intents import chain_context
from gallery.views.proposed import proposal_context
from gallery.views.public import chosen_collection
from generation import progress
from generation.models import Artwork, Collection, Drop, Job
from generation.services import (
    HeldError,
    SaleForbiddenError,
    WrongStateError,
    close_curation,
    decide,
    extend_plan,
    is_saleable,
    open_drop,
    record_permission,
    remember_diversity,
    resume_job,
    start_rendering,
)
from generation.tasks import ring
from generation.traits.parameters import Parameters
from minting import revealing
from minting.chain.client import ChainError
from minting.models import Token
from minting.services import (
    CommitmentPendingError,
    ImageMismatchError,
    SaleAlreadyRequestedError,
    is_painted,
    public_sale,
    refuse_fixed,
    request_commit,
    request_living_commit,
    request_open_sale,
)
from sentiment.derivation.derive import DerivationError
from sentiment.models import Proposal, Round, Vote
from sentiment.services import (
    approve_proposal,
    begin_voting,
    close_round,
    edit_proposal,
    reject_proposal,
    start_next_drop,
    tally_root_for,
)

Button = Callable[..., tuple[Drop, str]]
REFUSALS = (
    WrongStateError,
    HeldError,
    ValueError,
    CommitmentPendingError,
    SaleAlreadyRequestedError,
    SaleForbiddenError,
    ImageMismatchError,
    FileNotFoundError,  # a picture that is to be committed
    ChainError,
    DerivationError,  # votes from which nothing follows
)
PREVIEW = 12
DAYS_TO_SEAL = timedelta(days=7)  # after a sale's end; then buyers may have their money back


def is_lead(user: Any) -> bool:
    return bool(user.is_active and user.is_staff)


def lead_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A page for leads; where a part of a page asks, others get a sentence, not a whole page."""
    guarded = user_passes_test(is_lead, login_url="gallery:sign-in")(view)

    @wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        is_part = request.headers.get("HX-Request") == "true"
        return (
            signed_out(request)
            if is_part and not is_lead(request.user)
            else guarded(request, *args, **kwargs)
        )

    return run


def signed_out(request: HttpRequest) -> HttpResponse:
    """The answer to a part of a page whose session has ended; what is shown there stays."""
    page = urlsplit(request.headers.get("HX-Current-URL", ""))
    onwards = urlencode({"next": f"{page.path}?{page.query}".rstrip("?") or "/"})
    context = {"sign_in_url": f"{reverse('gallery:sign-in')}?{onwards}"}
    response = render(request, "gallery/board_signed_out.html", context, status=401)
    response["HX-Retarget"] = "#session"
    response["HX-Reswap"] = "innerHTML"
    return response


def action(button: Button) -> Callable[..., HttpResponseBase]:
    """A button: a lead's POST, one sentence as the answer, also where it cannot be done."""

    @lead_only
    @require_POST
    @wraps(button)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            drop, sentence = button(request, *args, **kwargs)
        except REFUSALS as error:
            messages.error(request, str(error))
        else:
            messages.success(request, sentence)
            progress.announce(drop_id=drop.pk, event={"kind": "state"})
        return redirect(back(request))

    return run


def back(request: HttpRequest) -> str:
    """The console page that the button stood on."""
    came_from = urlsplit(request.headers.get("referer", ""))
    console_address = reverse("gallery:console")
    query = came_from.query if came_from.path == console_address else ""
    return f"{console_address}?{query}".rstrip("?")


@lead_only
@require_safe
def console(request: HttpRequest) -> HttpResponse:
    return render(request, "gallery/console.html", console_context(request))


@lead_only
@require_safe
def console_live(request: HttpRequest) -> HttpResponse:
    return render(request, "gallery/console_live.html", console_context(request))


def console_context(request: HttpRequest) -> dict[str, Any]:
    """The newest drop of the chosen collection, and what can be done with it."""
    slug = request.GET.get("collection")
    collection = chosen_collection(slug)
    if collection is None:
        raise Http404("no collection: manage.py demo makes one")
    drops = collection.drops.select_related("collection", "parameter_set", "checkpoint")
    drop = drops.order_by("-number").first()
    told = {"collection": collection, "is_painted": is_painted(collection)}
    if drop is None:
        return {**told, "drop": None, "next_size": 60}
    query = urlencode({"collection": slug} if slug else {})
    is_curated = drop.state == Drop.State.CURATING and drop.curated_at is None
    votes = Vote.objects.filter(round__drop=drop)
    return {
        **told,
        "drop": drop,
        "drop_url": reverse("gallery:drop", args=[collection.slug, drop.number]),
        "live_url": f"{reverse('gallery:console-live')}?{query}".rstrip("?"),
        "steps": STEPS,
        "progress": render_progress(drop) if drop.state == Drop.State.RENDERING else None,
        "counts": drop.artworks.counts(),
        "minted": Token.objects.filter(drop=drop).count(),
        "votes": votes.count(),
        "voters": votes.values("voter").distinct().count(),
        "works": work_tiles(preview(drop)) if is_curated else [],
        "guard": guard_facts(drop) if is_curated else None,
        "next_size": drop.size,
        "is_living": drop.kind == Drop.Kind.ON_THE_FLY,
        "n_for_sale": drop.size
        if drop.kind == Drop.Kind.ON_THE_FLY
        else drop.artworks.accepted().count(),
        "may_be_sold": drop.state != Drop.State.COMMITTED or is_saleable(drop.checkpoint),
        "weightings": weightings(drop) if drop.state == Drop.State.MINTING else [],
        **chain_context(drop),
        **proposal_context(drop),
    }


def preview(drop: Drop) -> list[Artwork]:
    """A few works to decide about at once, the undecided first; the board has them all."""
    first = list(drop.artworks.undecided().in_order()[:PREVIEW])
    others = drop.artworks.curable().exclude(status=Artwork.Status.PENDING).in_order()
    return first + list(others[: PREVIEW - len(first)])


@action
def render_drop(request: HttpRequest, pk: int) -> tuple[Drop, str]:
    drop = get_object_or_404(Drop, pk=pk)
    with transaction.atomic():
        start_rendering(drop=drop)
        ring(drop)
    return drop, f"Drop {drop.number} is being rendered."


@action
def retry_parts(request: HttpRequest, pk: int) -> tuple[Drop, str]:
    drop = get_object_or_404(Drop, pk=pk)
    with transaction.atomic():
        failed = drop.jobs.filter(kind="render", state__in=[Job.State.FAILED, Job.State.STOPPED])
        n = sum(resume_job(job=job) for job in failed.order_by("pk"))
        if n == 0:
            raise WrongStateError(drop, "missing a part")
        ring(drop)
    return drop, f"{n} part{'s' if n > 1 else ''} of drop {drop.number} will be rendered again."


@action
def extend(request: HttpRequest, pk: int) -> tuple[Drop, str]:
    drop = get_object_or_404(Drop, pk=pk)
    form = ExtendForm(request.POST)
    if not form.is_valid():
        raise ValueError(form.first_error())
    with transaction.atomic():
        extend_plan(drop=drop, lead=lead(request), **form.floors())
        ring(drop)
    return drop, f"The open places of drop {drop.number} are tried again."


@lead_only
@require_POST
def decide_one(request: HttpRequest, pk: int) -> HttpResponse:
    work = get_object_or_404(Artwork.objects.select_related("drop"), pk=pk)
    form = DecideForm(request.POST)
    if not form.is_valid():
        return HttpResponse("unknown decision", status=400)
    try:
        status = form.cleaned_data["status"]
        decide(drop=work.drop, artwork_ids=[work.pk], status=status, curator=lead(request))
    except WrongStateError as error:
        return HttpResponse(str(error), status=409)
    work.refresh_from_db()
    progress.announce(drop_id=work.drop_id, event={"kind": "curated"})
    return render(request, "gallery/tile.html", {"work": work_tile(work)})


@action
def decide_all(request: HttpRequest, pk: int) -> tuple[Drop, str]:
    drop = get_object_or_404(Drop, pk=pk)
    ids = drop.artworks.undecided().values_list("pk", flat=True)
    accepted = Artwork.Status.ACCEPTED
    n = decide(drop=drop, artwork_ids=ids, status=accepted, curator=lead(request), reason="all")
    return drop, f"{n} works accepted."


@action
def commit(request: HttpRequest, pk: int) -> tuple[Drop, str]:
    drop = get_object_or_404(Drop, pk=pk)
    if drop.kind == Drop.Kind.ON_THE_FLY:
        request_living_commit(
            drop=drop, reveal_block=revealing.choose_block(), vote_tally_root=tally_root_for(drop)
        )
        return drop, f"The secret of drop {drop.number} goes to the chain, as a hash."
    overruling = request.POST.get("overruling", "")[:500]
    try:
        with transaction.atomic():
            closed = close_curation(drop=drop, lead=lead(request), overruling=overruling)
            request_commit(drop=closed, vote_tally_root=tally_root_for(closed))
    except HeldError as error:
        remember_diversity(drop=drop, found=error.found)
        raise
    return drop, f"Curation of drop {drop.number} is closed; its roots go to the chain."


@action
def open_sale(request: HttpRequest, pk: int) -> tuple[Drop, str]:
    drop = get_object_or_404(Drop, pk=pk)
    form = SaleForm(request.POST)
    if not form.is_valid():
        raise ValueError(form.first_error())
    now, days = timezone.now(), form.cleaned_data["days"]
    end = now + timedelta(days=days) if days else None
    phases = public_sale(
        price_wei=form.cleaned_data["price_eth"],
        max_per_transaction=form.cleaned_data["cap"],
        start=now,
        end=end,
    )
    final = {"final_by": int((end + DAYS_TO_SEAL).timestamp())} if end else {}
    request_open_sale(drop=drop, phases=phases, **final)
    return drop, "The sale opens with the next block."


@action
def permit(request: HttpRequest, pk: int) -> tuple[Drop, str]:
    drop = get_object_or_404(Drop.objects.select_related("checkpoint"), pk=pk)
    reason = request.POST.get("reason", "")
    record_permission(checkpoint=drop.checkpoint, lead=lead(request), reason=reason)
    return drop, f"The permission to sell works of {drop.checkpoint.name} is recorded."


@action
def open_voting(request: HttpRequest, pk: int) -> tuple[Drop, str]:
    drop = get_object_or_404(Drop, pk=pk)
    weighting = Round.Weighting(request.POST.get("weighting", "equal"))
    begin_voting(drop=drop, hides_standings="hides_standings" in request.POST, weighting=weighting)
    return drop, "Voting is open."


@action
def close_voting(request: HttpRequest, pk: int) -> tuple[Drop, str]:
    current = get_object_or_404(Round, drop_id=pk)
    close_round(round=current)
    return current.drop, "Voting is closed and scored."


@action
def decide_proposal(request: HttpRequest, pk: int) -> tuple[Drop, str]:
    proposal = get_object_or_404(Proposal, pk=pk)
    form = ProposalForm(request.POST)
    if not form.is_valid():
        raise ValueError(form.first_error())
    decision, reason = form.cleaned_data["decision"], form.cleaned_data["reason"]
    if decision == "approve":
        approve_proposal(proposal=proposal, lead=lead(request), reason=reason)
    elif decision == "edit":
        shown = Parameters.from_json(proposal.proposed)
        edited = form.parameters(proposal.base.parameters, shown)
        edit_proposal(proposal=proposal, parameters=edited, lead=lead(request), reason=reason)
    else:
        reject_proposal(proposal=proposal, lead=lead(request), reason=reason)
    return proposal.drop, f"The decision is recorded: {decision}."


@action
def next_drop(request: HttpRequest, slug: str) -> tuple[Drop, str]:
    collection = get_object_or_404(Collection, slug=slug)
    form = NextDropForm(request.POST)
    if not form.is_valid():
        raise ValueError(form.first_error())
    kind = form.cleaned_data["kind"]
    with transaction.atomic():
        drop = following_drop(collection, **form.cleaned_data)
        refuse_fixed(drop)
        if request.POST.get("draft") or kind == Drop.Kind.ON_THE_FLY:
            return drop, f"Drop {drop.number} is a draft."
        start_rendering(drop=drop)
        ring(drop)
    parameters = drop.parameter_set
    return drop, f"Drop {drop.number} is being rendered with parameters {parameters.number}."


def lead(request: HttpRequest) -> User:
    return cast("User", request.user)


def following_drop(
    collection: Collection,
    size: int,
    kind: Drop.Kind = Drop.Kind.FIXED,
    candidates: int = 1,
) -> Drop:
    """The draft after the newest drop's decided proposal; the first one of a collection without.

    Nobody's taste is known before the first. The lock lets one of two leads see the other's drop.
    """
    Collection.objects.select_for_update().get(pk=collection.pk)
    newest = collection.drops.order_by("-number").first()
    if newest is None:
        parameters = collection.parameter_sets.order_by("-number")[0]
        return open_drop(collection=collection, parameter_set=parameters, size=size, kind=kind)
    proposal = Proposal.objects.filter(drop=newest).first()
    if proposal is None or newest.state != Drop.State.CLOSED:
        raise WrongStateError(newest, Drop.State.CLOSED)
    return start_next_drop(proposal=proposal, size=size, kind=kind, n_candidates=candidates)
