"""What leads are told where a contract chooses what works show, whatever the parameters say."""

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation.models import Collection, Drop
from generation.traits.parameters import Parameters
from minting.models import Contract
from sentiment.models import Proposal
from sentiment.services import approve_proposal
from tests.fixtures.chain import ALICE, BOB
from tests.gallery.conftest import InState
from tests.gallery.views.test_before_after import own_broker, shown, works

__all__ = ["own_broker", "shown"]
FIXED = "in shares that were fixed when it was made"


def paint(collection: Collection) -> None:
    """From here on a contract draws the collection's works."""
    Contract.objects.update_or_create(
        collection=collection,
        defaults={
            "chain_id": 31337,
            "painter_address": BOB,
            "treasury": ALICE,
            "royalty_bps": 500,
        },
    )


def read(client: Client, address: str) -> str:
    return client.get(address).content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "/console/steering/portraits",
        "/console/charts/portraits",
        "/console",
        "/collections/portraits/drops/1/results",
    ],
)
def test_it_is_said_wherever_shares_are_proposed(
    console: Client, proposal: Proposal, address: str
) -> None:
    before = read(console, address)

    paint(proposal.drop.collection)

    assert FIXED not in before
    assert read(console, address).count(FIXED) == 1


def test_the_next_drop_is_drawn_as_it_is_minted(
    console: Client, proposal: Proposal, lead: User
) -> None:
    approve_proposal(proposal=proposal, lead=lead)
    before = read(console, "/console")

    paint(proposal.drop.collection)

    after = read(console, "/console")
    assert '<option value="fixed">' in before
    assert '<option value="fixed">' not in after
    assert '<input type="hidden" name="kind" value="on_the_fly">' in after
    console.post("/console/collections/portraits/next", {"size": 3, "kind": "on_the_fly"})
    assert proposal.drop.collection.drops.get(number=2).kind == "on_the_fly"


def test_other_shares_gain_nothing(console: Client, proposal: Proposal) -> None:
    asked = f"/console/proposals/{proposal.pk}/what-if"
    shares = Parameters.from_json(proposal.proposed).distributions
    form = {
        f"{attribute}.{value}": str(100 * share)
        for attribute, values in shares.items()
        for value, share in values.items()
    }
    before = console.post(asked, form).content.decode()

    paint(proposal.drop.collection)

    assert "log-odds" in before
    assert "+0.00 ± 0.00" not in before
    assert "+0.00 ± 0.00" in console.post(asked, form).content.decode()


def test_shares_change_no_work_before_and_after(console: Client, shown: Proposal) -> None:
    paint(shown.drop.collection)

    before, after = (works(console, shown, side) for side in ("before", "after"))

    assert np.array_equal(before, after)


def test_visitors_are_told_who_chooses(client: Client, in_state: InState) -> None:
    drop = in_state(Drop.State.MINTING)
    before = read(client, "/")

    Contract.objects.filter(collection=drop.collection).update(painter_address=BOB)

    said = "The contract chooses what works show"
    assert said not in before
    assert said in read(client, "/")
