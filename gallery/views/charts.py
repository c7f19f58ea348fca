"""The console's charts: what the parameters and the people did from drop to drop."""

from collections import Counter
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery.views.console import lead_only
from generation.models import Collection, Drop
from generation.traits.diversity import attribute_entropy
from minting.models import Sale, Token
from minting.services import is_painted
from sentiment.models import Vote

MAX_DROPS = 200  # the newest ones; a chart is not wide enough for more


@lead_only
@require_safe
def charts(request: HttpRequest, slug: str) -> HttpResponse:
    collection = get_object_or_404(Collection, slug=slug)
    context = {
        "collection": collection,
        "is_painted": is_painted(collection),
        "charts": chart_rows(collection),
        "numbers_url": reverse("gallery:chart-numbers", args=[slug]),
    }
    return render(request, "gallery/charts.html", context)


@extend_schema(exclude=True)
class Numbers(APIView):
    """What the charts draw."""

    permission_classes = [IsAdminUser]

    def get(self, request: Request, slug: str) -> Response:
        collection = get_object_or_404(Collection, slug=slug)
        return Response({"charts": chart_rows(collection)})


def chart_rows(collection: Collection) -> list[dict[str, Any]]:
    """Each chart with its drops, its series and its unit; nothing before the first drop."""
    newest = collection.drops.select_related("parameter_set").order_by("-number", "-pk")
    drops = list(newest[:MAX_DROPS])[::-1]
    if not drops:
        return []
    return [*turnout(drops), entropy(drops), *parameters(drops)]


def chart(
    key: str, title: str, unit: str, drops: list[Drop], series: dict[str, list[float]]
) -> dict[str, Any]:
    numbers = [drop.number for drop in drops]
    return {
        "key": key,
        "title": title,
        "unit": unit,
        "drops": numbers,
        "series": [{"name": name, "values": values} for name, values in series.items()],
        "rows": [
            {"drop": number, "values": [values[i] for values in series.values()]}
            for i, number in enumerate(numbers)
        ],
    }


def turnout(drops: list[Drop]) -> list[dict[str, Any]]:
    """How many took part, a chart each: their sizes differ by orders of magnitude."""
    votes = Vote.objects.filter(round__drop__in=drops)
    counted = {
        "votes": per_drop(votes.values_list("round__drop").annotate(n=Count("pk"))),
        "voters": per_drop(
            votes.values_list("round__drop").annotate(n=Count("voter", distinct=True))
        ),
        "works minted": per_drop(
            Token.objects.filter(drop__in=drops).values_list("drop").annotate(n=Count("pk"))
        ),
        "sales": per_drop(
            Sale.objects.filter(token__drop__in=drops)
            .values_list("token__drop")
            .annotate(n=Count("pk"))
        ),
    }
    return [
        chart(
            f"turnout-{name.split()[-1]}",
            name.capitalize(),
            name,
            drops,
            {name: [float(counts[drop.pk]) for drop in drops]},
        )
        for name, counts in counted.items()
    ]


def per_drop(rows: Any) -> Counter[int]:
    return Counter(dict(rows.order_by()))


def entropy(drops: list[Drop]) -> dict[str, Any]:
    """How evenly each attribute's values are asked for: 0 only one of them, 1 all alike."""
    shares = [drop.parameter_set.parameters.distributions for drop in drops]
    series = {
        name: [round(attribute_entropy(list(one.get(name, {}).values())), 4) for one in shares]
        for name in names(shares)
    }
    title = "Evenness of the parameters"
    return chart("entropy", title, "normalised entropy (0 to 1)", drops, readable(series))


def parameters(drops: list[Drop]) -> list[dict[str, Any]]:
    """The share of each value of an attribute, in percent of the works."""
    shares = [drop.parameter_set.parameters.distributions for drop in drops]
    found = []
    for name in names(shares):
        values = names([one.get(name, {}) for one in shares])
        series = {
            value: [round(100 * one.get(name, {}).get(value, 0.0), 2) for one in shares]
            for value in values
        }
        title = name.replace("_", " ").capitalize()
        found.append(chart(f"share-{name}", title, "% of works", drops, readable(series)))
    return found


def names(rows: list[Any]) -> list[str]:
    """All keys of the rows in the order in which they come."""
    return list(dict.fromkeys(name for row in rows for name in row))


def readable(series: dict[str, list[float]]) -> dict[str, list[float]]:
    return {name.replace("_", " "): values for name, values in series.items()}
