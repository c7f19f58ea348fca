"""What a lead may do about parameters between proposals: look ahead, and go back."""

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction

from generation.models import Collection, Drop, ParameterSet
from generation.services import create_parameter_set
from generation.traits.parameters import Parameters
from sentiment.control import forecast as forecasts
from sentiment.control.forecast import Forecast
from sentiment.models import Proposal
from sentiment.preference.bradley_terry import Belief
from sentiment.services.bounds import bounds_of


class NothingToUndoError(ValueError):
    """The parameters to go back to are those that are current, or another collection's."""

    def __init__(self, to: ParameterSet) -> None:
        super().__init__(f"parameters {to.number} are current already, or not this collection's")
        self.to = to


class UndecidedProposalError(ValueError):
    """A proposal waits: it is decided before the parameters move."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(f"the proposal for drop {proposal.drop.number} is to be decided first")
        self.proposal = proposal


def foretell(*, proposal: Proposal, parameters: Parameters) -> Forecast:
    """What parameters of a lead's own are expected to do, by what the proposal's votes say.

    ``proposal`` comes with its base, score run, drop and collection. ValueError for other
    attributes or values.
    """
    posterior = proposal.score_run.posterior
    belief = Belief(np.array(posterior["mean"]), np.array(posterior["covariance"]))
    names = [(attribute, value) for attribute, value in posterior["names"]]
    until = proposal.score_run.market.get("until_block")
    bounds = bounds_of(proposal.drop.collection, until)
    return forecasts.forecast(proposal.base.parameters, parameters, names, belief, bounds)


@transaction.atomic
def roll_back(*, collection: Collection, to: ParameterSet, lead: User, reason: str) -> ParameterSet:
    """Make earlier parameters current again, byte for byte; again, it finds the same row.

    History grows by a set and loses none. Drops that were opened keep theirs.
    """
    Collection.objects.select_for_update().get(pk=collection.pk)
    waiting = Proposal.objects.filter(drop__collection=collection, state=Proposal.State.PENDING)
    proposal = waiting.select_related("drop").order_by("pk").first()
    if proposal is not None:
        raise UndecidedProposalError(proposal)
    head = ParameterSet.objects.filter(collection=collection).order_by("-number", "-pk")[0]
    if to.collection_id != collection.pk or to.pk == head.pk:
        raise NothingToUndoError(to)
    if head.body == to.body:
        return head
    return create_parameter_set(
        parent=head,
        parameters=to.parameters,
        source=ParameterSet.Source.LEAD,
        reason=f"Back to parameters {to.number}: {reason}",
        created_by=lead,
        body=to.body,
    )


def drops_by_set(collection: Collection) -> dict[int, list[int]]:
    """Numbers of the drops that were drawn from each parameter set, by its key."""
    found: dict[int, list[int]] = {}
    rows = Drop.objects.filter(collection=collection).order_by("number", "pk")
    for key, number in rows.values_list("parameter_set_id", "number"):
        found.setdefault(key, []).append(number)
    return found
