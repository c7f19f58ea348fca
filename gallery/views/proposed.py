"""What a lead sees of a proposal: its audit in words, who counted less, works before and after."""

from dataclasses import replace
from typing import Any

from django.urls import reverse

from gallery.serializers import proposal_rows, strength_rows
from generation.models import Drop
from generation.traits.parameters import Parameters
from minting.provenance.lineage import params_hash
from minting.services import is_painted
from sentiment.models import Proposal

ROWS, ROW = 2, 6  # of works that are shown
SIDES = ("before", "after")
HALF = 0.5  # of a vote: what counts less is shown with what speaks against it


def proposal_context(drop: Drop) -> dict[str, Any]:
    proposal = (
        Proposal.objects.select_related("score_run", "base", "drop__checkpoint")
        .filter(drop=drop)
        .first()
    )
    if proposal is None:
        return {"proposal": None}
    rows = proposal_rows(proposal.rows, proposal.applied)
    return {
        "proposal": proposal,
        "score": proposal.score_run,
        "proposal_rows": rows,
        "strength_rows": strength_rows(proposal.rows, proposal.applied),
        "discounted": discounted(proposal.score_run.posterior),
        "sheets": sheets(proposal),
        "sheet_width": ROW * proposal.drop.checkpoint.config.get("img_resolution", 64),
        "sheet_height": proposal.drop.checkpoint.config.get("img_resolution", 64),
        "exploration_percent": 100 * proposal.base.parameters.exploration,
        "control_percent": 100 * proposal.base.parameters.control,
    }


def discounted(posterior: dict[str, Any]) -> list[dict[str, Any]]:
    """Voters whose votes count for half or less, the least first."""
    rows = [row for row in posterior.get("discounted", []) if row["factor"] <= HALF]
    return sorted(rows, key=lambda row: (row["factor"], row["voter"]))


def sheets(proposal: Proposal) -> list[dict[str, Any]]:
    """Addresses of rows of works with the parameters of before and after, of the same seeds."""
    if not proposal.is_change and proposal.state == Proposal.State.PENDING:
        return []
    return [{"side": side, "urls": _addresses(proposal, side)} for side in SIDES]


def _addresses(proposal: Proposal, side: str) -> list[str]:
    """They name what they show, so that browsers may keep it."""
    page = reverse("gallery:proposal-sheet", args=[proposal.pk, side])
    shown = params_hash(parameters_of(proposal, side).to_json()).hex()[:12]
    return [f"{page}?of={shown}&row={row}" for row in range(ROWS)]


def parameters_of(proposal: Proposal, side: str) -> Parameters:
    """Those of before, or what came of the proposal: while it waits what it proposes.

    In the contract's shares where a contract draws the works.
    """
    after = proposal.proposed if proposal.applied is None else proposal.applied
    found = Parameters.from_json(proposal.old if side == "before" else after)
    collection = proposal.drop.collection
    if not is_painted(collection):
        return found
    first = collection.parameter_sets.order_by("number", "pk")[0].parameters
    return replace(found, distributions=first.distributions)
