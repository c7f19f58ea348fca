import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from generation import rendering, services
from generation.imaging import codec
from generation.imaging.difference import Difference, difference
from generation.models import Checkpoint, Drop


@pytest.fixture
def drop(small_checkpoint: Checkpoint, settings: Settings, tmp_path: Path) -> Drop:
    settings.MEDIA_ROOT = tmp_path / "media"
    collection = services.create_collection(
        slug="small", name="Small", story="", checkpoint=small_checkpoint
    )
    made = services.open_drop(
        collection=collection, parameter_set=collection.parameter_sets.get(), size=70
    )
    for job in services.start_rendering(drop=made):
        rendering.run_chunk(job_id=job.pk)
    return made


def change(drop: Drop, index: int, levels: int) -> None:
    """Store another picture for a work, every sample ``levels`` off."""
    work = drop.artworks.get(index=index)
    picture = codec.read_stored(work.image_path).astype(np.int16)
    other = np.where(picture > 127, picture - levels, picture + levels).astype(np.uint8)
    folder = work.image_path.parents[1]
    work.image_digest = codec.store(codec.encode_png(other), folder, ".png")
    work.save()


def test_works_come_out_again_sample_for_sample(drop: Drop, tmp_path: Path) -> None:
    out, told = StringIO(), tmp_path / "differences.json"

    call_command("rerender", "small", 1, json=told, stdout=out)

    assert out.getvalue().startswith("70 works: 70 sample for sample the same")
    assert {row["largest"] for row in json.loads(told.read_text())} == {0}


def test_rounding_is_within_the_tolerance_and_another_picture_is_not(drop: Drop) -> None:
    change(drop, 3, 1)
    out = StringIO()
    call_command("rerender", "small", 1, "--mean-levels", "1", stdout=out)
    assert "69 sample for sample the same, 1 within" in out.getvalue()

    change(drop, 5, 9)
    with pytest.raises(CommandError, match="not as stored: 5"):
        call_command("rerender", "small", 1, "--mean-levels", "1", stdout=out)


def test_every_nth_work_can_be_asked_for(drop: Drop) -> None:
    out = StringIO()

    call_command("rerender", "small", 1, every=10, stdout=out)

    assert out.getvalue().startswith("7 works")


def test_a_drop_that_is_not_there_or_a_broken_file_is_said(drop: Drop) -> None:
    with pytest.raises(CommandError, match="no drop 2 of small"):
        call_command("rerender", "small", 2)
    drop.artworks.get(index=0).image_path.write_bytes(b"else")
    with pytest.raises(CommandError, match="bytes differ"):
        call_command("rerender", "small", 1)


def test_differences_are_in_levels() -> None:
    stored = np.zeros((2, 2, 3), np.uint8)
    drawn = stored.copy()
    drawn[0, 0] = (3, 0, 255)

    assert difference(stored, drawn) == Difference(255, 258 / 12, 2 / 12)
    with pytest.raises(ValueError, match="pictures of"):
        difference(stored, drawn[:1])
