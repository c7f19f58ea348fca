"""A proposal that a lead is to decide."""

import pytest

from sentiment.models import Proposal, Voter
from sentiment.services import close_round, open_round, register_wallet
from tests.fixtures.works import MakeDrop
from tests.sentiment.conftest import address, vote_by


@pytest.fixture
def voters(db: None) -> list[Voter]:
    return [register_wallet(address=address(n)) for n in range(1, 13)]


@pytest.fixture
def proposal(make_drop: MakeDrop, voters: list[Voter]) -> Proposal:
    """A proposal with a change, for everybody likes long hair."""
    current = open_round(drop=make_drop(30))
    vote_by(current, voters, lambda w: (w.parsed["head"] == "long") + w.index / 1000, every=11)
    made = close_round(round=current)
    assert made.is_change
    return made
