"""Listings through the public API: a wallet signs, the chain is asked, a buyer finds it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from django.utils import timezone
from pytest_django import Settings

from minting import indexer, services, tasks
from minting.chain import contracts, seaport
from minting.chain.logs import ZERO_ADDRESS
from minting.chain.orders import ERC20, ERC721, NATIVE, Item, Order
from minting.models import Contract, Cursor, Listing, Marketplace, Token
from tests.fixtures.chain import ALICE, BOB, OWNER, Chain
from tests.fixtures.outbox import pump
from tests.fixtures.sales import everybody
from tests.fixtures.works import MakeDrop
from tests.minting.market import CHAIN_ID, KEYS, PRICE_WEI, Bazaar, open_bazaar

urlpatterns = [path("api/", include("minting.urls"))]
pytestmark = [pytest.mark.urls("tests.minting.test_listings"), pytest.mark.usefixtures("db")]
MINT_WEI = 10**15
Change = Callable[[Order], Order]


@pytest.fixture(autouse=True)
def static_files(settings: Settings, tmp_path: Path) -> None:
    """The folder of static files has to be there, even if it is empty."""
    settings.STATIC_ROOT = tmp_path


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    cache.clear()


@pytest.fixture
def bazaar(make_drop: MakeDrop, chain: Chain, chain_settings: Settings) -> Bazaar:
    """Tokens 1 to 3 of Alice's and 4 of Bob's, read, and Seaport."""
    drop = make_drop(5)
    services.request_commit(drop=drop)
    pump()
    drop.refresh_from_db()
    services.request_open_sale(drop=drop, phases=everybody(MINT_WEI, 5))
    pump()
    contract = Contract.objects.get().address
    chain.succeed(contracts.mint(1, 0, 3), contract, ALICE, 3 * MINT_WEI)
    chain.succeed(contracts.mint(1, 0, 1), contract, BOB, MINT_WEI)
    made = open_bazaar(chain, contract)
    indexer.poll()
    return made


def post(client: Client, bazaar: Bazaar, made: Order, token_id: int = 1, **body: Any) -> Any:
    offer = {"order": made.to_json(), "signature": bazaar.sign(made)} | body
    address = f"/api/tokens/{bazaar.contract}/{token_id}/listings"
    return client.post(address, json.dumps(offer), content_type="application/json")


def test_a_listing_is_kept_shown_and_can_be_bought_from_what_is_shown(
    bazaar: Bazaar, client: Client
) -> None:
    order = bazaar.listing(ALICE, 1)
    assert post(client, bazaar, order).status_code == 201

    [shown] = client.get(f"/api/tokens/{bazaar.contract}/1/listings").json()["results"]
    call = seaport.fulfil_order(Order.from_json(shown["order"]), shown["signature"])
    bazaar.do(call, BOB, int(shown["price_wei"]))
    indexer.poll()

    assert shown["price_wei"] == str(PRICE_WEI)
    assert shown["order_hash"] == seaport.order_hash(order)
    assert Token.objects.get(token_id=1).owner == BOB
    assert client.get(f"/api/tokens/{bazaar.contract}/1/listings").json()["results"] == []
    assert Listing.objects.get().state == "filled"


def test_the_same_order_again_is_the_same_listing(bazaar: Bazaar, client: Client) -> None:
    order = bazaar.listing(ALICE, 1)

    first, second = (post(client, bazaar, order) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Listing.objects.count() == 1


def test_the_address_of_the_contract_is_read_in_any_case(bazaar: Bazaar, client: Client) -> None:
    lower = bazaar.contract.lower()

    assert client.get(f"/api/tokens/{lower}/1/listings").status_code == 200


def test_listings_are_paged_cheapest_first(bazaar: Bazaar, client: Client) -> None:
    for salt, price_wei in enumerate([3 * 10**20, 1, 10**18, 9 * 10**17]):
        royalty = 500 if price_wei > 1 else 0
        order = bazaar.listing(ALICE, 1, price_wei, salt=salt, royalty_bps=royalty)
        assert post(client, bazaar, order).status_code == 201

    page = client.get("/api/collections/portraits/listings", {"limit": 3}).json()
    rest = client.get(page["next"]).json()

    assert page["count"] == 4
    assert [row["price_wei"] for row in page["results"]] == ["1", str(9 * 10**17), str(10**18)]
    assert [row["price_wei"] for row in rest["results"]] == [str(3 * 10**20)]


def test_a_list_of_listings_takes_two_queries(bazaar: Bazaar, client: Client) -> None:
    for token_id in (1, 2):
        post(client, bazaar, bazaar.listing(ALICE, token_id), token_id)

    with CaptureQueriesContext(connection) as queries:
        client.get("/api/collections/portraits/listings")

    assert len(queries) == 2


def test_a_listing_whose_time_is_over_is_not_shown_and_is_swept_once(
    bazaar: Bazaar, client: Client
) -> None:
    post(client, bazaar, bazaar.listing(ALICE, 1))
    past = timezone.now() - timedelta(seconds=1)
    Listing.objects.update(starts_at=past - timedelta(hours=1), expires_at=past)

    shown = client.get("/api/collections/portraits/listings").json()["count"]
    for _ in range(2):
        tasks.sweep()

    assert shown == 0
    assert Listing.objects.get().state == "expired"
    assert services.expire_listings(now=timezone.now()) == 0


def paying(*payments: Item) -> Change:
    return lambda order: replace(order, consideration=payments)


def native(amount: int, recipient: str = ALICE, end: int | None = None) -> Item:
    return Item(NATIVE, ZERO_ADDRESS, 0, amount, amount if end is None else end, recipient)


REFUSED: list[tuple[str, Change]] = [
    ("wrong_offer", lambda o: replace(o, offer=())),
    ("wrong_offer", lambda o: replace(o, offer=o.offer * 2)),
    ("wrong_offer", lambda o: replace(o, offer=(replace(o.offer[0], identifier=2),))),
    ("wrong_offer", lambda o: replace(o, offer=(replace(o.offer[0], token=BOB),))),
    ("wrong_offer", lambda o: replace(o, offer=(replace(o.offer[0], start_amount=2),))),
    ("wrong_payment", paying()),
    ("wrong_payment", paying(*[native(100)] * 11)),
    ("wrong_payment", paying(native(100, end=50))),
    ("wrong_payment", paying(native(100, ZERO_ADDRESS))),
    ("wrong_currency", paying(Item(ERC20, BOB, 0, 5, 5, ALICE))),
    ("wrong_currency", paying(Item(ERC721, BOB, 1, 1, 1, ALICE))),
    ("wrong_price", paying(native(0))),
    ("wrong_price", paying(native(2**96))),
    ("royalty_missing", paying(native(1000))),
    ("royalty_missing", paying(native(951), native(49, OWNER))),
    ("wrong_kind", lambda o: replace(o, order_type=1)),
    ("wrong_kind", lambda o: replace(o, zone=BOB)),
    ("wrong_kind", lambda o: replace(o, conduit_key=b"\1" * 32)),
    ("wrong_kind", lambda o: replace(o, zone_hash=b"\1" * 32)),
    ("expired", lambda o: replace(o, end_time=o.start_time)),
    ("expired", lambda o: replace(o, end_time=1)),
    ("wrong_times", lambda o: replace(o, start_time=2**255, end_time=2**255 + 1)),
    ("wrong_times", lambda o: replace(o, end_time=2**256 - 1)),
    ("wrong_counter", lambda o: replace(o, counter=1)),
]


@pytest.mark.parametrize(("code", "change"), REFUSED, ids=range(len(REFUSED)))
def test_an_order_that_is_no_plain_sale_is_refused(
    bazaar: Bazaar, client: Client, code: str, change: Change
) -> None:
    reply = post(client, bazaar, change(bazaar.listing(ALICE, 1)))

    assert (reply.status_code, reply.json()["code"]) == (409, code)
    assert not Listing.objects.exists()


def test_who_does_not_have_the_token_cannot_list_it(bazaar: Bazaar, client: Client) -> None:
    reply = post(client, bazaar, bazaar.listing(BOB, 1))

    assert reply.json()["code"] == "not_owner"


def test_the_owner_is_asked_from_the_chain_not_from_what_was_read(
    bazaar: Bazaar, client: Client
) -> None:
    call = contracts.call("transferFrom", ALICE, BOB, 1)
    bazaar.chain.succeed(call, bazaar.contract, ALICE)

    assert post(client, bazaar, bazaar.listing(ALICE, 1)).json()["code"] == "not_owner"


def test_a_seller_who_has_not_approved_is_told_so(bazaar: Bazaar, client: Client) -> None:
    call = contracts.call("setApprovalForAll", bazaar.seaport, False)
    bazaar.chain.succeed(call, bazaar.contract, ALICE)

    assert post(client, bazaar, bazaar.listing(ALICE, 1)).json()["code"] == "not_approved"


def test_an_approval_of_the_one_token_is_enough(bazaar: Bazaar, client: Client) -> None:
    for call in (
        contracts.call("setApprovalForAll", bazaar.seaport, False),
        contracts.call("approve", bazaar.seaport, 1),
    ):
        bazaar.chain.succeed(call, bazaar.contract, ALICE)

    assert post(client, bazaar, bazaar.listing(ALICE, 1)).status_code == 201


def test_a_cancelled_order_is_not_listed(bazaar: Bazaar, client: Client) -> None:
    order = bazaar.listing(ALICE, 1)
    bazaar.do(seaport.cancel([order]), ALICE)

    assert post(client, bazaar, order).json()["code"] == "not_usable"


@pytest.mark.parametrize("signature", ["0x12", "", "0x" + "11" * 65])
def test_what_is_no_signature_of_the_sellers_is_refused(
    bazaar: Bazaar, client: Client, signature: str
) -> None:
    reply = post(client, bazaar, bazaar.listing(ALICE, 1), signature=signature)

    assert reply.status_code == 400
    assert not Listing.objects.exists()


def test_somebody_elses_signature_is_refused(bazaar: Bazaar, client: Client) -> None:
    order = bazaar.listing(ALICE, 1)
    forged = seaport.sign(order, KEYS[BOB], CHAIN_ID, bazaar.seaport)

    reply = post(client, bazaar, order, signature=forged)

    assert (reply.status_code, reply.json()["code"]) == (400, "bad_signature")


@pytest.mark.parametrize("order", [None, 1, [], {}, {"offerer": "x"}, "\x00"])
def test_a_body_that_is_no_order_is_refused(bazaar: Bazaar, client: Client, order: Any) -> None:
    reply = post(client, bazaar, bazaar.listing(ALICE, 1), order=order)

    assert reply.status_code == 400


def test_a_field_that_nobody_asked_for_is_refused(bazaar: Bazaar, client: Client) -> None:
    reply = post(client, bazaar, bazaar.listing(ALICE, 1), price=1)

    assert reply.json()["errors"] == {"price": ["No such field."]}


def test_an_order_that_is_too_large_is_refused(bazaar: Bazaar, client: Client) -> None:
    order = bazaar.listing(ALICE, 1).to_json() | {"zone": "x" * 20_000}

    reply = post(client, bazaar, bazaar.listing(ALICE, 1), order=order)

    assert (reply.status_code, reply.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("place", ["{}/99", "{}/" + "9" * 30, "0x12/1", ALICE + "/1"])
def test_a_token_that_nobody_has_is_not_found(bazaar: Bazaar, client: Client, place: str) -> None:
    reply = client.get(f"/api/tokens/{place.format(bazaar.contract)}/listings")

    assert reply.status_code == 404


def test_without_a_marketplace_there_is_nothing_to_list_on(bazaar: Bazaar, client: Client) -> None:
    order = bazaar.listing(ALICE, 1)
    Marketplace.objects.all().delete()

    assert post(client, bazaar, order).json()["code"] == "no_marketplace"


def test_a_node_that_is_away_is_said_and_nothing_is_kept(
    bazaar: Bazaar, client: Client, settings: Settings
) -> None:
    settings.CHAIN_RPC_URL = "http://127.0.0.1:1"

    reply = post(client, bazaar, bazaar.listing(ALICE, 1))

    assert (reply.status_code, reply.json()["code"]) == (503, "chain_away")
    assert not Listing.objects.exists()


def test_a_listing_is_not_kept_on_the_word_of_a_block_that_was_read_already(
    bazaar: Bazaar, client: Client
) -> None:
    Cursor.objects.update(number=10**6)

    reply = post(client, bazaar, bazaar.listing(ALICE, 1))

    assert (reply.status_code, reply.json()["code"]) == (503, "chain_away")


def test_wallets_learn_the_marketplace(bazaar: Bazaar, client: Client) -> None:
    found = client.get("/api/collections/portraits/chain").json()

    assert found["marketplace"] == bazaar.seaport


def test_who_lists_too_often_is_asked_to_wait(bazaar: Bazaar, client: Client) -> None:
    replies = [post(client, bazaar, bazaar.listing(ALICE, 1), order={}) for _ in range(601)]

    assert {reply.status_code for reply in replies[:600]} == {400}
    assert replies[600].status_code == 429
    assert client.get(f"/api/tokens/{bazaar.contract}/1/listings").status_code == 200
