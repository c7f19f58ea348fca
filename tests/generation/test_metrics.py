import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors

from generation.gan import metrics


def cloud(n: int, seed: int, shift: float = 0.0, scale: float = 1.0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (shift + scale * rng.standard_normal((n, 6))).astype(np.float32)


def test_kid_is_the_sum_over_pairs_of_the_published_kernel() -> None:
    real, fake = cloud(40, 1), cloud(30, 2, shift=0.5)
    kernel = {"degree": 3, "gamma": 1 / 6, "coef0": 1.0}
    rr, ff = polynomial_kernel(real, **kernel), polynomial_kernel(fake, **kernel)
    off_real = (rr.sum() - np.trace(rr)) / (40 * 39)
    off_fake = (ff.sum() - np.trace(ff)) / (30 * 29)

    found = metrics.kid(real, fake)

    expected = off_real + off_fake - 2 * polynomial_kernel(real, fake, **kernel).mean()
    assert found == pytest.approx(expected, rel=1e-5)


def test_precision_recall_density_and_coverage_are_those_of_a_plain_count() -> None:
    real, fake = cloud(60, 3), cloud(50, 4, shift=0.4, scale=0.7)
    distance = np.linalg.norm(real[:, None] - fake[None], axis=2)
    k = metrics.NEIGHBOURS
    real_reach = NearestNeighbors(n_neighbors=k + 1).fit(real).kneighbors(real)[0][:, k]
    fake_reach = NearestNeighbors(n_neighbors=k + 1).fit(fake).kneighbors(fake)[0][:, k]

    found = metrics.fidelity(real, fake)

    inside = distance <= real_reach[:, None]
    assert found.precision == pytest.approx(inside.any(0).mean())
    assert found.recall == pytest.approx((distance <= fake_reach).any(1).mean())
    assert found.density == pytest.approx(inside.sum(0).mean() / k)
    assert found.coverage == pytest.approx(inside.any(1).mean())


def test_the_same_distribution_scores_well_and_a_collapsed_one_does_not() -> None:
    real = cloud(600, 5)

    same = metrics.fidelity(real, cloud(600, 6))
    collapsed = metrics.fidelity(real, cloud(600, 7, scale=0.05))

    assert same.coverage > 0.9
    assert abs(same.kid) < 0.05
    assert collapsed.precision > 0.9
    assert collapsed.coverage < 0.2
    assert collapsed.kid > 10 * abs(same.kid)


def test_a_copied_picture_is_at_distance_zero() -> None:
    pool = cloud(2_000, 8)
    rows = np.concatenate([pool[1_500:1_501], cloud(3, 9, shift=20)])

    found = metrics.nearest(rows, pool)

    assert found[0] == pytest.approx(0, abs=1e-2)
    assert (found[1:] > 5).all()


def test_agreement_is_averaged_over_values_not_over_works() -> None:
    asked = [{"head": "bald"}] * 3 + [{"head": "long"}]
    read = [{"head": "bald"}] * 3 + [{"head": "bald"}]

    found = metrics.agreement(asked, read, [("head", ("bald", "long", "bun"))])

    assert found == {"head": 0.5}


def test_a_value_that_no_picture_shows_is_absent() -> None:
    read = [{"head": "bald", "hat": "none"}, {"head": "long", "hat": "none"}]
    attributes = [("head", ("bald", "long", "bun")), ("hat", ("none",))]

    assert metrics.absent(read, attributes) == {"head": ["bun"]}


@pytest.mark.parametrize("bad", [cloud(5, 1), np.full((20, 6), np.nan, np.float32)])
def test_too_few_or_broken_features_are_refused(bad: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="finite rows needed"):
        metrics.fidelity(cloud(20, 1), bad)
