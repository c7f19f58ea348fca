"""What a government of holders did, as the logs of canonical blocks say."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, Sum

from minting.chain import governor
from minting.chain.client import Header
from minting.chain.governor import BallotLog, BoundsLog, ProposalLog, State, Tally
from minting.chain.logs import ZERO_ADDRESS, Place
from minting.models import (
    Block,
    BoundsChange,
    Cursor,
    Governance,
    GovernorProposal,
    GovernorStep,
    GovernorVote,
    Transfer,
)
from minting.services.blocks import advance_cursor, store_blocks

Support = GovernorVote.Support
Kind = GovernorStep.Kind


@dataclass(frozen=True)
class GovernorWindow:
    """What some blocks hold of a government; ``headers`` as in a pool's window."""

    headers: Sequence[Header]
    logs: Sequence[governor.Log]

    @property
    def places(self) -> list[Place]:
        return [log.place for log in self.logs]


@dataclass(frozen=True)
class Standing:
    """A proposal as it stands after a block: ``quorum`` as far as transfers are read."""

    proposal: GovernorProposal
    state: State
    tally: Tally
    quorum: int
    supply: int
    ready_at: int | None
    steps: Sequence[GovernorStep]


@transaction.atomic
def record_governor_window(
    *, governance: Governance, first: int, last: int, window: int, found: GovernorWindow
) -> None:
    """Store what happened in blocks first..last of a government and move its cursor.

    CursorMovedError or ForkError, and then nothing is written.
    """
    advance_cursor(source=governance, first=first, last=last, window=window)
    blocks = store_blocks(chain_id=governance.chain_id, headers=found.headers, places=found.places)
    rows: dict[type, list[Any]] = defaultdict(list)
    for log in found.logs:
        model, fields = _fields(log)
        place = _place(log.place, blocks)
        rows[model].append(model(governance=governance, **place, **fields))
    for model in (GovernorProposal, GovernorVote, GovernorStep, BoundsChange):
        model.objects.bulk_create(rows[model])


def _place(place: Place, blocks: Mapping[int, Block]) -> dict[str, Any]:
    return {
        "block": blocks[place.block_number],
        "tx_hash": place.tx_hash,
        "log_index": place.log_index,
    }


def _fields(log: governor.Log) -> tuple[Any, dict[str, Any]]:
    """The table of a log, and what it says."""
    said = {name: value for name, value in vars(log).items() if name != "place"}
    if isinstance(log, ProposalLog):
        said["calls"] = [
            {"target": call.target, "value": str(call.value_wei), "data": "0x" + call.data.hex()}
            for call in log.calls
        ]
        return GovernorProposal, said
    if isinstance(log, BoundsLog):
        return BoundsChange, said | {"name": "0x" + log.name.hex()}
    return (GovernorVote if isinstance(log, BallotLog) else GovernorStep), said


def forget_government(*, governance: Governance, number: int) -> None:
    """Take back what blocks above ``number`` say of a government; the blocks stay."""
    for rows in (governance.proposals, governance.ballots, governance.steps, governance.changes):
        rows.filter(block__number__gt=number).delete()
    Cursor.objects.of(governance).filter(number__gt=number).update(number=number)


def standings(
    *, governance: Governance, proposals: Sequence[GovernorProposal], clock: int
) -> list[Standing]:
    """How these proposals stand for whoever asks the governor in block ``clock``."""
    numbers = [proposal.number for proposal in proposals]
    tallies = _tallies(governance, numbers)
    names = {name for one in proposals for name in (one.number, one.operation)}
    steps: dict[str, list[GovernorStep]] = defaultdict(list)
    for step in governance.steps.filter(about__in=names).select_related("block").in_order():
        steps[step.about].append(step)
    percents = _percents(governance)
    supplies = _supplies(governance, {proposal.snapshot for proposal in proposals})
    return [
        _standing(
            proposal,
            clock=clock,
            tally=tallies[proposal.number],
            supply=supplies[proposal.snapshot],
            percent=_percent(governance, percents, proposal.snapshot),
            steps=steps[proposal.number] + steps[proposal.operation],
        )
        for proposal in proposals
    ]


def _standing(
    proposal: GovernorProposal,
    *,
    clock: int,
    tally: Tally,
    supply: int,
    percent: int,
    steps: list[GovernorStep],
) -> Standing:
    quorum = governor.quorum_of(supply, percent)
    state = governor.state(
        clock=clock,
        snapshot=proposal.snapshot,
        deadline=proposal.deadline,
        quorum=quorum,
        tally=tally,
        steps=[step.kind for step in steps],
    )
    queued = [step.amount for step in steps if step.kind == Kind.QUEUED]
    return Standing(proposal, state, tally, quorum, supply, queued[-1] if queued else None, steps)


def _tallies(governance: Governance, numbers: Sequence[str]) -> dict[str, Tally]:
    rows = governance.ballots.filter(number__in=numbers).order_by()
    sums = rows.values_list("number", "support").annotate(n=Sum("weight"))
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for number, support, n in sums:
        found[number][support] = n
    kinds = (Support.AGAINST, Support.FOR, Support.ABSTAIN)
    return {
        number: Tally(*(found[number].get(kind, 0) for kind in kinds))
        if number in found
        else Tally()
        for number in numbers
    }


def quorum_percent(governance: Governance) -> int:
    """Of all works, that have to vote for or abstain; for proposals from now on."""
    return _percent(governance, _percents(governance), governance.cursor.number)


def _percents(governance: Governance) -> list[tuple[int, int]]:
    """Block and per cent of each time that the quorum was set."""
    steps = governance.steps.filter(kind=Kind.QUORUM).in_order()
    return list(steps.values_list("block__number", "amount"))


def _percent(governance: Governance, percents: Sequence[tuple[int, int]], at: int) -> int:
    """The quorum that held at a block: the last one said, the founding's own before any."""
    said = [percent for number, percent in percents if number <= at]
    return said[-1] if said else governance.quorum_percent


def _supplies(governance: Governance, numbers: set[int]) -> dict[int, int]:
    """Works that were there after each of these blocks: ``getPastTotalSupply``."""
    if not numbers:
        return {}
    made, gone = Q(sender=ZERO_ADDRESS), Q(recipient=ZERO_ADDRESS)
    moves = Transfer.objects.filter(made | gone, token__contract=governance.contract_id)
    until = moves.filter(block__number__lte=max(numbers)).order_by("block__number")
    gains = until.values_list("block__number").annotate(
        n=Count("pk", filter=made) - Count("pk", filter=gone)
    )
    blocks, totals = [-1], [0]
    for number, n in gains:
        blocks.append(number)
        totals.append(totals[-1] + n)
    return {at: totals[bisect_right(blocks, at) - 1] for at in numbers}
