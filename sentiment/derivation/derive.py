"""From the public inputs of a round to what it proposes: all that happens in between, and no more.

Whatever is published is rounded to ``DECIMALS``, far below what it tells and far above what the
arithmetic of two processors differs by; a mean is rounded before anything follows from it, so that
noise around zero has no direction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sentiment.control import allocate, explain
from sentiment.control.allocate import Change, Move, Plan
from sentiment.derivation.document import Inputs, VoteRow, read
from sentiment.derivation.market import score
from sentiment.derivation.opinions import OpinionRow
from sentiment.derivation.reading import DocumentError
from sentiment.preference import bradley_terry, features, teams, trust
from sentiment.preference.bradley_terry import Belief, Votes
from sentiment.preference.features import is_direction
from sentiment.preference.teams import Found

DECIMALS = 9
VOTES = "votes"
MIN_DISCOUNT = 1e-6  # a vote that counts less by no more is not worth a line


class DerivationError(Exception):
    """From these inputs nothing follows."""


@dataclass(frozen=True)
class Derived:
    """What follows from a round's inputs, as JSON values but for ``covariance`` [D + 1, D + 1]."""

    posterior: dict[str, Any]
    covariance: NDArray[np.float64]
    market: dict[str, Any]
    proposed: dict[str, Any]
    rows: list[dict[str, Any]]


def derive(document: Mapping[str, Any]) -> Derived:
    """The posterior, the market's report, the proposed parameters and the audit of a document.

    Raises
    ------
    DocumentError
        The document is not of the form that is asked for.
    DerivationError
        It is, but the arithmetic does not come to rest.
    """
    inputs = read(document)
    try:
        with threadpool_limits(1, "blas"):  # several times as fast, and rounds the same everywhere
            return _derive(inputs)
    except (bradley_terry.FitError, np.linalg.LinAlgError) as error:
        raise DerivationError(str(error)) from error
    except ValueError as error:
        raise DocumentError("inputs", str(error)) from error


@dataclass(frozen=True)
class Ballots:
    """Votes, then opinions, as the model takes them.

    Parameters
    ----------
    voters : [V] numbers of who cast each.
    sources : [V] ``votes``, or the source of an opinion.
    addresses
        of voters, by number.
    """

    votes: Votes
    voters: NDArray[np.int64]
    sources: NDArray[np.str_]
    addresses: list[str]

    @property
    def named_sources(self) -> list[str]:
        """What there is evidence from; of no evidence at all votes are what is missing."""
        return sorted(set(self.sources.tolist())) or [VOTES]


def ballots(inputs: Inputs) -> Ballots:
    """All that voters say in a document; an opinion is a vote between a work and the average."""
    rows, opinions = inputs.votes, inputs.opinions
    averages = sorted(opinions.averages)
    place = {name: i for i, name in enumerate(inputs.works)}
    n_works, n_votes = len(place), len(rows)
    average = {number: n_works + i for i, number in enumerate(averages)}
    all_rows: list[VoteRow | OpinionRow] = [*rows, *opinions.rows]
    named = [row.voter.lower() for row in all_rows]
    addresses, voters = np.unique(named, return_inverse=True)
    ages = np.array([row.age for row in all_rows], np.int64)
    seen = inputs.exposures
    own = np.array(
        [row.weight * (seen[row.left] * seen[row.right]) ** 0.5 for row in rows]
        + [seen[row.work] for row in opinions.rows],
        np.float64,
    )
    parts = np.array([1.0] * n_votes + [row.weight for row in opinions.rows], np.float64)
    by = inputs.constants
    works, latents = list(inputs.works.values()), list(inputs.latents.values())
    encoded = features.encode(works, inputs.names, latents)
    means = [opinions.averages[number].features(inputs.names) for number in averages]
    votes = Votes(
        features=np.vstack([encoded, *means]),
        left=np.array(
            [place[row.left] for row in rows] + [place[row.work] for row in opinions.rows], np.int64
        ),
        right=np.array(
            [place[row.right] for row in rows] + [average[row.drop] for row in opinions.rows],
            np.int64,
        ),
        left_won=np.array(
            [row.winner == row.left for row in rows] + [row.liked for row in opinions.rows],
            np.bool_,
        ),
        weights=own * trust.weights(voters, ages, by.voter_cap, by.forgetting, parts),
        n_shown=n_works if averages else None,
    )
    sources = np.array([VOTES] * n_votes + [row.source for row in opinions.rows], np.str_)
    return Ballots(votes, voters, sources, addresses.tolist())


def _derive(inputs: Inputs) -> Derived:
    said, by = ballots(inputs), inputs.constants
    votes, voters = said.votes, said.voters
    prior = Belief.prior(len(inputs.names), by.effect_sd, by.side_sd)
    n_options = sum(not is_direction(name) for name, _ in inputs.names)
    found = teams.fit_honest(votes, voters, prior, n_options, by.lapse, by.team_gain)
    scored = score(inputs, found.belief)
    honest = replace(votes, weights=votes.weights * found.honesty[voters])
    others = {}
    for source in said.named_sources:
        rest = honest.only(said.sources != source)
        others[source] = scored.fused(bradley_terry.fit(rest, prior, by.lapse))
    if scored.added is not None:
        others["market"] = found.belief
    if found.teams:
        others["teams"] = score(inputs, bradley_terry.fit(votes, prior, by.lapse)).belief
    belief = _settled(scored.belief)
    propose = partial(_propose, inputs)
    plan = propose(belief)
    without = {source: propose(_settled(one)) for source, one in others.items()}
    rows = explain.rows(plan, explain.counts(votes, scored.n_sales), without)
    return Derived(
        posterior={
            "names": [list(option) for option in inputs.names],
            "mean": belief.mean.tolist(),
            "sd": _round(np.sqrt(np.diag(belief.covariance))).tolist(),
            "plan": _rounded(_summary(plan)),
            "discounted": _rounded(_discounted(inputs, found, said.addresses)),
        },
        covariance=belief.covariance,
        market=_rounded(scored.report),
        proposed=allocate.apply(inputs.parameters, plan).to_json(),
        rows=[row.to_json() for row in rows],
    )


def _summary(plan: Plan) -> dict[str, Any]:
    """What is said of all steps together; the gain is per work, in log-odds."""
    return {
        "confidence": plan.confidence,
        "gain": plan.gain,
        "gain_sd": plan.gain_sd,
        "stopped_by": plan.stopped_by,
    }


def _discounted(inputs: Inputs, found: Found, addresses: list[str]) -> list[dict[str, Any]]:
    """Voters whose votes count less, and by which rule: all there is against them."""
    rows = []
    for voter, honesty in enumerate(found.honesty.tolist() if found.teams else []):
        if honesty > 1 - MIN_DISCOUNT:
            continue
        attribute, value = inputs.names[found.teams[found.team[voter]].option]
        rows.append(
            {
                "voter": addresses[voter],
                "rule": "team",
                "factor": honesty,
                "attribute": attribute,
                "value": value,
                "for_it": int(found.for_option[voter]),
                "at_stake": int(found.at_stake[voter]),
            }
        )
    return rows


def _propose(inputs: Inputs, belief: Belief) -> Plan:
    by = inputs.constants
    plan = allocate.propose(inputs.parameters, inputs.names, belief, inputs.bounds, by.caution)
    return replace(
        plan,
        changes=tuple(_published(change) for change in plan.changes),
        moves=tuple(_published_move(move) for move in plan.moves),
    )


def _published(change: Change) -> Change:
    """A change in the decimals that are published; shares that stay are the very same."""
    return replace(
        change,
        target=_shares(change.target),
        proposed=change.old if change.stopped_by else _shares(change.proposed),
        mean=_round(change.mean),
        sd=_round(change.sd),
        evidence=round(change.evidence, DECIMALS),
        confidence=round(change.confidence, DECIMALS),
    )


def _published_move(move: Move) -> Move:
    return replace(
        move,
        target=round(move.target, DECIMALS),
        proposed=move.old if move.stopped_by else round(move.proposed, DECIMALS),
        mean=_round(move.mean),
        sd=_round(move.sd),
        evidence=round(move.evidence, DECIMALS),
        confidence=round(move.confidence, DECIMALS),
    )


def _shares(exact: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rounded shares that sum to 1: the largest, the first of equals, takes what is left over."""
    units = np.rint(exact * 10**DECIMALS)
    units[units.argmax()] += 10**DECIMALS - units.sum()
    found: NDArray[np.float64] = units / 10**DECIMALS
    return found


def _settled(belief: Belief) -> Belief:
    return replace(belief, mean=_round(belief.mean))


def _round(exact: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.round(exact, DECIMALS) + 0.0  # no negative zero
    return found


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS) + 0.0
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value
