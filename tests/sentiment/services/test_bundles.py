"""Which votes a drop commits to, and a voter's own among them."""

import pytest
from django.contrib.auth.models import User

from generation.models import Artwork, Drop, ParameterSet
from minting.provenance.keccak import ZERO, keccak256
from minting.services import prepare_commitment
from sentiment.models import Proposal, Voter
from sentiment.services import (
    approve_proposal,
    close_round,
    counted_votes,
    edit_proposal,
    open_round,
    reject_proposal,
    round_before,
    start_next_drop,
    tally_root_for,
)
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import vote_by


def likes_long_hair(work: Artwork) -> float:
    return float(work.parsed["head"] == "long") + work.index / 1000


@pytest.fixture
def proposal(make_drop: MakeDrop, voters: list[Voter]) -> Proposal:
    current = open_round(drop=make_drop(30))
    vote_by(current, voters, likes_long_hair, every=11)
    return close_round(round=current)


def drop_with(make_drop: MakeDrop, parameters: ParameterSet | None) -> Drop:
    made = make_drop(2, Drop.State.CURATING)
    assert parameters is not None
    made.parameter_set = parameters
    made.save()
    return made


def root(proposal: Proposal) -> bytes:
    return bytes.fromhex(proposal.score_run.tally_root)


def test_the_first_drop_commits_to_no_votes(drop: Drop) -> None:
    assert tally_root_for(drop) == ZERO


def test_the_drop_that_a_proposal_opens_commits_to_its_votes(
    proposal: Proposal, lead: User
) -> None:
    decided = approve_proposal(proposal=proposal, lead=lead)

    following = start_next_drop(proposal=decided, size=4)

    assert tally_root_for(following) == root(proposal) != ZERO


def test_so_does_one_that_is_opened_with_its_parameters(
    proposal: Proposal, lead: User, make_drop: MakeDrop
) -> None:
    decided = approve_proposal(proposal=proposal, lead=lead)

    following = drop_with(make_drop, decided.resulting)

    assert round_before(following) == proposal.score_run.round
    assert tally_root_for(following) == root(proposal)


def test_parameters_that_a_lead_typed_after_a_vote_name_it_too(
    proposal: Proposal, lead: User, make_drop: MakeDrop
) -> None:
    edited = edit_proposal(proposal=proposal, parameters=proposal.base.parameters, lead=lead)
    following = start_next_drop(proposal=edited, size=4)

    assert tally_root_for(following) == root(proposal)


def test_parameters_that_moved_on_since_name_no_votes(proposal: Proposal, lead: User) -> None:
    rejected = reject_proposal(proposal=proposal, lead=lead)
    moved = proposal.base.parameters.to_json() | {"truncation_psi": 0.5}
    ParameterSet.objects.create(
        collection=proposal.drop.collection,
        number=2,
        parent=proposal.base,
        source=ParameterSet.Source.LEAD,
        reason="By hand",
        body=moved,
    )

    following = start_next_drop(proposal=rejected, size=4)

    assert tally_root_for(following) == ZERO


def test_what_is_not_decided_leads_nowhere(proposal: Proposal, make_drop: MakeDrop) -> None:
    assert tally_root_for(make_drop(2)) == ZERO


def test_the_root_gets_into_the_commitment(
    proposal: Proposal, lead: User, make_drop: MakeDrop
) -> None:
    decided = approve_proposal(proposal=proposal, lead=lead)
    following = drop_with(make_drop, decided.resulting)

    made = prepare_commitment(drop=following, vote_tally_root=tally_root_for(following))

    assert made.body.vote_tally_root == root(proposal)


def test_a_voter_can_show_that_each_of_their_votes_counted(
    proposal: Proposal, voters: list[Voter]
) -> None:
    current = proposal.score_run.round

    found = counted_votes(round=current, voter=voters[3])

    assert len(found["votes"]) == current.votes.filter(voter=voters[3]).count() > 10
    assert found["root"] == proposal.score_run.tally_root
    for vote in found["votes"]:
        node = bytes.fromhex(vote["leaf"])
        for sibling in map(bytes.fromhex, vote["proof"]):
            node = keccak256(min(node, sibling) + max(node, sibling))
        assert node.hex() == found["root"]
        assert vote["value"][4] == voters[3].address
