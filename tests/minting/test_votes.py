"""Votes of works from real contracts to rows. Oracle: ``getPastVotes`` of the contract."""

from typing import Any

import pytest
from pytest_django import Settings

from generation.models import Drop
from minting import indexer, services
from minting.chain import contracts, votes
from minting.chain.logs import ZERO_ADDRESS, LogError
from minting.models import Block, Contract, Delegation, VotingPower
from tests.fixtures.chain import ALICE, BOB, OWNER, Chain
from tests.fixtures.outbox import pump
from tests.fixtures.sales import everybody
from tests.fixtures.works import MakeDrop
from tests.minting.reorg_traders import VOTES, check_votes

pytestmark = pytest.mark.usefixtures("chain_settings")


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def contract(make_drop: MakeDrop, chain_settings: Settings) -> Contract:
    """Of a collection whose works vote, ten of them on sale."""
    drop: Drop = make_drop(10)
    services.plan_contract(collection=drop.collection, has_votes=True)
    services.request_commit(drop=drop)
    pump()
    drop.refresh_from_db()
    services.request_open_sale(drop=drop, phases=everybody(0, 5))
    pump()
    return Contract.objects.get()


@pytest.fixture
def lively(contract: Contract, chain: Chain) -> Contract:
    """Works are minted, given away, delegated and taken back; the same wallets again."""
    act(chain, contract, ALICE, "delegate", ALICE)
    chain.succeed(contracts.mint(1, 0, 3), contract.address, ALICE)
    act(chain, contract, BOB, "delegate", OWNER)
    chain.succeed(contracts.mint(1, 0, 2), contract.address, BOB)
    act(chain, contract, ALICE, "transferFrom", ALICE, BOB, 1)
    act(chain, contract, BOB, "delegate", ALICE)
    act(chain, contract, BOB, "transferFrom", BOB, ALICE, 4)
    act(chain, contract, ALICE, "delegate", ZERO_ADDRESS)
    chain.mine()
    return contract


def act(chain: Chain, contract: Contract, wallet: str, name: str, *arguments: Any) -> None:
    chain.succeed(VOTES.call(name, *arguments), contract.address, wallet)


def past_votes(chain: Chain, contract: Contract, wallet: str, number: int) -> int:
    raw = chain.read(contract.address, VOTES.call("getPastVotes", wallet, number))
    found: int = VOTES.answer("getPastVotes", raw)
    return found


def test_power_is_what_the_contract_says_of_every_block(lively: Contract, chain: Chain) -> None:
    indexer.poll()

    seen = set()
    for number in range(lively.deployed_block or 0, chain.block_number()):
        for wallet in (ALICE, BOB, OWNER):
            power = services.voting_power(contract=lively, wallet=wallet, number=number)
            assert power == past_votes(chain, lively, wallet, number)
            seen.add((wallet, power))
    assert {(ALICE, 3), (ALICE, 2), (OWNER, 3), (OWNER, 0)} <= seen


def test_several_changes_in_one_block_leave_its_last(contract: Contract, chain: Chain) -> None:
    act(chain, contract, ALICE, "delegate", ALICE)
    chain.succeed(contracts.mint(1, 0, 5), contract.address, ALICE)
    chain.mine()

    indexer.poll()

    in_one = VotingPower.objects.in_order().values_list("block", "votes")
    assert [power for _, power in in_one] == [1, 2, 3, 4, 5]
    assert len({block for block, _ in in_one}) == 1
    check_votes(chain)


def test_a_delegate_is_the_last_one_named(lively: Contract) -> None:
    indexer.poll()

    assert services.find_delegate(contract=lively, holder=BOB) == ALICE
    assert services.find_delegate(contract=lively, holder=ALICE) == ""
    assert services.find_delegate(contract=lively, holder=OWNER) == ""


def test_blocks_in_which_votes_changed_are_kept(lively: Contract, chain: Chain) -> None:
    indexer.poll()
    for _ in range(2):
        chain.mine(2 * indexer.REORG_WINDOW)
        indexer.poll()

    assert Delegation.objects.count() == 4
    check_votes(chain)


def test_reading_the_contract_again_leaves_the_same_votes(lively: Contract, chain: Chain) -> None:
    indexer.poll()
    n_powers, n_blocks = VotingPower.objects.count(), Block.objects.count()

    for _ in services.drop_rows(chain_id=31337, first=chain.block_number() - 4, source=lively):
        pass
    n_left = VotingPower.objects.count()
    indexer.poll()

    assert n_left < n_powers == VotingPower.objects.count()
    assert Block.objects.count() == n_blocks
    check_votes(chain)


WORD = "0x" + ALICE[2:].lower().rjust(64, "0")


@pytest.mark.parametrize(
    ("topics", "data"),
    [
        ([], "0x"),
        (["0x" + "12" * 32], "0x"),
        ([votes.POWER_TOPIC, WORD], "0x" + "0" * 64),
        ([votes.POWER_TOPIC, WORD], "0x" + "0" * 192),
        ([votes.DELEGATE_TOPIC, WORD, WORD], "0x"),
        ([votes.DELEGATE_TOPIC, WORD, WORD, "0x" + "f" * 64], "0x"),
    ],
)
def test_a_damaged_log_is_refused(topics: list[str], data: str) -> None:
    place = {"blockNumber": "0x1", "blockHash": "0x", "transactionHash": "0x", "logIndex": "0x0"}

    with pytest.raises(LogError):
        votes.decode_votes([{**place, "topics": topics, "data": data}])


def test_topics_are_those_of_the_compiled_contract() -> None:
    assert [VOTES.topic("DelegateVotesChanged"), VOTES.topic("DelegateChanged")] == votes.TOPICS
