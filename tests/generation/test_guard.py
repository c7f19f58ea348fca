from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from generation.traits import guard
from generation.traits.guard import Diversity, Floors, Shortfall, measure, shortfalls
from generation.traits.novelty import Looks

SCHEMA = {"head": ["bob", "bun"], "skin": ["honey", "amber", "umber", "porcelain"]}


def looks(n: int, seed: int = 0) -> Looks:
    chance = np.random.default_rng(seed)
    return Looks(
        chance.uniform(0, 255, (n, 12)).astype(np.float32),
        np.abs(chance.normal(size=(n, 8))).astype(np.float32),
    )


def read(n: int) -> list[dict[str, str]]:
    return [
        {"head": ("bob", "bun")[i % 2], "skin": "honey" if i % 4 else "amber"} for i in range(n)
    ]


def distances(features: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    """1 - cosine of each pair, one by one."""
    return np.array(
        [
            [1 - float(a @ b) / float(np.linalg.norm(a) * np.linalg.norm(b)) for b in others]
            for a in features.astype(np.float64)
        ]
    )


def test_distances_are_those_of_all_pairs() -> None:
    works = looks(30)
    apart = distances(works.features, works.features)
    others = apart + np.where(np.eye(30), np.inf, 0)

    found = measure(read(30), SCHEMA, works)

    assert found.mean_distance == pytest.approx(apart.sum() / (30 * 29), rel=1e-5)
    assert found.min_distance == pytest.approx(others.min(), rel=1e-4)
    assert found.median_nearest == pytest.approx(np.median(others.min(1)), rel=1e-4)
    assert found.alike == pytest.approx((others.min(1) < guard.NEAR).mean())


def test_entropy_is_that_of_the_values_read() -> None:
    found = measure(read(40), SCHEMA, looks(40))

    skin = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(4)
    assert found.entropy == pytest.approx({"head": 1.0, "skin": skin})


def test_spread_is_the_distance_of_two_thumbnails() -> None:
    works = looks(25)
    pairs = [(a, b) for i, a in enumerate(works.thumbnails) for b in works.thumbnails[:i]]
    squares = [((a - b) ** 2).mean() for a, b in pairs]

    assert measure(read(25), SCHEMA, works).spread == pytest.approx(np.sqrt(np.mean(squares)))


def test_nearness_to_earlier_works_and_to_the_art_is_counted() -> None:
    works = looks(20)
    earlier, art = looks(50, seed=1), looks(60, seed=2).features
    near = Looks(
        np.concatenate([earlier.thumbnails, works.thumbnails[:5]]),
        np.concatenate([earlier.features, 3 * works.features[:5]]),
    )

    found = measure(read(20), SCHEMA, works, earlier=near, art=art)

    expected = (distances(works.features, near.features).min(1) < guard.NEAR).mean()
    assert found.near_earlier == pytest.approx(expected)
    assert expected >= 5 / 20
    assert found.near_dataset == pytest.approx(
        (distances(works.features, art).min(1) < guard.NEAR).mean()
    )


def test_of_many_works_some_are_compared_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    works = looks(100)
    monkeypatch.setattr(guard, "MEASURED", 10)
    monkeypatch.setattr(guard, "_ROWS", 3)
    apart = distances(works.features, works.features) + np.where(np.eye(100), np.inf, 0)

    found = measure(read(100), SCHEMA, works)

    asked = [0, 11, 22, 33, 44, 55, 66, 77, 88, 99]
    assert found.median_nearest == pytest.approx(np.median(apart[asked].min(1)), rel=1e-4)


def test_works_that_nobody_reads_have_their_thumbnails_alone() -> None:
    works = replace(looks(30), features=np.empty((30, 0), np.float32))

    found = measure([{}] * 30, {}, works)

    assert found.entropy == {}
    assert found.mean_distance is found.alike is found.near_earlier is found.near_dataset is None
    assert found.spread is not None
    assert found.spread > 0


def test_looks_have_to_be_those_of_the_works() -> None:
    with pytest.raises(ValueError, match="3 looks of 4 works"):
        measure(read(4), SCHEMA, looks(3))


def healthy() -> Diversity:
    return Diversity(
        n_works=100,
        entropy={"head": 1.0, "skin": 0.9},
        spread=90.0,
        mean_distance=0.58,
        min_distance=0.05,
        median_nearest=0.2,
        alike=0.01,
        near_earlier=0.02,
        near_dataset=0.02,
    )


def test_a_drop_as_the_shipped_network_draws_it_misses_nothing() -> None:
    assert shortfalls(healthy(), Floors()) == []


@pytest.mark.parametrize(
    ("measured", "value", "bound"),
    [
        ("spread", 39.0, 40.0),
        ("mean_distance", 0.39, 0.4),
        ("alike", 0.26, 0.25),
        ("near_earlier", 0.3, 0.25),
        ("near_dataset", 0.9, 0.25),
    ],
)
def test_each_measure_holds_a_drop_beyond_its_bound(
    measured: str, value: float, bound: float
) -> None:
    found = replace(healthy(), **{measured: value})  # type: ignore[arg-type]  # all are numbers

    assert shortfalls(found, Floors()) == [Shortfall(measured, value, bound)]
    at_the_bound = replace(healthy(), **{measured: bound})  # type: ignore[arg-type]  # as above
    assert shortfalls(at_the_bound, Floors()) == []


def test_the_attribute_that_lost_its_variety_is_named() -> None:
    found = replace(healthy(), entropy={"head": 1.0, "skin": 0.1})

    assert shortfalls(found, Floors()) == [Shortfall("entropy", 0.1, 0.4, "skin")]


def test_a_few_works_are_not_judged_and_what_was_not_measured_holds_nothing() -> None:
    assert shortfalls(replace(healthy(), n_works=19, spread=0.0), Floors()) == []
    assert shortfalls(replace(healthy(), near_dataset=None, near_earlier=None), Floors()) == []


def test_what_was_measured_can_be_written_down() -> None:
    assert Diversity.from_json(healthy().to_json()) == healthy()
