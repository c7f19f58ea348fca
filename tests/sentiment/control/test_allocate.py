import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, norm

from generation.traits.parameters import Parameters, uniform
from sentiment.control.allocate import (
    Change,
    Plan,
    apply,
    best_strength,
    carried,
    improvement,
    propose,
)
from sentiment.control.shares import (
    Bounds,
    normalised_entropy,
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
    return propose(current or uniform(SCHEMA), NAMES, believe([*effects, 0, 0, 0, 0], sd)).changes[
        0
    ]


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

    plan = propose(current, NAMES, belief, bounds)

    for change in plan.changes:
        assert math.fsum(change.proposed.tolist()) == pytest.approx(1, abs=1e-9)
        assert change.proposed.min() >= bounds.p_min - 1e-12
        assert normalised_entropy(change.proposed) >= bounds.min_entropy - 1e-9
        assert total_variation(change.old, change.proposed) <= bounds.max_step + 1e-9
    assert bool(plan.stopped_by) == all(
        change.proposed.tolist() == change.old.tolist() for change in plan.changes
    )


@given(parameters())
def test_no_evidence_no_change_to_the_last_bit(current: Parameters) -> None:
    plan = propose(current, NAMES, Belief.prior(len(NAMES)))

    assert plan.stopped_by == "no_evidence"
    assert apply(current, plan) == current


@given(parameters(), beliefs())
def test_what_is_applied_is_what_was_proposed_and_nothing_else(
    current: Parameters, belief: Belief
) -> None:
    plan = propose(current, NAMES, belief)

    applied = apply(current, plan)

    for change in plan.changes:
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
    hats = hat([2, 0, -2], 0.05).target
    coats = propose(current, NAMES, believe([2, 0, -2, 0, 0, 0, 0], 0.05)).changes[1].target
    close = dict(zip(SCHEMA["hat"], (hats * 0.99 + 0.01 / 3).tolist(), strict=True))
    coat = dict(zip(SCHEMA["coat"], coats.tolist(), strict=True))

    change = hat([2, 0, -2], 0.05, Parameters({"hat": close, "coat": coat}))

    assert change.stopped_by == "small_step"


def test_a_step_that_may_not_be_an_improvement_is_not_proposed() -> None:
    # Green is surely worst and has its least share already; the step is from blue to red, which may
    # well be equal: P = Phi(.1 / sqrt(2.4)) = .526 for a step straight from one to the other.
    hats = {"red": 0.18, "blue": 0.8, "green": 0.02}
    current = Parameters({**uniform(SCHEMA).distributions, "hat": hats})
    mean = np.array([1.0, 0.9, -3.9, 0, 0, 0, 0, 0])
    covariance = np.diag([1.2, 1.2, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01])

    plan = propose(current, NAMES, Belief(mean, covariance))

    assert plan.confidence < 0.9
    assert plan.stopped_by == "low_confidence"
    assert plan.gain == 0


def test_bounds_broken_by_hand_are_approached_and_not_broken_further() -> None:
    hands = {"red": 0.0, "blue": 1.0, "green": 0.0}
    current = Parameters({**uniform(SCHEMA).distributions, "hat": hands})

    change = hat([2, 0, -2], 0.05, current)

    assert total_variation(change.old, change.proposed) == pytest.approx(0.25)
    assert (change.proposed[[0, 2]] > 0).all()
    assert normalised_entropy(change.proposed) > normalised_entropy(change.old)


def test_evidence_rises_from_none_to_all_with_certainty() -> None:
    found = [carried(_three(sd), [[0, 1, 2]]) for sd in (1, 0.5, 0.25, 0.01)]

    assert found[0] == 0
    assert found == sorted(found)
    assert found[-1] == pytest.approx(1, abs=1e-3)


def _three(sd: float) -> Belief:
    return Belief(np.array([1.0, 0.0, -1.0, 0.0]), np.diag([sd**2] * 3 + [1.0]))


def test_evidence_is_the_formula_worked_by_hand() -> None:
    # S = 2, V = (3 - 1) * .04; the nine-tenths quantile of chi squared on 2 degrees is 4.60517.
    assert carried(_three(0.2), [[0, 1, 2]]) == pytest.approx(1 - 0.08 * chi2.ppf(0.9, 2) / 2 / 2)


def test_evidence_of_all_attributes_and_directions_is_judged_together() -> None:
    # The pair is half a unit from its mean on either side, the direction counts as it is.
    belief = Belief(np.array([1.0, 0.0, 0.5, 0.2, 0.0]), np.diag([0.01] * 4 + [1.0]))

    found = carried(belief, [[0, 1]], [[2, 3]])

    spread, noise = 2 * 0.25 + 0.25 + 0.04, 0.03
    assert found == pytest.approx(1 - noise * chi2.ppf(0.9, 3) / 3 / spread)


def test_effects_that_are_pure_noise_move_one_collection_in_ten() -> None:
    chance = np.random.default_rng(0)
    groups = [[0, 1, 2], [3, 4, 5]]
    noise = [Belief(np.append(chance.normal(0, 0.3, 6), 0), 0.09 * np.eye(7)) for _ in range(4000)]

    assert np.mean([carried(one, groups) > 0 for one in noise]) == pytest.approx(0.1, abs=0.02)


def test_an_attribute_of_no_clear_taste_moves_with_the_others_and_says_so() -> None:
    plan = propose(uniform(SCHEMA), NAMES, believe([2, 0, -2, 0.04, 0, -0.04, 0], 0.05))

    assert plan.stopped_by == ""
    assert plan.confidence > 0.99
    assert plan.changes[1].confidence < 0.9


def test_the_gain_is_the_step_times_the_effects() -> None:
    plan = propose(uniform(SCHEMA), NAMES, believe([2, 0, -2, 0, 0, 0, 0], 0.05))

    steps = [change.proposed - change.old for change in plan.changes]
    assert plan.gain == pytest.approx(steps[0] @ np.array([2, 0, -2]))
    assert plan.gain_sd == pytest.approx(0.05 * np.sqrt(sum((step**2).sum() for step in steps)))


AGED = options(SCHEMA, ["age"])


def age(linear: float, curve: float, sd: float, strength: float = 0.0) -> Plan:
    mean = np.array([0, 0, 0, 0, 0, 0, 0, linear, curve, 0.0])
    belief = Belief(mean, np.diag([sd**2] * len(mean)))
    current = Parameters(uniform(SCHEMA).distributions, directions={"age": strength})
    return propose(current, AGED, belief)


def test_a_direction_moves_towards_the_strength_that_is_liked_best() -> None:
    # x - x^2 / .8 is greatest at .4; a step is at most .3.
    plan = age(1.0, -1.25, 0.02)

    assert plan.moves[0].target == pytest.approx(0.4)
    assert plan.moves[0].proposed == pytest.approx(0.3)
    assert plan.moves[0].clipped_by == ("step",)
    current = Parameters(uniform(SCHEMA).distributions, directions={"age": 0.0, "sefa-1": 1.0})
    assert apply(current, plan).directions == {"age": pytest.approx(0.3), "sefa-1": 1.0}


def test_a_direction_that_is_liked_without_end_stays_within_its_bound() -> None:
    plan = age(1.0, 0.1, 0.02, strength=1.9)

    assert plan.moves[0].target == Bounds().max_latent
    assert plan.moves[0].proposed <= Bounds().max_latent
    assert "range" in plan.moves[0].clipped_by


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-2, 2))
def test_a_direction_keeps_its_bounds(linear: float, curve: float, strength: float) -> None:
    move = age(linear, curve, 0.1, strength).moves[0]

    assert abs(move.proposed - strength) <= Bounds().max_latent_step + 1e-12
    assert abs(move.proposed) <= Bounds().max_latent + 1e-12


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_no_strength_is_worth_more_than_the_best(linear: float, curve: float) -> None:
    best = best_strength(np.array([linear, curve]), 2.0)

    others = np.linspace(-2, 2, 81)
    assert linear * best + curve * best**2 >= (linear * others + curve * others**2).max() - 1e-9


def test_shares_that_are_promised_are_kept() -> None:
    bounds = Bounds(ranges={("hat", "red"): (0.0, 0.1), ("hat", "green"): (0.3, 1.0)})

    change = propose(uniform(SCHEMA), NAMES, believe([2, 0, -2, 0, 0, 0, 0], 0.05), bounds).changes[
        0
    ]

    assert change.target[0] <= 0.1 + 1e-12
    assert change.target[2] >= 0.3 - 1e-12
    assert "range" in change.clipped_by


def test_improvement_is_the_normal_probability_of_a_gain() -> None:
    step, mean = np.array([0.1, -0.1]), np.array([0.5, 0.2])
    covariance = np.array([[0.3, 0.1], [0.1, 0.2]])

    # step . mean = .03 and the variance is .01 * (.3 + .2 - .2) = .003.
    assert improvement(step, mean, covariance) == pytest.approx(norm.cdf(0.03 / math.sqrt(0.003)))
    assert improvement(np.zeros(2), mean, covariance) == 0.5
