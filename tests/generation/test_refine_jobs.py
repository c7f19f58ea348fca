"""Searches and combinations: asked for, worked on in slices, named and saved."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User

from generation import refinement, services, tasks
from generation.models import Checkpoint, Direction, Job
from generation.services import refinements
from tests.fixtures.networks import SMALL
from tests.generation.test_refinement import EFFECT, wish

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Four works are enough to measure on; nothing is left of an earlier test's works."""
    monkeypatch.setattr(refinements, "MEASURED_ON", 4)
    refinement._growing.cache_clear()
    yield
    refinement._growing.cache_clear()


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, int]]:
    """Rings are written down; the tests call the task themselves."""
    rung: list[dict[str, int]] = []
    monkeypatch.setattr(tasks.refine, "delay", lambda **ids: rung.append(ids))
    return rung


@pytest.fixture
def lead(db: None) -> User:
    return User.objects.create_user("lead", is_staff=True)


def save(checkpoint: Checkpoint, name: str, seed: int, scale: float) -> Direction:
    vector = np.random.default_rng(seed).normal(size=SMALL.w_dim)
    unit = (vector / np.linalg.norm(vector)).astype(np.float32)
    return services.save_direction(**wish(checkpoint, name=name, vector=unit, scale=scale))


def combination(checkpoint: Checkpoint, lead: User, **changes: Any) -> Job:
    wished = {"name": "both", "strengths": {"one": 2.0, "two": -0.5}} | changes
    return services.request_combination(checkpoint=checkpoint, created_by=lead, **wished)


@pytest.fixture
def pair(small_checkpoint: Checkpoint) -> Checkpoint:
    save(small_checkpoint, "one", 1, 1.5)
    save(small_checkpoint, "two", 2, 3.0)
    return small_checkpoint


def work(job: Job) -> Job:
    tasks.refine(job_id=job.pk, fence=job.fence)
    job.refresh_from_db()
    return job


def test_a_combination_is_the_sum_of_its_steps(pair: Checkpoint, lead: User) -> None:
    one, two = (row.step.astype(np.float64) for row in services.known_directions(pair))

    job = work(combination(pair, lead))

    row = Direction.objects.get(name="both")
    np.testing.assert_allclose(row.step, 2 * one - 0.5 * two, rtol=0, atol=1e-6)
    unit = np.frombuffer(bytes(row.vector), "<f4")
    assert np.linalg.norm(unit) == pytest.approx(1, abs=1e-6)
    assert (job.state, row.method, row.created_by) == ("done", "combined", lead)
    assert row.effect.n_works == 4
    assert set(row.effect.shares) == {"background", "accessory"}


def test_a_combination_has_no_row_until_it_is_measured(pair: Checkpoint, lead: User) -> None:
    job = combination(pair, lead)

    assert not Direction.objects.filter(name="both").exists()
    assert list(services.combinations(pair)) == [job]
    work(job)
    assert not services.combinations(pair).exists()


def test_measuring_twice_changes_nothing(pair: Checkpoint, lead: User) -> None:
    job = work(combination(pair, lead))
    before = Direction.objects.values().get(name="both")

    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED)
    again = work(job)

    assert again.state == "done"
    assert Direction.objects.values().get(name="both") == before
    assert tasks.refine(job_id=job.pk, fence=again.fence) is None


def test_the_same_combination_again_is_the_same_job(pair: Checkpoint, lead: User) -> None:
    first = combination(pair, lead)
    work(first)

    assert combination(pair, lead) == first
    assert Job.objects.count() == 1


def test_a_name_that_is_taken_is_refused_before_anything_is_drawn(
    pair: Checkpoint, lead: User
) -> None:
    combination(pair, lead)

    for strengths, name in [({"one": 1.0}, "two"), ({"one": 1.0}, "both")]:
        with pytest.raises(services.DirectionNameTakenError, match=name):
            combination(pair, lead, strengths=strengths, name=name)

    assert Job.objects.count() == 1


def test_a_name_that_was_taken_meanwhile_ends_the_job_in_words(
    pair: Checkpoint, lead: User
) -> None:
    job = combination(pair, lead)
    save(pair, "both", 3, 1.0)

    work(job)

    assert (job.state, "both" in job.error) == ("failed", True)
    assert Direction.objects.get(name="both").scale == 1.0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"strengths": {}}, "add up to nothing"),
        ({"strengths": {"one": 0.0}}, "add up to nothing"),
        ({"strengths": {"smile": 1.0}}, "is called smile"),
        ({"strengths": {"sefa-1": 1.0}}, "sefa-1 is not saved"),
        ({"strengths": {"12:pca-1": 1.0}}, "no search has found 12:pca-1"),
        ({"name": "two words"}, "letters, digits"),
        ({"name": "sefa-9"}, "has of itself"),
    ],
)
def test_what_cannot_be_saved_is_said(
    pair: Checkpoint, lead: User, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        combination(pair, lead, **changes)

    assert not Job.objects.exists()


def test_directions_that_cancel_are_no_combination(pair: Checkpoint, lead: User) -> None:
    save(pair, "same-as-one", 1, 0.75)

    with pytest.raises(ValueError, match="add up to nothing"):
        combination(pair, lead, strengths={"one": 1.0, "same-as-one": -2.0})


def look_for(checkpoint: Checkpoint, **changes: Any) -> Job:
    asked: dict[str, Any] = {"method": "pca", "n_directions": 2, "n_works": 64} | changes
    return services.request_search(checkpoint=checkpoint, **asked)


def test_a_search_finds_measures_and_is_not_done_twice(small_checkpoint: Checkpoint) -> None:
    job = work(look_for(small_checkpoint))

    first, second = services.found_in(job)
    assert (job.state, job.done, job.total) == ("done", 64 + 2 * 4 * 7, 64 + 2 * 4 * 7)
    assert (first.name, second.name) == ("pca-1", "pca-2")
    assert first.effect.n_works == 4
    assert not Direction.objects.exists()
    assert look_for(small_checkpoint) == job

    found = job.checkpoint
    tasks.refine(job_id=job.pk, fence=job.fence)
    job.refresh_from_db()
    assert job.checkpoint == found


def test_a_search_in_slices_finds_what_one_in_a_single_go_finds(
    small_checkpoint: Checkpoint, bells: list[dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = services.found_in(work(look_for(small_checkpoint, seed=0)))
    refinement._growing.cache_clear()
    Job.objects.all().delete()
    monkeypatch.setattr(refinement, "SLICE_S", 0.0)
    job, n_slices = look_for(small_checkpoint, seed=0), 0

    while job.state != "done":
        if n_slices == 3:  # as if the worker had been restarted
            refinement._growing.cache_clear()
        work(job)
        n_slices += 1
        assert n_slices < 20

    assert n_slices > 3
    assert bells[-1] == {"job_id": job.pk, "fence": job.fence - 1}
    parts = services.found_in(job)
    assert [one.vector.tobytes() for one in parts] == [one.vector.tobytes() for one in whole]
    assert [one.effect for one in parts] == [one.effect for one in whole]


def test_of_several_rings_only_one_is_answered(
    small_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refinement, "SLICE_S", 0.0)
    job = look_for(small_checkpoint)
    work(job)

    tasks.refine(job_id=job.pk, fence=0)

    assert Job.objects.get().fence == 1


def test_a_stopped_search_stays_stopped(
    small_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = look_for(small_checkpoint)
    measured = refinement._measured

    def stop_then_measure(*args: Any) -> Any:
        services.stop_job(job=job)
        return measured(*args)

    monkeypatch.setattr(refinement, "_measured", stop_then_measure)
    work(job)

    assert job.state == "stopped"
    assert "found" not in job.checkpoint


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"method": "combined"}, "no way to look"),
        ({"method": "linear"}, "asks for an attribute"),
        ({"method": "linear", "attribute": "hat"}, "asks for an attribute"),
        ({"method": "pca", "attribute": "accessory"}, "asks for an attribute"),
        ({"n_directions": 13}, "1 to 12"),
        ({"n_works": 9}, "64 to 5,000"),
    ],
)
def test_a_search_in_vain_is_refused(
    small_checkpoint: Checkpoint, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        look_for(small_checkpoint, **asked)


def test_without_a_parser_nothing_is_looked_for(small_checkpoint: Checkpoint) -> None:
    small_checkpoint.parser_path = ""

    with pytest.raises(ValueError, match="no parser"):
        look_for(small_checkpoint)


def test_what_was_found_is_kept_under_a_name_once(small_checkpoint: Checkpoint, lead: User) -> None:
    job = work(look_for(small_checkpoint))
    reference = f"{job.pk}:pca-2"

    rows = [
        services.keep_found(
            checkpoint=small_checkpoint, reference=reference, name="wide", created_by=lead
        )
        for _ in range(2)
    ]

    assert rows[0] == rows[1] == Direction.objects.get()
    found = services.found_in(job)[1]
    assert rows[0].step.tobytes() == found.step.tobytes()
    assert rows[0].effect == found.effect
    steps = services.steps_of(small_checkpoint, ["wide", reference, "sefa-1"])
    assert steps["wide"].tobytes() == steps[reference].tobytes()
    assert set(steps) == {"wide", reference}
    with pytest.raises(services.DirectionNameTakenError):
        services.keep_found(
            checkpoint=small_checkpoint,
            reference=f"{job.pk}:pca-1",
            name="wide",
            created_by=lead,
        )


def test_a_linear_search_learns_one_attribute_of_the_shipped_checkpoint(db: None) -> None:
    checkpoint = services.register_shipped_checkpoint()
    asked = {"method": "linear", "attribute": "head", "n_directions": 2, "n_works": 384}

    job = work(look_for(checkpoint, **asked))

    found = services.found_in(job)
    assert len(found) == 2
    assert {one.attribute for one in found} == {"head"}


def test_a_candidate_comes_back_from_its_job_as_it_was() -> None:
    vector = np.linspace(-1, 1, 5, dtype=np.float32)
    one = services.FoundDirection("a", "pca", vector, 0.1 + 0.2, "", "", EFFECT)

    back = services.FoundDirection.from_json(one.to_json())

    assert back.vector.tobytes() == vector.tobytes()
    assert (back.scale, back.effect) == (one.scale, EFFECT)
