import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, norm

from generation.traits.parameters import Parameters, uniform
from sentiment.control.allocate import (
    Bounds,
    Change,
    apply,
    carried,
    improvement,
    normalised_entropy,
    propose,
    sharpest,
    total_variation,
)
from sentiment.preference.bradley_terry import Belief
from sentiment.preference.features import options

SCHEMA = {"hat": ["red", "blue", "green"], "coat": ["none", "long", "short", "fur"]}
NAMES = options(SCHEMA)


def believe(effects: list[float], sd: float) -> Belief:
    """Independent effects, each with the same doubt."""
    mean = np.array([*effects, 0.0])
    return Belief(mean, np.diag(np.full(len(mean), sd**2)))


def hat(effects: list[float], sd: float, current: Parameters | None = None) -> Change:
    return propose(current or uniform(SCHEMA), NAMES, believe([*effects, 0, 0, 0, 0], sd))[0]


effects = st.lists(st.floats(-5, 5), min_size=2, max_size=20)


@given(effects)
def test_the_target_keeps_every_bound(mean: list[float]) -> None:
    bounds = Bounds()

    target = sharpest(np.array(mean), bounds)

    assert math.fsum(target.tolist()) == pytest.approx(1, abs=1e-12)
    assert target.min() >= bounds.p_min - 1e-12
    assert normalised_entropy(target) >= bounds.min_entropy - 1e-9


@given(effects)
def test_the_target_follows_the_effects(mean: list[float]) -> None:
    order = np.argsort(mean)

    assert (np.diff(sharpest(np.array(mean), Bounds())[order]) >= -1e-12).all()


def test_the_target_is_as_sharp_as_the_entropy_bound_allows() -> None:
    target = sharpest(np.array([1.0, 0.0, 0.2, -0.5]), Bounds())

    assert normalised_entropy(target) == pytest.approx(0.70, abs=1e-6)


def test_the_target_of_two_options_is_that_worked_by_hand() -> None:
    # -p log2 p - (1 - p) log2 (1 - p) = .245400 + .454600 = .70 at p = .810702.
    assert sharpest(np.array([0.3, 0.1]), Bounds()) == pytest.approx([0.810702, 0.189298], abs=1e-6)


def test_equal_effects_have_equal_shares() -> None:
    assert sharpest(np.full(5, 0.7), Bounds()) == pytest.approx([0.2] * 5)


def test_more_options_than_floors_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="51 options"):
        sharpest(np.zeros(51), Bounds(p_min=0.02))


@pytest.mark.parametrize(
    "bounds", [{"p_min": 0}, {"min_entropy": 1.1}, {"max_step": 0}, {"max_step": float("nan")}]
)
def test_bounds_out_of_range_are_refused(bounds: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        Bounds(**bounds)


@st.composite
def beliefs(draw: st.DrawFn) -> Belief:
    """Any mean, and a covariance with correlations."""
    n = len(NAMES) + 1
    mean = draw(st.lists(st.floats(-4, 4), min_size=n, max_size=n))
    root = draw(st.lists(st.floats(-1, 1), min_size=n * n, max_size=n * n))
    square = np.array(root).reshape(n, n)
    return Belief(np.array(mean), square @ square.T / n + 1e-4 * np.eye(n))


@st.composite
def parameters(draw: st.DrawFn) -> Parameters:
    """Shares that keep the bounds themselves: mixtures of equal shares and anything."""
    distributions = {}
    for name, values in SCHEMA.items():
        given = np.array(
            draw(st.lists(st.floats(0, 1), min_size=len(values), max_size=len(values)))
        )
        shares = 0.7 / len(values) + 0.3 * (given + 1e-9) / (given + 1e-9).sum()
        shares /= shares.sum()
        distributions[name] = dict(zip(values, shares.tolist(), strict=True))
    return Parameters(distributions, 0.8, {"age": 1.0})


@given(parameters(), beliefs())
def test_a_proposal_keeps_every_bound(current: Parameters, belief: Belief) -> None:
    bounds = Bounds()

    for change in propose(current, NAMES, belief, bounds):
        assert math.fsum(change.proposed.tolist()) == pytest.approx(1, abs=1e-9)
        assert change.proposed.min() >= bounds.p_min - 1e-12
        assert normalised_entropy(change.proposed) >= bounds.min_entropy - 1e-9
        assert total_variation(change.old, change.proposed) <= bounds.max_step + 1e-9
        assert bool(change.stopped_by) == (change.proposed.tolist() == change.old.tolist())


@given(parameters())
def test_no_evidence_no_change_to_the_last_bit(current: Parameters) -> None:
    changes = propose(current, NAMES, Belief.prior(len(NAMES)))

    assert {change.stopped_by for change in changes} == {"no_evidence"}
    assert apply(current, changes) == current


@given(parameters(), beliefs())
def test_what_is_applied_is_what_was_proposed_and_nothing_else(
    current: Parameters, belief: Belief
) -> None:
    changes = propose(current, NAMES, belief)

    applied = apply(current, changes)

    for change in changes:
        assert list(applied.distributions[change.attribute].values()) == change.proposed.tolist()
    assert applied.truncation_psi == current.truncation_psi
    assert applied.directions == current.directions


def test_a_clear_preference_takes_the_largest_step_towards_it() -> None:
    change = hat([2, 0, -2], sd=0.05)

    assert change.proposed[0] > change.old[0]
    assert change.proposed[2] < change.old[2]
    assert total_variation(change.old, change.proposed) == pytest.approx(0.25)
    assert "step" in change.clipped_by
    assert change.stopped_by == ""


def test_a_preference_within_our_doubt_moves_nothing() -> None:
    change = hat([0.2, 0, -0.2], sd=1)

    assert change.stopped_by == "no_evidence"
    assert change.proposed.tolist() == change.old.tolist()


def test_a_step_too_small_to_see_is_not_proposed() -> None:
    current = uniform(SCHEMA)
    reached = sharpest(np.array([2.0, 0.0, -2.0]), Bounds())
    close = dict(zip(SCHEMA["hat"], (reached * 0.99 + 0.01 / 3).tolist(), strict=True))

    change = hat([2, 0, -2], 0.05, Parameters({**current.distributions, "hat": close}))

    assert change.stopped_by == "small_step"


def test_a_step_that_may_not_be_an_improvement_is_not_proposed() -> None:
    # Green is surely worst and has its least share already; the step is from blue to red, which may
    # well be equal: P = Phi(.1 / sqrt(2.4)) = .526 for a step straight from one to the other.
    hats = {"red": 0.18, "blue": 0.8, "green": 0.02}
    current = Parameters({**uniform(SCHEMA).distributions, "hat": hats})
    mean = np.array([1.0, 0.9, -3.9, 0, 0, 0, 0, 0])
    covariance = np.diag([1.2, 1.2, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01])

    change = propose(current, NAMES, Belief(mean, covariance))[0]

    assert change.confidence < 0.9
    assert change.stopped_by == "low_confidence"


def test_bounds_broken_by_hand_are_approached_and_not_broken_further() -> None:
    hands = {"red": 0.0, "blue": 1.0, "green": 0.0}
    current = Parameters({**uniform(SCHEMA).distributions, "hat": hands})

    change = hat([2, 0, -2], 0.05, current)

    assert total_variation(change.old, change.proposed) == pytest.approx(0.25)
    assert (change.proposed[[0, 2]] > 0).all()
    assert normalised_entropy(change.proposed) > normalised_entropy(change.old)


def test_evidence_rises_from_none_to_all_with_certainty() -> None:
    mean = np.array([1.0, 0.0, -1.0])

    found = [carried(mean, sd**2 * np.eye(3)) for sd in (1, 0.5, 0.25, 0.01)]

    assert found[0] == 0
    assert found == sorted(found)
    assert found[-1] == pytest.approx(1, abs=1e-3)


def test_evidence_is_the_formula_worked_by_hand() -> None:
    # S = 2, V = (3 - 1) * .04; the nine-tenths quantile of chi squared on 2 degrees is 4.60517.
    found = carried(np.array([1.0, 0.0, -1.0]), 0.04 * np.eye(3))

    assert found == pytest.approx(1 - 0.08 * chi2.ppf(0.9, 2) / 2 / 2)


def test_effects_that_are_pure_noise_move_one_attribute_in_ten() -> None:
    chance = np.random.default_rng(0)

    moved = [carried(chance.normal(0, 0.3, 6), 0.09 * np.eye(6)) > 0 for _ in range(4000)]

    assert np.mean(moved) == pytest.approx(0.1, abs=0.02)


def test_improvement_is_the_normal_probability_of_a_gain() -> None:
    step, mean = np.array([0.1, -0.1]), np.array([0.5, 0.2])
    covariance = np.array([[0.3, 0.1], [0.1, 0.2]])

    # step . mean = .03 and the variance is .01 * (.3 + .2 - .2) = .003.
    assert improvement(step, mean, covariance) == pytest.approx(norm.cdf(0.03 / math.sqrt(0.003)))
    assert improvement(np.zeros(2), mean, covariance) == 0.5
