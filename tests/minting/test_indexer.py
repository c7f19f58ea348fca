"""The indexer against a real node that really reorganises. Oracle: the contract itself."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from generation.models import Drop
from minting import indexer, services
from minting.chain import contracts
from minting.chain.client import Client, RpcError, TransportError, WrongChainError
from minting.models import Block, Contract, Cursor, Source, Token, Transfer
from tests.fixtures.chain import ALICE, BOB, Chain
from tests.fixtures.outbox import pump
from tests.fixtures.sales import everybody
from tests.fixtures.works import MakeDrop

PRICE_WEI = 10**15

pytestmark = pytest.mark.usefixtures("chain_settings")


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def drop(make_drop: MakeDrop) -> Drop:
    """A drop of twelve works on sale."""
    drop = make_drop(12)
    services.request_commit(drop=drop)
    pump()
    drop.refresh_from_db()
    services.request_open_sale(drop=drop, phases=everybody(PRICE_WEI, 5))
    pump()
    return drop


@pytest.fixture
def address(drop: Drop) -> str:
    return Contract.objects.get().address


def mint(chain: Chain, address: str, quantity: int = 1, sender: str = ALICE) -> None:
    chain.succeed(contracts.mint(1, 0, quantity), address, sender, quantity * PRICE_WEI)


def transfer(chain: Chain, address: str, sender: str, recipient: str, token_id: int) -> None:
    call = contracts.call("transferFrom", sender, recipient, token_id)
    chain.succeed(call, address, sender)


def owners_on_chain(chain: Chain, address: str) -> dict[int, str]:
    """Owners by token id, asked from the contract one by one; ids have no gaps."""
    n_minted = chain.ask(address, "totalSupply")
    return {i: chain.ask(address, "ownerOf", i) for i in range(1, n_minted + 1)}


def owners_in_rows() -> dict[int, str]:
    rows = Token.objects.order_by("token_id").values_list("token_id", "owner")
    return {token_id: owner.lower() for token_id, owner in rows}


def snapshot() -> list[Any]:
    return [
        list(Token.objects.order_by("token_id").values_list("token_id", "owner", "artwork__index")),
        list(Transfer.objects.in_order().values_list("tx_hash", "log_index", "recipient")),
        list(Cursor.objects.values_list("number", flat=True)),
    ]


def test_rows_are_what_the_chain_says(drop: Drop, chain: Chain, address: str) -> None:
    mint(chain, address, 3)
    mint(chain, address, 1, BOB)
    transfer(chain, address, ALICE, BOB, 2)

    touched = indexer.poll()

    assert touched == {drop.pk}
    assert owners_in_rows() == owners_on_chain(chain, address)
    assert Transfer.objects.count() == 5


def test_a_token_is_the_work_that_was_committed_for_its_id(
    drop: Drop, chain: Chain, address: str
) -> None:
    mint(chain, address, 2)

    indexer.poll()

    token = Token.objects.get(token_id=2)
    assert token.artwork is not None
    assert (token.artwork.index, token.artwork.token_id, token.drop) == (1, 2, drop)


def test_a_second_poll_changes_nothing(drop: Drop, chain: Chain, address: str) -> None:
    mint(chain, address, 2)
    indexer.poll()
    before = snapshot()

    touched = indexer.poll()

    assert touched == set()
    assert snapshot() == before


def test_a_token_that_moves_within_one_block_ends_with_its_last_owner(
    drop: Drop, chain: Chain, address: str
) -> None:
    mint(chain, address)
    indexer.poll()
    chain.call("evm_setAutomine", False)
    hops = [(ALICE, BOB), (BOB, ALICE), (ALICE, BOB)]
    # A falling tip keeps the order of the hops inside the block.
    for tip_gwei, (giver, taker) in zip((9, 6, 3), hops, strict=True):
        call = contracts.call("transferFrom", giver, taker, 1)
        request = {"from": giver, "to": address, "data": "0x" + call.hex(), "gas": "0x30d40"}
        fees = {"maxFeePerGas": hex(50 * 10**9), "maxPriorityFeePerGas": hex(tip_gwei * 10**9)}
        chain.call("eth_sendTransaction", request | fees)
    chain.mine()

    indexer.poll()

    last = Transfer.objects.in_order().reverse()[:3]
    assert len({row.block_id for row in last}) == 1
    assert owners_in_rows() == owners_on_chain(chain, address) == {1: BOB.lower()}


@pytest.mark.parametrize("depth", [1, 2, 3, 6, 12, 63])
def test_one_poll_follows_a_reorganisation(
    drop: Drop, chain: Chain, address: str, depth: int
) -> None:
    mint(chain, address)
    chain.mine(depth - 1)
    indexer.poll()
    chain.mine(max(0, depth - 4))
    mint(chain, address, 2)
    transfer(chain, address, ALICE, BOB, 1)
    transfer(chain, address, ALICE, BOB, 2)
    indexer.poll()
    full = owners_in_rows()

    chain.reorganise(depth)
    indexer.poll()

    assert full == {1: BOB.lower(), 2: BOB.lower(), 3: ALICE.lower()}
    assert owners_in_rows() == owners_on_chain(chain, address)
    assert Cursor.objects.get().number == chain.block_number()


@pytest.mark.parametrize("depth", [1, 2, 3, 6])
def test_transactions_that_come_back_elsewhere_are_found_there(
    drop: Drop, chain: Chain, address: str, depth: int
) -> None:
    mint(chain, address)
    for _ in range(depth):
        mint(chain, address, 1, BOB)
    indexer.poll()

    chain.reorganise(depth)
    mint(chain, address, 2, ALICE)
    transfer(chain, address, ALICE, BOB, 1)
    indexer.poll()

    assert owners_in_rows() == owners_on_chain(chain, address)
    hashes = set(Block.objects.values_list("hash", flat=True))
    canonical = {
        header.hash
        for header in chain.headers(list(Block.objects.values_list("number", flat=True)))
        if header
    }
    assert hashes == canonical


def test_an_owner_is_restored_when_a_transfer_is_taken_back(
    drop: Drop, chain: Chain, address: str
) -> None:
    mint(chain, address)
    transfer(chain, address, ALICE, BOB, 1)
    indexer.poll()
    before = owners_in_rows()

    chain.reorganise(1)
    touched = indexer.poll()

    assert before == {1: BOB.lower()}
    assert owners_in_rows() == {1: ALICE.lower()} == owners_on_chain(chain, address)
    assert touched == {drop.pk}


def test_a_chain_that_became_shorter_is_followed(drop: Drop, chain: Chain, address: str) -> None:
    mint(chain, address)
    indexer.poll()
    back = chain.call("evm_snapshot")
    mint(chain, address, 3)
    indexer.poll()

    chain.call("evm_revert", back)
    indexer.poll()

    assert owners_in_rows() == {1: ALICE.lower()}


def test_a_reorganisation_beyond_the_window_stops_the_indexer(
    drop: Drop, chain: Chain, address: str
) -> None:
    mint(chain, address)
    chain.mine(indexer.REORG_WINDOW)
    indexer.poll()
    before = snapshot()
    chain.reorganise(indexer.REORG_WINDOW + 1)

    with pytest.raises(indexer.ReorgTooDeepError):
        indexer.poll()

    assert snapshot() == before


def test_a_node_of_another_chain_is_refused(drop: Drop, address: str, settings: Settings) -> None:
    Contract.objects.update(chain_id=5)
    settings.CHAIN_ID = 5

    with pytest.raises(WrongChainError):
        indexer.poll()


def test_a_window_that_is_too_wide_is_halved(
    drop: Drop, chain: Chain, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Cursor.objects.update(window=64)
    logs, asked = Client.logs, []

    def limited(self: Client, *arguments: Any, step: int) -> Any:
        asked.append(step)
        if step > 10:
            raise RpcError("eth_getLogs", -32005, "more than 10 blocks")
        return logs(self, *arguments, step=step)

    monkeypatch.setattr(Client, "logs", limited)
    mint(chain, address, 2)
    chain.mine(40)

    indexer.poll()

    assert asked[:4] == [64, 32, 16, 8]
    assert owners_in_rows() == owners_on_chain(chain, address)
    assert Cursor.objects.get().number == chain.block_number()


def test_a_node_that_cannot_answer_for_one_block_is_an_error(
    drop: Drop, chain: Chain, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Client, *arguments: Any, step: int) -> Any:
        raise TransportError("eth_getLogs", "ReadTimeout")

    monkeypatch.setattr(Client, "logs", fail)
    mint(chain, address)

    with pytest.raises(TransportError):
        indexer.poll()

    assert Cursor.objects.get().window == 1
    assert not Token.objects.exists()


def interfere(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Let something happen between reading logs and reading headers, once."""
    logs = Client.logs
    pending = [act]

    def interrupted(self: Client, *arguments: Any, step: int) -> Any:
        found = logs(self, *arguments, step=step)
        if pending:
            pending.pop()()
        return found

    monkeypatch.setattr(Client, "logs", interrupted)


def test_a_fork_between_two_requests_is_read_again(
    drop: Drop, chain: Chain, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mint(chain, address, 2)

    def fork() -> None:
        chain.reorganise(1)
        mint(chain, address, 1, BOB)

    interfere(monkeypatch, fork)
    indexer.poll()

    assert owners_in_rows() == owners_on_chain(chain, address) == {1: BOB.lower()}


def test_a_cursor_that_somebody_moved_stops_this_reader(
    drop: Drop, chain: Chain, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mint(chain, address, 2)
    moved = Cursor.objects.get().number - 1
    interfere(monkeypatch, lambda: void(Cursor.objects.update(number=moved)))

    indexer.poll()

    assert Cursor.objects.get().number == moved
    assert not Token.objects.exists()
    assert not Block.objects.exists()


def void(_: object) -> None: ...


def test_blocks_without_anything_of_ours_are_forgotten(
    drop: Drop, chain: Chain, address: str
) -> None:
    mint(chain, address)
    for _ in range(3):
        chain.mine(100)
        indexer.poll()

    minted = Token.objects.get().minted_block
    old = Block.objects.filter(number__lt=chain.block_number() - indexer.REORG_WINDOW)
    assert list(old) == [minted]
    assert Block.objects.count() <= indexer.REORG_WINDOW + 2


def test_a_token_that_nobody_committed_stops_the_indexer(
    drop: Drop, chain: Chain, address: str
) -> None:
    mint(chain, address)
    drop.commitment.phases.all().delete()
    drop.commitment.delete()

    with pytest.raises(services.UnknownTokenError):
        indexer.poll()

    assert not Block.objects.exists()


def test_a_catch_up_that_is_stopped_goes_on_where_it_was(
    drop: Drop, chain: Chain, address: str
) -> None:
    for _ in range(6):
        mint(chain, address)
    Cursor.objects.update(window=1)
    read: list[int] = []

    def stop(source: Source, number: int, head: int) -> None:
        read.append(number)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        indexer.poll(stop)
    stopped_at = Cursor.objects.get().number
    indexer.poll()

    assert read == [stopped_at]
    assert stopped_at < chain.block_number() == Cursor.objects.get().number
    assert owners_in_rows() == owners_on_chain(chain, address)


def test_a_window_with_many_logs_makes_the_next_ones_narrower(
    drop: Drop, chain: Chain, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "MAX_LOGS", 3)
    Cursor.objects.update(window=8)
    for _ in range(4):
        mint(chain, address)

    indexer.poll()

    assert Cursor.objects.get().window == 4
    assert owners_in_rows() == owners_on_chain(chain, address)


def test_logs_that_take_too_much_memory_are_asked_for_in_narrower_windows(
    drop: Drop, chain: Chain, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minting.chain.client.MAX_LOG_BYTES", 2_500)
    for _ in range(6):
        mint(chain, address)

    indexer.poll()

    assert Cursor.objects.get().window < 64
    assert owners_in_rows() == owners_on_chain(chain, address)
