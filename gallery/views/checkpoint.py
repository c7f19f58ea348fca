"""A checkpoint's card: what it draws, how well, and where it comes from."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from gallery.views.console import lead_only
from gallery.views.fidelity import score_rows
from gallery.views.refine import ROW
from generation.models import Checkpoint, Dataset

ROWS = 2
# what a recipe says first, and how people say it
RECIPE = (("game", "Game"), ("seed", "Seed"), ("batch", "Pictures a step"))


@lead_only
@require_safe
def checkpoint(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Checkpoint, pk=pk)
    digest = row.recipe.get("dataset", "")
    started_from = row.recipe.get("started_from", "")
    context = {
        "checkpoint": row,
        "attributes": row.schema,
        "dataset": Dataset.objects.filter(digest=digest).first() if digest else None,
        "sheet": sheet(row),
        "sheet_width": ROW * row.config["img_resolution"],
        "started_from": started_from,
        "earlier": Checkpoint.objects.filter(sha256=started_from).first(),
        "collections": row.collections.order_by("slug"),
    }
    return render(request, "gallery/checkpoint.html", context | figures(row) | recipe(row))


def sheet(row: Checkpoint) -> list[str]:
    """Addresses of the pictures of the first seeds, a row of six each."""
    preview = f"{reverse('gallery:preview', args=[row.pk])}?of={row.sha256[:12]}&view=row"
    return [f"{preview}&seed={start * ROW}" for start in range(ROWS)]


def figures(row: Checkpoint) -> dict[str, Any]:
    """What was measured: by ``manage.py evaluate``, or else while it was trained."""
    measured, while_trained = row.measured, row.recipe.get("metrics", {})
    found = dict(measured.get("fidelity") or {})
    found |= {name: measured[name] for name in ("nearest", "fid") if measured.get(name) is not None}
    return {
        "measured": measured,
        "n_measured": measured.get("n") if found else None,
        "psi": f"{measured.get('psi', 1):g}",
        "measured_kimg": while_trained.get("n_images", 0) / 1000,
        "scores": score_rows(found or while_trained),
        "agreement": [
            {
                "name": name.replace("_", " "),
                "percent": 100 * share,
                "held_out": _percent(measured.get("held_out", {}).get(name)),
                "chance": 100 / len(row.schema[name]),
                "absent": measured.get("absent", {}).get(name, []),
            }
            for name, share in measured.get("agreement", {}).items()
        ],
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def recipe(row: Checkpoint) -> dict[str, Any]:
    """How it was trained: the main facts, and every setting by its own name."""
    settings: dict[str, Any] = row.recipe.get("train", {})
    facts = [(title, settings[name]) for name, title in RECIPE if name in settings]
    if "n_images" in row.recipe:
        facts.insert(0, ("Pictures seen", f"{row.recipe['n_images']:,}"))
    return {"recipe": facts, "settings": sorted(settings.items())}
