"""A lead tries a law on the past before a collection has it."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from django.core.cache import cache
from django.test import Client

from gallery.views import trials
from gallery.views.trials import bars, buckets
from generation.models import Checkpoint
from minting.evolution.laws import DIRECTIONS
from minting.services import NoStudentError, painting
from sentiment.models import ReferenceSale
from tests.fixtures.painted import taught

ETH = 10**18
URL = "/console/laws/try"
START = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def past() -> str:
    for row in range(40):
        ReferenceSale.objects.create(
            source="old",
            source_row=row,
            sold_at=START + timedelta(days=2 * row),
            token_ref=str(row % 10),
            price_wei=ETH * 2 ** (row % 4),
        )
    return "file:old"


@pytest.fixture
def typed(small_checkpoint: Checkpoint, small_student: None, past: str) -> dict[str, str]:
    return {
        "checkpoint": str(small_checkpoint.pk),
        "past": past,
        "period_hours": "24",
        "volume_on": "on",
        "volume_direction": "fuller hair",
        "volume_highest": "10",
        "stake_on": "on",
        "stake_direction": "wider shoulders",
        "stake_highest": "5",
    }


def test_levels_pictures_and_gas_are_shown(console: Client, typed: dict[str, str]) -> None:
    answer = console.post(URL, typed)

    text = " ".join(answer.content.decode().split())
    assert "10 of 10 works would have moved (100.0 %), in 79 days" in text
    assert text.count("data:image/png;base64,") == 16
    assert "This past says nothing of it" in text
    assert "25 proofs in 25 epochs, at most 1 a day" in text
    assert "ETH at 20 gwei" in text
    assert "All of it: 25 epochs, 25 proofs" in text


def test_one_epoch_is_counted_as_one(console: Client, typed: dict[str, str]) -> None:
    ReferenceSale.objects.exclude(source_row=3).delete()

    text = console.post(URL, typed).content.decode()

    assert "All of it: 1 epoch, 1 proof" in text


def test_what_the_contract_would_refuse_is_said(console: Client, typed: dict[str, str]) -> None:
    del typed["volume_on"], typed["stake_on"]

    text = console.post(URL, typed).content.decode()

    assert 'role="alert"' in text
    assert "0 rules" in text


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"past": "file:none"}, "Past: "),
        ({"checkpoint": "0"}, "Checkpoint: "),
        ({"volume_highest": "0"}, "Volume highest: "),
        ({"share_on": "on", "pair": "0x12"}, "Pair: "),
    ],
)
def test_what_was_typed_wrong_is_said(
    console: Client, typed: dict[str, str], changed: dict[str, str], says: str
) -> None:
    text = console.post(URL, typed | changed).content.decode()

    assert 'role="alert"' in text
    assert says in text


def test_a_generator_that_taught_no_student_cannot_be_tried(
    console: Client, small_checkpoint: Checkpoint, past: str
) -> None:
    typed = {"checkpoint": str(small_checkpoint.pk), "past": past, "volume_on": "on"}

    text = console.post(URL, typed).content.decode()

    assert "No small generator was taught by" in text
    assert "Choose" not in text


def test_the_generator_that_can_be_tried_is_named(
    console: Client, small_checkpoint: Checkpoint, past: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "teachers", lambda: [small_checkpoint])
    typed = {"checkpoint": str(small_checkpoint.pk), "past": past, "volume_on": "on"}

    assert "Choose small." in console.post(URL, typed).content.decode()


def test_only_leads_try_laws(client: Client, typed: dict[str, str]) -> None:
    assert client.post(URL, typed).status_code in (302, 403)


def test_the_page_offers_pasts_or_says_that_there_are_none(
    console: Client, small_checkpoint: Checkpoint
) -> None:
    empty = console.get("/console/new").content.decode()
    ReferenceSale.objects.create(source="old", source_row=0, sold_at=START, token_ref="1")
    full = console.get("/console/new").content.decode()

    assert "There is no past yet" in empty
    assert "old (1 sales)" in full
    assert "There is no past yet" not in full


def test_bars_stand_on_the_ground() -> None:
    found = bars([0, 1, 1000])

    assert [one["height"] for one in found] == [0.0, 1.0, 24]
    assert all(one["y"] + one["height"] == 24 for one in found)
    assert buckets(np.arange(130), 60).tolist()[:2] == [0 + 1 + 2, 3 + 4 + 5]


def test_the_page_shows_what_directions_do(
    console: Client, small_checkpoint: Checkpoint, small_student: None
) -> None:
    cache.clear()

    text = console.get("/console/new").content.decode()

    strips = set(re.findall(r'src="(data:image/png;base64,[^"]+)"', text))
    assert len(strips) == len(DIRECTIONS)
    assert "One work on its way to fuller hair, in five steps" in text


def test_the_page_says_which_generator_a_contract_can_draw_like(
    console: Client,
    small_checkpoint: Checkpoint,
    checkpoint_row: Checkpoint,
    small_student: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def student_of(checkpoint: Checkpoint) -> Path:
        if checkpoint != small_checkpoint:
            raise NoStudentError(checkpoint)
        return taught(small_student, checkpoint.sha256)

    monkeypatch.setattr(painting, "student_of", student_of)

    text = console.get("/console/new").content.decode()

    generators = text[text.index('name="checkpoint"') :].split("</select>")[0]
    options = dict(re.findall(r'<option value="(\d+)"[^>]*>([^<]*)</option>', generators))
    can = {pk for pk, label in options.items() if label.endswith("a contract can draw like it")}
    assert can == {str(small_checkpoint.pk)}
    assert str(checkpoint_row.pk) in options
