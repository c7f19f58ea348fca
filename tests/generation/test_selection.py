"""Several candidates a place: which is taken, what that is worth, and that the same comes again."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation import rendering, services
from generation.gan import latent
from generation.models import Candidate, Checkpoint, Drop, Selection
from generation.services import WrongStateError
from generation.traits.selection import Taste, exposure, pick, settle

SEED = "cd" * 32
WORTHS = st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=8)


@given(WORTHS)
def test_the_best_is_taken_and_of_equals_the_first(worths: list[float]) -> None:
    assert pick(worths, is_lot=False) == worths.index(max(worths))
    assert pick(worths, is_lot=True) == 0


def test_a_place_without_a_candidate_is_an_error() -> None:
    with pytest.raises(ValueError, match="no candidate"):
        pick([], is_lot=False)


@given(WORTHS)
def test_exposures_stay_within_a_factor_of_two(worths: list[float]) -> None:
    for picked in range(len(worths)):
        assert 0.5 <= exposure(worths, picked) <= 2


def test_equal_candidates_are_no_selection() -> None:
    assert exposure([1.0, 1.0, 1.0], 0) == 1
    assert exposure([0.3], 0) == 1


def test_an_exposure_is_the_inverse_of_how_likely_the_pick_was() -> None:
    assert exposure([0.0, 1.0], 1, chance=0.5) == pytest.approx(1 / (2 * (0.5 + 0.25)))
    assert exposure([0.0, 1.0], 0, chance=0.5) == pytest.approx(2)
    assert exposure([0.0, 1.0, 2.0], 0) == 2  # 5 before it is cut


def test_weighted_picks_are_as_works_that_nobody_selects() -> None:
    """Horvitz and Thompson: with a mild selection nothing is cut, and the mean is that of all."""
    chance = np.random.default_rng(1)
    worths = chance.normal(size=(20_000, 2))
    lots = frozenset(np.flatnonzero(chance.random(20_000) < 0.6).tolist())

    picks, weights = settle(worths.tolist(), lots, 0.6)

    taken = worths[np.arange(20_000), picks]
    assert taken.mean() > 0.2
    assert np.average(taken, weights=weights) == pytest.approx(0, abs=0.03)
    assert weights.mean() == pytest.approx(1, abs=0.02)


def taste(checkpoint: Checkpoint) -> Taste:
    name, values = next(iter(checkpoint.schema.items()))
    effects = {name: {value: float(place) for place, value in enumerate(values)}}
    return Taste(effects, {"sefa-1": (1.0, -0.2)})


def test_a_worth_is_that_of_traits_and_latents() -> None:
    liking = Taste({"hat": {"red": 0.5}}, {"age": (1.0, -0.5)})

    assert liking.worth({"hat": "red"}, {"age": 2.0}) == pytest.approx(0.5 + 2 - 2)
    assert liking.worth({"hat": "blue"}, {}) == 0
    assert Taste.from_json(liking.to_json()) == liking


def overproduced(checkpoint: Checkpoint, slug: str = "several", size: int = 40) -> Drop:
    collection = services.create_collection(
        slug=slug, name="Several", story="", checkpoint=checkpoint, exploration=0.1, control=0.1
    )
    parameters = collection.parameter_sets.get()
    steered = services.create_parameter_set(
        parent=parameters,
        parameters=replace(parameters.parameters, directions={"sefa-1": 0.5}),
        source=parameters.Source.LEAD,
        reason="A test",
    )
    drop = services.open_drop(collection=collection, parameter_set=steered, size=size, seed=SEED)
    services.overproduce(drop=drop, n_candidates=3, taste=taste(checkpoint), source="a test")
    return drop


def draw(drop: Drop, order: int = 1) -> Drop:
    jobs = services.start_rendering(drop=drop)
    for job in jobs[::order]:
        rendering.run_chunk(job_id=job.pk)
    return rendering.finish_drop(drop=drop)


def facts(drop: Drop) -> list[tuple[Any, ...]]:
    rows = drop.artworks.in_order()
    return list(rows.values_list("index", "attempt", "item_seed", "image_digest", "exposure"))


def test_the_best_liked_are_kept_but_where_the_lot_decides(small_checkpoint: Checkpoint) -> None:
    drop = draw(overproduced(small_checkpoint))

    seed = bytes.fromhex(SEED)
    lots, single = latent.lots(seed, 40, 0.2), services.fixed_places(drop)
    worths = Selection.objects.get().worths
    assert drop.artworks.count() == 40
    assert len(lots) == 8
    for work in drop.artworks.in_order():
        row = worths[work.index]
        assert len(row) == (1 if work.index in single else 3)
        best = int(np.argmax(row))
        assert work.attempt == (0 if work.index in lots else best)
        assert work.exposure == exposure(row, work.attempt)
    assert any(len(set(row)) == 3 for row in worths)
    taken = Candidate.objects.filter(drop=drop, reason="taken")
    assert taken.count() == 40
    assert Candidate.objects.filter(drop=drop).count() == 40 + 2 * (40 - len(single))


def test_a_work_is_drawn_again_from_its_row(small_checkpoint: Checkpoint) -> None:
    drop = draw(overproduced(small_checkpoint))

    for _, change in rendering.draw_again(drop, list(drop.artworks.in_order())):
        assert change.largest == 0


def test_the_order_of_workers_changes_nothing(small_checkpoint: Checkpoint) -> None:
    one, other = (
        draw(overproduced(small_checkpoint, slug), order)
        for slug, order in (("one", 1), ("other", -1))
    )

    assert facts(one) == facts(other)


def test_settling_twice_makes_no_second_works(small_checkpoint: Checkpoint) -> None:
    drop = overproduced(small_checkpoint)
    for job in services.start_rendering(drop=drop):
        rendering.run_chunk(job_id=job.pk)

    first, again = (services.settle_candidates(drop=drop, latents={}) for _ in range(2))

    assert [work.pk for work in first] == [work.pk for work in again]


def test_nothing_is_settled_before_all_are_drawn(small_checkpoint: Checkpoint) -> None:
    drop = overproduced(small_checkpoint)
    first, *_ = services.start_rendering(drop=drop)
    rendering.run_chunk(job_id=first.pk)

    with pytest.raises(WrongStateError):
        services.settle_candidates(drop=drop, latents={})

    assert not drop.artworks.exists()


@pytest.mark.parametrize("n", [0, 1, 9])
def test_one_is_no_choice_and_nine_are_too_many(small_checkpoint: Checkpoint, n: int) -> None:
    drop = overproduced(small_checkpoint)

    with pytest.raises(ValueError, match="candidates are not 2 to 8"):
        services.overproduce(drop=drop, n_candidates=n, taste=Taste({}, {}), source="")


def test_what_is_drawn_has_its_candidates_for_good(small_checkpoint: Checkpoint) -> None:
    drop = draw(overproduced(small_checkpoint))

    with pytest.raises(WrongStateError):
        services.overproduce(drop=drop, n_candidates=2, taste=Taste({}, {}), source="")
