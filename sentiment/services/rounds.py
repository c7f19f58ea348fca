"""Rounds: opened when a drop is minting, closed with what their votes propose."""

import logging
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from generation.models import Drop
from generation.services import move_drop
from sentiment.control import explain
from sentiment.derivation import document, tally
from sentiment.derivation.derive import Derived, derive
from sentiment.models import Proposal, Round, ScoreRun
from sentiment.services.documents import build_inputs, keep_inputs
from sentiment.services.market import last_final_block
from sentiment.services.proposals import fly
from sentiment.services.weights import NoSnapshotError, keep_holdings

logger = logging.getLogger(__name__)


@transaction.atomic
def open_round(
    *,
    drop: Drop,
    closes_at: datetime | None = None,
    weighting: str = Round.Weighting.EQUAL,
) -> Round:
    """Let people compare the works of a drop that is minting; a second call finds the round.

    NoSnapshotError where works are to be counted and no block is final yet.
    """
    locked = Drop.objects.select_for_update().get(pk=drop.pk)
    known = Round.objects.filter(drop=locked).first()
    if known is not None:
        return known
    move_drop(drop=locked, expected=Drop.State.MINTING, to=Drop.State.LISTENING)
    drop.refresh_from_db()
    current = Round(drop=locked, opened_at=timezone.now(), closes_at=closes_at, weighting=weighting)
    if weighting != Round.Weighting.EQUAL:
        current.snapshot_block = last_final_block(current)
        if current.snapshot_block is None or current.snapshot_block < 1:
            raise NoSnapshotError(drop)
    current.save()
    if current.snapshot_block is not None:
        keep_holdings(current)
    return current


@transaction.atomic
def close_round(*, round: Round) -> Proposal:
    """Count the votes, learn from them and from sales, and propose; again, find the proposal.

    What is learned follows from the public inputs alone, which are kept.
    """
    rounds = Round.objects.select_for_update(of=("self",))
    current = rounds.select_related("drop__parameter_set", "drop__collection").get(pk=round.pk)
    known = Proposal.objects.filter(score_run__round=current).first()
    if known is not None:
        return known
    inputs = build_inputs(current, last_final_block(current))
    derived = derive(inputs)
    if "unjudged" in derived.market:
        logger.warning("the sales add nothing: %s", derived.market["unjudged"])
    run = _record_run(current, inputs, derived)
    proposal = _record_proposal(run, derived)
    current.state = Round.State.CLOSED
    current.closed_at = timezone.now()
    current.save(update_fields=["state", "closed_at"])
    move_drop(drop=current.drop, expected=Drop.State.LISTENING, to=Drop.State.SCORED)
    return fly(proposal=proposal)


def _record_run(current: Round, inputs: dict[str, Any], derived: Derived) -> ScoreRun:
    voters = current.votes.order_by("voter_id").values("voter_id").distinct()
    run = ScoreRun.objects.create(
        round=current,
        input_hash=explain.input_hash(inputs),
        n_votes=current.votes.count(),
        n_voters=voters.count(),
        posterior=derived.posterior | {"covariance": derived.covariance.tolist()},
        market=derived.market,
        code_version=inputs["code"],
        tally_root=tally.root(document.read(inputs).votes).hex(),
    )
    keep_inputs(run, inputs)
    return run


def _record_proposal(run: ScoreRun, derived: Derived) -> Proposal:
    drop = run.round.drop
    return Proposal.objects.create(
        score_run=run,
        drop=drop,
        base=drop.parameter_set,
        old=drop.parameter_set.parameters.to_json(),
        proposed=derived.proposed,
        rows=derived.rows,
    )
