from collections import Counter
from pathlib import Path

import pytest
from pytest_django import Settings

from generation import rendering, services, tasks
from generation.models import Candidate, Checkpoint, Collection, Drop, Job, Look
from generation.services import WrongStateError
from generation.traits.planner import Counts, Request, RequestError, Shares, attempt_seed, exclude

SEED = "ab" * 32
SIZE = 40


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def portraits(db: None) -> Collection:
    return services.create_collection(
        slug="portraits",
        name="Portraits",
        story="",
        checkpoint=services.register_shipped_checkpoint(),
    )


@pytest.fixture
def small(small_checkpoint: Checkpoint) -> Collection:
    return services.create_collection(
        slug="small", name="Small", story="", checkpoint=small_checkpoint
    )


def draft(collection: Collection, size: int = SIZE, seed: str = SEED) -> Drop:
    return services.open_drop(
        collection=collection,
        parameter_set=collection.parameter_sets.get(),
        size=size,
        seed=seed,
    )


def request_of(collection: Collection, size: int = SIZE) -> Request:
    """Exact counts in one attribute, shares in another, equal ones elsewhere, and a rule."""
    schema = collection.checkpoint.schema
    even = {name: Shares(dict.fromkeys(v, 1 / len(v))) for name, v in schema.items()}
    first, second, *_ = schema
    rest = schema[first][2:]
    counts = Counts({schema[first][0]: size - 12, schema[first][1]: 12} | dict.fromkeys(rest, 0))
    rule = exclude(first, schema[first][1], second, schema[second][0])
    return Request(size, {**even, first: counts}, rules=(rule,))


def render_all(drop: Drop) -> Drop:
    """Rounds until the drop is full or stuck, as workers and the sweeper would."""
    while drop.state == Drop.State.RENDERING:
        queued = list(drop.jobs.filter(state=Job.State.QUEUED).order_by("pk"))
        if not queued:
            return drop
        for job in queued:
            rendering.run_chunk(job_id=job.pk)
        rendering.finish_drop(drop=Drop.objects.get(pk=drop.pk))
        drop.refresh_from_db()
    return drop


def facts(drop: Drop) -> list[tuple[object, ...]]:
    fields = ("index", "source", "attempt", "item_seed", "image_digest", "parsed", "status")
    return [tuple(map(str, row)) for row in drop.artworks.in_order().values_list(*fields)]


def test_a_plan_is_filled_exactly_as_the_parser_reads_it(portraits: Collection) -> None:
    drop, request = draft(portraits), request_of(portraits)
    plan = services.plan_drop(drop=drop, request=request, min_confidence=0.5, min_novelty=0.01)
    services.start_rendering(drop=drop)

    render_all(drop)

    assert drop.state == Drop.State.CURATING
    works = list(drop.artworks.in_order())
    assert [work.parsed for work in works] == plan.quota.plan
    first, second, *_ = portraits.checkpoint.schema
    counts = request.attributes[first]
    assert isinstance(counts, Counts)
    read = Counter(work.parsed[first] for work in works)
    assert read == Counter({value: n for value, n in counts.of.items() if n})
    rare, shunned = portraits.checkpoint.schema[first][1], portraits.checkpoint.schema[second][0]
    assert not [w for w in works if w.parsed[first] == rare and w.parsed[second] == shunned]
    assert all(work.confidence >= 0.5 for work in works)
    assert len({work.image_digest for work in works}) == SIZE


def test_every_candidate_is_accounted_for(portraits: Collection) -> None:
    drop = draft(portraits)
    services.plan_drop(drop=drop, request=request_of(portraits), min_confidence=0.9)
    services.start_rendering(drop=drop)

    render_all(drop)

    facts = services.fill_facts(Drop.objects.get(pk=drop.pk).plan)
    candidates = list(Candidate.objects.filter(drop=drop).in_order())
    assert facts["judged"] == len(candidates) > SIZE
    taken = [row for row in candidates if row.artwork is not None]
    assert len(taken) == facts["filled"] == facts["places"] == SIZE
    assert sum(facts["aside"].values()) == len(candidates) - SIZE
    seed = bytes.fromhex(SEED)
    for row in candidates:
        assert row.reason
        assert row.item_seed == attempt_seed(seed, row.slot, row.attempt).hex()
    for row in taken:
        assert row.artwork is not None
        assert row.artwork.drawn_for == row.slot
        assert (row.artwork.source is None) == (row.artwork.index == row.slot)


def test_the_order_of_workers_changes_nothing(portraits: Collection) -> None:
    twin = services.create_collection(
        slug="twin", name="Twin", story="", checkpoint=portraits.checkpoint
    )
    drops = [draft(portraits, 80), draft(twin, 80)]
    for drop in drops:
        services.plan_drop(drop=drop, request=request_of(portraits, 80), min_confidence=0.9)
        services.start_rendering(drop=drop)
    for job in drops[1].jobs.order_by("-pk"):
        rendering.run_chunk(job_id=job.pk)

    rendering.finish_drop(drop=drops[1])

    whole, backwards = (render_all(drop) for drop in drops)

    assert facts(whole) == facts(backwards)


@pytest.mark.usefixtures("eager_tasks")
def test_the_tasks_carry_a_planned_drop_through_its_rounds(portraits: Collection) -> None:
    drop = draft(portraits)
    services.plan_drop(drop=drop, request=request_of(portraits), min_confidence=0.9)
    services.start_rendering(drop=drop)

    for _ in range(20):
        tasks.sweep()

    drop.refresh_from_db()
    assert drop.state == Drop.State.CURATING
    assert drop.plan.n_rounds > 1
    before = facts(drop)
    tasks.sweep()
    assert facts(drop) == before


def test_a_picture_of_an_earlier_drop_fills_no_place(portraits: Collection) -> None:
    earlier = draft(portraits, 8)
    services.plan_drop(drop=earlier, request=_even(portraits, 8))
    services.start_rendering(drop=earlier)
    render_all(earlier)
    later = draft(portraits, 8, "cd" * 32)
    services.plan_drop(drop=later, request=_even(portraits, 8))
    (job,) = services.start_rendering(drop=later)
    rendering.run_chunk(job_id=job.pk)
    copied = later.candidates.in_order()[0]
    digest = earlier.artworks.in_order()[0].image_digest
    Candidate.objects.filter(pk=copied.pk).update(image_digest=digest)

    services.settle_round(drop=later)

    copied.refresh_from_db()
    assert (copied.reason, copied.detail, copied.artwork) == ("repeats", "digest", None)


def test_a_plan_that_cannot_be_filled_gets_stuck_and_a_lead_goes_on(small: Collection) -> None:
    drop = draft(small, 4)
    services.plan_drop(drop=drop, request=_even(small, 4), min_confidence=1.0)
    services.start_rendering(drop=drop)

    render_all(drop)

    plan = Drop.objects.get(pk=drop.pk).plan
    assert plan.stuck.startswith("4 places stay open after 40 tries each")
    assert list(services.fill_facts(plan)["aside"]) == ["low confidence"]
    assert not Drop.objects.rendered().exists()
    services.extend_plan(drop=drop, min_confidence=0.0)
    assert drop.jobs.filter(state=Job.State.QUEUED).exists()
    floors = Drop.objects.get(pk=drop.pk).plan.floors
    assert [row["min_confidence"] for row in floors] == [1.0, 0.0]
    assert floors[1]["from_round"] == plan.n_rounds
    with pytest.raises(WrongStateError):
        services.extend_plan(drop=drop)


def test_a_round_with_a_missing_part_is_not_judged(small: Collection) -> None:
    drop = draft(small, 80)
    services.plan_drop(drop=drop, request=_even(small, 80))
    first, _ = services.start_rendering(drop=drop)
    rendering.run_chunk(job_id=first.pk)

    with pytest.raises(WrongStateError, match="round 1"):
        services.settle_round(drop=drop)

    assert not drop.candidates.exclude(reason="").exists()


def test_a_round_is_judged_once(small: Collection) -> None:
    drop = draft(small, 8)
    stale = services.plan_drop(drop=drop, request=_even(small, 8))
    (job,) = services.start_rendering(drop=drop)
    rendering.run_chunk(job_id=job.pk)
    stale.refresh_from_db()
    services.settle_round(drop=drop)
    n_jobs, n_works = drop.jobs.count(), drop.artworks.count()

    services.plans._store_round(stale, stale.quota, [], [])

    assert (drop.jobs.count(), drop.artworks.count()) == (n_jobs, n_works)


def test_a_plan_for_another_size_or_a_drop_on_its_way_is_refused(small: Collection) -> None:
    drop = draft(small, 8)
    with pytest.raises(RequestError, match="size"):
        services.plan_drop(drop=drop, request=_even(small, 9))
    services.plan_drop(drop=drop, request=_even(small, 8))
    services.start_rendering(drop=drop)

    with pytest.raises(WrongStateError):
        services.plan_drop(drop=drop, request=_even(small, 8))


def test_a_checkpoint_that_nobody_reads_cannot_fill_a_plan(small: Collection) -> None:
    Checkpoint.objects.update(parser_path="", parser_sha256="")

    with pytest.raises(RequestError, match=r"small.*a parser reads"):
        services.plan_drop(drop=draft(small, 8), request=_even(small, 8))


def test_a_full_plan_whose_worker_died_before_closing_is_closed(portraits: Collection) -> None:
    drop = draft(portraits, 4)
    services.plan_drop(drop=drop, request=_even(portraits, 4))
    services.start_rendering(drop=drop)
    while drop.jobs.filter(state=Job.State.QUEUED).exists():
        for job in drop.jobs.filter(state=Job.State.QUEUED):
            rendering.run_chunk(job_id=job.pk)
        found = services.settle_round(drop=drop)
    n_rounds = found.n_rounds

    rendering.finish_drop(drop=Drop.objects.get(pk=drop.pk))

    drop.refresh_from_db()
    assert (drop.state, drop.plan.n_rounds) == (Drop.State.CURATING, n_rounds)


def test_looks_are_measured_once_and_again_where_they_are_lost(small: Collection) -> None:
    drop = draft(small, 10)
    (job,) = services.start_rendering(drop=drop)
    rendering.run_chunk(job_id=job.pk)
    works = list(drop.artworks.in_order())
    before = rendering.looks_of(drop.checkpoint, works)
    assert Look.objects.count() == len({work.image_digest for work in works})
    Look.objects.all().delete()

    again = rendering.looks_of(drop.checkpoint, works)

    assert abs(before.thumbnails - again.thumbnails).max() <= 0.125
    assert again.features.shape == (10, 256)


def _even(collection: Collection, size: int) -> Request:
    schema = collection.checkpoint.schema
    return Request(size, {name: Shares(dict.fromkeys(v, 1 / len(v))) for name, v in schema.items()})
