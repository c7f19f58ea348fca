"""The market page: premiums, the price index, sales that do not count, and the list of sales."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from generation.models import Drop
from minting.models import Block, Contract, Cursor, Sale, Token
from sentiment.models import ScoreRun
from sentiment.services import close_round, open_round, read_price_index
from tests.fixtures.works import MakeDrop

MARKET = "/collections/portraits/market"
CHAIN_ID = 31337
START = datetime(2026, 3, 2, tzinfo=UTC)
ETHER = 10**18
N_SALES = 60


@pytest.fixture
def drop(make_drop: MakeDrop) -> Drop:
    return make_drop(80)


@pytest.fixture
def tokens(drop: Drop) -> list[Token]:
    """All works minted, and the chain read up to block 1000."""
    contract = Contract.objects.create(
        collection=drop.collection,
        chain_id=CHAIN_ID,
        address="0x" + "c0" * 20,
        deployed_block=1,
        treasury="0x" + "11" * 20,
        royalty_bps=500,
    )
    Cursor.objects.create(contract=contract, number=1000)
    minted = block(1)
    return Token.objects.bulk_create(
        Token(
            contract=contract,
            token_id=work.index + 1,
            drop=drop,
            artwork=work,
            owner=wallet(1),
            minted_block=minted,
        )
        for work in drop.artworks.in_order()
    )


def block(number: int) -> Block:
    return Block.objects.create(
        chain_id=CHAIN_ID,
        number=number,
        hash=f"0x{number:064x}",
        parent_hash=f"0x{number - 1:064x}",
        mined_at=START + timedelta(days=number),
    )


def wallet(n: int) -> str:
    return f"0x{n:040x}"


def sell(token: Token, price_wei: int, number: int, seller: int = 0, buyer: int = 0) -> Sale:
    """A sale in a block of its own, between two wallets that trade once unless they are given."""
    return Sale.objects.create(
        block=block(number),
        token=token,
        chain_id=CHAIN_ID,
        tx_hash=f"0x{number:064x}",
        log_index=0,
        order_hash="0x1",
        seller=wallet(seller or 2 * number + 1000),
        buyer=wallet(buyer or 2 * number + 1001),
        price_wei=price_wei,
    )


@pytest.fixture
def sales(tokens: list[Token]) -> list[Sale]:
    """A sale a day in March and April; glasses double a price, and so does April."""
    made = []
    for n, token in zip(range(2, 2 + N_SALES), tokens, strict=False):
        assert token.artwork is not None
        price = ETHER * (1 + n % 5 / 20)
        price *= 2 if token.artwork.parsed["accessory"] == "glasses" else 1
        price *= 2 if n > 29 else 1
        made.append(sell(token, int(price), n))
    return made


def score(drop: Drop) -> ScoreRun:
    return close_round(round=open_round(drop=drop)).score_run


def read(client: Client, query: str = "") -> str:
    reply = client.get(MARKET + query)
    assert reply.status_code == 200
    return reply.content.decode()


def part(html: str, name: str) -> str:
    return html.split(f'id="{name}"')[1].split("<h2", 1)[0]


def test_before_a_round_is_scored_there_is_a_median_by_week_and_no_premium(
    client: Client, sales: list[Sale]
) -> None:
    html = read(client)

    assert "Median price by week" in html
    assert "Sales are read when a round is closed." in part(html, "premiums")
    assert "which works are sold moves this" in html
    assert 'id="flagged"' not in html


def test_sales_that_are_too_few_are_said_to_be(
    client: Client, drop: Drop, tokens: list[Token]
) -> None:
    sell(tokens[0], ETHER, 2)
    score(drop)

    html = read(client)

    assert "The 1 sale that the round of drop 1 read are too few" in part(html, "premiums")
    assert "Median price by week" in html


def test_what_is_paid_for_is_told_with_its_interval(
    client: Client, drop: Drop, sales: list[Sale]
) -> None:
    run = score(drop)
    row = next(r for r in run.market["premiums"] if r["value"] == "glasses")

    html = part(read(client), "premiums")

    assert f"From {N_SALES} sales up to block {run.market['until_block']}" in html
    told = html.split(f'glasses <small title="sales of works with this value">{row["n_sales"]}')[1]
    low, high = (f"{round(100 * row[side]):+d}" for side in ("low", "high"))
    assert f"{round(100 * row['premium']):+d} % <small>{low} to {high}</small>" in told
    assert row["low"] > 0
    accessories = html.split("<caption>Accessory</caption>")[1]
    assert accessories.index("glasses <small") < accessories.index("eyepatch <small")


def test_the_index_takes_traits_out_and_starts_at_100(
    client: Client, drop: Drop, sales: list[Sale]
) -> None:
    march, april, *_ = read_price_index(score(drop))

    html = read(client)

    assert (march.index, march.low, march.high) == (1, 1, 1)
    assert april.low < 2 < april.high
    assert april.low > 1.5
    assert "Prices, traits being equal" in html
    assert f"{100 * april.low:.0f} to {100 * april.high:.0f}" in html
    assert march.n_sales + april.n_sales <= N_SALES


def test_sales_that_do_not_count_are_counted_by_reason_and_listed(
    client: Client, drop: Drop, tokens: list[Token], sales: list[Sale]
) -> None:
    sell(tokens[70], ETHER, 70, seller=7, buyer=8)
    sell(tokens[70], ETHER, 71, seller=8, buyer=7)
    sell(tokens[71], ETHER, 72, seller=9, buyer=9)
    score(drop)

    html = part(read(client), "flagged")

    assert "3 of 63 sales do not count: 2 round trips, 1 self-trade" in html
    assert html.count("Round trip: came back to its seller within 30 days") == 2
    assert html.count(f'href="/collections/portraits/works/{tokens[71].token_id}"') == 1


def test_a_sale_that_a_reorganisation_took_away_is_said_to_be_gone(
    client: Client, drop: Drop, tokens: list[Token], sales: list[Sale]
) -> None:
    gone = sell(tokens[71], ETHER, 72, seller=9, buyer=9)
    score(drop)
    gone.delete()

    assert "no longer on the chain" in part(read(client), "flagged")


def listed(html: str) -> list[int]:
    return [int(n) for n in re.findall(r"works/(\d+)\">#\d+</a></td>", html.split('id="sales"')[1])]


def test_sales_are_listed_in_the_order_and_of_the_drop_that_was_asked_for(
    client: Client, tokens: list[Token], make_drop: MakeDrop
) -> None:
    for n, price in enumerate((3, 1, 2)):
        sell(tokens[n], price * ETHER, n + 2)
    make_drop(1)

    assert listed(read(client)) == [3, 2, 1]
    assert listed(read(client, "?sort=dearest")) == [1, 3, 2]
    assert listed(read(client, "?sort=cheapest&drop=1")) == [2, 3, 1]
    assert listed(read(client, "?sort=sideways&drop=2")) == [3, 2, 1]


def test_sales_come_in_pages_that_keep_what_was_asked_for(
    client: Client, sales: list[Sale]
) -> None:
    first, third = read(client, "?sort=cheapest&drop=1"), read(client, "?sort=cheapest&page=3")

    assert len(listed(first)) == 20
    assert 'href="?sort=cheapest&amp;drop=1&amp;page=2#sales"' in first
    assert len(listed(third)) == 20
    assert "Page 3 of 3" in third


def test_the_queries_do_not_depend_on_the_sales(
    client: Client, drop: Drop, tokens: list[Token], sales: list[Sale]
) -> None:
    score(drop)
    read(client)  # the index is worked out once for each score
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            read(client)
        counts.append(len(queries))
        for n in range(80, 85):
            if len(counts) == 1:
                sell(tokens[n - 20], ETHER, n)

    assert counts == [15, 15]
