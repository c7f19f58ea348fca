import pytest
from django.contrib.auth.models import User

from generation.models import Drop, ParameterSet
from generation.services import create_parameter_set
from generation.traits.parameters import Parameters, ParametersError
from sentiment.derivation.derive import ballots
from sentiment.derivation.document import read
from sentiment.models import Proposal, Round, Voter
from sentiment.services import (
    AlreadyDecidedError,
    NotALeadError,
    StaleProposalError,
    UndecidedError,
    approve_proposal,
    close_round,
    edit_proposal,
    open_round,
    reject_proposal,
    round_inputs,
    start_next_drop,
)
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import vote_by


@pytest.fixture
def proposal(make_drop: MakeDrop, voters: list[Voter]) -> Proposal:
    """A proposal with a change, for everybody likes long hair."""
    current = open_round(drop=make_drop(30))
    vote_by(current, voters, lambda w: (w.parsed["head"] == "long") + w.index / 1000, every=11)
    made = close_round(round=current)
    assert made.is_change
    return made


def shifted(parameters: Parameters) -> Parameters:
    heads = dict(parameters.distributions["head"])
    heads["bald"], heads["bun"] = heads["bald"] - 0.05, heads["bun"] + 0.05
    distributions = {**parameters.distributions, "head": heads}
    return Parameters(distributions, parameters.truncation_psi, parameters.directions)


def test_approval_appends_the_proposed_parameters(proposal: Proposal, lead: User) -> None:
    decided = approve_proposal(proposal=proposal, lead=lead, reason="As the votes say")

    assert decided.resulting is not None
    assert decided.resulting.body == proposal.proposed == decided.applied
    assert decided.resulting.parent == proposal.base
    assert decided.resulting.source == ParameterSet.Source.LOOP
    assert decided.resulting.reason == "As the votes say"
    assert decided.decided_by == decided.resulting.created_by == lead
    assert Drop.objects.get(pk=proposal.drop_id).state == Drop.State.CLOSED


def test_approving_twice_appends_once(proposal: Proposal, lead: User) -> None:
    first = approve_proposal(proposal=proposal, lead=lead)
    second = approve_proposal(proposal=proposal, lead=lead)

    assert first.resulting == second.resulting
    assert ParameterSet.objects.count() == 2


def test_an_edit_appends_the_lead_s_own_parameters(proposal: Proposal, lead: User) -> None:
    own = shifted(proposal.base.parameters)

    decided = edit_proposal(proposal=proposal, parameters=own, lead=lead, reason="Fewer bald")

    assert decided.state == Proposal.State.EDITED
    assert decided.resulting is not None
    assert decided.resulting.body == own.to_json() == decided.applied
    assert decided.resulting.source == ParameterSet.Source.LEAD
    assert decided.proposed == proposal.proposed


def test_the_same_edit_twice_appends_once_and_another_is_refused(
    proposal: Proposal, lead: User
) -> None:
    own = shifted(proposal.base.parameters)
    edit_proposal(proposal=proposal, parameters=own, lead=lead)
    edit_proposal(proposal=proposal, parameters=own, lead=lead)

    with pytest.raises(AlreadyDecidedError):
        edit_proposal(proposal=proposal, parameters=shifted(own), lead=lead)

    assert ParameterSet.objects.count() == 2


def test_an_edit_with_other_attributes_is_refused_and_leaves_the_proposal_open(
    proposal: Proposal, lead: User
) -> None:
    foreign = Parameters({"hat": {"red": 1.0}}, 1.0, {})

    with pytest.raises(ParametersError):
        edit_proposal(proposal=proposal, parameters=foreign, lead=lead)

    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.PENDING
    assert Drop.objects.get(pk=proposal.drop_id).state == Drop.State.SCORED


def test_rejection_keeps_the_parameters(proposal: Proposal, lead: User) -> None:
    decided = reject_proposal(proposal=proposal, lead=lead, reason="Too bold")

    assert decided.resulting is None
    assert decided.applied == proposal.old
    assert decided.reason == "Too bold"
    assert ParameterSet.objects.count() == 1
    assert Drop.objects.get(pk=proposal.drop_id).state == Drop.State.CLOSED


def test_a_decision_stands(proposal: Proposal, lead: User) -> None:
    reject_proposal(proposal=proposal, lead=lead)

    with pytest.raises(AlreadyDecidedError) as caught:
        approve_proposal(proposal=proposal, lead=lead)

    assert caught.value.proposal.state == Proposal.State.REJECTED
    assert ParameterSet.objects.count() == 1


@pytest.mark.parametrize("decide", [approve_proposal, reject_proposal])
def test_only_leads_decide(proposal: Proposal, voter: Voter, decide) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(NotALeadError):
        decide(proposal=proposal, lead=voter.user)

    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.PENDING


def test_a_lead_who_left_does_not_decide(proposal: Proposal, lead: User) -> None:
    lead.is_active = False

    with pytest.raises(NotALeadError):
        approve_proposal(proposal=proposal, lead=lead)


def test_approval_of_no_change_appends_nothing(make_drop: MakeDrop, lead: User) -> None:
    empty = close_round(round=open_round(drop=make_drop(3)))

    decided = approve_proposal(proposal=empty, lead=lead)

    assert decided.state == Proposal.State.APPROVED
    assert decided.resulting is None
    assert ParameterSet.objects.count() == 1


def test_a_proposal_for_parameters_that_moved_on_is_not_approved(
    proposal: Proposal, lead: User
) -> None:
    head = create_parameter_set(
        parent=proposal.base,
        parameters=shifted(proposal.base.parameters),
        source=ParameterSet.Source.LEAD,
        reason="Meanwhile",
    )

    with pytest.raises(StaleProposalError) as caught:
        approve_proposal(proposal=proposal, lead=lead)

    assert caught.value.head == head


def test_an_edit_follows_on_parameters_that_moved_on(proposal: Proposal, lead: User) -> None:
    own = shifted(proposal.base.parameters)
    head = create_parameter_set(
        parent=proposal.base, parameters=own, source=ParameterSet.Source.LEAD, reason="Meanwhile"
    )

    decided = edit_proposal(proposal=proposal, parameters=shifted(own), lead=lead)

    assert decided.resulting is not None
    assert decided.resulting.parent == head


def test_the_next_drop_takes_the_resulting_parameters(proposal: Proposal, lead: User) -> None:
    decided = approve_proposal(proposal=proposal, lead=lead)

    drop = start_next_drop(proposal=proposal, size=20)

    assert drop.parameter_set == decided.resulting
    assert (drop.number, drop.size, drop.state) == (2, 20, Drop.State.DRAFT)


def test_after_a_rejection_the_next_drop_takes_the_parameters_as_they_were(
    proposal: Proposal, lead: User
) -> None:
    reject_proposal(proposal=proposal, lead=lead)

    assert start_next_drop(proposal=proposal, size=5).parameter_set == proposal.base


def test_the_next_drop_is_opened_once(proposal: Proposal, lead: User) -> None:
    approve_proposal(proposal=proposal, lead=lead)

    assert start_next_drop(proposal=proposal, size=5) == start_next_drop(proposal=proposal, size=5)
    assert Drop.objects.count() == 2


def test_no_drop_follows_an_open_proposal(proposal: Proposal) -> None:
    with pytest.raises(UndecidedError):
        start_next_drop(proposal=proposal, size=5)


def test_the_next_drop_may_have_candidates_that_the_voters_taste_chooses_from(
    proposal: Proposal, lead: User
) -> None:
    decided = approve_proposal(proposal=proposal, lead=lead)

    drop = start_next_drop(proposal=decided, size=5, n_candidates=3)

    names, means = (decided.score_run.posterior[part] for part in ("names", "mean"))
    attribute, value = names[0]
    assert drop.selection.n_candidates == 3
    assert drop.selection.taste.effects[attribute][value] == means[0]
    assert decided.score_run.input_hash in drop.selection.source


def test_a_vote_on_a_work_that_was_chosen_counts_less(
    open_one: Round, voters: list[Voter], lead: User
) -> None:
    vote_by(open_one, voters, lambda work: work.index, every=5)
    first = open_one.drop.artworks.in_order()[0]
    first.exposure = 0.5
    first.save()

    inputs = round_inputs(round=open_one)
    weights = ballots(read(inputs)).votes.weights
    rows = inputs["votes"]["rows"]
    on_it = [f"1/{first.index}" in row[:2] for row in rows]

    assert inputs["exposures"] == {f"1/{first.index}": 0.5}
    assert set(weights[on_it].round(9)) == {round(0.5**0.5, 9)}
    assert set(weights[[not one for one in on_it]]) == {1.0}
