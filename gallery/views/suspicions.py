"""Who may be one behind several wallets: what a lead sees of a round, and decides."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from gallery.forms import DiscountForm
from gallery.views.console import lead, lead_only
from gallery.views.integrity import RULES, discount_rows
from gallery.views.past import counted
from minting.chain.client import ChainError
from minting.services import connect
from sentiment.models import FundingScan, Round
from sentiment.services import Suspicion, discount_voters, read_funding, suspicions

N_LOGGED = 50


@lead_only
@require_safe
def who_may_be_one(request: HttpRequest, pk: int) -> HttpResponse:
    current = _round(pk)
    log = current.discounts.select_related("voter", "lead").newest_first()
    context = {
        "round": current,
        "drop": current.drop,
        "collection": current.drop.collection,
        "groups": [group_row(one) for one in suspicions(current)],
        "scan": FundingScan.objects.filter(round=current).first(),
        "discounts": discount_rows(current),
        "log": list(log[:N_LOGGED]),
    }
    return render(request, "gallery/suspicions.html", context)


@lead_only
@require_POST
def discount(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Let voters count less, or in full again."""
    form = DiscountForm(request.POST)
    try:
        if not form.is_valid():
            raise ValueError(form.first_error())
        rows = discount_voters(
            round=_round(pk),
            addresses=request.POST.getlist("voter"),
            factor=form.cleaned_data["percent"] / 100,
            rule=form.cleaned_data["rule"],
            reason=form.cleaned_data["reason"],
            lead=lead(request),
        )
    except ValueError as error:
        messages.error(request, str(error))
    else:
        who, percent = counted(len(rows), "voter"), form.cleaned_data["percent"]
        messages.success(request, f"Votes of {who} count {percent:g} % in this round.")
    return redirect("gallery:who-may-be-one", pk)


@lead_only
@require_POST
def look_at_chain(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Read on who funded the voters, for some seconds."""
    current = _round(pk)
    try:
        with connect() as node:
            scan = read_funding(node=node, round=current)
    except ChainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Read up to block {scan.number} of {scan.last_block}.")
    return redirect("gallery:who-may-be-one", pk)


def group_row(one: Suspicion) -> dict[str, Any]:
    """A group with its evidence in words."""
    return {
        "rule": one.rule,
        "title": RULES[one.rule].capitalize(),
        "voters": one.voters,
        "says": evidence(one),
        "chance": chance(one.best.p) if one.best else "",
        "funder": one.funded.funder if one.funded else "",
    }


def evidence(one: Suspicion) -> str:
    if one.funded:
        funded = counted(len(one.funded.wallets), "voter")
        return f"{funded} of {one.funded.n_known} whose first money is known had it from one wallet"
    assert one.best is not None
    hits, n, expected = one.best.hits, one.best.n, f"{one.best.expected:.1f}"
    if one.rule == "bursts":
        return (
            f"The surest two: of {n} times that their votes came within 15 s of one another, {hits}"
            f" kept the same distance to the second; by chance {expected}"
        )
    return (
        f"The surest two chose alike on {hits} of {counted(n, 'pair')} that both judged; as this"
        f" crowd chooses, {expected} at most"
    )


def chance(p: float) -> str:
    return "below 0.000001" if p < 1e-6 else f"{p:.6f}"


def _round(pk: int) -> Round:
    rounds = Round.objects.select_related("drop__collection", "drop__parameter_set")
    return get_object_or_404(rounds, pk=pk)
