"""Pools on the market page, a pool's own page, and a lead who names one."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from gallery.views.pools import amount, short
from generation.models import Collection
from minting.models import (
    Block,
    Contract,
    Cursor,
    Delegation,
    LiquiditySnapshot,
    Pool,
    Swap,
    VotingPower,
)
from sentiment.services import mark_simulated, register_wallet
from tests.fixtures.chain import ALICE, BOB, Chain
from tests.fixtures.works import MakeDrop
from tests.minting import uniswap

ETHER = 10**18


@pytest.fixture
def collection(make_drop: MakeDrop) -> Collection:
    return make_drop(1).collection


def a_pool(collection: Collection, kind: str = "v3", first_block: int = 5) -> Pool:
    pool = Pool.objects.create(
        collection=collection,
        chain_id=31337,
        address=ALICE,
        kind=kind,
        factory=BOB,
        token0=BOB,
        token1=ALICE,
        symbol0="WETH",
        symbol1="USDC",
        decimals0=18,
        decimals1=6,
        fee_pips=3000,
        created_block=5,
        first_block=first_block,
    )
    Cursor.objects.create(pool=pool, number=1200)
    return pool


def test_tokens_of_one_symbol_are_told_apart(client: Client, collection: Collection) -> None:
    pool = a_pool(collection)
    Pool.objects.filter(pk=pool.pk).update(symbol1="WETH")

    html = client.get("/collections/portraits/market").content.decode()

    assert f"WETH {BOB[:6]}… / WETH {ALICE[:6]}…" in html


def trade(pool: Pool, n: int) -> None:
    """Swaps an hour apart, the last one now; one WETH is 2,500 USDC, more at each."""
    now = timezone.now()
    for at in range(n):
        block = Block.objects.create(
            chain_id=31337,
            number=100 + at,
            hash=f"0x{at:064x}",
            parent_hash=f"0x{at:064x}",
            mined_at=now - timedelta(hours=n - 1 - at),
        )
        place = {"pool": pool, "block": block, "log_index": 1}
        usdc = (2500 + at) * 10**6
        Swap.objects.create(
            **place,
            tx_hash=f"0x{at:064x}",
            sender=BOB,
            recipient=BOB,
            amount0=ETHER,
            amount1=-usdc,
        )
        root = int((usdc / ETHER) ** 0.5 * 2**96)
        if pool.kind == "v3":
            LiquiditySnapshot.objects.create(**place, sqrt_price_x96=root, tick=1, liquidity=10**16)
        else:
            LiquiditySnapshot.objects.create(**place, reserve0=100 * ETHER, reserve1=100 * usdc)


def market(client: Client, collection: Collection) -> str:
    found = client.get(reverse("gallery:market", args=[collection.slug]))
    assert found.status_code == 200
    return found.content.decode()


@pytest.mark.parametrize(
    ("kind", "says"), [("v2", "100 WETH"), ("v2", "250,200 USDC"), ("v3", "In range, as deep as")]
)
def test_the_market_shows_price_depth_and_volume(
    client: Client, collection: Collection, kind: str, says: str
) -> None:
    pool = a_pool(collection, kind)
    trade(pool, 3)

    page = market(client, collection)

    assert says in page
    assert "2,502 USDC" in page
    assert "3 WETH" in page
    assert "1,200" in page
    assert len(re.findall("<polyline", page)) == 2
    assert len(re.findall("<rect", page)) == 14


def test_a_pool_in_which_nothing_happened_says_so(client: Client, collection: Collection) -> None:
    a_pool(collection)

    page = market(client, collection)

    assert "Nothing happened in this pool yet." in page
    assert "WETH / USDC" in page


def test_a_pool_that_is_not_read_from_its_beginning_says_so(
    client: Client, collection: Collection
) -> None:
    trade(a_pool(collection, first_block=50), 1)

    assert "Read from block 50 on" in market(client, collection)


def test_a_collection_without_pools_has_no_such_section(
    client: Client, collection: Collection
) -> None:
    assert "pool" not in market(client, collection).lower()


def test_who_is_simulated_is_labelled(client: Client, collection: Collection) -> None:
    pool = a_pool(collection)
    trade(pool, 2)
    register_wallet(address=BOB)
    address = reverse("gallery:pool", args=[collection.slug, pool.address])
    before = client.get(address).content.decode()

    mark_simulated(addresses=[BOB])

    assert before.count(">simulated</span>") == 0
    assert client.get(address).content.decode().count(">simulated</span>") == 2


def test_all_swaps_are_on_pages(
    client: Client, collection: Collection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    pool = a_pool(collection)
    trade(pool, 60)
    address = reverse("gallery:pool", args=[collection.slug, pool.address])

    with django_assert_num_queries(6):
        first = client.get(address).content.decode()
    second = client.get(address, {"page": 2}).content.decode()

    assert first.count("1 WETH</td>") == 50
    assert second.count("1 WETH</td>") == 10
    assert "Page 2 of 2" in second
    assert client.get(reverse("gallery:pool", args=[collection.slug, BOB])).status_code == 404


@pytest.mark.parametrize(
    ("units", "decimals", "says"),
    [
        (0, 18, "0"),
        (1, 18, "1e-18"),
        (1_234_567 * 10**18 + 10**17, 18, "1,234,567"),
        (1_234 * 10**18 + 10**17, 18, "1,234.1"),
        (100 * 10**18, 18, "100"),
        (123_456, 6, "0.1235"),
        (2**256 - 1, 0, f"{float(2**256):,.0f}"),
    ],
)
def test_amounts_are_in_whole_tokens(units: int, decimals: int, says: str) -> None:
    assert amount(units, decimals) == says


def test_numbers_below_one_keep_four_digits() -> None:
    assert [short(value) for value in (0.00012345678, 1.5, 20.0)] == ["0.0001235", "1.5", "20"]


def test_only_a_lead_names_a_pool(client: Client, collection: Collection) -> None:
    address = reverse("gallery:pools", args=[collection.slug])

    assert client.get(address).status_code == 302
    assert client.post(address, {"kind": "v2", "address": ALICE}).status_code == 302
    assert not Pool.objects.exists()


def test_a_lead_names_a_pool_once(
    client: Client, lead: User, collection: Collection, chain: Chain, chain_settings: Settings
) -> None:
    exchange = uniswap.open_exchange(chain)
    client.force_login(lead)
    address = reverse("gallery:pools", args=[collection.slug])

    done = client.post(address, {"kind": "v3", "address": exchange.pool}, follow=True)
    again = client.post(address, {"kind": "v3", "address": exchange.pool})
    wrong = client.post(address, {"kind": "v3", "address": exchange.pair})
    bad = client.post(address, {"kind": "v3", "address": "0x12"})

    pool = Pool.objects.get()
    assert f"is read from block {pool.first_block} on" in done.content.decode()
    assert [answer.status_code for answer in (again, wrong, bad)] == [400] * 3
    assert "is read already" in again.content.decode()
    assert "is not a pool of Uniswap v3" in wrong.content.decode()
    assert "This is no address." in bad.content.decode()


def test_a_wallet_page_tells_votes_and_delegate(client: Client, collection: Collection) -> None:
    contract = Contract.objects.create(
        collection=collection,
        chain_id=31337,
        address=BOB,
        deployed_block=1,
        treasury=BOB,
        royalty_bps=0,
        has_votes=True,
    )
    Cursor.objects.create(contract=contract, number=9)
    block = Block.objects.create(
        chain_id=31337, number=5, hash="0x1", parent_hash="0x0", mined_at=timezone.now()
    )
    place = {"contract": contract, "block": block, "tx_hash": "0x1"}
    VotingPower.objects.create(**place, log_index=2, wallet=ALICE, votes=3)
    Delegation.objects.create(**place, log_index=1, holder=BOB, delegate=ALICE)

    has, gave, none = (
        client.get(reverse("gallery:holder", args=[wallet])).content.decode()
        for wallet in (ALICE, BOB, "0x" + "12" * 20)
    )

    assert "3 votes" in has
    assert "Its own works vote once they have a delegate." in has
    assert "0 votes" in gave
    assert f"/wallets/{ALICE}" in gave
    assert "on chain" not in none
