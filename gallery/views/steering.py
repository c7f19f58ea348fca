"""The steering room: parameters as a river through the drops, what numbers would do, and back."""

from dataclasses import replace
from typing import Any

import numpy as np
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from gallery.forms.steering import AutopilotForm, ProposalForm, RollBackForm
from gallery.serializers import percent
from gallery.views.console import lead, lead_only
from gallery.views.lifts import lift_rows
from generation.models import Collection, ParameterSet
from generation.traits.parameters import Parameters, ParametersError
from minting.services import is_painted
from sentiment.models import AutopilotSwitch, Proposal, Round
from sentiment.services import (
    NothingToUndoError,
    UndecidedProposalError,
    drops_by_set,
    foretell,
    read_lifts,
    roll_back,
    set_autopilot,
)

WIDTH, HEIGHT = 640, 120  # of a river, in px
MAX_SETS = 100  # the newest ones; a river is not wide enough for more
N_SWITCHES = 10
N_ROUNDS = 10
N_INKS = 10  # of app.css, after which they come again
SOURCES = {"initial": "start", "lead": "a lead", "loop": "the votes"}


@lead_only
@require_safe
def steering_room(request: HttpRequest, slug: str) -> HttpResponse:
    collection = get_object_or_404(Collection, slug=slug)
    newest = ParameterSet.objects.filter(collection=collection).select_related("created_by")
    sets = list(newest.order_by("-number", "-pk")[:MAX_SETS])[::-1]
    drops = drops_by_set(collection)
    proposals = Proposal.objects.filter(drop__collection=collection).select_related("drop")
    switches = AutopilotSwitch.objects.filter(collection=collection)
    rounds = Round.objects.filter(drop__collection=collection).select_related("drop")
    context = {
        "collection": collection,
        "rivers": rivers(sets),
        "marks": marks(sets, drops),
        "history": [_line(one, drops.get(one.pk, [])) for one in reversed(sets)],
        "is_painted": is_painted(collection),
        "waiting": proposals.filter(state=Proposal.State.PENDING).order_by("pk").first(),
        "lift": lift_rows(read_lifts(collection)),
        "rounds": list(rounds.order_by("-drop__number", "-pk")[:N_ROUNDS]),
        "switches": list(switches.select_related("lead").newest_first()[:N_SWITCHES]),
        "width": WIDTH,
        "height": HEIGHT,
    }
    return render(request, "gallery/steering.html", context)


@lead_only
@require_POST
def undo(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Make earlier parameters current again."""
    collection = get_object_or_404(Collection, slug=slug)
    form = RollBackForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.first_error())
        return redirect("gallery:steering", slug)
    to = get_object_or_404(ParameterSet, collection=collection, number=form.cleaned_data["to"])
    reason = form.cleaned_data["reason"]
    try:
        found = roll_back(collection=collection, to=to, lead=lead(request), reason=reason)
    except (NothingToUndoError, UndecidedProposalError) as error:
        messages.error(request, str(error))
    else:
        said = f"Parameters {found.number} are those of {to.number}, byte for byte."
        messages.success(request, said)
    return redirect("gallery:steering", slug)


@lead_only
@require_POST
def autopilot(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Let proposals be approved as they come, or decide again."""
    collection = get_object_or_404(Collection, slug=slug)
    form = AutopilotForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.first_error())
        return redirect("gallery:steering", slug)
    is_on, reason = form.cleaned_data["to"] == "on", form.cleaned_data["reason"]
    set_autopilot(collection=collection, is_on=is_on, lead=lead(request), reason=reason)
    said = "Proposals are approved as they come." if is_on else "A lead decides again."
    messages.success(request, said)
    return redirect("gallery:steering", slug)


@lead_only
@require_POST
def what_if(request: HttpRequest, pk: int) -> HttpResponse:
    """What the numbers that a lead has typed are expected to do; nothing is stored."""
    proposals = Proposal.objects.select_related("base", "score_run", "drop__collection")
    proposal = get_object_or_404(proposals, pk=pk)
    form = ProposalForm({**request.POST.dict(), "decision": "edit"})
    context: dict[str, Any] = {}
    try:
        if not form.is_valid():
            raise ParametersError(form.first_error())
        base = proposal.base.parameters
        asked = form.parameters(base, Parameters.from_json(proposal.proposed))
        found = foretell(proposal=proposal, parameters=asked)
        broken = found.broken
        if is_painted(proposal.drop.collection):
            asked = replace(asked, distributions=base.distributions)
            found = foretell(proposal=proposal, parameters=asked)
    except ValueError as error:  # numbers that are none, or bounds that nothing meets
        context["trouble"] = str(error)
    else:
        context |= told(found.gain, found.gain_sd, found.confidence)
        context["broken"] = broken
    return render(request, "gallery/what_if.html", context)


def told(gain: float, sd: float, confidence: float) -> dict[str, str]:
    """A forecast in words: how often the works are taken over those of today, with an interval."""
    odds = gain + np.array([0.0, -1.96, 1.96]) * sd
    share, low, high = 100 / (1 + np.exp(-odds))
    likely = "over 99.9" if confidence > 0.999 else f"{100 * confidence:.1f}"
    return {
        "gain": f"{gain:+.2f} ± {sd:.2f}",
        "taken": f"{share:.1f}",
        "interval": f"{low:.1f} to {high:.1f}",
        "likely": likely,
    }


def rivers(sets: list[ParameterSet]) -> list[dict[str, Any]]:
    """For each attribute its options' shares as bands over the sets, one above the other."""
    if not sets:
        return []
    found = []
    for name, options in sets[-1].parameters.distributions.items():
        rows = [one.parameters.distributions.get(name, {}) for one in sets]
        shares = np.array([[row.get(value, 0.0) for value in options] for row in rows])
        found.append({"name": name.replace("_", " "), "bands": _bands(list(options), shares)})
    return found


def _bands(options: list[str], shares: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    """Polygons of the options; of a single set a river has the same width all along."""
    tops = np.hstack([np.zeros((len(shares), 1)), np.cumsum(shares, axis=1)])
    if len(tops) == 1:
        tops, shares = np.vstack([tops, tops]), np.vstack([shares, shares])
    x = np.linspace(0, WIDTH, len(tops))
    bands = []
    for k, value in enumerate(options):
        upper = zip(x, HEIGHT * tops[:, k], strict=True)
        lower = zip(x[::-1], HEIGHT * tops[::-1, k + 1], strict=True)
        points = " ".join(f"{px:.1f},{py:.1f}" for px, py in [*upper, *lower])
        first, last = percent(shares[0, k]), percent(shares[-1, k])
        name = value.replace("_", " ")
        said = f"{name}: {first} %" if first == last else f"{name}: {first} to {last} %"
        bands.append({"points": points, "says": said, "ink": k % N_INKS, "value": value})
    return bands


def marks(sets: list[ParameterSet], drops: dict[int, list[int]]) -> list[dict[str, Any]]:
    """Where each drop stands on the rivers."""
    n = max(1, len(sets) - 1)
    return [
        {"x": round(WIDTH * place / n, 1), "drops": drops[one.pk], "number": one.number}
        for place, one in enumerate(sets)
        if one.pk in drops
    ]


def _line(one: ParameterSet, drops: list[int]) -> dict[str, Any]:
    return {
        "number": one.number,
        "at": one.created_at,
        "by": SOURCES[one.source],
        "who": one.created_by,
        "reason": one.reason,
        "drops": drops,
    }
