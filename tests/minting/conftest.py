"""Drops as curation leaves them."""

import pytest

from generation.models import Drop
from tests.fixtures.works import MakeDrop


@pytest.fixture
def make_drop(make_drop: MakeDrop) -> MakeDrop:
    """Drops of accepted works that wait for their commitment."""

    def make(n_works: int = 3, state: Drop.State = Drop.State.CURATING, seed: int = 0) -> Drop:
        return make_drop(n_works, state, seed)

    return make
