"""Signals on crowds of which it is known who is one: rings are found, the honest are not."""

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from sentiment.integrity import agreement, funding, groups, rhythm
from sentiment.integrity.groups import Tie

N_VOTERS, N_PAIRS, N_VOTES, RING = 120, 300, 80, 8


class Crowd(NamedTuple):
    voters: NDArray[np.int64]
    pairs: NDArray[np.int64]
    for_first: NDArray[np.bool_]
    times: NDArray[np.float64]
    likely: NDArray[np.float64]


def crowd(seed: int) -> Crowd:
    """Voters with a common and an own taste, each with a sitting within the same half hour."""
    chance = np.random.default_rng(seed)
    lead = chance.normal(0, 0.8, N_PAIRS)
    voters = np.repeat(np.arange(N_VOTERS), N_VOTES)
    drawn = [chance.choice(N_PAIRS, N_VOTES, replace=False) for _ in range(N_VOTERS)]
    pairs = np.concatenate(drawn)
    own = chance.normal(0, 0.6, (N_VOTERS, N_PAIRS))
    odds = lead[pairs] + own[voters, pairs]
    begun = chance.uniform(0, 1800, N_VOTERS)
    times = np.concatenate([at + np.cumsum(chance.gamma(6, 0.4, N_VOTES)) for at in begun])
    chosen = chance.random(len(voters)) < 1 / (1 + np.exp(-odds))
    return Crowd(voters, pairs, chosen, times, 1 / (1 + np.exp(-0.6 * lead)))


def with_ring(honest: Crowd, seed: int) -> Crowd:
    """The same crowd and wallets of one hand: the same pairs, the same choices, one lag."""
    chance = np.random.default_rng([seed, 1])
    pairs = chance.choice(N_PAIRS, 60, replace=False)
    choices, at = chance.random(60) < 0.5, chance.uniform(0, 1800, 60)
    times = [at + 0.4 * wallet + chance.normal(0, 0.1, 60) for wallet in range(RING)]
    return Crowd(
        np.concatenate([honest.voters, np.repeat(np.arange(N_VOTERS, N_VOTERS + RING), 60)]),
        np.concatenate([honest.pairs, np.tile(pairs, RING)]),
        np.concatenate([honest.for_first, np.tile(choices, RING)]),
        np.concatenate([honest.times, *times]),
        honest.likely,
    )


def alike(told: Crowd) -> list[Tie]:
    return agreement.ties(told.voters, told.pairs, told.for_first, told.likely)


@pytest.mark.parametrize("seed", range(5))
def test_an_honest_crowd_shows_nothing(seed: int) -> None:
    honest = crowd(seed)

    assert alike(honest) == []
    assert rhythm.ties(honest.voters, honest.times) == []


@pytest.mark.parametrize("seed", range(3))
def test_wallets_of_one_hand_are_found_and_nobody_else(seed: int) -> None:
    told = with_ring(crowd(seed), seed)
    ring = tuple(range(N_VOTERS, N_VOTERS + RING))

    by_choice = groups.gather(alike(told))
    (by_time,) = groups.gather(rhythm.ties(told.voters, told.times))

    assert by_time.voters == ring
    assert by_time.best.p < 1e-9
    assert {voter for group in by_choice for voter in group.voters} == set(ring)


def test_the_chance_of_an_agreement_is_that_of_the_binomial() -> None:
    voters, pairs = np.repeat([0, 1], 20), np.tile(np.arange(20), 2)
    for_first = np.ones(40, np.bool_)
    likely = np.full(20, 0.5)

    assert agreement.ties(voters, pairs, for_first, likely, alpha=1.0) == []  # as all here agree

    others = np.random.default_rng(0).random(20 * 60) < 0.5
    more = np.repeat(np.arange(2, 62), 20)
    every = np.concatenate([pairs, np.tile(np.arange(20), 60)])
    chosen = np.concatenate([for_first, others])
    found = agreement.ties(np.concatenate([voters, more]), every, chosen, likely, alpha=1.0)
    tie = next(one for one in found if (one.one, one.other) == (0, 1))
    rate = tie.expected / 20
    assert (tie.hits, tie.n) == (20, 20)
    assert rate == pytest.approx(0.5, abs=0.01)
    assert tie.p == pytest.approx(binom.sf(19, 20, rate) * 62 * 61 / 2, rel=1e-9)


def test_two_who_share_few_pairs_are_not_compared() -> None:
    n = agreement.MIN_SHARED - 1
    voters, pairs = np.repeat([0, 1], n), np.tile(np.arange(n), 2)

    assert agreement.ties(voters, pairs, np.ones(2 * n, np.bool_), np.full(n, 0.5)) == []


def test_nobody_has_voted() -> None:
    none = np.zeros(0, np.int64)

    assert agreement.ties(none, none, none.astype(bool), np.zeros(0)) == []
    assert rhythm.ties(none, none.astype(float)) == []
    assert groups.gather([]) == []


def test_a_lag_is_found_whoever_comes_first() -> None:
    """Two programs, the second 3.4 s behind the first; the third votes when it likes."""
    chance = np.random.default_rng(3)
    at = chance.uniform(0, 3600, 40)
    times = np.concatenate([at, at + 3.4 + chance.normal(0, 0.05, 40), chance.uniform(0, 3600, 40)])

    (tie,) = rhythm.ties(np.repeat([1, 0, 2], 40), times)

    assert (tie.one, tie.other, tie.hits) == (0, 1, 40)


def test_a_denser_crowd_is_looked_at_in_bounds() -> None:
    n = 4 * rhythm.MAX_NEIGHBOURS
    times = np.zeros(n)

    assert rhythm.ties(np.arange(n), times) == []


def test_who_hangs_together_is_one_group() -> None:
    ties = [Tie(1, 2, 9, 9, 4.0, 1e-4), Tie(2, 7, 9, 9, 4.0, 1e-6), Tie(3, 4, 9, 9, 4.0, 1e-5)]

    found = groups.gather(ties)

    assert [group.voters for group in found] == [(1, 2, 7), (3, 4)]
    assert (found[0].best.p, found[0].n_ties) == (1e-6, 2)


def test_wallets_of_one_funder_are_a_group_with_the_funder_if_it_votes() -> None:
    funders = {"a": "x", "b": "x", "c": "d", "e": "y", "stranger": "x"}

    found = funding.groups(funders, frozenset("abcde"))

    assert [(group.funder, group.wallets) for group in found] == [
        ("d", ("c", "d")),
        ("x", ("a", "b")),
    ]
    assert {group.n_known for group in found} == {4}
