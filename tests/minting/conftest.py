"""Drops as curation leaves them, and an outbox that is emptied at once."""

import time
from datetime import UTC, datetime

import pytest

from generation.models import Drop
from minting import sender
from minting.models import ChainTransaction
from tests.fixtures.works import MakeDrop

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def make_drop(make_drop: MakeDrop) -> MakeDrop:
    """Drops of accepted works that wait for their commitment."""

    def make(n_works: int = 3, state: Drop.State = Drop.State.CURATING, seed: int = 0) -> Drop:
        return make_drop(n_works, state, seed)

    return make


def pump() -> set[int]:
    """Pump until nothing waits for its block any more: a node mines a moment after it answers."""
    moved = sender.pump(NOW)
    for _ in range(500):
        if not ChainTransaction.objects.unsettled().filter(error="").exists():
            break
        time.sleep(0.01)
        moved |= sender.pump(NOW)
    return moved
