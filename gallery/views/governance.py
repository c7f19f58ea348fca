"""What holders decide: their proposals and ballots, and the bounds in force, from public rows."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from gallery.serializers import ether
from gallery.views.limits import call_words, find_limits
from gallery.views.public import revalidated
from generation.models import Collection
from minting.chain.bounds import Option
from minting.chain.governor import State
from minting.models import Block, Contract, Governance, GovernorProposal, GovernorStep
from minting.services import (
    Standing,
    bounds_at,
    options_of,
    public_rpc_url,
    quorum_percent,
    standings,
)

PAGE = 10
BALLOTS = 50
MAX_PROPOSALS = 500  # the newest ones; their states are computed, so a filter looks at each
MAX_TEXT = 8_000
TITLE = 90
BLOCK_S = 12.0  # until the blocks that are stored say better
OVER = {State.CANCELED, State.DEFEATED, State.EXECUTED, State.EXPIRED}
SAYS = {
    State.PENDING: "Voting begins soon",
    State.ACTIVE: "Voting is open",
    State.CANCELED: "Taken back",
    State.DEFEATED: "Not accepted",
    State.SUCCEEDED: "Accepted: anybody may queue it",
    State.QUEUED: "Waits in the timelock",
    State.EXPIRED: "Expired",
    State.EXECUTED: "In force",
}


@revalidated
@require_safe
def governance(request: HttpRequest, slug: str) -> HttpResponse:
    return render(request, "gallery/governance.html", page_context(request, slug))


@revalidated
@require_safe
def governance_live(request: HttpRequest, slug: str) -> HttpResponse:
    """The part of the page that changes with the chain."""
    return render(request, "gallery/governance_live.html", page_context(request, slug))


@revalidated
@require_safe
def proposal(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    return render(request, "gallery/decision.html", proposal_context(request, slug, number))


@revalidated
@require_safe
def proposal_live(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """The parts of a proposal's page that change with the chain."""
    return render(request, "gallery/decision_parts.html", proposal_context(request, slug, number))


def page_context(request: HttpRequest, slug: str) -> dict[str, Any]:
    collection = get_object_or_404(Collection, slug=slug)
    found = find_governance(collection)
    if found is None:
        contract = Contract.objects.filter(collection=collection).first()
        return {"collection": collection, "governance": None, "contract": contract}
    chosen = request.GET.get("state", "")
    chosen = chosen if chosen in set(State) else ""
    clock, options = found.cursor.number, options_of(collection)
    rows = list(found.proposals.select_related("block").newest_first()[:MAX_PROPOSALS])
    standing = standings(governance=found, proposals=rows, clock=clock)
    shown = [one for one in standing if chosen in ("", one.state)]
    page = Paginator(shown, PAGE).get_page(request.GET.get("page"))
    now, block_s = chain_time(found)
    query = urlencode({"state": chosen}) if chosen else ""
    live = reverse("gallery:governance-live", args=[slug])
    return {
        **shared_context(collection, found),
        "limits": find_limits(collection, options, bounds_at(collection, clock)),
        "page": page,
        "rows": [row(one, found, options, now, block_s) for one in page.object_list],
        "quorum_percent": quorum_percent(found),
        "n_proposals": len(standing),
        "is_cut": len(rows) == MAX_PROPOSALS,
        "chosen": chosen,
        "states": state_chips(standing),
        "page_query": f"{query}&" if query else "",
        "live_url": f"{live}?{query}&page={page.number}" if query else f"{live}?page={page.number}",
    }


def find_governance(collection: Collection) -> Governance | None:
    """The government of a collection, if it stands and is read."""
    rows = Governance.objects.exclude(governor="").select_related("contract__collection", "cursor")
    return rows.filter(contract__collection=collection, cursor__isnull=False).first()


def shared_context(collection: Collection, found: Governance) -> dict[str, Any]:
    return {
        "collection": collection,
        "governance": found,
        "contract": found.contract,
        "clock": found.cursor.number,
        "n_behind": max(0, found.cursor.head - found.cursor.number),
        "chain_id": settings.CHAIN_ID,
        "rpc_url": public_rpc_url(),
        "explorer": settings.CHAIN_EXPLORER_URL,
    }


def state_chips(standing: Sequence[Standing]) -> list[tuple[str, int]]:
    """States that there are, and how many proposals are in each."""
    counts = [(state, sum(one.state == state for one in standing)) for state in State]
    return [(state.value, n) for state, n in counts if n]


def chain_time(found: Governance) -> tuple[datetime, float]:
    """When the newest block that is read was mined, and how long blocks take."""
    stored = Block.objects.filter(chain_id=found.chain_id).newest_first()
    newest = list(stored.values_list("number", "mined_at")[:32])
    if not newest:
        return datetime.now(UTC), BLOCK_S
    (last, now), (first, then) = newest[0], newest[-1]
    n_blocks, span = last - first, (now - then).total_seconds()
    return now, span / n_blocks if n_blocks and span > 0 else BLOCK_S


def row(
    one: Standing, found: Governance, options: list[Option], now: datetime, block_s: float
) -> dict[str, Any]:
    """A proposal as the list shows it."""
    proposal = one.proposal
    slug = found.contract.collection.slug
    first, _, _ = proposal.description.strip().partition("\n")
    title = first.lstrip("# ")[:TITLE] or "Without words"
    calls = [told(call, found, options) for call in proposal.calls]
    return {
        "proposal": proposal,
        "url": reverse("gallery:decision", args=[slug, proposal.number]),
        "live_url": reverse("gallery:decision-live", args=[slug, proposal.number]),
        "title": title,
        "state": one.state,
        "says": SAYS[one.state],
        "calls": calls,
        "bars": bars(one),
        "tally": one.tally,
        "quorum": one.quorum,
        "has_quorum": one.tally.towards_quorum >= one.quorum,
        "when": when(one, found.cursor.number, now, block_s),
        "is_ready": is_ready(one, now),
        "is_over": one.state in OVER,
    }


def told(call: dict[str, Any], found: Governance, options: list[Option]) -> dict[str, Any]:
    """A call in words; ``is_known`` where it sets bounds."""
    words = call_words(call, found.bounds, options)
    if words:
        return {"words": words, "is_known": True, **call}
    value = int(call["value"])
    sent = f"send {ether(value)} ETH to" if value else "call"
    names = {
        found.governor: "the governor",
        found.timelock: "the timelock",
        found.bounds: "the bounds",
        found.contract.address: "the collection",
    }
    return {"words": f"{sent} {names.get(call['target'], call['target'])}", **call}


def bars(one: Standing) -> dict[str, float]:
    """Widths of 100 in the bar of ballots, of all works there were; and where the quorum is."""
    whole = max(one.supply, sum(one.tally), one.quorum, 1)
    against, in_favour, abstain = (100 * n / whole for n in one.tally)
    return {
        "in_favour": in_favour,
        "against": against,
        "against_x": in_favour,
        "abstain": abstain,
        "abstain_x": in_favour + against,
        "quorum": min(100 * one.quorum / whole, 99.6),
        "whole": whole,
    }


def when(one: Standing, clock: int, now: datetime, block_s: float) -> dict[str, Any] | None:
    """What comes next, and about when."""
    if one.state == State.PENDING:
        n_blocks = one.proposal.snapshot + 1 - clock
        return {"words": "Voting begins", "at": after(now, n_blocks, block_s)}
    if one.state == State.ACTIVE:
        n_blocks = one.proposal.deadline + 1 - clock
        return {"words": "Voting ends", "at": after(now, n_blocks, block_s)}
    if one.state == State.QUEUED and one.ready_at is not None and not is_ready(one, now):
        return {"words": "May be executed", "at": now + timedelta(seconds=wait_s(one, now))}
    return None


def after(now: datetime, n_blocks: int, block_s: float) -> datetime | None:
    """None where it is further than anybody plans."""
    seconds = n_blocks * block_s
    return now + timedelta(seconds=seconds) if seconds < 10 * 365 * 86_400 else None


def wait_s(one: Standing, now: datetime) -> float:
    assert one.ready_at is not None
    return min(one.ready_at - now.timestamp(), 10 * 365 * 86_400)


def is_ready(one: Standing, now: datetime) -> bool:
    """Whether what is queued may be executed."""
    return one.state == State.QUEUED and one.ready_at is not None and wait_s(one, now) <= 0


def proposal_context(request: HttpRequest, slug: str, number: str) -> dict[str, Any]:
    collection = get_object_or_404(Collection, slug=slug)
    found = find_governance(collection)
    if found is None:
        raise Http404("no government")
    one = get_object_or_404(found.proposals.select_related("block"), number=number.lower())
    [standing] = standings(governance=found, proposals=[one], clock=found.cursor.number)
    now, block_s = chain_time(found)
    ballots = found.ballots.filter(number=one.number).select_related("block").newest_first()
    page = Paginator(ballots, BALLOTS).get_page(request.GET.get("page"))
    row_of = row(standing, found, options_of(collection), now, block_s)
    return {
        **shared_context(collection, found),
        "row": row_of,
        "proposal": one,
        "description": one.description[:MAX_TEXT],
        "is_cut": len(one.description) > MAX_TEXT,
        "page": page,
        "steps": history(standing),
        "live_url": f"{row_of['live_url']}?page={page.number}",
        "action": action_of(one),
    }


def history(standing: Standing) -> list[dict[str, Any]]:
    """What happened to a proposal, each kind once, in order."""
    first: dict[str, GovernorStep] = {}
    for step in sorted(standing.steps, key=lambda step: (step.block.number, step.log_index)):
        first.setdefault(step.kind, step)
    proposed = {
        "says": "Proposed",
        "at": standing.proposal.block.mined_at,
        "tx_hash": standing.proposal.tx_hash,
    }
    later = [
        {"says": step.kind.capitalize(), "at": step.block.mined_at, "tx_hash": step.tx_hash}
        for step in first.values()
    ]
    return [proposed, *later]


def action_of(one: GovernorProposal) -> dict[str, Any]:
    """What queueing and executing are called with."""
    return {
        "targets": [call["target"] for call in one.calls],
        "values": [call["value"] for call in one.calls],
        "calldatas": [call["data"] for call in one.calls],
        "digest": one.description_hash,
    }
