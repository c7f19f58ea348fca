from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from pytest_django import Settings

from generation.models import Drop
from minting import indexer, services
from minting.chain import contracts
from minting.models import Contract
from tests.fixtures.chain import ALICE, BOB, Chain
from tests.fixtures.outbox import pump
from tests.fixtures.sales import everybody
from tests.fixtures.unixfs import read_car
from tests.fixtures.works import MakeDrop

PRICE_WEI = 2**60 + 1

urlpatterns = [path("api/", include("minting.urls"))]

pytestmark = pytest.mark.urls("tests.minting.test_api")


@pytest.fixture(autouse=True)
def static_files(settings: Settings, tmp_path: Path) -> None:
    """The folder of static files has to be there, even if it is empty."""
    settings.STATIC_ROOT = tmp_path


@pytest.fixture
def drop(make_drop: MakeDrop, chain: Chain, chain_settings: Settings) -> Drop:
    """A drop of five works of which Alice minted two and Bob one."""
    drop = make_drop(5)
    services.request_commit(drop=drop)
    pump()
    drop.refresh_from_db()
    services.request_open_sale(drop=drop, phases=everybody(PRICE_WEI, 3))
    pump()
    address = Contract.objects.get().address
    chain.succeed(contracts.mint(1, 0, 2), address, ALICE, 2 * PRICE_WEI)
    chain.succeed(contracts.mint(1, 0, 1), address, BOB, PRICE_WEI)
    indexer.poll()
    return drop


def get(client: Client, address: str, **query: Any) -> Any:
    reply = client.get(address, query)
    assert reply.status_code == 200, reply.content
    return reply.json()


def test_tokens_have_owner_drop_and_work(drop: Drop, client: Client) -> None:
    found = get(client, "/api/tokens")["results"]

    assert [(row["token_id"], row["owner"]) for row in found] == [(1, ALICE), (2, ALICE), (3, BOB)]
    assert {row["drop"] for row in found} == {drop.pk}
    assert found[2]["artwork"] == drop.artworks.get(token_id=3).pk
    assert found[0]["contract"] == Contract.objects.get().address


def test_tokens_of_an_owner_in_any_case(drop: Drop, client: Client) -> None:
    found = get(client, "/api/tokens", owner=BOB.lower())["results"]

    assert [row["token_id"] for row in found] == [3]


@pytest.mark.parametrize(("slug", "n"), [("portraits", 3), ("others", 0)])
def test_tokens_of_a_collection(drop: Drop, client: Client, slug: str, n: int) -> None:
    assert get(client, "/api/tokens", collection=slug)["count"] == n


@pytest.mark.parametrize("owner", ["", "alice", "0x12", ALICE + "0", "\0"])
def test_what_is_no_address_is_refused(db: None, client: Client, owner: str) -> None:
    reply = client.get("/api/tokens", {"owner": owner})

    assert reply.status_code == 400
    assert reply.json()["code"] == "invalid"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_tokens_are_read_only(db: None, client: Client, method: str) -> None:
    reply = getattr(client, method)("/api/tokens")

    assert reply.status_code in {403, 405}


def test_a_list_of_tokens_takes_two_queries(drop: Drop, client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        get(client, "/api/tokens")

    assert len(queries) == 2


def test_chain_facts_are_what_a_wallet_needs(
    drop: Drop, client: Client, settings: Settings
) -> None:
    found = get(client, "/api/collections/portraits/chain")

    assert found["chain_id"] == 31337
    assert found["rpc_url"] == settings.CHAIN_RPC_URL
    assert found["contract"] == Contract.objects.get().address
    assert (found["evolution"], found["law"]) == (None, None)
    assert found["sales"] == [
        {
            "drop": drop.pk,
            "drop_number": 1,
            "first_token_id": 1,
            "count": 5,
            "remaining": 2,
            "phase": 0,
            "price_wei": str(PRICE_WEI),
            "max_per_transaction": 3,
        }
    ]


def test_the_abi_given_to_a_wallet_mints(drop: Drop, client: Client, chain: Chain) -> None:
    found = get(client, "/api/collections/portraits/chain")
    [mint] = found["abi"]

    sale = found["sales"][0]
    call = contracts.call(mint["name"], sale["drop_number"], sale["phase"], 1)
    chain.succeed(call, found["contract"], BOB, int(found["sales"][0]["price_wei"]))

    assert chain.ask(found["contract"], "totalSupply") == 4


def test_the_node_of_another_chain_is_not_given_away(drop: Drop, client: Client) -> None:
    Contract.objects.update(chain_id=1)

    assert get(client, "/api/collections/portraits/chain")["rpc_url"] is None


def test_a_drop_that_is_not_on_sale_is_not_offered(
    make_drop: MakeDrop, chain_settings: Settings, client: Client
) -> None:
    drop = make_drop(2)
    services.request_commit(drop=drop)
    pump()
    drop.refresh_from_db()
    services.request_open_sale(drop=drop, phases=everybody(1, 1))

    assert get(client, "/api/collections/portraits/chain")["sales"] == []


@pytest.mark.usefixtures("collection")
def test_a_collection_without_a_contract_has_no_chain_facts(client: Client) -> None:
    reply = client.get("/api/collections/portraits/chain")

    assert reply.status_code == 404
    assert reply.json()["code"] == "not_found"


def test_a_committed_drop_can_be_downloaded_as_one_file(
    client: Client, drop: Drop, tmp_path: Path
) -> None:
    reply = client.get(f"/api/collections/portraits/drops/{drop.number}/car")

    car = tmp_path / "drop.car"
    car.write_bytes(b"".join(reply.streaming_content))  # type: ignore[attr-defined]
    found = read_car(car)
    assert reply.headers["Content-Type"].startswith("application/vnd.ipld.car")
    assert found["root"] == drop.commitment.root_cid
    assert len(found["files"]) == 11


def test_a_drop_that_is_not_committed_has_no_file(client: Client, make_drop: MakeDrop) -> None:
    drop = make_drop(4, Drop.State.CURATING)

    reply = client.get(f"/api/collections/portraits/drops/{drop.number}/car")

    assert reply.status_code == 404


def test_a_picture_that_was_changed_is_not_packed(client: Client, drop: Drop) -> None:
    path = drop.artworks.accepted().in_order()[0].image_path
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + b"\0")

    reply = client.get(f"/api/collections/portraits/drops/{drop.number}/car")

    assert (reply.status_code, reply.json()["code"]) == (503, "damaged")
