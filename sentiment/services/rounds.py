"""Rounds: opened when a drop is minting, closed with what their votes propose."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from generation.models import Artwork, Drop
from generation.services import move_drop
from sentiment.control import allocate, explain
from sentiment.market import prices, wash
from sentiment.models import Proposal, Round, ScoreRun, Vote
from sentiment.preference import bradley_terry, trust
from sentiment.services.evidence import Evidence, gather
from sentiment.services.market import Market, Score, last_final_block, read_market, score


@transaction.atomic
def open_round(*, drop: Drop, closes_at: datetime | None = None) -> Round:
    """Let people compare the works of a drop that is minting; a second call finds the round."""
    locked = Drop.objects.select_for_update().get(pk=drop.pk)
    known = Round.objects.filter(drop=locked).first()
    if known is not None:
        return known
    move_drop(drop=locked, expected=Drop.State.MINTING, to=Drop.State.LISTENING)
    drop.refresh_from_db()
    return Round.objects.create(drop=locked, opened_at=timezone.now(), closes_at=closes_at)


@transaction.atomic
def close_round(*, round: Round) -> Proposal:
    """Count the votes, learn from them and from sales, and propose; again, find the proposal."""
    rounds = Round.objects.select_for_update(of=("self",))
    current = rounds.select_related("drop__parameter_set", "drop__collection").get(pk=round.pk)
    known = Proposal.objects.filter(score_run__round=current).first()
    if known is not None:
        return known
    found = gather(current)
    market = read_market(current, last_final_block(current))
    belief = bradley_terry.fit(found.votes, found.prior)
    scored = score(market, found.names, belief, found.prior)
    run = _record_run(current, found, market, scored)
    proposal = _record_proposal(run, found, scored)
    current.state = Round.State.CLOSED
    current.closed_at = timezone.now()
    current.save(update_fields=["state", "closed_at"])
    move_drop(drop=current.drop, expected=Drop.State.LISTENING, to=Drop.State.SCORED)
    return proposal


def _record_run(current: Round, found: Evidence, market: Market, scored: Score) -> ScoreRun:
    voters = current.votes.order_by("voter_id").values("voter_id").distinct()
    return ScoreRun.objects.create(
        round=current,
        input_hash=explain.input_hash(_inputs(current, market)),
        n_votes=current.votes.count(),
        n_voters=voters.count(),
        posterior={
            "names": [list(option) for option in found.names],
            "mean": scored.belief.mean.tolist(),
            "covariance": scored.belief.covariance.tolist(),
        },
        market=scored.report,
        code_version=explain.code_version(),
    )


def _record_proposal(run: ScoreRun, found: Evidence, scored: Score) -> Proposal:
    drop = run.round.drop
    old = drop.parameter_set.parameters
    changes = allocate.propose(old, found.names, scored.belief)
    without = {
        source: allocate.propose(old, found.names, belief)
        for source, belief in scored.without.items()
    }
    n_votes = explain.informative_votes(found.votes)
    rows = explain.rows(changes, n_votes, without, scored.n_sales)
    return Proposal.objects.create(
        score_run=run,
        drop=drop,
        base=drop.parameter_set,
        old=old.to_json(),
        proposed=allocate.apply(old, changes).to_json(),
        rows=[row.to_json() for row in rows],
    )


def round_inputs(*, round: Round) -> dict[str, Any]:
    """Everything a score run reads, in public names: works by drop and index, voters by address.

    The input hash of the run is that of this document, as canonical JSON. Sales are those up to the
    block that the run names; where there is no run yet, up to the last one that is final by now.
    """
    run = ScoreRun.objects.filter(round=round).first()
    until = run.market.get("until_block") if run else last_final_block(round)
    return _inputs(round, read_market(round, until))


def _inputs(round: Round, market: Market) -> dict[str, Any]:
    arrays = Vote.objects.as_arrays(round)
    works = Artwork.objects.select_related("drop").in_bulk(arrays.artwork_ids)
    names = [f"{works[pk].drop.number}/{works[pk].index}" for pk in arrays.artwork_ids]
    addresses = dict(
        Vote.objects.filter(voter_id__in=set(arrays.voters.tolist()))
        .order_by("voter_id", "pk")
        .values_list("voter_id", "voter__address")
    )
    columns = (arrays.left, arrays.right, arrays.left_won, arrays.voters, arrays.ages)
    votes = sorted(
        [names[left], names[right], names[left if left_won else right], addresses[voter], age]
        for left, right, left_won, voter, age in zip(*(c.tolist() for c in columns), strict=True)
    )
    return {
        "collection": round.drop.collection.slug,
        "drop": round.drop.number,
        "parameters": round.drop.parameter_set.parameters.to_json(),
        "works": {
            name: works[pk].parsed for name, pk in zip(names, arrays.artwork_ids, strict=True)
        },
        "votes": {"columns": ["left", "right", "winner", "voter", "age"], "rows": votes},
        "market": market.inputs(),
        "constants": _constants(),
        "code": explain.code_version(),
    }


def _constants() -> dict[str, float]:
    return {
        "lapse": bradley_terry.LAPSE,
        "effect_sd": bradley_terry.EFFECT_SD,
        "side_sd": bradley_terry.SIDE_SD,
        "forgetting": trust.FORGETTING,
        "voter_cap": trust.VOTER_CAP,
        "min_confidence": allocate.MIN_CONFIDENCE,
        "min_step": allocate.MIN_STEP,
        "false_alarms": allocate.FALSE_ALARMS,
        "tukey": prices.TUKEY,
        "huber": prices.HUBER,
        "junk": prices.JUNK,
        "min_scale": prices.MIN_SCALE,
        "round_trip_days": wash.ROUND_TRIP_WITHIN.days,
        "max_cycle": wash.MAX_CYCLE,
        **asdict(allocate.Bounds()),
    }
