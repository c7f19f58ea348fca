"""A published collection, once for each module; its database rows are gone when it is there."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures.published import Published, publish


@pytest.fixture(scope="module")
def published(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any
) -> Iterator[Published]:
    with django_db_blocker.unblock():
        manager = publish(tmp_path_factory.mktemp("published"))
        found = manager.__enter__()
    yield found
    manager.__exit__(None, None, None)
