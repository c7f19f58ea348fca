"""The numerical loop of the benchmark, on a few communities."""

import argparse

import numpy as np

from benchmarks.steering import report, run
from sentiment.preference.bradley_terry import EFFECT_SD


def options(**changes: int) -> argparse.Namespace:
    usual = {"voters": 40, "votes": 20, "works": 64, "drops": 3, "effect_sd": EFFECT_SD}
    return argparse.Namespace(**(usual | changes))


def test_steering_raises_what_each_community_thinks_of_the_drops() -> None:
    worth = np.stack([run(seed, options()) for seed in range(100, 106)])

    gain = worth[:, :, -1] - worth[:, :, 0]
    assert (gain[:, 0] > gain[:, 1] + 0.5).all()


def test_without_votes_steering_changes_nothing() -> None:
    steered, control = run(3, options(votes=0))

    assert steered.tolist() == control.tolist()


def test_a_run_follows_from_its_seed() -> None:
    small = options(voters=5, drops=2)

    assert run(7, small).tolist() == run(7, small).tolist()


def test_the_report_gives_mean_and_standard_error() -> None:
    worth = np.array([[[0.0, 1.0], [0.0, 0.0]], [[0.0, 3.0], [0.0, 0.0]]])

    # Gains 1 and 3: mean 2, sample sd sqrt(2), standard error 1.
    said = report(worth)

    assert "paired  +2.000 +- 1.000" in said
    assert "more in 2 of 2" in said
