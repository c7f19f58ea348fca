"""An installation whose drops stand in the first contract."""

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

BEFORE = [("minting", "0002_market"), ("generation", "0013_measured_checkpoint")]
HASHES = (
    "head",
    "metadata_root",
    "image_root",
    "provenance",
    "checkpoint_hash",
    "code_hash",
    "params_hash",
    "parent_params_hash",
    "vote_tally_root",
    "curation_log_root",
    "seed_commit",
)


def migrate(targets: list[tuple[str, str]]) -> MigrationExecutor:
    MigrationExecutor(connection).migrate(targets)
    return MigrationExecutor(connection)


@pytest.fixture
def latest(transactional_db: None) -> Iterator[list[tuple[str, str]]]:
    """The newest migrations of every app; the database is back there afterwards."""
    nodes = MigrationExecutor(connection).loader.graph.leaf_nodes()
    yield nodes
    migrate(nodes)


def test_drops_of_the_first_contract_stop_the_upgrade_and_stay(
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
    commitments = old.get_model("minting", "Commitment").objects
    commitments.create(
        drop=drop,
        collection=collection,
        number=1,
        first_token_id=1,
        count=1,
        image_cid="x",
        root_cid="x",
        base_uri="ipfs://x/",
        manifest={},
        **dict.fromkeys(HASHES, "0" * 64),
    )

    with pytest.raises(DatabaseError, match="a contract of an earlier version"):
        migrate(latest)

    assert commitments.count() == 1
    commitments.all().delete()
