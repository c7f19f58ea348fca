"""Coverage, near duplicates and outliers, against worked examples and scikit-learn's own."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from sklearn.neighbors import LocalOutlierFactor

from generation.traits import curating, labelling
from generation.traits.curating import Comparison


def faces(n: int, px: int = 32) -> NDArray[np.uint8]:
    """Pictures of two rectangles each, of any colour and place: no two alike."""
    rng = np.random.default_rng(5)
    made = np.empty((n, px, px, 3), np.uint8)
    for picture in made:
        picture[:] = rng.integers(0, 256, 3)
        for _ in range(2):
            (top, left), (height, width) = rng.integers(0, px // 2, 2), rng.integers(6, px // 2, 2)
            picture[top : top + height, left : left + width] = rng.integers(0, 256, 3)
    return made


def as_jpeg(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=90, subsampling=0)
    return np.array(Image.open(out), np.uint8)


def brighter(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.clip(picture.astype(np.int64) + 3, 0, 255).astype(np.uint8)


def test_a_matrix_counts_the_pairs() -> None:
    heads, skins = np.array([0, 0, 1, 2, 0]), np.array([1, 1, 0, 0, 0])

    found = curating.coverage(heads, skins, 3, 2)

    assert found.tolist() == [[1, 2], [1, 0], [1, 0]]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=60))
def test_rows_and_columns_of_a_matrix_sum_to_the_counts_of_the_values(
    pairs: list[tuple[int, int]],
) -> None:
    codes = np.array(pairs, np.int64).reshape(-1, 2)

    found = curating.coverage(codes[:, 0], codes[:, 1], 5, 7)

    assert found.sum(1).tolist() == np.bincount(codes[:, 0], minlength=5).tolist()
    assert found.sum(0).tolist() == np.bincount(codes[:, 1], minlength=7).tolist()


def test_unrelated_rows_are_as_far_apart_as_pairs_of_them_are_on_the_mean() -> None:
    rows = np.random.default_rng(1).normal(0, [1, 3], (4000, 2)).astype(np.float32)

    squares = ((rows[:2000] - rows[2000:]) ** 2).sum(1)

    assert curating.unrelated(rows) == pytest.approx(np.sqrt(20), rel=0.03)
    assert np.sqrt(squares.mean()) == pytest.approx(np.sqrt(20), rel=0.05)


def test_the_first_gathers_what_is_near_it_and_chains_do_not_grow() -> None:
    line = np.array([[0.0], [5.0], [0.9], [1.8], [5.1], [9.0]], np.float32)

    group = curating.duplicates([(line, 1.0)])

    assert group.tolist() == [0, 1, 0, -1, 1, -1]


def test_near_in_either_way_is_near() -> None:
    a = np.array([[0.0], [0.1], [7.0], [9.0]], np.float32)
    b = np.array([[0.0], [9.0], [4.0], [4.1]], np.float32)

    group = curating.duplicates([(a, 0.5), (b, 0.5)])

    assert group.tolist() == [0, 0, 2, 2]


def test_more_rows_than_one_chunk_give_the_same_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(2).integers(0, 40, (300, 1)).astype(np.float32)
    whole = curating.duplicates([(rows, 0.5)])
    heard: list[int] = []
    monkeypatch.setattr(curating, "CHUNK", 7)

    parts = curating.duplicates([(rows, 0.5)], heard.append)

    assert parts.tolist() == whole.tolist()
    assert len(np.unique(whole)) == len(np.unique(rows))
    assert heard[-1] == 300
    assert heard == sorted(heard)


@pytest.mark.parametrize("px", [32, 24])
def test_copies_saved_otherwise_are_found_and_nothing_else(px: int) -> None:
    pictures = faces(60, px)
    copies = [as_jpeg(pictures[3]), brighter(pictures[3]), pictures[8]]
    every = np.concatenate([pictures, np.stack(copies)])

    found = curating.compare(labelling.embed(every), every)

    assert found.groups == [[3, 60, 61], [8, 62]]


def test_a_picture_of_noise_is_the_strangest_and_the_only_outlier() -> None:
    rng = np.random.default_rng(3)
    usual = rng.normal(0, 1, (200, 12)).astype(np.float32)
    odd = np.full((1, 12), 6, np.float32)
    features = np.concatenate([usual, odd])
    pictures = rng.integers(0, 256, (201, 16, 16, 3)).astype(np.uint8)

    found = curating.compare(features, pictures)

    assert found.outliers == [200]


def test_factors_are_those_of_scikit_learn_with_twenty_neighbours() -> None:
    features = np.random.default_rng(4).normal(size=(120, 6)).astype(np.float32)

    found = curating.outlier_factors(features)

    other = -LocalOutlierFactor(n_neighbors=20).fit(features).negative_outlier_factor_
    assert found == pytest.approx(other, rel=1e-4)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_few_or_equal_pictures_can_be_compared(n: int) -> None:
    same = np.full((n, 16, 16, 3), 90, np.uint8)

    found = curating.compare(np.zeros((n, 2), np.float32), same)

    assert found.groups == [list(range(n))]
    assert found.outliers == []


def test_a_copy_is_as_strange_as_its_first() -> None:
    rng = np.random.default_rng(3)
    usual = rng.normal(0, 1, (100, 8)).astype(np.float32)
    odd = np.full((2, 8), 6, np.float32)
    pictures = rng.integers(0, 256, (102, 16, 16, 3)).astype(np.uint8)

    found = curating.compare(np.concatenate([usual, odd]), pictures)

    assert found.groups == [[100, 101]]
    assert found.outliers == [100, 101]


def test_groups_are_read_off_their_firsts() -> None:
    group = np.array([-1, 1, -1, 1, 4, 4], np.int64)

    assert Comparison(group, np.ones(6, np.float32)).groups == [[1, 3], [4, 5]]
