import numpy as np
import pytest

from sentiment.control import shares as ours
from sentiment.simulation import attacks, world
from sentiment.simulation.attacks import Attack
from sentiment.simulation.world import Guard, Shape, World

SHAPE = Shape(n_categories=4, n_options=5, n_latents=2, n_voters=80, n_interactions=6)


def make_world(seed: int = 0) -> World:
    return world.draw(SHAPE, np.random.default_rng(seed))


def even() -> np.ndarray:
    return world.uniform(SHAPE)


@pytest.mark.parametrize("seed", [0, 1])
def test_two_voters_agree_on_six_pairs_of_ten(seed: int) -> None:
    of, chance = make_world(seed), np.random.default_rng(9)
    works = world.draw_works(SHAPE, even(), np.zeros(2), 6000, chance)
    left, right = np.arange(3000), np.arange(3000, 6000)
    voters = [chance.integers(SHAPE.n_voters, size=3000) for _ in range(2)]

    said = [world.answer(of, works, one, left, right, chance) for one in voters]

    assert np.mean(said[0] == said[1]) == pytest.approx(0.60, abs=0.03)


def test_worth_is_the_mean_utility_of_what_is_drawn() -> None:
    of, chance = make_world(), np.random.default_rng(1)
    shares = chance.dirichlet(np.ones(5), size=4)
    means = np.array([0.5, -1.0])

    works = world.draw_works(SHAPE, shares, means, 200_000, chance)

    assert world.utility(of, works).mean() == pytest.approx(
        world.worth(of, shares, means), abs=0.01
    )


def test_nothing_within_the_guard_is_worth_more_than_the_oracle() -> None:
    of, chance, guard = make_world(2), np.random.default_rng(3), Guard()
    shares, means = world.oracle(of, guard)
    best = world.worth(of, shares, means)

    for _ in range(200):
        other = world.sharpest(chance.normal(size=5), guard)
        changed = shares.copy()
        changed[chance.integers(4)] = other
        assert world.worth(of, changed, means) <= best + 1e-9
        moved = chance.uniform(-guard.max_latent, guard.max_latent, 2)
        assert world.worth(of, shares, moved) <= best + 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_two_ways_to_the_best_shares_agree(seed: int) -> None:
    effects, guard = np.random.default_rng(seed).normal(size=8), Guard()

    found = world.sharpest(effects, guard)

    expected = ours.sharpest(effects, np.full(8, guard.p_min), np.ones(8), guard.min_entropy)
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_taste_that_drifts_keeps_its_size() -> None:
    of = make_world()
    chance = np.random.default_rng(4)

    later = of
    for _ in range(40):
        later = world.drifted(later, 0.3, chance)

    assert abs(np.corrcoef(later.options, of.options)[0, 1]) < 0.6
    assert later.options.std() == pytest.approx(of.options.std(), rel=0.6)


def test_members_of_a_team_choose_what_they_push() -> None:
    of, chance = make_world(), np.random.default_rng(5)
    works = world.draw_works(SHAPE, even(), np.zeros(2), 400, chance)
    left, right = np.arange(200), np.arange(200, 400)
    voters = np.arange(200) % SHAPE.n_voters
    honest = chance.random(200) < 0.5
    pushed = attacks.targets(of, 1, chance)

    won = attacks.cast(
        Attack(share=0.5), works, voters, (left, right), honest, pushed, SHAPE.n_voters, chance
    )

    member = voters < 40
    apart = works.traits[left, pushed[0]] - works.traits[right, pushed[0]]
    assert (won == honest)[~member].all()
    assert (won == honest)[member & (apart == 0)].all()
    assert (won == (apart > 0))[member & (apart != 0)].all()


def test_a_third_of_the_sales_are_dear_ones_of_what_is_pushed() -> None:
    of, chance = make_world(), np.random.default_rng(6)
    works = world.draw_works(SHAPE, even(), np.zeros(2), 300, chance)
    sold = world.sales(of, works, np.zeros(300), 90, 0.0, chance)
    pushed = attacks.targets(of, 1, chance)

    washed = attacks.wash(Attack(wash_share=1 / 3), works, sold, pushed, chance)

    theirs = washed.sellers < 0
    assert theirs.sum() == 30
    assert works.traits[washed.places[theirs], pushed[0]].all()
    assert washed.log_price[theirs].mean() > sold.log_price.mean() + 0.8
    assert (washed.log_price[~theirs] == sold.log_price[~theirs]).all()
