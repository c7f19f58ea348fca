"""The game of the benchmark, on a few small communities."""

from dataclasses import replace

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from sentiment.management.commands.benchmark_steering import report
from sentiment.management.steering.ablations import ABLATIONS
from sentiment.management.steering.game import Rules, play
from sentiment.management.steering.policies import (
    POLICIES,
    Gaussian,
    GreedyMean,
    Ours,
    Policy,
    Random,
    Thompson,
)
from sentiment.simulation.attacks import Attack, named

SMALL = Rules(n_rounds=3, n_works=60, n_voters=120)
TINY = Rules(n_rounds=2, n_works=30, n_voters=20, n_sales=40)


def test_steering_finds_most_of_a_hidden_taste() -> None:
    regrets = np.array([play(seed, (Random, Ours), SMALL, Attack()) for seed in (1, 2)])

    assert (regrets[:, 1] < 0.35).all()
    assert (regrets[:, 0] > 0.7).all()


def test_a_team_of_forty_in_a_hundred_gets_little_where_it_gets_much_otherwise() -> None:
    rules = replace(SMALL, n_votes=8)

    fooled, ours = play(4, (Policy, Ours), rules, named("naive40"))

    assert fooled > 0.1
    assert ours < fooled / 2


def test_without_votes_the_parameters_stay_what_they_are() -> None:
    assert play(3, (Ours,), replace(TINY, n_votes=0), Attack()) == [1.0]


def test_a_game_follows_from_its_seed() -> None:
    policies = (Random, GreedyMean, Thompson, Gaussian, Policy, Ours)

    first, again = (play(7, policies, TINY, named("drift")) for _ in range(2))

    assert first == again
    assert len(set(first)) == len(policies)


@pytest.mark.parametrize("policy", [*POLICIES, *ABLATIONS], ids=lambda policy: policy.name)
def test_every_policy_keeps_the_bounds(policy: type[Policy]) -> None:
    moves: list[tuple[float, float]] = []

    class Watched(policy):  # type: ignore[valid-type, misc]  # a class that the test is given
        def follow(self, belief: object) -> None:
            before = self.shares, self.means
            super().follow(belief)
            moves.append(
                (
                    float(np.abs(self.shares - before[0]).sum(1).max() / 2),
                    float(np.abs(self.means - before[1]).max()),
                )
            )
            assert self.shares.min() >= self.bounds.p_min - 1e-12

    play(8, (Watched,), TINY, Attack())

    assert len(moves) == TINY.n_rounds
    assert max(step for step, _ in moves) <= 0.25 + 1e-9
    assert max(step for _, step in moves) <= 0.3 + 1e-9


def test_the_report_gives_mean_and_standard_error_and_pairs_with_the_last() -> None:
    # 1 and 3: mean 2, sample sd sqrt(2), standard error 1; the differences are 1 and 1.
    said = report(["one", "other"], np.array([[1.0, 0.0], [3.0, 2.0]]))

    assert said.splitlines()[1:] == [
        "one          2.0000 +- 1.0000   +1.0000 +- +0.0000".replace("+- +", "+- "),
        "other        1.0000 +- 1.0000",
    ]


def test_a_policy_that_is_not_there_is_refused() -> None:
    with pytest.raises(CommandError, match="policies of random"):
        call_command("benchmark_steering", policies="best", seeds=2)


def test_an_attack_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="none of naive20"):
        named("nuclear")
