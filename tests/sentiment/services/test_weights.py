"""Votes that weigh by works held at one block, whatever becomes of the works afterwards."""

import copy
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from pytest_django import Settings

from generation.models import Artwork, Drop
from minting import indexer
from minting.chain import contracts, stakes
from minting.chain.logs import ZERO_ADDRESS
from minting.models import Block, Contract, Cursor, Token, Transfer
from minting.provenance.canonical import canonicalize
from minting.services import request_commit, request_open_sale, request_staking
from sentiment.derivation import bundle
from sentiment.derivation.replay import replay
from sentiment.models import Round, Vote, Voter
from sentiment.services import (
    NoSnapshotError,
    cast_vote,
    close_round,
    open_round,
    read_turnout,
    register_wallet,
    round_bundle,
    round_inputs,
)
from sentiment.services.weights import vote_weights
from tests.fixtures.chain import ALICE, BOB, Chain
from tests.fixtures.outbox import pump
from tests.fixtures.sales import everybody
from tests.fixtures.works import MakeDrop

WORKS, BOTH = Round.Weighting.WORKS, Round.Weighting.BOTH
LOGS = count(1)


@pytest.fixture
def contract(drop: Drop) -> Contract:
    """A contract read up to block 1,000."""
    made = Contract.objects.create(
        collection=drop.collection,
        chain_id=31337,
        address="0x" + "c0" * 20,
        deployed_block=1,
        treasury="0x" + "11" * 20,
        royalty_bps=500,
    )
    Cursor.objects.create(contract=made, number=1000)
    return made


def block(number: int) -> Block:
    return Block.objects.get_or_create(
        chain_id=31337,
        number=number,
        defaults={
            "hash": f"0x{number:064x}",
            "parent_hash": f"0x{number - 1:064x}",
            "mined_at": datetime(2026, 3, 1, tzinfo=UTC),
        },
    )[0]


def move(contract: Contract, drop: Drop, token_id: int, to: str, number: int) -> None:
    token, _ = Token.objects.get_or_create(
        contract=contract,
        token_id=token_id,
        defaults={"drop": drop, "owner": to, "minted_block": block(number)},
    )
    sender = token.owner if token.transfers.exists() else ZERO_ADDRESS
    log = next(LOGS)
    Transfer.objects.create(
        block=block(number),
        token=token,
        chain_id=31337,
        tx_hash=f"0x{log:064x}",
        log_index=log,
        sender=sender,
        recipient=to,
    )
    Token.objects.filter(pk=token.pk).update(owner=to)


def vote(round: Round, voter: Voter, place: int = 0) -> Vote:
    left, right = list(round.drop.artworks.order_by("pk"))[place : place + 2]
    return cast_vote(
        round=round, voter=voter, left_id=left.pk, right_id=right.pk, winner_id=left.pk
    )


def weights(round: Round) -> dict[str, float]:
    """By voter, as the document of the round says."""
    rows = round_inputs(round=round)["votes"]["rows"]
    return {row[3]: row[5] for row in rows if row[4] == 0}


def test_works_are_counted_at_the_block_and_not_by_today(
    drop: Drop, contract: Contract, voters: list[Voter]
) -> None:
    ann, bob, eve, *_ = voters
    for token_id in (1, 2, 3):
        move(contract, drop, token_id, ann.address, 10)
    move(contract, drop, 4, bob.address, 11)
    current = open_round(drop=drop, weighting=WORKS)
    vote(current, ann)

    move(contract, drop, 1, eve.address, 1001)
    for voter in (bob, eve):
        vote(current, voter)

    found = weights(current)
    assert found[eve.address] == 0.0
    assert found[ann.address] == pytest.approx(3 * found[bob.address], abs=3e-9)
    assert dict(current.holdings.values_list("wallet", "n_works")) == {
        ann.address: 3,
        bob.address: 1,
    }


def test_without_a_block_that_stays_works_cannot_be_counted(drop: Drop) -> None:
    with pytest.raises(NoSnapshotError):
        open_round(drop=drop, weighting=WORKS)

    drop.refresh_from_db()
    assert drop.state == Drop.State.MINTING


def test_votes_weigh_the_same_unless_a_lead_says_otherwise(
    drop: Drop, contract: Contract, voter: Voter
) -> None:
    move(contract, drop, 1, voter.address, 10)
    current = open_round(drop=drop)
    vote(current, voter)

    assert weights(current) == {voter.address: 1.0}
    assert current.snapshot_block is None
    assert not current.holdings.exists()


def test_earlier_votes_keep_the_weights_of_their_own_round(
    drop: Drop, contract: Contract, voters: list[Voter], make_drop: MakeDrop
) -> None:
    ann, bob, *_ = voters
    for token_id in (1, 2, 3):
        move(contract, drop, token_id, ann.address, 10)
    first = open_round(drop=drop, weighting=BOTH)
    for voter in (ann, bob):
        vote(first, voter)
    then = weights(first)
    close_round(round=first)
    move(contract, drop, 1, bob.address, 900)

    second = open_round(drop=make_drop(12))
    vote(second, bob)

    rows = round_inputs(round=second)["votes"]["rows"]
    assert {(row[3], row[4]): row[5] for row in rows} == {
        (ann.address, 1): then[ann.address],
        (bob.address, 1): then[bob.address],
        (bob.address, 0): 1.0,
    }
    assert vote_weights(Vote.objects.as_arrays(second)).tolist()[-1] == 1.0


def test_the_turnout_shows_who_is_heard(
    drop: Drop, contract: Contract, voters: list[Voter]
) -> None:
    ann, bob, *_ = voters
    for token_id in (1, 2, 3):
        move(contract, drop, token_id, ann.address, 10)
    move(contract, drop, 4, bob.address, 10)
    current = open_round(drop=drop, weighting=WORKS)
    for voter in (ann, bob):
        vote(current, voter)

    shares = {one.address: one.share for one in read_turnout(current).heaviest}

    assert shares == {
        ann.address: pytest.approx(0.75, abs=1e-8),
        bob.address: pytest.approx(0.25, abs=1e-8),
    }


def test_a_round_in_which_nobody_holds_anything_has_no_weight(
    drop: Drop, contract: Contract, voter: Voter
) -> None:
    current = open_round(drop=drop, weighting=WORKS)
    vote(current, voter)

    turnout = read_turnout(current)

    assert (turnout.n_voters, turnout.n_weighing, turnout.concentration) == (1, 0, None)
    assert not close_round(round=current).is_change


@pytest.fixture
def told(drop: Drop, contract: Contract, voters: list[Voter]) -> dict[str, Any]:
    """The bundle of a round in which works count."""
    for token_id, voter in enumerate(voters[:6] + voters[:2], 1):
        move(contract, drop, token_id, voter.address, 10)
    current = open_round(drop=drop, weighting=BOTH)
    for voter in voters:
        vote(current, voter)
    close_round(round=current)
    return bundle.read(round_bundle(round=current))


def finding(told: dict[str, Any]) -> tuple[str, str]:
    found = replay(bundle.read(canonicalize(told)))
    return next((str(one.state), one.why) for one in found if one.check == "weights")


def test_a_bundle_says_what_weights_follow_from(told: dict[str, Any]) -> None:
    state, why = finding(told)

    assert state == "pass"
    assert f"held at block {told['weighing']['block']}" in why


def test_a_work_more_than_there_was_is_found(told: dict[str, Any]) -> None:
    spoilt = copy.deepcopy(told)
    spoilt["weighing"]["holdings"]["rows"][0][1] += 1

    assert finding(spoilt)[0] == "fail"


def test_another_rule_is_found(told: dict[str, Any]) -> None:
    spoilt = copy.deepcopy(told)
    spoilt["weighing"]["rule"] = "works"

    assert finding(spoilt)[0] == "fail"


@pytest.fixture
def sold(make_drop: MakeDrop, fresh_chain: Chain, settings: Settings) -> tuple[Drop, str]:
    """A drop on a chain, of which Alice has three works and Bob one; one of hers is staked."""
    settings.CHAIN_RPC_URL = fresh_chain.url
    drop = make_drop(6, Drop.State.CURATING)
    request_commit(drop=drop)
    pump()
    drop.refresh_from_db()
    request_open_sale(drop=drop, phases=everybody(0, 5))
    pump()
    contract = Contract.objects.get()
    fresh_chain.succeed(contracts.mint(1, 0, 3), contract.address, ALICE)
    fresh_chain.succeed(contracts.mint(1, 0, 1), contract.address, BOB)
    request_staking(collection=drop.collection)
    pump()
    contract.refresh_from_db()
    fresh_chain.succeed(stakes.staking().call("stake", [3]), contract.staking_address, ALICE)
    fresh_chain.mine(settings.CHAIN_CONFIRMATIONS)
    indexer.poll()
    drop.refresh_from_db()
    return drop, contract.address


def test_a_work_that_moves_to_another_wallet_counts_once(
    sold: tuple[Drop, str], fresh_chain: Chain, settings: Settings
) -> None:
    drop, contract = sold
    alice, bob = (register_wallet(address=one) for one in (ALICE, BOB))
    current = open_round(drop=drop, weighting=WORKS)
    vote(current, alice)
    before = weights(current)

    for token_id in (1, 2):
        call = contracts.call("transferFrom", ALICE, BOB, token_id)
        fresh_chain.succeed(call, contract, ALICE)
    fresh_chain.mine(settings.CHAIN_CONFIRMATIONS)
    indexer.poll()
    vote(current, bob)

    after = weights(current)
    assert Token.objects.filter(owner=BOB).count() == 3
    assert before == {ALICE: 1.0}  # one voter is one voter
    assert after[ALICE] == pytest.approx(3 * after[BOB], abs=3e-9)
    rows = bundle_holdings(current)
    assert rows == [[BOB, 1], [ALICE, 3]]  # four works, as there are


def bundle_holdings(current: Round) -> list[Any]:
    close_round(round=current)
    told = bundle.read(round_bundle(round=current))
    assert finding(told)[0] == "pass"
    rows: list[Any] = told["weighing"]["holdings"]["rows"]
    return rows


def test_works_bought_after_the_snapshot_count_in_the_next_round_only(
    drop: Drop, contract: Contract, voter: Voter, make_drop: MakeDrop
) -> None:
    first = open_round(drop=drop, weighting=WORKS)
    move(contract, drop, 1, voter.address, 1001)
    vote(first, voter)
    close_round(round=first)
    Cursor.objects.update(number=2000)

    second = open_round(drop=make_drop(12), weighting=WORKS)
    vote(second, voter)

    assert weights(second) == {voter.address: 1.0}
    assert first.snapshot_block is not None
    assert second.snapshot_block is not None
    assert first.snapshot_block < 1001 < second.snapshot_block


def test_all_votes_weigh_the_same_by_a_single_question_more(
    open_one: Round, voter: Voter, works: list[Artwork], django_assert_num_queries: Any
) -> None:
    vote(open_one, voter)
    arrays = Vote.objects.as_arrays(open_one)

    with django_assert_num_queries(2):
        vote_weights(arrays)
