"""A drop that is steered by a direction: what its voters like becomes a strength, in the open."""

from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from generation.models import Drop
from generation.services import create_parameter_set
from generation.traits.parameters import Parameters
from sentiment.derivation import bundle
from sentiment.derivation.derive import DerivationError
from sentiment.derivation.replay import replay
from sentiment.models import Proposal, Round, Voter
from sentiment.services import close_round, open_round, round_bundle, round_inputs
from tests.fixtures.works import MakeDrop
from tests.gallery.conftest import press
from tests.gallery.views.test_proposal import typed
from tests.sentiment.conftest import vote_by


@pytest.fixture
def steered(make_drop: MakeDrop, lead: User) -> Drop:
    """Works from -1.5 to 1.4 along a direction whose strength is 0 so far."""
    drop = make_drop(30)
    base = drop.parameter_set
    drop.parameter_set = create_parameter_set(
        parent=base,
        parameters=Parameters(base.parameters.distributions, directions={"age": 0.0}),
        source=base.Source.LEAD,
        reason="To be steered by age",
        created_by=lead,
    )
    drop.save()
    for work in drop.artworks.all():
        work.latents = {"age": (work.index - 15) / 10}
        work.save()
    return drop


@pytest.fixture
def voted(steered: Drop, voters: list[Voter]) -> Round:
    """Everybody likes works near .8 best."""
    current = open_round(drop=steered)
    vote_by(current, voters, lambda work: -abs(work.latents["age"] - 0.8), every=11)
    return current


def test_the_strength_moves_to_what_is_liked_and_its_round_replays(voted: Round) -> None:
    proposal = close_round(round=voted)

    assert proposal.proposed["directions"] == {"age": 0.3}
    row = proposal.rows[-1]
    assert (row["kind"], row["value"]) == ("strength", "age")
    assert 0.5 < row["target"] < 1.6  # these voters never err, which no straight line explains
    assert len(round_inputs(round=voted)["latents"]) == 30
    findings = replay(bundle.read(round_bundle(round=voted)))
    assert {str(finding.state) for finding in findings} <= {"pass", "not checkable"}


def test_a_lead_sees_the_direction_and_sets_another_strength(console: Client, voted: Round) -> None:
    proposal = close_round(round=voted)
    page = console.get("/console", {"drop": voted.drop_id}).content.decode()

    press(
        console,
        "decide-proposal",
        proposal.pk,
        decision="edit",
        **typed(proposal),
        **{"~age": "0.2"},
    )

    assert 'name="~age"' in page
    assert 'value="0.30"' in page
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.EDITED
    assert proposal.applied is not None
    assert proposal.applied["directions"] == {"age": 0.2}


@pytest.mark.parametrize("strength", ["far", "nan", "0.9"])
def test_a_strength_that_cannot_be_is_refused(console: Client, voted: Round, strength: str) -> None:
    proposal = close_round(round=voted)

    said = press(
        console,
        "decide-proposal",
        proposal.pk,
        decision="edit",
        **typed(proposal),
        **{"~age": strength},
    )

    assert "age" in said[0]
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.PENDING


def test_votes_from_which_nothing_follows_leave_the_round_open_and_say_so(
    console: Client, voted: Round
) -> None:
    with patch("sentiment.services.rounds.derive", side_effect=DerivationError("no rest")):
        said = press(console, "close-voting", voted.drop_id)

    assert said == ["no rest"]
    voted.refresh_from_db()
    assert voted.is_open
    assert not Proposal.objects.exists()


def test_what_another_strength_would_do_is_foretold(console: Client, voted: Round) -> None:
    proposal = close_round(round=voted)
    address = reverse("gallery:what-if", args=[proposal.pk])

    replies = [
        console.post(address, {**typed(proposal), "~age": strength}).content.decode()
        for strength in ("0.2", "0.9", "far")
    ]

    assert "over 99.9 %" in replies[0].replace("</b>", "")
    assert "age: moves by more than 0.30 sd" in replies[1]
    assert "is not a strength" in replies[2].replace("&#x27;", "'")
