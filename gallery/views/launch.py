"""A drop's launch, step by step: what is on chain, what it cost, what comes next."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from gallery.forms.launch import FinalForm, FoundingForm, PhaseForm
from gallery.serializers import ether
from gallery.views.console import DAYS_TO_SEAL, REFUSALS, lead_only
from gallery.views.mint import phase_facts
from gallery.views.publishing import FileFacts, file_facts
from gallery.views.rehearsals import RehearsalFacts, rehearsal_facts
from generation.models import Drop
from generation.services import draw_again, failed_drawing
from minting.chain.client import ChainError
from minting.chain.phases import PhaseKind
from minting.models import ChainTransaction, Commitment, Contract, DropEvent, SalePhase, Token
from minting.provenance import allowlist
from minting.services import (
    NO_END,
    SaleState,
    Terms,
    add_phase,
    asked_for,
    awaited_block,
    connect,
    read_sale,
    remove_phase,
    request_open_sale,
    request_pause,
    request_settle,
    request_staking,
    request_withdraw,
    standing_sale,
)
from sentiment.services import close_epoch

Kind = ChainTransaction.Kind
MAX_LIST_BYTES = 4 * 2**20  # 60,000 wallets
MAX_ERRORS = 20
WEI_PER_ETH = 10**18
STATES = {
    ChainTransaction.State.PENDING: "on its way",
    ChainTransaction.State.SENT: "on its way",
    ChainTransaction.State.CONFIRMED: "done",
    ChainTransaction.State.REVERTED: "refused",
}


@dataclass(frozen=True)
class Step:
    """One line of the checklist."""

    title: str
    says: str
    state: str
    transaction: ChainTransaction | None = None

    @property
    def cost_eth(self) -> str:
        sent = self.transaction
        if sent is None or sent.fee_wei is None:
            return ""
        return f"{sent.fee_wei / WEI_PER_ETH:.6f}"


@lead_only
@require_safe
def launch(request: HttpRequest, pk: int) -> HttpResponse:
    drop = find(pk)
    return render(request, "gallery/launch.html", launch_context(drop))


@lead_only
@require_safe
def launch_live(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "gallery/launch_live.html", launch_context(find(pk)))


def find(pk: int) -> Drop:
    return get_object_or_404(Drop.objects.select_related("collection", "checkpoint"), pk=pk)


def launch_context(drop: Drop) -> dict[str, Any]:
    rows = Commitment.objects.light().select_related("collection__contract")
    commitment = rows.filter(drop=drop).first()
    now = timezone.now()
    is_open = drop.state in Drop.COMMITTED_STATES and drop.state != Drop.State.COMMITTED
    sale, trouble = sale_state(commitment) if commitment and is_open else (None, "")
    phases = list(commitment.phases.in_order()) if commitment else []
    is_planned = drop.state == Drop.State.COMMITTED
    is_sold_out = commitment is not None and drop.tokens.count() >= commitment.count
    rehearsal, files = rehearsal_facts(drop), file_facts(drop)
    may_plan = is_planned and standing_sale(drop) is None
    return {
        "collection": drop.collection,
        "drop": drop,
        "is_living": drop.kind == Drop.Kind.ON_THE_FLY,
        "drop_url": reverse("gallery:drop", args=[drop.collection.slug, drop.number]),
        "live_url": reverse("gallery:launch-live", args=[drop.pk]),
        "steps": checklist(drop, commitment, rehearsal, files),
        "rehearsal": rehearsal,
        "files": files,
        "is_sold_out": is_sold_out,
        "phases": [
            (row.pk, phase_facts(row, now, is_planned=is_planned, is_sold_out=is_sold_out))
            for row in phases
        ],
        "auctions": [
            row.number for row in phases if row.kind == PhaseKind.AUCTION and is_over(row, now)
        ],
        "may_plan": may_plan,
        "form": PhaseForm(initial=PhaseForm.opening(now)),
        "final_by": final_by_default(phases),
        "sale": sale,
        "trouble": trouble,
        "founding_form": founding_form(drop),
        "has_staking": ChainTransaction.objects.filter(
            contract__collection=drop.collection_id, kind=Kind.STAKING
        ).exists(),
        "may_close_epoch": Contract.objects.filter(collection=drop.collection_id)
        .exclude(evolution_address="")
        .exists(),
        "drawing_failed": failed_drawing(drop) is not None,
        "proceeds_eth": ether(sale.proceeds_wei) if sale else "",
        "explorer": settings.CHAIN_EXPLORER_URL,
    }


def founding_form(drop: Drop) -> FoundingForm | None:
    """What a lead fills in to let holders decide; nothing where they do, or have no votes."""
    contract = Contract.objects.deployed().filter(collection=drop.collection_id).first()
    if contract is None or not contract.has_votes:
        return None
    asked = ChainTransaction.objects.filter(contract=contract, kind=Kind.FOUNDING)
    is_asked = asked.exclude(state=ChainTransaction.State.REVERTED).exists()
    return None if is_asked else FoundingForm()


def final_by_default(phases: list[SalePhase]) -> str:
    """A week after the last phase, as a field for dates and times has it."""
    last = max((row.end for row in phases), default=0)
    if not last or last >= NO_END:
        return ""
    return f"{datetime.fromtimestamp(last, UTC) + DAYS_TO_SEAL:%Y-%m-%dT%H:%M}"


def is_over(row: SalePhase, now: datetime) -> bool:
    return row.end <= now.timestamp()


def sale_state(commitment: Commitment) -> tuple[SaleState | None, str]:
    """What the contract says now, or why it cannot be asked."""
    try:
        with connect() as node:
            return read_sale(node, commitment), ""
    except ChainError as error:
        return None, f"The chain cannot be asked now: {error}"


def checklist(
    drop: Drop, commitment: Commitment | None, rehearsal: RehearsalFacts, files: FileFacts
) -> list[Step]:
    """Every step of a launch in its order, with the transaction that took it."""
    contract = Contract.objects.filter(collection=drop.collection_id).first()
    own = ChainTransaction.objects.defer("call").filter(contract=contract)
    deployed = own.filter(kind=Kind.DEPLOY).order_by("pk").last()
    mine = {one.kind: one for one in own.filter(drop=drop).order_by("pk")}
    steps = [
        step("Deploy the contract", f"of {drop.collection.name}, once", deployed),
        *law_steps(contract, own),
        step("Commit the drop", "its hashes, for good", mine.get(Kind.COMMIT)),
        Step("Rehearse the sale", rehearsal.says, rehearsal.state),
        step("Open the sale", opening_says(commitment), mine.get(Kind.OPEN_SALE)),
    ]
    if drop.kind == Drop.Kind.ON_THE_FLY:
        steps += reveal_steps(commitment, mine)
    steps.append(Step("Publish the files", files.says, files.state))
    staking = own.filter(kind__in=[Kind.STAKING, Kind.LOCKER]).order_by("pk").last()
    if staking is not None:
        steps.append(step("Let works be staked", "the collection names the contract once", staking))
    founding = own.filter(kind__in=[Kind.FOUNDING, Kind.TREASURY, Kind.ROYALTY])
    if founding.exists():
        says = "treasury, royalties and the bounds of parameters are theirs, for good"
        steps.append(step("Let holders decide", says, founding.order_by("pk").last()))
    if Kind.WITHDRAW in mine:
        steps.append(step("Withdraw", "what was earned, to the treasury", mine[Kind.WITHDRAW]))
    return steps


def law_steps(contract: Contract | None, own: QuerySet[ChainTransaction]) -> list[Step]:
    """What a collection that its contract draws needs besides, before its first commitment."""
    if contract is None or not contract.is_painted:
        return []
    painter = own.filter(kind=Kind.LIBRARY).order_by("pk").last()
    steps = [step("Put the painter there", "what draws the works, before the contract", painter)]
    if contract.law is not None:
        named = own.filter(kind__in=[Kind.EVOLUTION, Kind.LAW]).order_by("pk").last()
        says = "how works move, for good; the first commitment waits for it"
        steps.append(step("Name the law", says, named))
    return steps


def opening_says(commitment: Commitment | None) -> str:
    """A sale that opened after its drop's block could have terms chosen by who knows the works."""
    if commitment is None or not commitment.reveal_block:
        return "phases and prices, for good"
    return f"phases and prices, for good; before block {commitment.reveal_block}, or never"


def step(title: str, says: str, sent: ChainTransaction | None, state: str = "") -> Step:
    known = STATES[ChainTransaction.State(sent.state)] if sent else "to do"
    if sent is not None and sent.error:
        says = sent.error
    return Step(title, says, state or known, sent)


def reveal_steps(commitment: Commitment | None, mine: dict[str, ChainTransaction]) -> list[Step]:
    """Capture, reveal and seal; anybody may capture, so events count, not our transactions."""
    if commitment is None:
        return [Step("Reveal and seal", "after the sale, by itself", "to do")]
    told = set(commitment.events.values_list("kind", flat=True))
    minted = Token.objects.filter(drop=commitment.drop_id)
    waiting = minted.filter(artwork=None).count()
    wanted = (
        (
            "Capture the block",
            f"block {awaited_block(commitment)} decides the works, with the secret",
            Kind.CAPTURE,
            DropEvent.Kind.CAPTURED,
        ),
        (
            "Reveal the secret",
            "once nothing can be minted any more",
            Kind.REVEAL,
            DropEvent.Kind.REVEALED,
        ),
        (
            "Seal the works",
            f"{waiting} still to draw" if waiting else "once all are drawn",
            Kind.SEAL,
            DropEvent.Kind.SEALED,
        ),
    )
    capture, *rest = [
        step(title, says, mine.get(kind), "done" if event in told else "")
        for title, says, kind, event in wanted
    ]
    return [capture, drawing_step(commitment.drop, minted.count(), waiting), *rest]


def drawing_step(drop: Drop, n_minted: int, n_waiting: int) -> Step:
    failed = failed_drawing(drop)
    if failed is not None:
        return Step("Draw the works", f"it stands still: {failed.error}", "failed")
    says = f"{n_minted - n_waiting:,} of {n_minted:,} minted ones, once their block is there"
    return Step("Draw the works", says, "to do" if n_waiting or not n_minted else "done")


def answer(request: HttpRequest, drop: Drop, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return redirect("gallery:launch", drop.pk)


def refuse(request: HttpRequest, drop: Drop, reasons: list[str]) -> HttpResponse:
    for reason in reasons:
        messages.error(request, reason)
    return redirect("gallery:launch", drop.pk)


@lead_only
@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Another phase; a list is refused as a whole, with a reason for each bad row."""
    drop = find(pk)
    form = PhaseForm(request.POST, request.FILES)
    if not form.is_valid():
        context = launch_context(drop) | {"form": form}
        return render(request, "gallery/launch.html", context, status=400)
    try:
        phase = form.phase()
        terms = Terms(phase)
        if phase.kind == PhaseKind.LISTED:
            entries, errors = read_list(form)
            if errors:
                return refuse(request, drop, errors)
            terms = Terms.listed(phase, entries)
        row = add_phase(drop=drop, terms=terms)
    except REFUSALS as error:
        return refuse(request, drop, [str(error)])
    return answer(request, drop, f"Phase {row.number} is planned.")


def read_list(form: PhaseForm) -> tuple[list[allowlist.Entry], list[str]]:
    upload = form.cleaned_data["list"]
    if upload is None:
        return [], ["An allow list needs a CSV file: wallet,max_quantity,price_eth."]
    if upload.size > MAX_LIST_BYTES:
        return [], [f"The list is larger than {MAX_LIST_BYTES // 2**20} MiB."]
    try:
        text = upload.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        return [], ["The list is not UTF-8 text."]
    entries, errors = allowlist.read(io.StringIO(text, newline=""))
    said = [f"List, {error}" for error in errors[:MAX_ERRORS]]
    if len(errors) > MAX_ERRORS:
        said.append(f"… and {len(errors) - MAX_ERRORS} more rows.")
    return entries, said


@lead_only
@require_POST
def remove(request: HttpRequest, pk: int, phase: int) -> HttpResponse:
    drop = find(pk)
    row = get_object_or_404(SalePhase, pk=phase, commitment__drop=drop)
    try:
        remove_phase(phase=row)
    except REFUSALS as error:
        return refuse(request, drop, [str(error)])
    return answer(request, drop, "The phase is taken out.")


@lead_only
@require_POST
def open_sale(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for the sale with the planned phases."""
    drop = find(pk)
    form = FinalForm(request.POST)
    if not form.is_valid():
        return refuse(request, drop, [form.first_error()])
    by = form.cleaned_data["final_by"]
    final = {"final_by": int(by.timestamp())} if by else {}
    commitment = get_object_or_404(Commitment.objects.light(), drop=drop)
    try:
        request_open_sale(drop=drop, phases=asked_for(commitment), **final)
    except REFUSALS as error:
        return refuse(request, drop, [str(error)])
    return answer(request, drop, "The sale opens with the next block.")


def epoch_says(drop: Drop) -> str:
    """Close an epoch now, without waiting for the day to be over."""
    contract = Contract.objects.get(collection=drop.collection_id)
    if not contract.evolution_address:
        raise ValueError("the works of this collection do not move")
    snapshot = close_epoch(contract=contract)
    if snapshot is None:
        return "Every level is proven already; there is nothing to publish."
    return f"Epoch {snapshot.number} is on its way; proofs follow it."


@lead_only
@require_POST
def control(request: HttpRequest, pk: int) -> HttpResponse:
    """Hold the sale, let it go on, settle an auction, withdraw; draw on what failed."""
    drop = find(pk)
    asked = request.POST.get("do", "")
    try:
        if asked in ("pause", "resume"):
            request_pause(drop=drop, is_paused=asked == "pause")
        elif asked == "staking":
            request_staking(collection=drop.collection)
        elif asked == "epoch":
            return answer(request, drop, epoch_says(drop))
        elif asked == "draw":
            draw_again(drop=drop)
        elif asked == "withdraw":
            request_withdraw(drop=drop)
        elif asked.startswith("settle-") and asked[7:].isdecimal():
            request_settle(drop=drop, phase=int(asked[7:]))
        else:
            return HttpResponse("unknown step", status=400)
    except REFUSALS as error:
        return refuse(request, drop, [str(error)])
    said = "It goes on." if asked == "draw" else "The transaction is on its way."
    return answer(request, drop, said)
