"""What wallets are told to sign and send, carried out on a real node with a real Seaport."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from eth_account import Account
from eth_account.messages import encode_typed_data
from pytest_django import Settings

from minting import indexer
from minting.chain import stakes
from minting.models import Contract, Listing, Marketplace, Sale
from tests.fixtures.chain import ALICE, BOB, Chain
from tests.minting.market import KEYS, open_bazaar

pytestmark = pytest.mark.usefixtures("chain_settings")
PRICE_WEI = 10**17


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    cache.clear()


@pytest.fixture
def works(evolving_works: Contract, chain: Chain) -> Contract:
    open_bazaar(chain, evolving_works.address)
    return evolving_works


def draft(client: Client, works: Contract, **asked: Any) -> Any:
    terms = {"price_wei": PRICE_WEI, "seconds": 86_400} | asked
    return client.get(f"/api/tokens/{works.address}/1/listings/draft", terms)


def put_up(client: Client, works: Contract, chain: Chain) -> Listing:
    found = draft(client, works).json()
    if found["approval"]:
        call = bytes.fromhex(found["approval"]["input"][2:])
        chain.succeed(call, found["approval"]["to"], ALICE)
    signable = encode_typed_data(full_message=found["typed_data"])
    signature = "0x" + bytes(Account.sign_message(signable, KEYS[ALICE]).signature).hex()
    body = {"order": found["order"], "signature": signature}
    reply = client.post(
        f"/api/tokens/{works.address}/1/listings", body, content_type="application/json"
    )
    assert reply.status_code == 201, reply.content
    return Listing.objects.get(order_hash=reply.json()["order_hash"])


def calls_of(client: Client, listing: Listing) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/listings/{listing.order_hash}/trade").json()
    return found


def do(chain: Chain, call: dict[str, Any], wallet: str) -> None:
    chain.succeed(bytes.fromhex(call["input"][2:]), call["to"], wallet, int(call["value_wei"]))
    indexer.poll()


def test_what_is_drafted_can_be_listed_and_bought(
    client: Client, works: Contract, chain: Chain
) -> None:
    listing = put_up(client, works, chain)
    calls = calls_of(client, listing)

    do(chain, calls["buy"], BOB)

    sale = Sale.objects.get()
    assert (listing.price_wei, sale.price_wei, sale.buyer) == (PRICE_WEI, PRICE_WEI, BOB)
    assert client.get(f"/api/listings/{listing.order_hash}/trade").status_code == 404
    assert int(calls["buy"]["value_wei"]) == PRICE_WEI


def test_the_price_has_the_royalty_in_it(client: Client, works: Contract) -> None:
    found = draft(client, works).json()

    parts = [int(one["startAmount"]) for one in found["order"]["consideration"]]
    assert sum(parts) == PRICE_WEI
    assert parts[1] == int(found["royalty_wei"]) == PRICE_WEI * works.royalty_bps // 10_000


def test_a_listing_is_taken_back(client: Client, works: Contract, chain: Chain) -> None:
    listing = put_up(client, works, chain)

    do(chain, calls_of(client, listing)["take_back"], ALICE)

    listing.refresh_from_db()
    assert listing.state == Listing.State.CANCELLED
    assert draft(client, works).json()["approval"] is None  # it stays from the first time


@pytest.mark.parametrize(
    "asked",
    [
        {"price_wei": 0},
        {"price_wei": 2**96},
        {"price_wei": "x"},
        {"seconds": 1},
        {"seconds": 10**9},
    ],
)
def test_terms_that_nobody_would_show_are_refused(
    client: Client, works: Contract, asked: dict[str, Any]
) -> None:
    assert draft(client, works, **asked).status_code == 400


def test_nothing_is_drafted_without_work_market_or_chain(
    client: Client, works: Contract, settings: Settings
) -> None:
    assert client.get(f"/api/tokens/{works.address}/99/listings/draft").status_code == 404
    settings.CHAIN_RPC_URL = "http://127.0.0.1:9"
    assert draft(client, works).status_code == 503
    Marketplace.objects.all().delete()

    assert draft(client, works).json()["code"] == "no_marketplace"


def test_a_staked_work_is_offered_to_nobody(client: Client, works: Contract, chain: Chain) -> None:
    page = "/collections/living/works/1"
    before = client.get(page).content.decode()
    call = stakes.staking().call("stake", [1])
    chain.succeed(call, works.staking_address, ALICE)
    indexer.poll()

    assert 'class="trade"' in before
    assert 'class="trade"' not in client.get(page).content.decode()
