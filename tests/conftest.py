"""Fixtures of every test; each module of tests/fixtures says what its own give."""

from collections.abc import Iterator

import pytest

from config.celery import app

pytest_plugins = [
    "tests.fixtures.chain",
    "tests.fixtures.networks",
    "tests.fixtures.stack",
    "tests.fixtures.broker",  # after the stack, of which it imports a part
    "tests.fixtures.works",
    "tests.fixtures.ipfs",
    "tests.fixtures.living",  # after those that it imports
    "tests.fixtures.migrations",
]


@pytest.fixture
def eager_tasks() -> Iterator[None]:
    """Tasks run where they are called, and raise there."""
    app.conf.update(task_always_eager=True, task_eager_propagates=True)
    yield
    app.conf.update(task_always_eager=False, task_eager_propagates=False)
