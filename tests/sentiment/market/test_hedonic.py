"""The market's model on sales whose tastes, rarity and prices are known."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sentiment.market import hedonic, prices
from sentiment.market.hedonic import Calibration
from sentiment.market.prices import Judged, Prices
from sentiment.preference.bradley_terry import Belief

N_ATTRIBUTES, N_OPTIONS = 6, 5
D = N_ATTRIBUTES * N_OPTIONS
ATTRIBUTES = [str(i // N_OPTIONS) for i in range(D)]
KAPPA, RHO = 0.4, 0.3


@dataclass(frozen=True)
class World:
    sales: Prices
    belief: Belief
    theta: NDArray[np.float64]
    own: NDArray[np.float64]


def world(
    seed: int,
    n_sales: int = 300,
    kappa: float = KAPPA,
    own_sd: float = 0.0,
    vote_sd: float = 0.3,
    junk: float = 0.03,
) -> World:
    """Three drops in which what is liked is rarer, a rising market, and junk prices."""
    chance = np.random.default_rng([seed, n_sales])
    mean = chance.normal(0, 0.5, D)
    theta = mean + chance.normal(0, vote_sd, D)
    n = n_sales // 3
    features, rarity = [], []
    for _ in range(3):
        shown, frequencies = [], []
        for liked in mean.reshape(N_ATTRIBUTES, N_OPTIONS):
            odds = np.exp(-0.6 * liked + chance.normal(0, 0.6, N_OPTIONS))
            drawn = chance.choice(N_OPTIONS, n, p=odds / odds.sum())
            shown.append(np.eye(N_OPTIONS)[drawn])
            frequencies.append(np.bincount(drawn, minlength=N_OPTIONS)[drawn] / n)
        features.append(np.hstack(shown))
        rarity.append(prices.rarity(np.column_stack(frequencies)))
    x, r, periods = np.vstack(features), np.concatenate(rarity), np.repeat(np.arange(3), n)
    own = chance.normal(0, own_sd, D) if own_sd else np.zeros(D)
    price = 40 + 0.5 * periods + x @ (kappa * theta + own) + RHO * r
    price += chance.normal(0, 0.4, 3 * n)
    price -= np.where(chance.random(3 * n) < junk, chance.uniform(3, 30, 3 * n), 0)
    covariance = np.diag(np.append(np.full(D, vote_sd**2), 0.25))
    belief = Belief(np.append(mean, 0.0), covariance)
    return World(Prices(x, price, r, periods, np.ones(3 * n)), belief, theta, own)


def judged(sales: Prices) -> Judged:
    found = prices.judge(sales)
    assert found is not None
    return found


def calibrated(sales: Prices, belief: Belief) -> Calibration:
    found = hedonic.calibrate(judged(sales), belief)
    assert found is not None
    return found


def fused(made: World) -> Belief:
    found = judged(made.sales)
    calibration = hedonic.calibrate(found, made.belief)
    assert calibration is not None
    return hedonic.fuse(made.belief, hedonic.information(found, calibration))


def contrast(effects: NDArray[np.float64]) -> NDArray[np.float64]:
    grouped = effects.reshape(N_ATTRIBUTES, N_OPTIONS)
    flat: NDArray[np.float64] = (grouped - grouped.mean(1, keepdims=True)).ravel()
    return flat


@pytest.mark.parametrize("own_sd", [0.0, 0.15])
def test_kappa_and_rho_are_recovered_within_their_intervals(own_sd: float) -> None:
    found = [calibrated(w.sales, w.belief) for w in (world(i, own_sd=own_sd) for i in range(40))]

    kappa_errors = np.array([(f.kappa - KAPPA) / f.kappa_sd for f in found])
    rho_errors = np.array([(f.rho - RHO) / f.rho_sd for f in found])
    assert np.mean(np.abs(kappa_errors) < 2) >= 0.85
    assert np.mean(np.abs(rho_errors) < 2) >= 0.85
    assert abs(kappa_errors.mean()) < 0.5
    assert abs(rho_errors.mean()) < 0.5


def test_without_the_control_for_rarity_kappa_is_biased() -> None:
    made = [world(i) for i in range(40)]

    honest = np.array([calibrated(w.sales, w.belief).kappa for w in made])
    biased = np.array([calibrated(prices.without_rarity(w.sales), w.belief).kappa for w in made])

    error = honest.std() / 40**0.5
    assert abs(honest.mean() - KAPPA) < 3 * error
    assert biased.mean() - KAPPA > 5 * error


def test_without_period_effects_a_rising_market_would_look_like_taste() -> None:
    made = world(5, n_sales=900)
    liked = made.sales.features @ made.belief.effects
    late = np.argsort(np.argsort(liked)) // 300
    risen = replace(made.sales, log_price=made.sales.log_price + 2 * late, periods=late)
    mixed = replace(risen, periods=np.zeros_like(late))

    with_periods = calibrated(risen, made.belief).kappa
    without = calibrated(mixed, made.belief).kappa

    assert without > 2 * with_periods


def test_premiums_are_recovered_within_their_intervals() -> None:
    inside = []
    for seed in range(20):
        made = world(seed, n_sales=600)
        found = hedonic.premiums(judged(made.sales), ATTRIBUTES)
        truth = contrast(KAPPA * made.theta + made.own)
        inside.append(((found.low <= truth) & (truth <= found.high)).mean())

    assert np.mean(inside) == pytest.approx(0.95, abs=0.03)


def test_without_the_control_for_rarity_premiums_are_too() -> None:
    made = [world(seed, n_sales=900) for seed in range(10)]
    truths = [contrast(KAPPA * w.theta) for w in made]

    def error(switched_off: bool) -> float:
        found = [
            hedonic.premiums(
                judged(prices.without_rarity(w.sales) if switched_off else w.sales), ATTRIBUTES
            ).mean
            for w in made
        ]
        return float(np.mean([(f - t) ** 2 for f, t in zip(found, truths, strict=True)]))

    assert error(switched_off=True) > 1.5 * error(switched_off=False)


def test_sales_bring_the_belief_closer_to_the_taste_and_their_certainty_is_honest() -> None:
    made = [world(i, vote_sd=0.5) for i in range(20)]
    after = [fused(w) for w in made]

    before_error = np.mean([contrast(w.belief.effects - w.theta) ** 2 for w in made])
    after_error = np.mean(
        [contrast(b.effects - w.theta) ** 2 for w, b in zip(made, after, strict=True)]
    )
    sds = [np.sqrt(np.diag(b.effect_covariance)) for b in after]
    claimed = np.mean([sd**2 for sd in sds])
    assert after_error < before_error / 3
    assert after_error < 1.5 * claimed


def test_a_market_that_pays_for_other_things_hardly_moves_the_belief() -> None:
    made = [world(i, kappa=0.0, own_sd=0.3) for i in range(20)]
    before = np.mean([contrast(w.belief.effects - w.theta) ** 2 for w in made])

    after = np.mean([contrast(fused(w).effects - w.theta) ** 2 for w in made])

    assert after < 1.1 * before


def test_junk_prices_weigh_nothing() -> None:
    made = world(1, junk=0.0)
    spoilt = made.sales.log_price.copy()
    spoilt[::25] -= 30

    found = judged(replace(made.sales, log_price=spoilt))

    assert (found.weights[::25] == 0).all()
    assert found.scale == pytest.approx(judged(made.sales).scale, rel=0.15)


def test_the_scale_of_clean_normal_errors_is_their_standard_deviation() -> None:
    scales = [judged(world(i, n_sales=600, junk=0.0).sales).scale for i in range(10)]

    assert np.mean(scales) == pytest.approx(0.4, rel=0.04)


def test_votes_that_say_nothing_calibrate_nothing() -> None:
    assert hedonic.calibrate(judged(world(0).sales), Belief.prior(D)) is None


def test_prices_against_the_votes_add_nothing() -> None:
    made = world(3, kappa=-0.4)

    found = calibrated(made.sales, made.belief)

    assert found.reliability == 0
    assert fused(made) is made.belief


@pytest.mark.parametrize("n_sales", [0, 2, 9, 21])
def test_too_few_sales_are_no_evidence(n_sales: int) -> None:
    made = world(0)
    few = Prices(
        made.sales.features[:n_sales],
        made.sales.log_price[:n_sales],
        made.sales.rarity[:n_sales],
        made.sales.periods[:n_sales],
        made.sales.weights[:n_sales],
    )

    found = prices.judge(few)

    if found is not None:
        calibration = hedonic.calibrate(found, made.belief)
        assert calibration is None or calibration.kappa_sd > 0.05


def test_equal_prices_say_that_nothing_is_paid_for() -> None:
    made = world(0)
    equal = replace(made.sales, log_price=np.full(300, 40.0))

    found = hedonic.premiums(judged(equal), ATTRIBUTES)

    assert np.abs(found.mean).max() < 1e-6
    assert (
        hedonic.fuse(
            made.belief, hedonic.information(judged(equal), calibrated(equal, made.belief))
        )
        is made.belief
    )


@pytest.mark.parametrize("n_sales", range(3, 60, 3))
def test_no_number_of_sales_however_few_fails(n_sales: int) -> None:
    for seed in range(20):
        made = world(seed, n_sales=n_sales, junk=0.3)
        smooth = replace(made.sales, log_price=made.sales.features @ made.theta)
        for sales in (made.sales, smooth):
            found = prices.judge(sales)
            if found is not None:
                assert np.isfinite(found.evidence).all()
                assert np.isfinite(hedonic.premiums(found, ATTRIBUTES).mean).all()
                calibration = hedonic.calibrate(found, made.belief)
                assert calibration is None or np.isfinite(calibration.kappa_sd)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 50), st.integers(0, 1000))
def test_the_order_of_sales_does_not_matter(seed: int, shuffle: int) -> None:
    made = world(seed, n_sales=90)
    order = np.random.default_rng(shuffle).permutation(90)
    s = made.sales
    mixed = Prices(
        s.features[order], s.log_price[order], s.rarity[order], s.periods[order], s.weights[order]
    )

    one, other = judged(s), judged(mixed)

    assert other.scale == pytest.approx(one.scale, rel=1e-6)
    assert np.allclose(other.weights, one.weights[order], atol=1e-5)
    assert np.allclose(other.shift, one.shift, rtol=1e-4, atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 50), st.integers(1, 40))
def test_a_sale_of_weight_zero_changes_nothing(seed: int, n_extra: int) -> None:
    made = world(seed, n_sales=90)
    chance = np.random.default_rng(n_extra)
    extra = chance.integers(90, size=n_extra)
    s = made.sales
    more = Prices(
        np.vstack([s.features, s.features[extra]]),
        np.append(s.log_price, chance.normal(0, 50, n_extra)),
        np.append(s.rarity, s.rarity[extra]),
        np.append(s.periods, s.periods[extra]),
        np.append(s.weights, np.zeros(n_extra)),
    )

    one, other = judged(s), judged(more)

    assert other.scale == pytest.approx(one.scale, rel=1e-6)
    assert np.allclose(other.evidence, one.evidence, rtol=1e-4, atol=1e-4)


def test_the_money_in_which_prices_are_told_does_not_matter() -> None:
    made = world(2)
    in_wei = replace(made.sales, log_price=made.sales.log_price + 41.4)

    assert calibrated(in_wei, made.belief).kappa == pytest.approx(
        calibrated(made.sales, made.belief).kappa, rel=1e-6
    )


def test_information_is_what_generalised_least_squares_says() -> None:
    """An independent, dense computation with the same weights and the same variances."""
    made = world(4, n_sales=90, own_sd=0.1)
    found = judged(made.sales)
    calibration = calibrated(made.sales, made.belief)
    a, t = made.sales.features, made.sales.log_price - np.mean(made.sales.log_price)
    z = np.column_stack([made.sales.rarity, np.eye(3)[made.sales.periods]])
    keep = found.weights > 1e-9
    a, t, z = a[keep], t[keep], z[keep]
    variance = np.diag(found.scale**2 / found.weights[keep]) + calibration.own_sd**2 * a @ a.T
    inverse = np.linalg.inv(variance)
    project = inverse - inverse @ z @ np.linalg.inv(z.T @ inverse @ z) @ z.T @ inverse
    share = calibration.reliability * calibration.kappa

    added = hedonic.information(found, calibration)

    expected = share * calibration.kappa * a.T @ project @ a
    assert np.allclose(added.precision, expected, rtol=1e-6, atol=1e-6 * abs(expected).max())
    assert np.allclose(added.shift, share * a.T @ project @ t, rtol=1e-5, atol=1e-5)


def test_no_information_leaves_the_very_same_belief() -> None:
    belief = Belief.prior(D)
    nothing = hedonic.Information(np.zeros((D, D)), np.zeros(D))

    assert hedonic.fuse(belief, nothing) is belief


@pytest.mark.parametrize("frequency", [0.0, -0.1, 1.1])
def test_a_share_that_is_none_is_refused(frequency: float) -> None:
    with pytest.raises(ValueError, match="frequency"):
        prices.rarity(np.array([[0.5, frequency]]))


def test_rarity_is_the_sum_of_logs_in_nats() -> None:
    assert prices.rarity(np.array([[0.5, 0.25]])) == pytest.approx([3 * np.log(2)])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("log_price", np.array([np.nan, 1.0])),
        ("weights", np.array([-1.0, 1.0])),
        ("rarity", np.zeros(3)),
        ("features", np.zeros(2)),
    ],
)
def test_sales_that_are_no_numbers_are_refused(field: str, value: Any) -> None:
    two = Prices(np.zeros((2, 1)), np.zeros(2), np.zeros(2), np.zeros(2, np.int64), np.ones(2))

    with pytest.raises(ValueError, match=r"sale|features|weight"):
        replace(two, **{field: value})


def test_the_index_follows_a_market_that_rises_by_a_half_a_drop() -> None:
    covered = []
    for seed in range(40):
        found = hedonic.price_index(judged(world(seed).sales), ATTRIBUTES, base=0)
        assert found is not None
        assert (found.change[0], found.sd[0]) == (0, 0)
        truth = np.array([0.5, 1.0])
        covered += ((found.low[1:] <= truth) & (truth <= found.high[1:])).tolist()

    assert 0.87 <= np.mean(covered) <= 1.0


def test_the_index_is_that_of_the_whole_regression() -> None:
    """Periods, rarity and traits solved together, with the same weights and prior."""
    made = world(3)
    found = judged(made.sales)
    variances = hedonic._attribute_variances(found, ATTRIBUTES)
    rarity = made.sales.rarity - made.sales.rarity.mean()
    design = np.column_stack([rarity, np.eye(3)[made.sales.periods], made.sales.features])
    weighted = design.T * (found.weights / found.scale**2)
    prior = np.append(np.zeros(4), 1 / variances)
    covariance = np.linalg.inv(weighted @ design + np.diag(prior))
    effects = covariance @ (weighted @ (made.sales.log_price - made.sales.log_price.mean()))

    index = hedonic.price_index(found, ATTRIBUTES, base=1)

    assert index is not None
    assert index.change == pytest.approx(effects[1:4] - effects[2], abs=1e-6)
    variance = [
        covariance[1 + p, 1 + p] + covariance[2, 2] - 2 * covariance[1 + p, 2] for p in range(3)
    ]
    assert index.sd == pytest.approx(np.sqrt(np.clip(variance, 0, None)), abs=1e-6)


def test_a_period_without_sales_that_weigh_something_has_no_index() -> None:
    made = judged(world(5).sales)
    nuisance = made.nuisance.copy()
    nuisance[2, :] = nuisance[:, 2] = 0

    assert hedonic.price_index(replace(made, nuisance=nuisance), ATTRIBUTES, base=0) is None
