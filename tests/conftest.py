"""Fixtures of every test; each module of tests/fixtures says what its own give."""

import random
from collections.abc import Iterator

import hypothesis
import pytest

from config.celery import app
from generation.services import drops

# A busy machine is no failure of what is tested; properties are slow where others work, too.
# The same examples each time; `pytest --hypothesis-profile explore` looks for new ones.
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.register_profile("house", deadline=None, derandomize=True)
hypothesis.settings.load_profile("house")

pytest_plugins = [
    "tests.fixtures.chain",
    "tests.fixtures.networks",
    "tests.fixtures.stack",
    "tests.fixtures.broker",  # after the stack, of which it imports a part
    "tests.fixtures.works",
    "tests.fixtures.ipfs",
    "tests.fixtures.living",  # after those that it imports
    "tests.fixtures.painted",
    "tests.fixtures.government",
    "tests.fixtures.migrations",
]


@pytest.fixture(autouse=True)
def seeds_by_name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A drop's seed follows from the test's name: what happens by chance happens every time."""
    chance = random.Random(request.node.nodeid)
    monkeypatch.setattr(drops, "draw_seed", lambda: chance.randbytes(32).hex())


@pytest.fixture
def eager_tasks() -> Iterator[None]:
    """Tasks run where they are called, and raise there."""
    app.conf.update(task_always_eager=True, task_eager_propagates=True)
    yield
    app.conf.update(task_always_eager=False, task_eager_propagates=False)
