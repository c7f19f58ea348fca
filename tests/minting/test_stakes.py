"""Staking from the request to the rows, on a real node that reorganises."""

import time
from typing import Any

import pytest
from pytest_django import Settings

from generation.models import Collection, Drop
from minting import indexer, services
from minting.chain import contracts, stakes
from minting.chain.logs import LogError
from minting.models import Block, ChainTransaction, Contract, PoolPayment, Stake, Token
from tests.fixtures.chain import ALICE, BOB, OWNER, Chain
from tests.fixtures.outbox import pump
from tests.fixtures.sales import everybody
from tests.fixtures.works import MakeDrop

PRICE_WEI = 10**15
POOL_WEI = 10**18

pytestmark = pytest.mark.usefixtures("chain_settings")


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def drop(make_drop: MakeDrop, chain_settings: Settings) -> Drop:
    drop = make_drop(6)
    services.request_commit(drop=drop)
    pump()
    drop.refresh_from_db()
    services.request_open_sale(drop=drop, phases=everybody(PRICE_WEI, 5))
    pump()
    return drop


@pytest.fixture
def contract(drop: Drop, chain: Chain) -> Contract:
    """Works 1 to 3 are Alice's, 4 is Bob's, and the collection has a staking contract."""
    address = Contract.objects.get().address
    chain.succeed(contracts.mint(1, 0, 3), address, ALICE, 3 * PRICE_WEI)
    chain.succeed(contracts.mint(1, 0, 1), address, BOB, PRICE_WEI)
    services.request_staking(collection=drop.collection)
    pump()
    indexer.poll()
    return Contract.objects.get()


def act(chain: Chain, contract: Contract, wallet: str, name: str, *arguments: Any) -> None:
    chain.succeed(stakes.staking().call(name, *arguments), contract.staking_address, wallet)


def fund(chain: Chain, contract: Contract) -> int:
    ends_at = int(time.time()) + 10**6
    call = stakes.staking().call("fund", ends_at)
    chain.succeed(call, contract.staking_address, OWNER, POOL_WEI)
    return ends_at


def staked_on_chain(chain: Chain, contract: Contract) -> dict[int, tuple[str, int]]:
    """Owner and first second by token id, asked from the contract."""
    found = {}
    for token_id in Token.objects.order_by("token_id").values_list("token_id", flat=True):
        raw = chain.read(contract.staking_address, stakes.staking().call("stakeOf", token_id))
        owner, since = stakes.staking().answer("stakeOf", raw)
        if int(owner, 16):
            found[token_id] = (owner.lower(), since)
    return found


def staked_in_rows() -> dict[int, tuple[str, int]]:
    rows = Stake.objects.running().select_related("token", "block")
    return {
        row.token.token_id: (row.owner.lower(), int(row.block.mined_at.timestamp())) for row in rows
    }


def test_the_staking_contract_is_created_and_named_as_locker(
    contract: Contract, chain: Chain
) -> None:
    kinds = ChainTransaction.objects.filter(kind__in=["staking", "locker"])

    assert set(kinds.values_list("state", flat=True)) == {"confirmed"}
    assert chain.ask(contract.address, "locker") == contract.staking_address.lower()
    raw = chain.read(contract.staking_address, stakes.staking().call("collection"))
    assert stakes.staking().answer("collection", raw) == contract.address.lower()


def test_asking_for_it_again_sends_nothing(contract: Contract) -> None:
    n_intents = ChainTransaction.objects.count()

    services.request_staking(collection=contract.collection)

    assert ChainTransaction.objects.count() == n_intents


def test_a_collection_without_a_contract_has_to_wait(make_drop: MakeDrop) -> None:
    collection: Collection = make_drop(1).collection

    with pytest.raises(services.NotDeployedError):
        services.request_staking(collection=collection)


def test_what_is_staked_and_taken_back_is_what_the_contract_says(
    contract: Contract, chain: Chain
) -> None:
    act(chain, contract, ALICE, "stake", [1, 3])
    act(chain, contract, BOB, "stake", [4])
    act(chain, contract, ALICE, "unstake", [3])

    indexer.poll()

    ended = Stake.objects.exclude(ended_block=None).get()
    assert staked_in_rows() == staked_on_chain(chain, contract)
    assert set(staked_in_rows()) == {1, 4}
    assert (ended.token.token_id, ended.owner) == (3, ALICE)
    assert ended.ended_block is not None
    assert ended.ended_block.number == ended.block.number + 2 == chain.block_number()


def test_what_is_paid_in_and_out_is_kept(contract: Contract, chain: Chain) -> None:
    act(chain, contract, ALICE, "stake", [1])
    ends_at = fund(chain, contract)
    chain.call("evm_increaseTime", 1000)
    before = chain.balance_wei(contract.staking_address)
    act(chain, contract, ALICE, "claim")

    indexer.poll()

    funded, claimed = PoolPayment.objects.in_order()
    assert (funded.kind, funded.amount_wei, funded.ends_at) == ("funded", POOL_WEI, ends_at)
    assert (claimed.kind, claimed.wallet) == ("claimed", ALICE)
    assert claimed.amount_wei == before - chain.balance_wei(contract.staking_address) > 0


def test_reading_again_changes_nothing(contract: Contract, chain: Chain) -> None:
    act(chain, contract, ALICE, "stake", [1, 2])
    act(chain, contract, ALICE, "unstake", [2])
    indexer.poll()
    before = list(Stake.objects.in_order().values())

    indexer.poll()

    assert list(Stake.objects.in_order().values()) == before


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_a_reorganisation_takes_stakes_back_and_lets_ended_ones_go_on(
    contract: Contract, chain: Chain, depth: int
) -> None:
    """Work 1 is staked, taken back, staked again; each in a block that may be gone."""
    chain.mine()
    act(chain, contract, ALICE, "stake", [1])
    act(chain, contract, ALICE, "unstake", [1])
    act(chain, contract, ALICE, "stake", [1, 2])
    fund(chain, contract)
    indexer.poll()
    n_before = Stake.objects.count()

    chain.reorganise(depth)
    indexer.poll()

    assert n_before == 3
    assert staked_in_rows() == staked_on_chain(chain, contract)
    assert Stake.objects.count() == {1: 3, 2: 1, 3: 1, 4: 0}[depth]
    assert not PoolPayment.objects.exists()


def test_a_stake_that_comes_back_elsewhere_is_found_there(contract: Contract, chain: Chain) -> None:
    act(chain, contract, ALICE, "stake", [1])
    indexer.poll()
    raw = chain.call("eth_getRawTransactionByHash", Stake.objects.get().tx_hash)
    chain.mine()

    chain.reorganise(2, [[raw, 1]])
    indexer.poll()

    stake = Stake.objects.select_related("block").get()
    assert stake.block.number == chain.block_number()
    assert staked_in_rows() == staked_on_chain(chain, contract)


def test_blocks_in_which_something_was_staked_are_kept(contract: Contract, chain: Chain) -> None:
    act(chain, contract, ALICE, "stake", [1, 2])
    act(chain, contract, ALICE, "unstake", [2])
    for _ in range(2):
        chain.mine(2 * indexer.REORG_WINDOW)
        indexer.poll()

    chain.mine()
    indexer.poll()

    assert staked_in_rows() == staked_on_chain(chain, contract)
    assert Stake.objects.exclude(ended_block=None).count() == 1


def test_reading_the_contract_again_leaves_the_same_stakes(
    contract: Contract, chain: Chain
) -> None:
    act(chain, contract, ALICE, "stake", [1])
    act(chain, contract, ALICE, "unstake", [1])
    indexer.poll()
    n_blocks = Block.objects.count()

    for number in (chain.block_number() - 1, chain.block_number() - 2, 1):
        drop_all(contract, number)
        indexer.poll()

        assert Stake.objects.exclude(ended_block=None).count() == Stake.objects.count() == 1
    assert Block.objects.count() >= n_blocks


def drop_all(contract: Contract, first: int) -> None:
    for _ in services.drop_rows(chain_id=31337, first=first, source=contract):
        pass


WORD = "0x" + ALICE[2:].lower().rjust(64, "0")


@pytest.mark.parametrize(
    ("topics", "data"),
    [
        ([], "0x"),
        (["0x" + "12" * 32], "0x"),
        ([stakes.staking().topic("Staked")], "0x"),
        ([stakes.staking().topic("Staked"), WORD], "0x"),
        ([stakes.staking().topic("Staked"), "0x" + "f" * 64, WORD], "0x"),
        ([stakes.staking().topic("Claimed"), WORD], "0x12"),
        ([stakes.staking().topic("Funded")], "0x" + "0" * 64),
    ],
)
def test_a_damaged_log_is_refused(topics: list[str], data: str) -> None:
    place = {"blockNumber": "0x1", "blockHash": "0x", "transactionHash": "0x", "logIndex": "0x0"}

    with pytest.raises(LogError):
        stakes.decode_stakes([{**place, "topics": topics, "data": data}])
