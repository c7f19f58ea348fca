import json
from typing import Any

import pytest
from pytest_django import Settings

from generation.models import Drop
from minting import services, tasks
from minting.chain import contracts
from minting.models import Attempt, ChainTransaction, Contract, Cursor, Token, Transfer
from tests.fixtures.chain import ALICE, Chain
from tests.fixtures.outbox import pump
from tests.fixtures.sales import everybody
from tests.fixtures.works import MakeDrop


def rows() -> str:
    tables = [ChainTransaction, Attempt, Contract, Cursor, Token, Transfer]
    found: list[Any] = [list(table._default_manager.order_by("pk").values()) for table in tables]
    return json.dumps(found, default=str)


@pytest.fixture
def drop(make_drop: MakeDrop, chain_settings: Settings) -> Drop:
    drop = make_drop(2)
    services.request_commit(drop=drop)
    return drop


def test_sweeping_twice_changes_nothing(drop: Drop, chain: Chain) -> None:
    tasks.sweep()
    pump()
    before = rows()

    tasks.sweep()

    drop.refresh_from_db()
    assert drop.state == Drop.State.COMMITTED
    assert rows() == before


def test_indexing_twice_changes_nothing(drop: Drop, chain: Chain) -> None:
    pump()
    drop.refresh_from_db()
    services.request_open_sale(drop=drop, phases=everybody(0, 2))
    pump()
    chain.succeed(contracts.mint(1, 0, 2), Contract.objects.get().address, ALICE)
    tasks.index()
    before = rows()

    tasks.index()

    assert Token.objects.count() == 2
    assert rows() == before


def test_a_node_that_is_away_is_asked_again_later(
    drop: Drop, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    reachable, settings.CHAIN_RPC_URL = settings.CHAIN_RPC_URL, "http://127.0.0.1:1"
    tasks.sweep()
    errors = set(ChainTransaction.objects.values_list("error", flat=True))
    settings.CHAIN_RPC_URL = reachable

    tasks.sweep()
    pump()

    drop.refresh_from_db()
    assert errors == {"eth_chainId: ConnectionError"}
    assert drop.state == Drop.State.COMMITTED
    assert "the outbox waits" in caplog.text


def test_an_indexer_whose_node_is_away_waits(
    drop: Drop, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    pump()
    settings.CHAIN_RPC_URL = "http://127.0.0.1:1"

    tasks.index()

    assert "the indexer waits" in caplog.text


def test_nothing_to_do_asks_no_node(db: None, settings: Settings) -> None:
    settings.CHAIN_RPC_URL = "http://127.0.0.1:1"

    tasks.sweep()
    tasks.index()

    assert not ChainTransaction.objects.exists()
