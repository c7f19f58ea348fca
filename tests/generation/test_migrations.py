"""Rows of an older installation after an upgrade."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

BEFORE = [("generation", "0007_plan")]


def migrate(targets: list[tuple[str, str]]) -> MigrationExecutor:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection)


@pytest.fixture
def latest(transactional_db: None) -> Iterator[list[tuple[str, str]]]:
    """The newest migrations of every app, as some need others; the database is back there after."""
    nodes = MigrationExecutor(connection).loader.graph.leaf_nodes()
    yield nodes
    migrate(nodes)


def test_decisions_of_before_belong_to_the_drop_and_picture_of_their_work(
    latest: list[tuple[str, str]],
) -> None:
    old = migrate(BEFORE).loader.project_state(BEFORE).apps
    checkpoint = old.get_model("generation", "Checkpoint").objects.create(
        name="c", sha256="aa" * 32, architecture="biggan", config={}, recipe={}, licence="CC0-1.0"
    )
    collection = old.get_model("generation", "Collection").objects.create(
        slug="c", name="C", checkpoint=checkpoint
    )
    parameters = old.get_model("generation", "ParameterSet").objects.create(
        collection=collection, number=1, source="initial", reason="", body={}
    )
    drop = old.get_model("generation", "Drop").objects.create(
        collection=collection,
        number=1,
        size=1,
        seed="bb" * 32,
        parameter_set=parameters,
        checkpoint=checkpoint,
    )
    work = old.get_model("generation", "Artwork").objects.create(
        drop=drop,
        index=0,
        item_seed="cc" * 32,
        requested={},
        parsed={},
        confidence=1.0,
        image_digest="dd" * 32,
    )
    decision = old.get_model("generation", "CurationDecision").objects.create(
        artwork=work, status="accepted", created_at=timezone.now()
    )

    new = migrate(latest).loader.project_state(latest).apps

    row = new.get_model("generation", "CurationDecision").objects.get(pk=decision.pk)
    assert (row.drop_id, row.image_digest, row.kind) == (drop.pk, "dd" * 32, "decided")
    for name in ("CurationDecision", "Artwork", "Drop", "ParameterSet", "Collection", "Checkpoint"):
        new.get_model("generation", name).objects.all().delete()
