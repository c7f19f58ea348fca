import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from sentiment.preference import bradley_terry, teams
from sentiment.preference.bradley_terry import Belief, Votes

N_OPTIONS, N_WORKS = 8, 120


def crowd(
    n_honest: int, n_members: int, votes_each: int, seed: int = 0, *, by_coin: bool = False
) -> tuple[Votes, NDArray[np.int64], NDArray[np.float64]]:
    """Honest voters first, then members of a team that pushes option 0, which is disliked."""
    chance = np.random.default_rng(seed)
    taste = np.array([-1.0, *chance.normal(0, 0.5, N_OPTIONS - 1)])
    works = np.eye(N_OPTIONS)[chance.integers(N_OPTIONS, size=N_WORKS)]
    voters = np.repeat(np.arange(n_honest + n_members), votes_each)
    left = chance.integers(N_WORKS, size=len(voters))
    right = (left + chance.integers(1, N_WORKS, size=len(voters))) % N_WORKS
    p = bradley_terry.LAPSE / 2 + (1 - bradley_terry.LAPSE) * expit(
        (works[left] - works[right]) @ taste
    )
    won = chance.random(len(voters)) < np.where(by_coin & (voters >= n_honest), 0.5, p)
    apart = works[left, 0] - works[right, 0]
    won = np.where((voters >= n_honest) & (apart != 0), apart > 0, won)
    votes = Votes(works, left, right, won, np.ones(len(voters)))
    return votes, voters, taste


def prior() -> Belief:
    return Belief.prior(N_OPTIONS)


@pytest.mark.parametrize("by_coin", [False, True])
def test_a_team_is_found_with_its_option_and_members(by_coin: bool) -> None:
    votes, voters, _ = crowd(150, 40, 16, by_coin=by_coin)

    found = teams.fit_honest(votes, voters, prior(), N_OPTIONS)

    assert {team.option for team in found.teams} == {0}
    assert sum(team.share for team in found.teams) == pytest.approx(40 / 190, abs=0.06)
    assert found.honesty[150:].mean() < 0.1
    assert found.honesty[:150].mean() > 0.9


def test_honest_taste_is_found_beside_a_team() -> None:
    votes, voters, _ = crowd(150, 60, 16)

    fooled = bradley_terry.fit(votes, prior())
    found = teams.fit_honest(votes, voters, prior(), N_OPTIONS)

    honest = bradley_terry.fit(taken(votes, np.flatnonzero(voters < 150)), prior())
    off = [belief.effects[0] - honest.effects[0] for belief in (fooled, found.belief)]
    assert off[0] > 0.5
    assert abs(off[1]) < 0.2


def taken(votes: Votes, places: NDArray[np.int64]) -> Votes:
    """Some of the votes, in this order."""
    return Votes(
        votes.features,
        votes.left[places],
        votes.right[places],
        votes.left_won[places],
        votes.weights[places],
    )


@pytest.mark.parametrize("seed", range(6))
def test_an_honest_crowd_has_no_team_and_the_very_same_belief(seed: int) -> None:
    votes, voters, _ = crowd(150, 0, 16, seed)

    found = teams.fit_honest(votes, voters, prior(), N_OPTIONS)

    assert found.teams == ()
    assert (found.honesty == 1).all()
    assert (found.belief.mean == bradley_terry.fit(votes, prior()).mean).all()


def test_one_vote_a_head_tells_no_team_from_taste() -> None:
    votes, voters, _ = crowd(150, 40, 1)

    assert teams.fit_honest(votes, voters, prior(), N_OPTIONS).teams == ()


def test_the_evidence_against_a_voter_is_counted() -> None:
    votes, voters, _ = crowd(150, 40, 16)

    found = teams.fit_honest(votes, voters, prior(), N_OPTIONS)

    member = int(np.argmin(found.honesty))
    own = voters == member
    apart = votes.features[votes.left[own], 0] - votes.features[votes.right[own], 0]
    assert found.at_stake[member] == (apart != 0).sum()
    assert found.for_option[member] == ((apart > 0) == votes.left_won[own])[apart != 0].sum()


def test_the_order_of_votes_does_not_matter() -> None:
    votes, voters, _ = crowd(60, 20, 12)
    order = np.random.default_rng(1).permutation(len(voters))

    found = teams.fit_honest(votes, voters, prior(), N_OPTIONS)
    again = teams.fit_honest(taken(votes, order), voters[order], prior(), N_OPTIONS)

    assert again.honesty == pytest.approx(found.honesty, abs=1e-9)
    assert again.belief.mean == pytest.approx(found.belief.mean, abs=1e-9)


def test_nobody_votes_and_nothing_is_found() -> None:
    nobody = Votes(
        np.eye(N_OPTIONS),
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        np.zeros(0, np.bool_),
        np.zeros(0),
    )

    found = teams.fit_honest(nobody, np.zeros(0, np.int64), prior(), N_OPTIONS)

    assert found.teams == ()
    assert (found.belief.mean == 0).all()
