"""What sales add to a round's votes: by themselves, in the audit, and in the published inputs."""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from generation.models import Artwork, Drop
from minting.models import Block, Contract, Cursor, Sale, Token
from sentiment.control.explain import input_hash
from sentiment.market import prices
from sentiment.models import Proposal, Round, Voter
from sentiment.services import cast_vote, close_round, open_round, round_inputs
from tests.fixtures.works import MakeDrop, portrait_schema

CHAIN_ID = 31337
START = datetime(2026, 3, 1, tzinfo=UTC)
ETHER = 10**18


@pytest.fixture
def drop(make_drop: MakeDrop) -> Drop:
    return make_drop(120)


@pytest.fixture
def contract(drop: Drop) -> Contract:
    """A contract of which 1,000 blocks have been read and all works are minted."""
    made = Contract.objects.create(
        collection=drop.collection,
        chain_id=CHAIN_ID,
        address="0x" + "c0" * 20,
        deployed_block=1,
        treasury="0x" + "11" * 20,
        royalty_bps=500,
    )
    Cursor.objects.create(contract=made, number=1000)
    minted = block(1)
    Token.objects.bulk_create(
        Token(
            contract=made,
            token_id=i,
            drop=drop,
            artwork=work,
            owner="0x" + "aa" * 20,
            minted_block=minted,
        )
        for i, work in enumerate(drop.artworks.in_order(), 1)
    )
    return made


def block(number: int) -> Block:
    return Block.objects.get_or_create(
        chain_id=CHAIN_ID,
        number=number,
        defaults={
            "hash": f"0x{number:064x}",
            "parent_hash": f"0x{number - 1:064x}",
            "mined_at": START + timedelta(hours=number),
        },
    )[0]


def wallet(n: int) -> str:
    return f"0x{n:040x}"


def sell(token: Token, price_wei: int, number: int, **fields: Any) -> Sale:
    """A sale in block ``number`` between two wallets of its own."""
    known: dict[str, Any] = {
        "seller": wallet(2 * number + 1000),
        "buyer": wallet(2 * number + 1001),
        "log_index": 0,
    } | fields
    return Sale.objects.create(
        block=block(number),
        token=token,
        chain_id=CHAIN_ID,
        tx_hash=f"0x{number:064x}",
        order_hash=f"0x{number:064x}",
        price_wei=price_wei,
        **known,
    )


ATTRIBUTE = next(iter(portrait_schema()))
FAVOURITE = portrait_schema()[ATTRIBUTE][0]


def liking(work: Artwork) -> float:
    return 1.0 if work.parsed[ATTRIBUTE] == FAVOURITE else 0.0


def vote(round: Round, voters: list[Voter], n: int) -> None:
    """Each voter decides ``n`` pairs of works that differ in what matters."""
    works = list(round.drop.artworks.order_by("pk"))
    telling = [pair for pair in combinations(works, 2) if liking(pair[0]) != liking(pair[1])]
    for v, voter in enumerate(voters):
        for left, right in telling[v * n : (v + 1) * n]:
            winner = max(left, right, key=liking)
            cast_vote(
                round=round,
                voter=voter,
                left_id=left.pk,
                right_id=right.pk,
                winner_id=winner.pk,
            )


def sell_all(contract: Contract, effect: float = 0.8) -> None:
    """Every work once, dearer where it shows the favourite."""
    chance = np.random.default_rng(1)
    tokens = contract.tokens.select_related("artwork").order_by("token_id")
    for i, token in enumerate(tokens):
        assert token.artwork is not None
        log_price = effect * liking(token.artwork) + chance.normal(0, 0.3)
        sell(token, int(ETHER * np.exp(log_price)), 10 + i)


def closed(drop: Drop, voters: list[Voter], n: int = 6) -> Proposal:
    current = open_round(drop=drop)
    vote(current, voters, n)
    return close_round(round=current)


def share(proposal: Proposal) -> float:
    return float(proposal.proposed["distributions"][ATTRIBUTE][FAVOURITE])


def test_sales_that_agree_with_few_votes_make_them_surer(
    drop: Drop, contract: Contract, voters: list[Voter]
) -> None:
    sell_all(contract)

    proposal = closed(drop, voters[:4])

    row = next(r for r in proposal.rows if (r["attribute"], r["value"]) == (ATTRIBUTE, FAVOURITE))
    market = proposal.score_run.market
    assert market["kappa"] > 2 * market["kappa_sd"]
    assert row["without"]["market"] > 0
    assert row["n_sales"] > 0
    assert "sales tell" in row["why"]


def test_the_deltas_of_votes_market_and_both_together_are_the_change(
    drop: Drop, contract: Contract, voters: list[Voter]
) -> None:
    sell_all(contract)

    proposal = closed(drop, voters[:4])

    assert {name for row in proposal.rows for name in row["without"]} == {
        "votes",
        "market",
        "interaction",
    }
    for row in proposal.rows:
        change = row["proposed"] - row["old"]
        assert sum(row["without"].values()) == pytest.approx(change, abs=1e-12)


def test_the_premium_table_has_what_is_paid_for_the_favourite(
    drop: Drop, contract: Contract, voters: list[Voter]
) -> None:
    sell_all(contract)

    market = closed(drop, voters[:4]).score_run.market

    table = {(row["attribute"], row["value"]): row for row in market["premiums"]}
    favourite = table[ATTRIBUTE, FAVOURITE]
    assert favourite["low"] < favourite["premium"] < favourite["high"]
    assert favourite["premium"] == max(row["premium"] for row in table.values())
    assert favourite["premium"] > 0.3
    assert set(table) == {(a, v) for a, values in portrait_schema().items() for v in values}


def test_without_sales_the_proposal_is_that_of_the_votes_alone(
    drop: Drop, voters: list[Voter]
) -> None:
    proposal = closed(drop, voters[:4])

    assert {name for row in proposal.rows for name in row["without"]} == {"votes"}
    assert proposal.score_run.market["n_sales"] == 0
    for row in proposal.rows:
        assert row["without"]["votes"] == pytest.approx(row["proposed"] - row["old"], abs=1e-15)


def test_sales_of_which_none_counts_change_nothing(
    drop: Drop, contract: Contract, voters: list[Voter]
) -> None:
    one, other, third = contract.tokens.order_by("token_id")[:3]
    sell(one, 0, 10)
    sell(one, ETHER, 11, seller=wallet(1), buyer=wallet(1))
    sell(other, ETHER, 12, is_bundle=True)
    sell(third, ETHER, 13, currency="0x" + "ee" * 20)

    proposal = closed(drop, voters[:4])

    market = proposal.score_run.market
    assert [(d["tx"], d["reason"]) for d in market["discarded"]] == [
        (f"0x{10:064x}", "no_price"),
        (f"0x{11:064x}", "self_trade"),
        (f"0x{12:064x}", "bundle"),
        (f"0x{13:064x}", "other_currency"),
    ]
    assert (market["n_sales"], market["n_flagged"]) == (4, 4)
    assert {name for row in proposal.rows for name in row["without"]} == {"votes"}


def test_votes_alone_decide_where_there_are_none_to_calibrate_with(
    drop: Drop, contract: Contract
) -> None:
    sell_all(contract)

    proposal = close_round(round=open_round(drop=drop))

    assert not proposal.is_change
    assert "kappa" not in proposal.score_run.market
    assert proposal.score_run.market["premiums"]


def test_the_published_inputs_hold_the_sales_and_have_the_hash_of_the_run(
    drop: Drop, contract: Contract, voters: list[Voter]
) -> None:
    sell_all(contract)

    proposal = closed(drop, voters[:2])

    inputs = round_inputs(round=proposal.score_run.round)
    [first, *rest] = inputs["market"]["rows"]
    named = dict(zip(inputs["market"]["columns"], first, strict=True))
    assert input_hash(inputs) == proposal.score_run.input_hash
    assert len(rest) == 119
    assert named["tx"] == f"0x{10:064x}"
    assert named["period"] == "1/2026-03"
    assert int(named["price_wei"]) == Sale.objects.in_order()[0].price_wei


def test_a_sale_that_comes_after_the_close_changes_no_input(
    drop: Drop, contract: Contract, voters: list[Voter]
) -> None:
    tokens = list(contract.tokens.order_by("token_id")[:2])
    sell(tokens[0], ETHER, 500)
    proposal = closed(drop, voters[:2])

    sell(tokens[1], ETHER, 1001)
    Cursor.objects.update(number=2000)

    inputs = round_inputs(round=proposal.score_run.round)
    assert inputs["market"]["until_block"] == 1000
    assert input_hash(inputs) == proposal.score_run.input_hash


@pytest.mark.parametrize("change", [{"price_wei": 7}, {"is_bundle": True}, {"buyer": wallet(9)}])
def test_every_fact_of_a_sale_is_in_the_hash(
    drop: Drop, contract: Contract, change: dict[str, Any]
) -> None:
    current = open_round(drop=drop)
    sell(contract.tokens.order_by("token_id")[0], ETHER, 10)
    before = input_hash(round_inputs(round=current))

    Sale.objects.update(**change)

    assert input_hash(round_inputs(round=current)) != before


def test_a_sale_that_is_not_deep_enough_is_not_read_yet(
    drop: Drop, contract: Contract, settings: Settings
) -> None:
    settings.CHAIN_CONFIRMATIONS = 12
    sell(contract.tokens.order_by("token_id")[0], ETHER, 990)

    market = round_inputs(round=open_round(drop=drop))["market"]

    assert market["until_block"] == 989
    assert market["rows"] == []


def test_prices_that_cannot_be_judged_do_not_keep_a_round_open(
    drop: Drop, contract: Contract, voters: list[Voter], monkeypatch: pytest.MonkeyPatch
) -> None:
    def restless(*_: object) -> None:
        raise prices.FitError(500, 1.0)

    sell_all(contract)
    monkeypatch.setattr(prices, "judge", restless)

    proposal = closed(drop, voters[:2])

    assert proposal.score_run.market["n_sales"] == 120
    assert "kappa" not in proposal.score_run.market


def test_reading_the_market_takes_as_many_queries_for_many_sales_as_for_one(
    drop: Drop, contract: Contract
) -> None:
    current = open_round(drop=drop)
    sell(contract.tokens.order_by("token_id")[0], ETHER, 10)
    round_inputs(round=current)  # the round's own rows are read once
    with CaptureQueriesContext(connection) as one:
        round_inputs(round=current)
    Sale.objects.all().delete()
    sell_all(contract)
    with CaptureQueriesContext(connection) as many:
        round_inputs(round=current)

    assert len(many) == len(one)
