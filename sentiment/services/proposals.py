"""What a lead makes of a proposal, and the drop that follows."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from generation.models import Collection, Drop, ParameterSet
from generation.services import create_parameter_set, move_drop, open_drop
from generation.traits.parameters import Parameters
from sentiment.models import Proposal


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
    """Make a lead's own parameters current."""
    return _decide(proposal, Proposal.State.EDITED, lead, reason, parameters)


def reject_proposal(*, proposal: Proposal, lead: User, reason: str = "") -> Proposal:
    """Keep the parameters as they are."""
    return _decide(proposal, Proposal.State.REJECTED, lead, reason, None)


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
def start_next_drop(*, proposal: Proposal, size: int, kind: Drop.Kind = Drop.Kind.FIXED) -> Drop:
    """The drop that follows a decided proposal, as a draft; a second call finds it."""
    locked = Proposal.objects.select_for_update(of=("self",))
    current = locked.select_related("drop__collection", "resulting").get(pk=proposal.pk)
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
    return current.next_drop
