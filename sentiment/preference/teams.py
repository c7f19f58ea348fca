"""Voters who act as one: who always chooses what shows one option is no judge of works.

Each voter is honest, or belongs to the team of some option: where it is at stake a member chooses
it (but for a slip), and otherwise votes as others do or by a coin. Shares of teams and who belongs
to one are estimated together (a mixture, by expectation-maximisation: Dempster, Laird and Rubin
1977), the taste of the honest anew each time. An honest voter may like an option too, which the
likelihood allows for. A team that does not make the votes likelier by ``MIN_GAIN`` is none.

It finds the concentrated attack, from a voter's second vote on; a crowd that votes as the honest do
but for one vote a head cannot be told from taste.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp

from sentiment.preference.bradley_terry import LAPSE, Belief, Votes, fit

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SLIP = 0.03
# Standard deviation of what an honest voter adds to an option, in log-odds.
OWN_SD = 0.3
# In nats, of one team against none: an honest crowd had no team in any of 24 communities
# (`benchmark_steering --policies without-teams,morphora`, also `--scarce`: no difference at all).
MIN_GAIN = 15.0
ROUNDS = 4
STEPS = 40
FIRST_SHARE = 0.2  # of all teams together, before anything is known

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
_LOG_WEIGHTS = np.log(_WEIGHTS / _WEIGHTS.sum())


@dataclass(frozen=True)
class Team:
    """Voters who push one option.

    Parameters
    ----------
    option : column of the features.
    by_coin
        whether they vote at random where the option is not at stake.
    share
        of all voters, in [0, 1].
    gain
        nats by which the votes are likelier with the team than without.
    """

    option: int
    by_coin: bool
    share: float
    gain: float


@dataclass(frozen=True)
class Found:
    """The belief about honest taste, and how honest each voter seems.

    Parameters
    ----------
    honesty : [U] probability of being in no team.
    team : [U] place in ``teams`` of the likeliest team of each voter.
    for_option, at_stake : [U] votes for the option of that team, and votes where it was at stake.
    """

    belief: Belief
    honesty: Vector
    teams: tuple[Team, ...]
    team: NDArray[np.int64]
    for_option: NDArray[np.int64]
    at_stake: NDArray[np.int64]


def fit_honest(
    votes: Votes,
    voters: NDArray[np.int64],
    prior: Belief,
    n_options: int,
    lapse: float = LAPSE,
    min_gain: float = MIN_GAIN,
) -> Found:
    """The belief after the votes of those who are in no team.

    Parameters
    ----------
    votes
        those between two works tell who is in a team, and so what opinions on one work weigh.
    voters : [V] numbers 0, 1, ... U - 1 of who cast each vote.
    n_options
        the first so many features are options, 0 or 1, which a team may push.

    Raises
    ------
    FitError
        A maximum was not reached.
    """
    n_voters = int(voters.max(initial=-1)) + 1
    between = votes.is_sided
    pairs, of_pairs = votes.only(between), voters[between]
    belief = fit(votes, prior, lapse)
    honesty, likely = np.ones(n_voters), np.zeros((n_voters, 0))
    teams: tuple[Team, ...] = ()
    for _ in range(ROUNDS):
        ratios = _log_ratios(pairs, of_pairs, n_voters, belief, n_options, lapse)
        before = honesty
        honesty, teams, likely = _mixture(ratios, n_options, min_gain)
        if np.abs(honesty - before).max(initial=0.0) < 1e-6:
            break
        belief = fit(replace(votes, weights=votes.weights * honesty[voters]), prior, lapse)
    team = likely.argmax(1) if teams else np.zeros(n_voters, np.int64)
    return Found(belief, honesty, teams, team, *_counts(pairs, of_pairs, teams, team))


def _at_stake(votes: Votes, n_options: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Vector]:
    """Vote, option, and 1 where what was chosen shows it and -1 where the other one does."""
    features = votes.features[:, :n_options]
    apart = features[votes.left] - features[votes.right]
    vote, option = np.nonzero(apart)
    return vote, option, apart[vote, option] * np.where(votes.left_won, 1.0, -1.0)[vote]


def _log_ratios(
    votes: Votes,
    voters: NDArray[np.int64],
    n_voters: int,
    belief: Belief,
    n_options: int,
    lapse: float,
) -> Matrix:
    """Log likelihood [U, 2 n_options] of each voter's votes as a member of a team less as honest.

    The first half votes as others do where the option is not at stake, the second by a coin.
    """
    worth = votes.features @ belief.effects
    lead = worth[votes.left] - worth[votes.right] + belief.mean[-1]
    lead = np.where(votes.left_won, lead, -lead)
    vote, option, toward = _at_stake(votes, n_options)
    cell, n_cells = voters[vote] * n_options + option, n_voters * n_options

    def summed(values: Vector) -> Matrix:
        sums = np.bincount(cell, values, n_cells).astype(np.float64)
        return sums.reshape(n_voters, n_options)

    honest = [
        summed(_log_chosen(lead[vote] + toward * OWN_SD * node, lapse)) for node in _NODES.tolist()
    ]
    pushed = summed(np.where(toward > 0, float(np.log(1 - SLIP)), float(np.log(SLIP))))
    member = pushed - logsumexp(np.stack(honest, axis=2) + _LOG_WEIGHTS, axis=2)
    plain = _log_chosen(lead, lapse)
    over_coin = np.log(0.5) - plain
    of_all = np.bincount(voters, over_coin, n_voters)[:, None]
    return np.hstack([member, member + of_all - summed(over_coin[vote])])


def _log_chosen(lead: Vector, lapse: float) -> Vector:
    chosen: Vector = np.log(lapse / 2 + (1 - lapse) * expit(lead))
    return chosen


def _mixture(
    ratios: Matrix, n_options: int, min_gain: float
) -> tuple[Vector, tuple[Team, ...], Matrix]:
    """Honesty [U], teams, and the probability [U, teams] of being in each."""
    n_voters, n_kinds = ratios.shape
    kinds = np.arange(n_kinds)
    if not n_voters:
        return np.ones(0), (), np.zeros((0, 0))
    shares, logs = _shares(ratios, np.full(n_kinds, FIRST_SHARE / n_kinds))
    gains = _gains(logs, shares)
    while len(kinds) and gains.min() < min_gain:
        # No more than half at once: two kinds of one team hide each other's gain.
        weakest = np.argsort(gains, kind="stable")[: (len(kinds) + 1) // 2]
        kinds = np.setdiff1d(kinds, kinds[weakest[gains[weakest] < min_gain]])
        shares, logs = _shares(ratios[:, kinds], np.full(len(kinds), FIRST_SHARE / n_kinds))
        gains = _gains(logs, shares)
    likely = np.exp(logs - logsumexp(logs, axis=1, keepdims=True))
    teams = tuple(
        Team(kind % n_options, kind >= n_options, share, gain)
        for kind, share, gain in zip(kinds.tolist(), shares.tolist(), gains.tolist(), strict=True)
    )
    return likely[:, -1], teams, likely[:, :-1]


def _shares(ratios: Matrix, shares: Vector) -> tuple[Vector, Matrix]:
    """Shares [T] of teams that make the votes likeliest, and log likelihoods [U, T + 1]."""
    honest = np.zeros((len(ratios), 1))
    for _ in range(STEPS):
        logs = np.hstack([ratios + np.log(shares), honest + np.log1p(-shares.sum())])
        likely = np.exp(logs - logsumexp(logs, axis=1, keepdims=True))
        shares = likely[:, :-1].mean(0).clip(1e-6)
        shares *= min(1.0, 0.95 / max(shares.sum(), 1e-12))
    return shares, logs


def _gains(logs: Matrix, shares: Vector) -> Vector:
    """Nats [T] that each team adds to the likelihood of all votes."""
    whole = logsumexp(logs, axis=1)
    return np.array(
        [
            (whole - logsumexp(np.delete(logs, team, 1), axis=1)).sum()
            + len(logs) * np.log1p(-share)
            for team, share in enumerate(shares.tolist())
        ]
    )


def _counts(
    votes: Votes, voters: NDArray[np.int64], teams: tuple[Team, ...], team: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Votes [U] for the option of each voter's likeliest team, and votes where it was at stake."""
    nothing = np.zeros(len(team), np.int64)
    if not teams:
        return nothing, nothing
    option = np.array([one.option for one in teams])[team]
    apart = votes.features[votes.left, option[voters]] - votes.features[votes.right, option[voters]]
    toward = apart * np.where(votes.left_won, 1.0, -1.0)
    n_voters = len(team)
    return (
        np.bincount(voters, toward > 0, n_voters).astype(np.int64),
        np.bincount(voters, toward != 0, n_voters).astype(np.int64),
    )
