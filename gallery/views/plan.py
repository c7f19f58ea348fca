"""Planning a draft: how many works show each value, rules, one-of-ones; checked, not drawn."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from gallery.forms import ExtendForm
from gallery.views.console import lead_only
from generation.models import Drop, DropPlan
from generation.services import WrongStateError, plan_drop
from generation.traits.planner import (
    CURVES,
    Counts,
    Curve,
    ImpossibleError,
    Request,
    RequestError,
    Shares,
    UndecidedError,
    counts,
    parse_rule,
    plan,
    sentence,
)

MODES = {
    "shares": "parts of the drop (%)",
    "counts": "works, exactly",
    "zipf": "a rarity curve: Zipf's law",
    "geometric": "a rarity curve: geometric",
}
MAX_TEXT = 100_000
MAX_LINES = 2_000


@dataclass(frozen=True)
class Field:
    """An attribute on the form; each of ``values`` is (name, what stands in its box)."""

    name: str
    title: str
    mode: str
    steepness: str
    values: list[tuple[str, str]]


@dataclass(frozen=True)
class Bar:
    """How many works show a value; ``percent`` of the drop."""

    value: str
    n: int
    percent: float


@lead_only
@require_http_methods(["GET", "HEAD", "POST"])
def plan_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The form; POST checks it and says what would be drawn, or with ``use`` keeps it."""
    drop = get_object_or_404(Drop.objects.select_related("collection", "checkpoint"), pk=pk)
    if drop.state != Drop.State.DRAFT:
        messages.error(request, str(WrongStateError(drop, Drop.State.DRAFT)))
        return redirect(f"{reverse('gallery:console')}?collection={drop.collection.slug}")
    if request.method != "POST":
        return render(request, "gallery/plan.html", context(drop, saved(drop)))
    answer = tried(request, drop)
    if "done" in answer:
        messages.success(request, answer["done"])
        return redirect(f"{reverse('gallery:console')}?collection={drop.collection.slug}")
    is_part = request.headers.get("HX-Request") == "true"
    status = 200 if is_part or not answer["problems"] else 400
    if is_part:
        return render(request, "gallery/plan_result.html", answer)
    return render(request, "gallery/plan.html", context(drop, request.POST) | answer, status=status)


def tried(request: HttpRequest, drop: Drop) -> dict[str, Any]:
    """What a plan of the form would hold, or why there is none; ``done`` where it was kept."""
    try:
        asked = read(request.POST, drop)
        floors = ExtendForm(request.POST)
        if not floors.is_valid():
            raise RequestError("floor", floors.first_error(), "a number in range")
        if request.POST.get("use"):
            kept = {name: value or 0.0 for name, value in floors.floors().items()}
            plan_drop(drop=drop, request=asked, created_by=cast("User", request.user), **kept)
            return {"done": f"Drop {drop.number} is planned. Render it when you like."}
        places = plan(asked, drop.checkpoint.schema, bytes.fromhex(drop.seed))
    except ImpossibleError as error:
        return {"problems": [problem.sentence for problem in error.problems]}
    except UndecidedError as error:
        return {"problems": [undecided(error)]}
    except (RequestError, WrongStateError) as error:
        return {"problems": [str(error)]}
    return {"problems": [], "bars": bars(drop, places), "facts": facts(places), "asked": asked}


def undecided(error: UndecidedError) -> str:
    names = ", ".join(name.replace("_", " ") for name in error.attributes)
    return f"Whether {names} can be met together was not found out in time; take a rule out."


def bars(drop: Drop, places: list[dict[str, str]]) -> list[tuple[str, list[Bar]]]:
    """Counts of every attribute, in the order of its values."""
    found = []
    for name, values in drop.checkpoint.schema.items():
        seen = Counter(place[name] for place in places)
        shown = [Bar(value, seen[value], 100 * seen[value] / len(places)) for value in values]
        found.append((name.replace("_", " "), shown))
    return found


def facts(places: list[dict[str, str]]) -> dict[str, int]:
    kinds = Counter(tuple(sorted(place.items())) for place in places)
    return {
        "works": len(places),
        "combinations": len(kinds),
        "alone": sum(n == 1 for n in kinds.values()),
    }


def read(typed: QueryDict, drop: Drop) -> Request:
    """The request that a form describes; RequestError says what does not make sense in it."""
    attributes: dict[str, Counts | Shares | Curve] = {}
    for name, values in drop.checkpoint.schema.items():
        amounts = {value: number(typed.get(f"{name}.{value}", ""), name, value) for value in values}
        attributes[name] = amount(typed.get(f"mode.{name}", ""), name, amounts, typed)
    return Request(
        size=drop.size,
        attributes=attributes,
        rules=tuple(parse_rule(line) for line in lines(typed.get("rules", ""))),
        one_of_ones=tuple(combination(line) for line in lines(typed.get("one_of_ones", ""))),
        is_unique=typed.get("is_unique") == "on",
    )


def amount(
    mode: str, name: str, amounts: dict[str, float], typed: QueryDict
) -> Counts | Shares | Curve:
    if mode == "counts":
        if any(n != int(n) for n in amounts.values()):
            raise RequestError(f"counts of {name}", sorted(amounts.values()), "whole numbers")
        return Counts({value: int(n) for value, n in amounts.items() if n})
    if mode == "shares":
        total = sum(amounts.values())
        if not 99 <= total <= 101:
            raise RequestError(f"sum of the parts of {name}", f"{total:g} %", "100 %")
        return Shares({value: n / total for value, n in amounts.items()})
    if mode not in CURVES:
        raise RequestError(f"kind of amounts of {name}", mode, f"one of {', '.join(MODES)}")
    order = tuple(sorted(amounts, key=lambda value: -amounts[value]))
    return Curve(mode, number(typed.get(f"steepness.{name}", "1"), name, "steepness"), order)


def number(text: str, name: str, value: str) -> float:
    try:
        found = float(text or 0)
    except ValueError:
        raise RequestError(f"{name} {value}", text, "a number") from None
    if not 0 <= found <= 10_000:
        raise RequestError(f"{name} {value}", text, "between 0 and 10,000")
    return found


def lines(text: str) -> list[str]:
    """Lines with something in them."""
    found = [line.strip() for line in text[:MAX_TEXT].splitlines() if line.strip()]
    if len(text) > MAX_TEXT or len(found) > MAX_LINES:
        raise RequestError("text", f"{len(found)} lines", f"{MAX_LINES} lines at most")
    return found


def combination(line: str) -> dict[str, str]:
    """A one-of-one as it is typed: ``attribute=value, attribute=value``."""
    pairs = [part.partition("=") for part in line.split(",")]
    if not all(sign for _, sign, _ in pairs):
        raise RequestError("one-of-one", line, "attribute=value, attribute=value, ...")
    return {name.strip(): value.strip() for name, _, value in pairs}


def saved(drop: Drop) -> QueryDict:
    """The drop's plan as a form would send it, or the shares of its parameters."""
    typed = QueryDict(mutable=True)
    found = DropPlan.objects.filter(drop=drop).first()
    if found is None:
        shares = drop.parameter_set.parameters.distributions
        request = Request(drop.size, {name: Shares(of) for name, of in shares.items()})
    else:
        request = found.request
        body = found.quota_body
        typed["min_confidence_percent"] = f"{100 * body['min_confidence']:g}"
        typed["min_novelty"] = f"{body['min_novelty']:g}"
    for name, amounts in request.attributes.items():
        typed.update(boxes(name, amounts, counts(request)[name]))
    typed["rules"] = "\n".join(sentence(rule) for rule in request.rules)
    typed["one_of_ones"] = "\n".join(
        ", ".join(f"{name}={value}" for name, value in one.items()) for one in request.one_of_ones
    )
    typed["is_unique"] = "on" if request.is_unique else ""
    return typed


def boxes(name: str, amounts: Counts | Shares | Curve, whole: dict[str, int]) -> dict[str, str]:
    if isinstance(amounts, Counts):
        return {f"mode.{name}": "counts"} | {f"{name}.{v}": str(n) for v, n in amounts.of.items()}
    if isinstance(amounts, Shares):
        parts = {f"{name}.{v}": f"{100 * share:.6g}" for v, share in amounts.of.items()}
        return {f"mode.{name}": "shares"} | parts
    curve = {f"mode.{name}": amounts.name, f"steepness.{name}": f"{amounts.steepness:g}"}
    return curve | {f"{name}.{v}": str(n) for v, n in whole.items()}


def context(drop: Drop, typed: QueryDict) -> dict[str, Any]:
    schema = drop.checkpoint.schema
    fields = [
        Field(
            name,
            name.replace("_", " "),
            typed.get(f"mode.{name}", "shares"),
            typed.get(f"steepness.{name}", "1"),
            [(value, typed.get(f"{name}.{value}", "0")) for value in values],
        )
        for name, values in schema.items()
    ]
    return {
        "drop": drop,
        "collection": drop.collection,
        "fields": fields,
        "modes": MODES,
        "typed": typed,
        "schema": json.dumps(schema),
        "is_planned": DropPlan.objects.filter(drop=drop).exists(),
        "problems": [],
    }
