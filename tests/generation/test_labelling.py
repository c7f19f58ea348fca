import numpy as np
import pytest
from numpy.typing import NDArray

from generation.traits import labelling
from tests.fixtures.networks import flat_art


@pytest.fixture(scope="module")
def art() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features of 300 pictures of three grounds, with or without glasses, and the truth."""
    pictures, labels = flat_art(300)
    return labelling.embed(pictures), labels


def words(labels: NDArray[np.int64], rows: list[int], column: int) -> dict[int, str]:
    return {row: f"v{labels[row, column]}" for row in rows}


def test_clusters_hold_every_picture_once_and_gather_what_looks_alike(
    art: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    features, labels = art

    groups = labelling.clusters(features, 6)

    pure = sum(np.bincount(labels[rows, 0]).max() for rows in groups)
    assert sorted(row for rows in groups for row in rows) == list(range(300))
    assert [len(rows) for rows in groups] == sorted((len(r) for r in groups), reverse=True)
    assert pure / 300 > 0.95


def test_a_few_labels_are_enough_to_read_the_rest(
    art: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    features, labels = art

    found = labelling.read(features, words(labels, list(range(24)), 0))

    truth = [f"v{k}" for k in labels[:, 0]]
    right = np.mean([said == true for said, true in zip(found.best, truth, strict=True)])
    assert right > 0.97
    assert found.accuracy is not None
    assert found.accuracy > 0.9
    assert found.probabilities.sum(1) == pytest.approx(1)


def test_a_label_by_hand_is_kept_even_where_the_model_would_say_otherwise(
    art: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    features, labels = art
    said = words(labels, list(range(40)), 0)
    said[7] = "v0" if said[7] != "v0" else "v1"

    found = labelling.read(features, said)

    assert found.best[7] == said[7]
    assert found.confidence[7] == 1


def test_asking_about_the_unsure_ones_learns_faster_than_asking_at_random(
    art: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    """Mean accuracy over ten starts after four rounds of six questions each."""
    features, labels = art
    truth = np.array([f"v{k}" for k in labels[:, 1]])
    scores: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(10):
        for is_active in scores:
            rng = np.random.default_rng(seed)
            first = [int(np.flatnonzero(labels[:, 1] == k)[rng.integers(20)]) for k in (0, 1)]
            said = words(labels, first, 1)
            for _ in range(4):
                reading = labelling.read(features, said)
                rest = [row for row in range(300) if row not in said]
                asked = (
                    labelling.unsure(reading, set(said), 6)
                    if is_active
                    else rng.choice(rest, 6, replace=False).tolist()
                )
                said |= words(labels, asked, 1)
            best = np.array(labelling.read(features, said).best)
            scores[is_active].append(float((best == truth).mean()))

    assert np.mean(scores[True]) >= np.mean(scores[False])
    assert np.mean(scores[True]) > 0.9


def test_nobody_is_asked_twice(art: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
    features, labels = art
    reading = labelling.read(features, words(labels, list(range(20)), 0))

    asked = labelling.unsure(reading, set(range(20)), 500)

    assert len(asked) == 280
    assert not set(asked) & set(range(20))


def test_one_value_teaches_nothing(art: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
    with pytest.raises(ValueError, match="two are needed"):
        labelling.read(art[0], {0: "a", 1: "a"})


def test_features_do_not_depend_on_the_run() -> None:
    pictures, _ = flat_art(40)

    assert np.array_equal(labelling.embed(pictures), labelling.embed(pictures))
