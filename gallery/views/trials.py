"""A law tried on the past, before a collection has it for good."""

import base64
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST
from numpy.typing import NDArray
from PIL import Image

from gallery.forms.law import LawForm, TrialForm
from gallery.views.console import lead_only
from gallery.views.past import counted
from generation.models import Checkpoint
from minting.evolution import costs, laws, trials
from minting.evolution.rules import Law, LawError
from minting.evolution.trials import Past, Trial
from minting.services import NoStudentError, draw_directions, draw_examples, teachers
from sentiment.services import find_past

N_EXAMPLES = 8
KEPT_S = 3600
MOST_BARS = 60
HEIGHT = 24  # of the tallest bar, in the plot's own unit
NOT_YET = "0x" + "1" * 40  # for stakes, whose contract has no address yet


@lead_only
@require_POST
def try_law(request: HttpRequest) -> HttpResponse:
    """Levels, pictures and gas of the law that a lead has typed; nothing is stored."""
    form, law_form = TrialForm(request.POST), LawForm(request.POST)
    try:
        for one in (form, law_form):
            if not one.is_valid():
                raise LawError(None, one.first_error())
        law = laws.complete(law_form.law(), NOT_YET)
        past = find_past(form.cleaned_data["past"])
        context = tried(law, past, form.cleaned_data["checkpoint"])
    except NoStudentError as error:
        taught = ", ".join(one.name for one in teachers())
        context = {"trouble": f"{error}. {f'Choose {taught}.' if taught else ''}".strip()}
    except (LawError, LookupError) as error:
        context = {"trouble": str(error)}
    return render(request, "gallery/trial.html", context)


def direction_strips() -> list[dict[str, str]]:
    """Each direction's name and picture, of the first generator that taught a small network."""
    checkpoint = next(iter(teachers()), None)
    if checkpoint is None:
        return []
    key = f"directions:{checkpoint.sha256}"
    found: list[dict[str, str]] | None = cache.get(key)
    if found is None:
        drawn = draw_directions(checkpoint)
        found = [
            {"name": name, "strip": _inline(np.concatenate(list(steps), axis=1))}
            for name, steps in drawn.items()
        ]
        cache.set(key, found, KEPT_S)
    return found


def tried(law: Law, past: Past, checkpoint: Checkpoint) -> dict[str, Any]:
    trial = trials.run(law, past)
    return {
        "n_works": len(past.works),
        "n_days": past.n_days,
        "n_moved": trial.n_moved,
        "percent": round(100 * trial.n_moved / len(past.works), 1),
        "rules": list(_rules(law, trial)),
        "examples": list(_examples(law, past, trial, checkpoint)),
        "proofs": bars(buckets(trial.proofs, MOST_BARS)),
        "busiest": int(trial.proofs.max()),
        "n_proofs": int(trial.proofs.sum()),
        "n_epochs": int((trial.proofs > 0).sum()),
        "costs": list(_costs(law, trial)),
        "prices": costs.PRICES_GWEI,
    }


def bars(counts: Sequence[int] | NDArray[np.int64]) -> list[dict[str, Any]]:
    """Heights from the bottom, the tallest one of ``HEIGHT``; what is not 0 can be seen."""
    top = max(1, int(max(counts, default=1)))
    rows = []
    for place, count in enumerate(int(n) for n in counts):
        height = max(1.0, HEIGHT * count / top) if count else 0.0
        rows.append({"x": place, "y": HEIGHT - height, "height": height, "n": count})
    return rows


def buckets(days: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Sums of neighbouring days, so many bars at most."""
    per_bar = -(-len(days) // most)
    return np.add.reduceat(days, np.arange(0, len(days), per_bar))


def _rules(law: Law, trial: Trial) -> Iterator[dict[str, Any]]:
    for k, rule in enumerate(law.rules):
        counts = np.bincount(trial.levels[:, k], minlength=rule.highest + 1)
        yield {
            "name": rule.name,
            "highest": rule.highest,
            "is_known": trial.is_known[k],
            "n_moved": int(counts[1:].sum()),
            "n_at_end": int(counts[-1]),
            "bars": bars(counts[1:]),
        }


def _examples(
    law: Law, past: Past, trial: Trial, checkpoint: Checkpoint
) -> Iterator[dict[str, Any]]:
    places = trials.stages(trial, N_EXAMPLES)
    works, own = [past.works[i] for i in places], trial.levels[places]
    drawn = draw_examples(checkpoint, law, works, own)
    for work, levels, before, after in zip(works, own, *drawn, strict=True):
        reached = [
            f"{rule.name} {level}" for rule, level in zip(law.rules, levels, strict=True) if level
        ]
        yield {
            "work": work,
            "before": _inline(before),
            "after": _inline(after),
            "says": ", ".join(reached),
        }


def _inline(pixels: NDArray[np.uint8]) -> str:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def _costs(law: Law, trial: Trial) -> Iterator[dict[str, Any]]:
    """What is paid once, what by the epoch."""
    rows = [("Deploying, once", costs.deployment(len(law.rules)))]
    if law.proven:
        busy = trial.proofs[trial.proofs > 0]
        median = int(np.median(busy)) if len(busy) else 0
        rows += [
            (
                f"An epoch that moves {median:,} work{'s' * (median != 1)}, the median",
                costs.epochs(1, median),
            ),
            (
                f"All of it: {counted(len(busy), 'epoch')}, {counted(int(busy.sum()), 'proof')}",
                costs.epochs(len(busy), int(busy.sum())),
            ),
        ]
    if any(rule.source.name == "INTERACTIONS" for rule in law.rules):
        rows.append(("An interaction (its holder pays)", costs.INTERACT))
    for name, gas in rows:
        yield {"name": name, "gas": gas, "eth": [f"{one:.4f}" for one in costs.in_eth(gas)]}
