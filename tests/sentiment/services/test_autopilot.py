"""A lead's explicit choice that proposals are approved as they come."""

import pytest
from django.contrib.auth.models import User

from generation.models import Drop, ParameterSet
from sentiment.models import AutopilotSwitch, Proposal, Voter
from sentiment.services import NotALeadError, close_round, open_round, set_autopilot
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import vote_by


def close(drop: Drop, voters: list[Voter]) -> Proposal:
    current = open_round(drop=drop)
    vote_by(current, voters, lambda w: (w.parsed["head"] == "long") + w.index / 1000, every=11)
    return close_round(round=current)


def test_switched_on_a_proposal_is_approved_in_the_name_of_the_lead(
    make_drop: MakeDrop, voters: list[Voter], lead: User
) -> None:
    drop = make_drop(30)
    set_autopilot(collection=drop.collection, is_on=True, lead=lead, reason="A quiet month")

    proposal = close(drop, voters)

    assert proposal.state == Proposal.State.APPROVED
    assert proposal.decided_by == lead
    assert proposal.reason.startswith("Autopilot, on since ")
    assert proposal.reason.endswith(": A quiet month")
    assert proposal.resulting is not None
    assert proposal.resulting.body == proposal.proposed
    assert Drop.objects.get(pk=drop.pk).state == Drop.State.CLOSED


def test_closing_again_decides_nothing_twice(
    make_drop: MakeDrop, voters: list[Voter], lead: User
) -> None:
    drop = make_drop(30)
    set_autopilot(collection=drop.collection, is_on=True, lead=lead, reason="A quiet month")
    first = close(drop, voters)

    again = close_round(round=drop.round)

    assert again.pk == first.pk
    assert ParameterSet.objects.count() == 2


@pytest.mark.parametrize("switches", [[], [True, False]], ids=["never on", "off again"])
def test_switched_off_a_proposal_waits(
    make_drop: MakeDrop, voters: list[Voter], lead: User, switches: list[bool]
) -> None:
    drop = make_drop(30)
    for is_on in switches:
        set_autopilot(collection=drop.collection, is_on=is_on, lead=lead, reason="So")

    assert close(drop, voters).state == Proposal.State.PENDING


def test_where_the_lead_is_none_any_more_a_proposal_waits(
    make_drop: MakeDrop, voters: list[Voter], lead: User
) -> None:
    drop = make_drop(30)
    set_autopilot(collection=drop.collection, is_on=True, lead=lead, reason="A quiet month")
    User.objects.filter(pk=lead.pk).update(is_staff=False)

    proposal = close(drop, voters)

    assert proposal.state == Proposal.State.PENDING
    assert Drop.objects.get(pk=drop.pk).state == Drop.State.SCORED


def test_another_collection_s_switch_does_nothing(
    make_drop: MakeDrop, voters: list[Voter], lead: User
) -> None:
    drop = make_drop(30)
    other = type(drop.collection).objects.create(
        slug="other", name="Other", checkpoint=drop.checkpoint
    )
    set_autopilot(collection=other, is_on=True, lead=lead, reason="A quiet month")

    assert close(drop, voters).state == Proposal.State.PENDING


def test_only_a_lead_switches_and_with_a_reason(make_drop: MakeDrop, lead: User) -> None:
    collection = make_drop(6).collection
    visitor = User.objects.create_user("visitor")

    with pytest.raises(NotALeadError):
        set_autopilot(collection=collection, is_on=True, lead=visitor, reason="Why not")
    with pytest.raises(ValueError, match="a reason"):
        set_autopilot(collection=collection, is_on=True, lead=lead, reason="  ")

    assert not AutopilotSwitch.objects.exists()
