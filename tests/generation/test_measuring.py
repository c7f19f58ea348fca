from pathlib import Path

import numpy as np
import pytest

from generation import measuring, rendering, services, tasks
from generation.models import Artwork, Checkpoint, Drop
from generation.traits.parameters import Parameters


@pytest.fixture
def steered(small_checkpoint: Checkpoint, settings: object, tmp_path: Path) -> Drop:
    """A drop that people vote on, steered by one direction."""
    settings.MEDIA_ROOT = tmp_path / "media"  # type: ignore[attr-defined]
    collection = services.create_collection(
        slug="small", name="Small", story="", checkpoint=small_checkpoint
    )
    first = collection.parameter_sets.get()
    moved = services.create_parameter_set(
        parent=first,
        parameters=Parameters(first.parameters.distributions, directions={"sefa-1": 0.5}),
        source=first.Source.LEAD,
        reason="older",
    )
    drop = services.open_drop(collection=collection, parameter_set=moved, size=40, seed="ab" * 32)
    services.start_rendering(drop=drop)
    for job in drop.jobs.order_by("pk"):
        rendering.run_chunk(job_id=job.pk)
    drop.artworks.update(status=Artwork.Status.ACCEPTED)
    Drop.objects.filter(pk=drop.pk).update(state=Drop.State.LISTENING)
    return Drop.objects.get(pk=drop.pk)


def latents(drop: Drop) -> list[dict[str, float]]:
    return list(drop.artworks.in_order().values_list("latents", flat=True))


def test_works_of_a_steered_drop_are_measured_once(steered: Drop) -> None:
    assert Drop.objects.listening_unmeasured() == [steered]

    tasks.measure_latents(drop_id=steered.pk)
    first = latents(steered)
    again = measuring.measure_latents(drop=steered)

    assert again == 0
    assert latents(steered) == first
    assert np.mean([one["sefa-1"] for one in first]) == pytest.approx(0.5, abs=1e-5)
    assert Drop.objects.listening_unmeasured() == []


def test_a_drop_that_no_direction_steers_has_nothing_to_measure(steered: Drop) -> None:
    steered.parameter_set = steered.collection.parameter_sets.order_by("number")[0]
    steered.save()

    assert Drop.objects.listening_unmeasured() == []
    assert measuring.measure_latents(drop=steered) == 0


def test_the_sweep_rings_for_works_that_are_not_measured(
    steered: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    monkeypatch.setattr(tasks.measure_latents, "delay", lambda drop_id: rung.append(drop_id))

    tasks.sweep()

    assert rung == [steered.pk]
