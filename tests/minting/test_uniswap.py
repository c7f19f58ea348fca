"""Pools of the real Uniswap from their registration to the rows. Oracle: the pools themselves."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from eth_abi.abi import encode
from pytest_django import Settings

from generation.models import Collection
from minting import indexer, services
from minting.chain import liquidity
from minting.chain.client import RpcError
from minting.chain.logs import ZERO_ADDRESS
from minting.chain.pool_facts import NotAPoolError
from minting.chain.pools import TOPICS, V2, V3
from minting.models import Block, Cursor, LiquidityChange, LiquiditySnapshot, Pool, Swap
from minting.services import PartialPoolError, PoolKnownError
from minting.services.pools import changes_until
from tests.fixtures.chain import ALICE, BOB, Chain
from tests.fixtures.works import MakeDrop
from tests.minting import uniswap
from tests.minting.market import erc20
from tests.minting.uniswap import SPACING, WIDE, Exchange

ETHER = 10**18

pytestmark = pytest.mark.usefixtures("chain_settings")


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def exchange(chain: Chain) -> Exchange:
    return uniswap.open_exchange(chain)


@pytest.fixture
def collection(make_drop: MakeDrop, chain_settings: Settings) -> Collection:
    return make_drop(1).collection


@pytest.fixture
def register(collection: Collection, exchange: Exchange) -> Any:
    def register(kind: str, **more: Any) -> Pool:
        address = uniswap.address_of(exchange, kind)
        with services.connect() as node:
            return services.register_pool(
                node=node, collection=collection, address=address.lower(), kind=kind, **more
            )

    return register


@pytest.fixture
def busy(exchange: Exchange) -> Exchange:
    """Both pools used in every way: added to, traded in, taken from, in and out of range."""
    exchange.add_shares(ALICE, 50 * ETHER, 100 * ETHER)
    exchange.add_shares(BOB, 10 * ETHER, 20 * ETHER)
    exchange.send(exchange.v2_trade(BOB, ETHER))
    exchange.send(exchange.v2_trade(ALICE, 3 * ETHER, is_first=False))
    exchange.give_shares(ALICE, BOB, ETHER)
    exchange.give_shares(ALICE, ALICE, ETHER)
    exchange.remove_shares(BOB, 2 * ETHER)
    exchange.add_range(ALICE, -WIDE, WIDE, 100 * ETHER)
    exchange.add_range(BOB, -SPACING, SPACING, 10 * ETHER)
    exchange.add_range(BOB, 10 * SPACING, 20 * SPACING, 10 * ETHER)
    exchange.send(exchange.v3_trade(BOB, ETHER))
    exchange.send(exchange.v3_trade(ALICE, 400 * ETHER, is_first=False))
    exchange.remove_range(BOB, 2, ETHER)
    exchange.send(exchange.v3_trade(ALICE, 40 * ETHER))
    exchange.add_range(BOB, -SPACING, SPACING, 5 * ETHER)
    return exchange


def every_block(exchange: Exchange, pool: Pool) -> Iterator[int]:
    assert pool.created_block is not None
    yield from range(pool.created_block, exchange.chain.block_number() + 1)


@pytest.mark.parametrize(("kind", "name"), [(V2, "Uniswap v2"), (V3, "Uniswap v3")])
def test_a_pool_is_what_it_says_of_itself(
    register: Any, exchange: Exchange, kind: str, name: str
) -> None:
    pool = register(kind)

    code = [
        exchange.chain.call("eth_getCode", pool.address, hex(number))
        for number in (pool.created_block - 1, pool.created_block)
    ]
    assert pool.get_kind_display() == name
    assert (pool.token0, pool.token1) == exchange.tokens
    assert {pool.symbol0, pool.symbol1} == {"WETH", "TST20"}
    assert (pool.decimals0, pool.decimals1, pool.fee_pips) == (18, 18, 3000)
    assert code[0] == "0x" != code[1]
    assert pool.is_whole
    assert Cursor.objects.get().number == pool.created_block - 1


def test_reserves_are_what_the_pair_says_after_every_block(register: Any, busy: Exchange) -> None:
    pool = register(V2)

    indexer.poll()

    for number in every_block(busy, pool):
        last = pool.snapshots.until(number).in_order().last()
        found = (last.reserve0, last.reserve1) if last else (0, 0)
        assert found == tuple(busy.ask_pair("getReserves", block=number)[:2])
    assert pool.snapshots.count() > 4


def test_shares_are_what_the_pair_says_after_every_block(register: Any, busy: Exchange) -> None:
    pool = register(V2)

    indexer.poll()

    for number in every_block(busy, pool):
        total = busy.ask_pair("totalSupply", block=number)
        for owner in (ALICE, BOB, ZERO_ADDRESS, busy.pair):
            held = busy.ask_pair("balanceOf", owner, block=number)
            expected = Fraction(held, total) if total else 0
            assert services.pool_share(pool=pool, owner=owner, number=number) == expected


def test_price_and_liquidity_are_what_the_pool_says_after_every_block(
    register: Any, busy: Exchange
) -> None:
    pool = register(V3)

    indexer.poll()

    for number in every_block(busy, pool):
        last = pool.snapshots.until(number).in_order().last()
        price, tick = busy.ask_pool("slot0", block=number)[:2]
        found = (last.sqrt_price_x96, last.tick, last.liquidity) if last else (0, 0, 0)
        offered = busy.ask_pool("liquidity", block=number)
        assert found == (price, tick, offered)
        assert liquidity.in_range(changes_until(pool, number), tick) == offered
    assert pool.snapshots.count() >= 6


def test_positions_are_what_the_pool_says_after_every_block(register: Any, busy: Exchange) -> None:
    pool = register(V3)
    ranges = {(-WIDE, WIDE), (-SPACING, SPACING), (10 * SPACING, 20 * SPACING)}

    indexer.poll()

    were_in = set()
    for number in every_block(busy, pool):
        tick = busy.ask_pool("slot0", block=number)[1]
        for lower, upper in ranges:
            held = busy.position(busy.positions, lower, upper, number)
            expected = held if lower <= tick < upper else 0
            were_in |= {(lower, upper, bool(expected)) if held else ()}
            assert expected == services.position_in_range(
                pool=pool, owner=busy.positions, tick_lower=lower, tick_upper=upper, number=number
            )
    assert were_in >= {(-SPACING, SPACING, True), (-SPACING, SPACING, False)}


@pytest.mark.parametrize(("kind", "n_swaps"), [(V2, 2), (V3, 3)])
def test_a_swap_is_what_the_pool_gained_of_each_token(
    register: Any, busy: Exchange, kind: str, n_swaps: int
) -> None:
    pool = register(kind)

    indexer.poll()

    for swap in (swaps := list(Swap.objects.in_order().select_related("block"))):
        before, after = (
            [balance(busy, token, pool.address, number) for token in busy.tokens]
            for number in (swap.block.number - 1, swap.block.number)
        )
        assert [swap.amount0, swap.amount1] == [b - a for a, b in zip(before, after, strict=True)]
        assert swap.amount0 * swap.amount1 < 0
        assert swap.recipient in (ALICE, BOB)
    assert len(swaps) == n_swaps


def balance(exchange: Exchange, token: str, holder: str, number: int) -> int:
    call = erc20("balanceOf(address)", [holder])
    return int.from_bytes(exchange.chain.read(token, call, number))


def test_a_second_poll_changes_nothing(register: Any, busy: Exchange) -> None:
    register(V2), register(V3)
    indexer.poll()
    before = rows()

    indexer.poll()

    assert rows() == before
    assert not any(cursor.number < busy.chain.block_number() for cursor in Cursor.objects.all())


def rows() -> list[Any]:
    tables = (Swap, LiquiditySnapshot, LiquidityChange)
    return [list(table._default_manager.order_by("pk").values()) for table in tables]


def test_a_pool_may_be_read_from_a_later_block(register: Any, busy: Exchange) -> None:
    first = busy.chain.block_number() - 3
    pool = register(V3, first_block=first)

    indexer.poll()

    assert not pool.is_whole
    assert not pool.changes.filter(block__number__lt=first).exists()
    last = pool.snapshots.in_order().last()
    assert last
    assert last.liquidity == busy.ask_pool("liquidity")
    with pytest.raises(PartialPoolError):
        changes_until(pool, busy.chain.block_number())


def test_reading_a_pool_again_leaves_the_same_rows(register: Any, busy: Exchange) -> None:
    pool = register(V3)
    indexer.poll()
    before, n_blocks = rows(), Block.objects.count()

    for _ in services.drop_rows(chain_id=31337, first=busy.chain.block_number() - 2, source=pool):
        pass
    n_left = pool.snapshots.count()
    indexer.poll()

    assert n_left < len(before[1])
    assert [without_keys(table) for table in rows()] == [without_keys(table) for table in before]
    assert Block.objects.count() == n_blocks


def without_keys(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "id"} for row in table]


def test_blocks_in_which_something_was_traded_are_kept(register: Any, busy: Exchange) -> None:
    pool = register(V3)
    indexer.poll()
    before = rows()

    for _ in range(2):
        busy.chain.mine(2 * indexer.REORG_WINDOW)
        indexer.poll()

    assert rows() == before
    assert Block.objects.count() <= indexer.REORG_WINDOW + 2 + len(before[1]) + len(before[2])
    assert pool.swaps.count() == 3


def test_a_pool_that_is_read_already_is_refused(register: Any) -> None:
    register(V2)

    with pytest.raises(PoolKnownError):
        register(V2)


@pytest.mark.parametrize("kind", [V2, V3])
def test_what_is_no_pool_of_that_kind_is_refused(
    collection: Collection, exchange: Exchange, kind: str
) -> None:
    other = exchange.pair if kind == V3 else exchange.pool
    nowhere = "0x" + "12" * 20

    with services.connect() as node:
        for address in (other, exchange.tokens[0], ALICE, nowhere, ZERO_ADDRESS):
            with pytest.raises(NotAPoolError):
                services.register_pool(node=node, collection=collection, address=address, kind=kind)

    assert not Pool.objects.exists()


def test_a_pool_that_its_factory_does_not_know_is_refused(
    collection: Collection, chain: Chain, exchange: Exchange
) -> None:
    """The same code, with the same tokens, but nobody's."""
    forged = uniswap.deploy(chain, uniswap.PAIR.creation())

    # A pair keeps its factory and its tokens there.
    for slot in (5, 6, 7):
        word = chain.call("eth_getStorageAt", exchange.pair, hex(slot), "latest")
        chain.call("anvil_setStorageAt", forged, hex(slot), word)

    with services.connect() as node, pytest.raises(NotAPoolError, match="does not know it"):
        services.register_pool(node=node, collection=collection, address=forged, kind=V2)


def test_where_the_node_does_not_search_a_first_block_has_to_be_named(
    register: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise RpcError("eth_getLogs", -32005, "range too wide")

    monkeypatch.setattr("minting.chain.pool_facts.Client.logs", refuse)

    with pytest.raises(services.CreationUnknownError):
        register(V3)

    assert register(V3, first_block=7).first_block == 7
    assert not Pool.objects.get().is_whole


def emit(chain: Chain, address: str, name: str, *words: int, cut: int = 0, more: int = 0) -> None:
    """Let the code at an address be such that a call writes this log, and call it."""
    topic, body = TOPICS[name][2:], b"".join(word.to_bytes(32) for word in words)
    size = len(body) - cut + 32 * more
    stored = "".join(f"7f{body[at : at + 32].hex()}60{at:02x}52" for at in range(0, len(body), 32))
    chain.call("anvil_setCode", address, f"0x{stored}7f{topic}60{size:02x}6000a100")
    chain.succeed(b"", address)


def test_a_hostile_pool_keeps_nobody_from_being_read(
    register: Any, busy: Exchange, chain: Chain, caplog: pytest.LogCaptureFixture
) -> None:
    """Short, long and impossible data under a pool's topics, between logs that are good."""
    pool = register(V2)
    indexer.poll()
    n_before = pool.snapshots.count()

    emit(chain, busy.pair, "v2 sync", 1, 2, cut=32)
    emit(chain, busy.pair, "v2 sync", 1, 2, cut=5)
    emit(chain, busy.pair, "v2 sync", 1, 2, more=1)
    emit(chain, busy.pair, "v2 sync", 2**255, 2)
    emit(chain, busy.pair, "v2 swap", 1, 2, 3, 4)
    emit(chain, busy.pair, "v2 sync", 3, 4)
    indexer.poll()

    last = pool.snapshots.in_order().last()
    assert pool.snapshots.count() == n_before + 1
    assert last
    assert (last.reserve0, last.reserve1) == (3, 4)
    assert Cursor.objects.get().number == chain.block_number()
    assert "5 logs of pool" in caplog.text


def test_a_pool_that_takes_more_than_was_there_is_read_on(
    register: Any, busy: Exchange, chain: Chain
) -> None:
    pool = register(V3)
    indexer.poll()
    owner, lower, upper = (encode(["int256"], [word]) for word in (1, -SPACING, 100 * SPACING))
    topics = [bytes.fromhex(TOPICS["v3 burn"][2:]), owner, lower, upper]
    pushed = "".join("7f" + word.hex() for word in topics[::-1])
    body = f"7f{(2**127).to_bytes(32).hex()}600052"

    chain.call("anvil_setCode", busy.pool, f"0x{body}{pushed}60606000a400")
    chain.succeed(b"", busy.pool)
    indexer.poll()

    last = pool.snapshots.in_order().last()
    assert last
    assert last.liquidity >= 0
    assert Cursor.objects.get().number == chain.block_number()
    assert pool.changes.in_order().last().liquidity == -(2**127)


def test_the_command_names_a_pool(
    collection: Collection, exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("read_pool", collection.slug, exchange.pool, kind=V3, first=9)

    pool = Pool.objects.get()
    assert (pool.address, pool.kind) == (exchange.pool, V3)
    assert f"is read from block {pool.created_block} on" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("slug", "address", "first", "says"),
    [
        ("nobody", ALICE, None, "no collection nobody"),
        ("portraits", "0x12", None, "is no address"),
        ("portraits", ALICE, None, "is not a pool"),
        ("portraits", ALICE, 0, "the first block is 1 or later"),
    ],
)
def test_the_command_says_what_is_wrong(
    collection: Collection, slug: str, address: str, first: int | None, says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        call_command("read_pool", slug, address, kind=V2, first=first)
