from dataclasses import replace

import choix
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from sentiment.preference import bradley_terry
from sentiment.preference.bradley_terry import Belief, FitError, Votes, absorb, fit


def make_votes(
    n_items: int = 12, n_votes: int = 80, n_features: int = 5, seed: int = 0, one_hot: bool = False
) -> Votes:
    chance = np.random.default_rng(seed)
    features = np.eye(n_items) if one_hot else chance.normal(size=(n_items, n_features))
    left = chance.integers(n_items, size=n_votes)
    right = (left + chance.integers(1, n_items, size=n_votes)) % n_items
    return Votes(
        features=features,
        left=left,
        right=right,
        left_won=chance.random(n_votes) < expit(features[left, 0] - features[right, 0]),
        weights=np.ones(n_votes),
    )


def no_side(n_features: int, sd: float) -> Belief:
    """A prior that nails the side effect to zero."""
    return Belief.prior(n_features, sd, side_sd=1e-7)


def two_items(n_left: int, n_right: int) -> Votes:
    n = n_left + n_right
    return Votes(
        features=np.array([[1.0], [0.0]]),
        left=np.zeros(n, np.int64),
        right=np.ones(n, np.int64),
        left_won=np.arange(n) < n_left,
        weights=np.ones(n),
    )


@pytest.mark.parametrize("seed", range(5))
def test_without_lapses_and_sides_the_mean_is_that_of_choix(seed: int) -> None:
    votes = make_votes(seed=seed, one_hot=True)
    pairs = [
        (a, b) if won else (b, a)
        for a, b, won in zip(votes.left, votes.right, votes.left_won, strict=True)
    ]

    found = fit(votes, no_side(12, sd=1.3), lapse=0)

    # choix punishes alpha * theta^2, the prior theta^2 / (2 sd^2).
    wanted = choix.opt_pairwise(12, pairs, alpha=1 / (2 * 1.3**2), method="Newton-CG", tol=1e-12)
    assert found.effects == pytest.approx(wanted, abs=1e-6)


def test_one_effect_has_the_maximum_that_a_fine_grid_finds() -> None:
    votes = two_items(7, 3)
    grid = np.linspace(-3, 3, 600_001)
    p = 0.025 + 0.95 * expit(grid)
    log_posterior = 7 * np.log(p) + 3 * np.log(1 - p) + norm.logpdf(grid, scale=0.8)

    found = fit(votes, no_side(1, 0.8), lapse=0.05)

    assert found.effects[0] == pytest.approx(grid[log_posterior.argmax()], abs=2e-5)


def test_one_effect_without_lapse_has_the_curvature_of_its_posterior() -> None:
    found = fit(two_items(7, 3), no_side(1, 0.8), lapse=0)

    p = expit(found.effects[0])
    assert found.effect_covariance[0, 0] == pytest.approx(1 / (10 * p * (1 - p) + 1 / 0.8**2))


def test_sides_take_the_blame_for_votes_that_follow_the_left() -> None:
    chance = np.random.default_rng(5)
    votes = make_votes(n_votes=3000)
    votes = replace(votes, left_won=chance.random(3000) < expit(1.0))

    found = fit(votes, Belief.prior(5), lapse=0)

    assert found.mean[-1] == pytest.approx(1, abs=0.15)
    assert np.abs(found.effects).max() < 0.15


def test_true_effects_are_found_again_within_their_errors() -> None:
    chance = np.random.default_rng(7)
    truth = np.array([0.8, -0.5, 0.3, 0.0, -1.0])
    votes = make_votes(n_items=60, n_votes=6000, seed=3)
    lead = (votes.features[votes.left] - votes.features[votes.right]) @ truth + 0.2
    votes = replace(votes, left_won=chance.random(6000) < 0.025 + 0.95 * expit(lead))

    found = fit(votes, Belief.prior(5), lapse=0.05)

    errors = np.sqrt(np.diag(found.covariance))
    assert np.abs((found.mean - np.append(truth, 0.2)) / errors).max() < 3.5
    assert errors.max() < 0.1


@pytest.mark.parametrize("lapse", [0.0, 0.05, 0.4])
def test_gradient_equals_finite_differences(lapse: float) -> None:
    chance = np.random.default_rng(1)
    votes = replace(make_votes(), weights=chance.random(80))
    problem = bradley_terry._Problem(votes, np.zeros(6), np.eye(6), lapse)
    at = chance.normal(size=6)

    differences = [
        (problem.look(at + step).value - problem.look(at - step).value) / 2e-5
        for step in np.eye(6) * 1e-5
    ]

    assert problem.look(at).gradient() == pytest.approx(differences, abs=1e-6)


@pytest.mark.parametrize("max_cells", [10**6, 10])
@pytest.mark.parametrize("lapse", [0.0, 0.05])
def test_information_equals_the_dense_formula(
    lapse: float, max_cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bradley_terry, "MAX_CELLS", max_cells)
    votes = make_votes()
    at = np.random.default_rng(1).normal(size=6)
    x = np.column_stack([votes.features[votes.left] - votes.features[votes.right], np.ones(80)])
    sigma = expit(x @ at)
    p = lapse / 2 + (1 - lapse) * sigma
    w = ((1 - lapse) * sigma * (1 - sigma)) ** 2 / (p * (1 - p))

    found = bradley_terry._Problem(votes, np.zeros(6), np.eye(6), lapse).look(at).information()

    assert found == pytest.approx(np.eye(6) + x.T @ (w[:, None] * x), rel=1e-10)


@given(st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_order_of_votes_does_not_matter(order) -> None:  # type: ignore[no-untyped-def]
    votes = make_votes()
    places = list(range(80))
    order.shuffle(places)
    shuffled = Votes(
        votes.features,
        votes.left[places],
        votes.right[places],
        votes.left_won[places],
        votes.weights[places],
    )

    found, wanted = fit(shuffled, Belief.prior(5)), fit(votes, Belief.prior(5))

    assert found.mean == pytest.approx(wanted.mean, abs=1e-9)
    assert found.covariance == pytest.approx(wanted.covariance, abs=1e-9)


def test_shown_the_other_way_round_a_vote_says_the_same_about_the_works() -> None:
    votes = make_votes()
    mirrored = replace(votes, left=votes.right, right=votes.left, left_won=~votes.left_won)

    found, wanted = fit(mirrored, Belief.prior(5)), fit(votes, Belief.prior(5))

    assert found.effects == pytest.approx(wanted.effects, abs=1e-9)
    assert found.mean[-1] == pytest.approx(-wanted.mean[-1], abs=1e-9)


def test_a_vote_of_weight_two_is_two_votes() -> None:
    votes = make_votes()
    doubled = Votes(
        votes.features,
        np.tile(votes.left, 2),
        np.tile(votes.right, 2),
        np.tile(votes.left_won, 2),
        np.ones(160),
    )

    found = fit(replace(votes, weights=np.full(80, 2.0)), Belief.prior(5))

    assert found.mean == pytest.approx(fit(doubled, Belief.prior(5)).mean, abs=1e-9)


def test_no_votes_leave_exactly_the_prior() -> None:
    nothing = make_votes(n_votes=0)

    assert fit(nothing, Belief.prior(5)).covariance.tolist() == Belief.prior(5).covariance.tolist()
    assert not fit(nothing, Belief.prior(5)).mean.any()


def test_more_votes_leave_less_doubt() -> None:
    few, many = fit(make_votes(n_votes=20), Belief.prior(5)), fit(make_votes(), Belief.prior(5))

    assert (np.diag(many.effect_covariance) < np.diag(few.effect_covariance)).all()


def test_votes_that_all_go_one_way_have_a_finite_answer() -> None:
    found = fit(two_items(10_000, 0), Belief.prior(1), lapse=0)

    assert 0 < found.effects[0] < 20


def test_far_from_the_maximum_the_fit_still_arrives() -> None:
    start = Belief(np.array([60.0, 0.0]), np.diag([1e4, 1e-6]))

    found = fit(two_items(3, 7), start, lapse=0)

    assert found.effects[0] == pytest.approx(np.log(3 / 7), abs=0.01)


def test_a_fit_that_does_not_come_to_rest_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bradley_terry, "MAX_STEPS", 2)

    with pytest.raises(FitError) as caught:
        fit(make_votes(), Belief.prior(5, sd=100), lapse=0.2)

    assert caught.value.steps == 2
    assert caught.value.moved > 0


@pytest.mark.parametrize("lapse", [0.0, 0.05])
@pytest.mark.parametrize("weight", [0.0, 0.5, 2.0])
def test_one_more_vote_is_one_newton_step_from_the_belief(lapse: float, weight: float) -> None:
    votes = make_votes()
    before = fit(votes, Belief.prior(5), lapse)
    left, right = votes.features[3], votes.features[7]
    one = Votes(
        features=np.stack([left, right]),
        left=np.zeros(1, np.int64),
        right=np.ones(1, np.int64),
        left_won=np.zeros(1, np.bool_),
        weights=np.full(1, weight),
    )
    precision = np.linalg.inv(before.covariance).astype(np.float64)
    here = bradley_terry._Problem(one, before.mean, precision, lapse).look(before.mean)
    covariance = np.linalg.inv(here.information())

    after = absorb(before, left, right, left_won=False, weight=weight, lapse=lapse)

    assert after.covariance == pytest.approx(covariance, rel=1e-9, abs=1e-12)
    assert after.mean == pytest.approx(before.mean + covariance @ here.gradient(), abs=1e-10)


def test_votes_taken_in_one_by_one_come_near_their_fit() -> None:
    votes = make_votes(n_votes=400, seed=3)
    belief = fit(replace_votes(votes, slice(0, 300)), Belief.prior(5))
    for i in range(300, 400):
        pair = votes.features[votes.left[i]], votes.features[votes.right[i]]
        belief = absorb(belief, *pair, left_won=bool(votes.left_won[i]))

    whole = fit(votes, Belief.prior(5))

    errors = np.sqrt(np.diag(whole.covariance))
    assert np.abs((belief.mean - whole.mean) / errors).max() < 0.2
    assert np.sqrt(np.diag(belief.covariance)) == pytest.approx(errors, rel=0.1)


def test_many_votes_on_few_works_are_gathered_without_a_difference() -> None:
    votes = make_votes(n_items=4, n_votes=500, n_features=3)
    votes = replace(votes, weights=np.random.default_rng(2).random(500))
    few = votes.gathered()

    found = fit(votes, Belief.prior(3))

    apart = bradley_terry._Problem(votes, np.zeros(4), np.diag([1.0, 1, 1, 4]), 0.05).look(
        found.mean
    )
    assert len(few.left) == 24  # twelve ordered pairs, two outcomes
    assert few.weights.sum() == pytest.approx(votes.weights.sum())
    assert apart.gradient() == pytest.approx(np.zeros(4), abs=1e-9)
    assert np.linalg.inv(apart.information()) == pytest.approx(found.covariance)


def test_a_vote_of_negative_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        absorb(Belief.prior(1), np.ones(1), np.zeros(1), left_won=True, weight=-1.0)


def replace_votes(votes: Votes, which: slice) -> Votes:
    """Some of the votes."""
    fields = ("left", "right", "left_won", "weights")
    return replace(votes, **{name: getattr(votes, name)[which] for name in fields})


BAD: list[tuple[str, dict[str, NDArray[np.generic]]]] = [
    ("unknown item", {"left": np.full(80, 12)}),
    ("unknown item", {"left": np.full(80, -1)}),
    ("with itself", {"left": np.zeros(80, np.int64), "right": np.zeros(80, np.int64)}),
    ("weight is negative", {"weights": np.full(80, -1.0)}),
    ("not finite", {"weights": np.full(80, np.nan)}),
    ("not finite", {"weights": np.full(80, np.inf)}),
    ("differ in length", {"weights": np.ones(79)}),
    ("not a finite matrix", {"features": np.full((12, 5), np.nan)}),
]


@pytest.mark.parametrize(("said", "change"), BAD)
def test_votes_that_make_no_sense_are_refused(
    said: str, change: dict[str, NDArray[np.generic]]
) -> None:
    with pytest.raises(ValueError, match=said):
        replace(make_votes(), **change)  # type: ignore[arg-type]  # wrong values on purpose


@pytest.mark.parametrize("lapse", [-0.1, 1.0, float("nan")])
def test_a_lapse_that_is_no_share_is_refused(lapse: float) -> None:
    with pytest.raises(ValueError, match="lapse"):
        fit(make_votes(), Belief.prior(5), lapse=lapse)


def test_a_prior_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="length"):
        fit(make_votes(), Belief.prior(4))
