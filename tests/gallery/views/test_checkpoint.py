"""A checkpoint's card: figures, recipe, where it comes from, and what nobody has measured."""

from typing import Any

import pytest
from django.test import Client

from generation import services
from generation.models import Checkpoint
from generation.shipped import PORTRAITS
from tests.fixtures.flat import SCHEMA

pytestmark = pytest.mark.django_db

FIRST, SECOND = (name for name, _ in SCHEMA.attributes)
FIGURES: dict[str, Any] = {
    "n": 4096,
    "psi": 0.7,
    "agreement": {FIRST: 0.875, SECOND: 0.5},
    "held_out": {FIRST: 0.992},
    "absent": {SECOND: [SCHEMA.attributes[1][1][0]]},
    "n_different": 4095,
    "n_near_duplicates": 1,
    "fidelity": {"kid": 0.0123, "precision": 0.9, "recall": 0.5, "density": 1.1, "coverage": 0.7},
    "nearest": None,
}


def card(browser: Client, checkpoint: Checkpoint, status: int = 200) -> str:
    reply = browser.get(f"/console/checkpoints/{checkpoint.pk}")
    assert reply.status_code == status
    return " ".join(reply.content.decode().split())


def test_a_card_is_the_leads_affair(
    client: Client, wallet: Client, small_checkpoint: Checkpoint
) -> None:
    for browser in (client, wallet):
        card(browser, small_checkpoint, 302)


def test_a_card_shows_what_was_measured(console: Client, small_checkpoint: Checkpoint) -> None:
    services.record_measurement(checkpoint=small_checkpoint, figures=FIGURES)

    said = card(console, small_checkpoint)

    assert "4,096 works at ψ 0.7, every value asked for equally often" in said
    assert '<td class="num">0.012</td>' in said
    assert "≥ 0.8, met" in said
    assert "≥ 0.8, not yet" in said
    assert "87.5 %" in said
    assert "99.2 %" in said
    assert f"<td>{SCHEMA.attributes[1][1][0]}</td>" in said
    assert "4,095 of 4,096 pictures differ; 1 looks like an earlier one." in said
    assert "Nearest art" not in said


def test_a_later_measurement_takes_the_place_of_an_earlier_one(
    console: Client, small_checkpoint: Checkpoint
) -> None:
    services.record_measurement(checkpoint=small_checkpoint, figures=FIGURES)
    services.record_measurement(checkpoint=small_checkpoint, figures=FIGURES | {"n": 100})

    assert "100 works" in card(console, small_checkpoint)


def test_a_card_without_figures_says_how_to_measure(
    console: Client, small_checkpoint: Checkpoint
) -> None:
    said = card(console, small_checkpoint)

    assert f"manage.py evaluate {small_checkpoint.sha256[:12]}" in said
    assert "No collection draws with it." in said


def test_a_run_s_own_figures_stand_in_until_it_is_evaluated(
    console: Client, small_checkpoint: Checkpoint
) -> None:
    small_checkpoint.recipe |= {"metrics": FIGURES["fidelity"] | {"n_images": 40_000}}
    small_checkpoint.save()

    said = card(console, small_checkpoint)

    assert "While it was trained, after 40 thousand pictures" in said
    assert '<td class="num">0.900</td>' in said


def test_a_card_names_its_recipe_and_what_it_went_on_from(
    console: Client, small_checkpoint: Checkpoint
) -> None:
    shipped = services.register_shipped_checkpoint(PORTRAITS)
    shipped.recipe |= {"started_from": small_checkpoint.sha256}
    shipped.save()
    services.create_collection(slug="faces", name="Faces", story="", checkpoint=shipped)

    said = card(console, shipped)

    assert "332,000" in said
    assert f'<a href="/console/checkpoints/{small_checkpoint.pk}">small</a>' in said
    assert "manifest fc68986ac459" in said
    assert "<dt>attribute_weight</dt>" in said
    assert '<a href="/collections/faces">Faces</a>' in said
    assert said.count("view=row") == 2
