"""The plan of a draft on the console: typed, checked, kept, and shown again."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from generation.models import Drop, DropPlan
from generation.traits.planner import Counts, Curve, Shares, exclude
from tests.gallery.conftest import InState, press, read

SIZE = 60


@pytest.fixture
def draft(in_state: InState) -> Drop:
    return in_state(Drop.State.DRAFT, SIZE)


def typed(drop: Drop, **changed: Any) -> dict[str, Any]:
    """The form as the page gives it: equal parts of every value."""
    form: dict[str, Any] = {}
    for name, values in drop.checkpoint.schema.items():
        form[f"mode.{name}"] = "shares"
        form |= {f"{name}.{value}": f"{100 / len(values):.6g}" for value in values}
    return form | {key.replace("__", "."): value for key, value in changed.items()}


def counted(drop: Drop, attribute: str, **n: int) -> dict[str, Any]:
    values = drop.checkpoint.schema[attribute]
    shown = {f"{attribute}.{value}": n.get(value, 0) for value in values}
    return {f"mode.{attribute}": "counts"} | shown


def send(browser: Client, drop: Drop, form: dict[str, Any], **headers: str) -> Any:
    return browser.post(reverse("gallery:plan", args=[drop.pk]), form, headers=headers)


def test_the_form_begins_with_the_shares_of_the_parameters(console: Client, draft: Drop) -> None:
    text = read(console, reverse("gallery:plan", args=[draft.pk]))

    assert 'name="background.sand" inputmode="decimal" size="7" value="12.5"' in text
    assert "60 works" in text


def test_a_check_shows_what_would_be_drawn_and_keeps_nothing(console: Client, draft: Drop) -> None:
    form = typed(draft) | counted(draft, "head", bob=50, bun=10)

    reply = send(console, draft, form, HX_Request="true")
    text = reply.content.decode()

    assert reply.status_code == 200
    assert "60 works with" in text
    rows = text.split("<caption>head</caption>")[1].split("</table>")[0]
    assert '<th scope="row">bob</th>' in rows
    assert "50 <small" in rows
    assert "83.3 %" in rows
    assert "<html" not in text
    assert not DropPlan.objects.exists()


def test_a_plan_is_kept_with_its_floors_and_shown_again(
    console: Client, lead: User, draft: Drop
) -> None:
    form = typed(
        draft,
        rules="head=bald excludes accessory=glasses|eyepatch\n\n",
        min_confidence_percent="90",
        min_novelty="0.05",
        use="on",
    )
    form |= counted(draft, "background", sun=45, sky=15)
    form |= {"mode.skin": "zipf", "steepness.skin": "1.5", "skin.umber": "9", "skin.honey": "5"}

    reply = send(console, draft, form)

    assert reply.headers["Location"] == "/console?collection=portraits"
    kept = DropPlan.objects.get(drop=draft)
    assert kept.created_by == lead
    request = kept.request
    assert request.attributes["background"] == Counts({"sun": 45, "sky": 15})
    assert isinstance(request.attributes["head"], Shares)
    skin = request.attributes["skin"]
    assert isinstance(skin, Curve)
    assert (skin.steepness, skin.order[0]) == (1.5, "porcelain")  # 20 %, as the form began
    assert request.rules == (exclude("head", "bald", "accessory", "glasses", "eyepatch"),)
    assert kept.floors[-1]["min_confidence"] == 0.9
    again = read(console, reverse("gallery:plan", args=[draft.pk]))
    assert "head=bald excludes accessory=eyepatch|glasses" in again
    assert 'name="background.sun" inputmode="decimal" size="7" value="45"' in again
    assert 'name="min_confidence_percent" min="0" max="100" step="any" value="90"' in again
    assert "Change the plan" in read(console)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"background__sand": "90"}, "is not 100 %"),
        ({"background__sand": "many"}, "background sand: &#x27;many&#x27; is not a number"),
        ({"background__sand": "-1"}, "between 0 and 10,000"),
        ({"mode__background": "magic"}, "kind of amounts of background"),
        ({"rules": "head=bald forbids accessory=glasses"}, "excludes"),
        ({"rules": "head=bald excludes accessory=monocle"}, "accessory has no value monocle"),
        ({"one_of_ones": "head bald"}, "attribute=value"),
        ({"one_of_ones": "head=bald"}, "has no background"),
        ({"min_novelty": "7"}, "min_novelty"),
    ],
)
def test_what_cannot_be_met_is_said_and_the_form_keeps_what_was_typed(
    console: Client, draft: Drop, changed: dict[str, str], reason: str
) -> None:
    form = typed(draft, **changed, use="on")

    reply = send(console, draft, form)
    text = reply.content.decode()

    assert reply.status_code == 400
    assert "This cannot be drawn as asked" in text
    assert reason in text
    (name, value), *_ = changed.items()
    assert value.replace("'", "&#x27;") in text or name.startswith("mode")
    assert not DropPlan.objects.exists()


def test_counts_that_do_not_sum_up_are_refused_in_a_sentence(console: Client, draft: Drop) -> None:
    form = typed(draft) | counted(draft, "head", bob=50)

    text = send(console, draft, form, HX_Request="true").content.decode()

    assert "The counts of head sum to 50, but the drop has 60 works." in text


def test_only_a_draft_is_planned(console: Client, in_state: InState) -> None:
    drop = in_state(Drop.State.CURATING)

    reply = console.get(reverse("gallery:plan", args=[drop.pk]), follow=True)

    assert "drop 1 is curating, not draft" in reply.content.decode()


def test_only_leads_plan(client: Client, wallet: Client, draft: Drop) -> None:
    for browser in (client, wallet):
        assert send(browser, draft, typed(draft, use="on")).status_code == 302
    assert not DropPlan.objects.exists()


def test_a_draft_can_be_opened_without_being_rendered(console: Client, in_state: InState) -> None:
    drop = in_state(Drop.State.CLOSED)

    said = press(console, "next-drop", drop.collection.slug, size=20, draft="on")

    assert said == ["Drop 2 is a draft."]
    opened = Drop.objects.get(number=2)
    assert (opened.state, opened.jobs.count()) == (Drop.State.DRAFT, 0)
    assert "Plan exact counts" in read(console)
