"""What a lead makes of a proposal, and the drop that follows."""

import logging

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from generation.models import Collection, Drop, ParameterSet
from generation.services import create_parameter_set, move_drop, open_drop, overproduce
from generation.traits.parameters import Parameters
from sentiment.control import forecast
from sentiment.models import AutopilotSwitch, Proposal
from sentiment.services.bounds import bounds_of
from sentiment.services.taste import taste_of

logger = logging.getLogger(__name__)


class NotALeadError(ValueError):
    """Somebody decides who is not on the staff."""

    def __init__(self, user: User) -> None:
        super().__init__(f"{user.username} is not a lead")
        self.user = user


class AlreadyDecidedError(ValueError):
    """Another decision about this proposal stands."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(f"the proposal is {proposal.state} already")
        self.proposal = proposal


class StaleProposalError(ValueError):
    """The parameters have moved on since the proposal was computed: edit it, or reject it."""

    def __init__(self, proposal: Proposal, head: ParameterSet) -> None:
        super().__init__(f"made for {proposal.base}, but {head} are current")
        self.proposal = proposal
        self.head = head


class OutOfBoundsError(ValueError):
    """A lead's own parameters break bounds; ``broken`` says which, in words."""

    def __init__(self, broken: list[str]) -> None:
        super().__init__("; ".join(broken))
        self.broken = broken


class UndecidedError(ValueError):
    """The next drop was asked for before the proposal was decided."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(f"the proposal for drop {proposal.drop.number} is not decided yet")
        self.proposal = proposal


def approve_proposal(*, proposal: Proposal, lead: User, reason: str = "") -> Proposal:
    """Make the proposed parameters current."""
    proposed = Parameters.from_json(proposal.proposed)
    return _decide(proposal, Proposal.State.APPROVED, lead, reason, proposed)


def edit_proposal(
    *, proposal: Proposal, parameters: Parameters, lead: User, reason: str = ""
) -> Proposal:
    """Make a lead's own parameters current; OutOfBoundsError if they go further than any may."""
    base = proposal.base.parameters
    if _schema(parameters) == _schema(base):  # of any other the chain of parameters says so
        until = proposal.score_run.market.get("until_block")
        bounds = bounds_of(proposal.drop.collection, until)
        broken = list(forecast.broken(base, parameters, bounds))
        if broken:
            raise OutOfBoundsError(broken)
    return _decide(proposal, Proposal.State.EDITED, lead, reason, parameters)


def reject_proposal(*, proposal: Proposal, lead: User, reason: str = "") -> Proposal:
    """Keep the parameters as they are."""
    return _decide(proposal, Proposal.State.REJECTED, lead, reason, None)


def fly(*, proposal: Proposal) -> Proposal:
    """Approve a proposal in the name of the lead who switched the autopilot on, if one did.

    It proposes within the bounds like any other. Where that lead is none any more it waits.
    """
    switches = AutopilotSwitch.objects.filter(collection=proposal.drop.collection_id)
    newest = switches.select_related("lead").newest_first().first()
    is_pending = proposal.state == Proposal.State.PENDING
    if newest is None or not newest.is_on or not is_pending:
        return proposal
    said = f"Autopilot, on since {newest.created_at:%Y-%m-%d}: {newest.reason}"
    try:
        return approve_proposal(proposal=proposal, lead=newest.lead, reason=said)
    except (NotALeadError, StaleProposalError) as error:
        logger.warning("the autopilot leaves a proposal to a lead: %s", error)
        return proposal


@transaction.atomic
def set_autopilot(
    *, collection: Collection, is_on: bool, lead: User, reason: str
) -> AutopilotSwitch:
    """Switch the autopilot, with a reason; the way that it is already stays one row."""
    if not (lead.is_active and lead.is_staff):
        raise NotALeadError(lead)
    if not reason.strip():
        raise ValueError("a reason is kept with the switch")
    Collection.objects.select_for_update().get(pk=collection.pk)
    newest = AutopilotSwitch.objects.filter(collection=collection).newest_first().first()
    if newest is not None and newest.is_on == is_on:
        return newest
    return AutopilotSwitch.objects.create(
        collection=collection, is_on=is_on, lead=lead, reason=reason.strip()
    )


def _schema(parameters: Parameters) -> dict[str, set[str]]:
    return {attribute: set(shares) for attribute, shares in parameters.distributions.items()}


@transaction.atomic
def _decide(
    proposal: Proposal,
    state: Proposal.State,
    lead: User,
    reason: str,
    parameters: Parameters | None,
) -> Proposal:
    """Record one decision for good; the same one again changes nothing."""
    if not (lead.is_active and lead.is_staff):
        raise NotALeadError(lead)
    locked = Proposal.objects.select_for_update(of=("self",))
    current = locked.select_related("drop__collection", "base").get(pk=proposal.pk)
    if current.state != Proposal.State.PENDING:
        same = parameters is None or current.applied == parameters.to_json()
        if current.state == state and same:
            return current
        raise AlreadyDecidedError(current)
    head = _head(current.drop.collection)
    if state == Proposal.State.APPROVED and head.pk != current.base_id:
        raise StaleProposalError(current, head)
    if parameters is not None and parameters.to_json() != head.parameters.to_json():
        current.resulting = create_parameter_set(
            parent=head,
            parameters=parameters,
            source=_source(state),
            reason=reason or f"Votes on drop {current.drop.number}",
            created_by=lead,
        )
    current.applied = (parameters or head.parameters).to_json()
    current.state = state
    current.decided_by = lead
    current.decided_at = timezone.now()
    current.reason = reason
    current.save()
    move_drop(drop=current.drop, expected=Drop.State.SCORED, to=Drop.State.CLOSED)
    return current


def _source(state: Proposal.State) -> ParameterSet.Source:
    approved = state == Proposal.State.APPROVED
    return ParameterSet.Source.LOOP if approved else ParameterSet.Source.LEAD


def _head(collection: Collection) -> ParameterSet:
    """The end of the chain of parameters, held until the transaction ends."""
    sets = ParameterSet.objects.filter(collection=collection)
    return sets.select_for_update(of=("self",)).order_by("-number", "-pk")[0]


@transaction.atomic
def start_next_drop(
    *,
    proposal: Proposal,
    size: int,
    kind: Drop.Kind = Drop.Kind.FIXED,
    n_candidates: int = 1,
) -> Drop:
    """The drop that follows a decided proposal, as a draft; a second call finds it.

    With several candidates for each work the best liked is kept, by what the proposal's votes say.
    """
    locked = Proposal.objects.select_for_update(of=("self",))
    current = locked.select_related("drop__collection", "resulting", "score_run").get(
        pk=proposal.pk
    )
    if current.next_drop_id is not None:  # read under the lock, which a join is not
        return Drop.objects.get(pk=current.next_drop_id)
    if current.state == Proposal.State.PENDING:
        raise UndecidedError(current)
    collection = current.drop.collection
    parameters = current.resulting or _head(collection)
    current.next_drop = open_drop(
        collection=collection, parameter_set=parameters, size=size, kind=kind
    )
    current.save(update_fields=["next_drop"])
    if n_candidates > 1:
        run = current.score_run
        overproduce(
            drop=current.next_drop,
            n_candidates=n_candidates,
            taste=taste_of(run),
            source=f"round of drop {current.drop.number}, inputs sha256 {run.input_hash}",
        )
    return current.next_drop
