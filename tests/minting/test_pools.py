"""Pools' logs, encoded by an independent implementation."""

from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from minting.chain import pools
from minting.chain.logs import LogError
from minting.chain.pools import (
    ForeignLogError,
    PriceLog,
    RangeLog,
    ShareLog,
    StartLog,
    SwapLog,
    SyncLog,
)
from tests.fixtures.chain import ALICE, BOB, OWNER

PUBLISHED = {
    "v2 transfer": "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
    "v3 initialize": "0x98636036cb66a9c19a37435efc1e90142190214e8abeb821bdba3f2990dd4c95",
    "v2 swap": "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822",
    "v2 sync": "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1",
    "v3 swap": "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67",
    "v3 mint": "0x7a53080ba414158be7ec69b987b5fb7d07dee101fe85488f0853ae16239d0bde",
    "v3 burn": "0x0c396cd989a39f4459b5fa1aed6a9a8dcdbc45908acfd67e028cd568da98982c",
}
TICK = st.integers(-887_272, 887_272)
RANGE = st.tuples(TICK, TICK).filter(lambda ticks: ticks[0] < ticks[1])
AMOUNT = st.integers(0, 2**128 - 1)
SIGNED = st.integers(-(2**255), 2**255 - 1)


def log(name: str, indexed: list[tuple[str, Any]], data: list[tuple[str, Any]]) -> dict[str, Any]:
    body = encode([kind for kind, _ in data], [value for _, value in data])
    return {
        "address": OWNER.lower(),
        "blockNumber": "0x10",
        "blockHash": "0x" + "12" * 32,
        "transactionHash": "0x" + "34" * 32,
        "logIndex": "0x2",
        "topics": [PUBLISHED[name], *("0x" + encode([k], [v]).hex() for k, v in indexed)],
        "data": "0x" + body.hex(),
    }


def test_topics_are_the_published_ones() -> None:
    assert pools.TOPICS == PUBLISHED


@given(AMOUNT, AMOUNT, AMOUNT, AMOUNT)
def test_a_v2_swap_is_what_the_pool_gained(in0: int, in1: int, out0: int, out1: int) -> None:
    amounts = [("uint256", amount) for amount in (in0, in1, out0, out1)]

    [found] = pools.decode_pools([log("v2 swap", [("address", ALICE), ("address", BOB)], amounts)])

    assert isinstance(found, SwapLog)
    assert (found.pool, found.sender, found.recipient) == (OWNER, ALICE, BOB)
    assert (found.amount0, found.amount1) == (in0 - out0, in1 - out1)


@given(st.integers(0, 2**112 - 1), st.integers(0, 2**112 - 1))
def test_reserves_are_read(reserve0: int, reserve1: int) -> None:
    raw = log("v2 sync", [], [("uint112", reserve0), ("uint112", reserve1)])

    [found] = pools.decode_pools([raw])

    assert isinstance(found, SyncLog)
    assert (found.reserve0, found.reserve1) == (reserve0, reserve1)


@given(SIGNED, SIGNED, st.integers(0, 2**160 - 1), AMOUNT, TICK)
def test_a_v3_swap_has_its_signs_and_the_price_after_it(
    amount0: int, amount1: int, price: int, liquidity: int, tick: int
) -> None:
    data = [
        ("int256", amount0),
        ("int256", amount1),
        ("uint160", price),
        ("uint128", liquidity),
        ("int24", tick),
    ]

    [found] = pools.decode_pools([log("v3 swap", [("address", ALICE), ("address", BOB)], data)])

    assert isinstance(found, PriceLog)
    assert (found.swap.amount0, found.swap.amount1) == (amount0, amount1)
    assert (found.sqrt_price_x96, found.liquidity, found.tick) == (price, liquidity, tick)


@given(RANGE, AMOUNT, AMOUNT, AMOUNT, st.booleans())
def test_liquidity_comes_with_a_mint_and_goes_with_a_burn(
    ticks: tuple[int, int], liquidity: int, amount0: int, amount1: int, is_mint: bool
) -> None:
    lower, upper = ticks
    indexed = [("address", ALICE), ("int24", lower), ("int24", upper)]
    caller: list[tuple[str, Any]] = [("address", BOB)] if is_mint else []
    data = [*caller, ("uint128", liquidity), ("uint256", amount0), ("uint256", amount1)]
    name = "v3 mint" if is_mint else "v3 burn"
    sign = 1 if is_mint else -1

    [found] = pools.decode_pools([log(name, indexed, data)])

    assert isinstance(found, RangeLog)
    assert (found.owner, found.tick_lower, found.tick_upper) == (ALICE, lower, upper)
    assert found.liquidity == sign * liquidity
    assert (found.amount0, found.amount1) == (sign * amount0, sign * amount1)


@pytest.mark.parametrize(
    "change",
    [
        {"topics": []},
        {"topics": None},
        {"topics": ["0x" + "12" * 32]},
        {"topics": [PUBLISHED["v2 swap"]]},
        {"data": "0x"},
        {"data": "0x" + "0" * 63},
        {"data": "0x" + "z" * 128},
        {"address": "0x12"},
        {"logIndex": None},
    ],
)
def test_a_damaged_log_is_refused(change: dict[str, Any]) -> None:
    raw = log("v2 sync", [], [("uint112", 1), ("uint112", 2)])

    with pytest.raises(LogError):
        pools.decode_pools([raw | change])


@given(st.integers(0, 2**160 - 1), TICK)
def test_the_first_price_is_read(price: int, tick: int) -> None:
    raw = log("v3 initialize", [], [("uint160", price), ("int24", tick)])

    [found] = pools.decode_pools([raw])

    assert isinstance(found, StartLog)
    assert (found.sqrt_price_x96, found.tick) == (price, tick)


@given(st.integers(0, 2**256 - 1))
def test_shares_change_hands(amount: int) -> None:
    raw = log("v2 transfer", [("address", ALICE), ("address", BOB)], [("uint256", amount)])

    [found] = pools.decode_pools([raw])

    assert isinstance(found, ShareLog)
    assert (found.sender, found.recipient, found.amount) == (ALICE, BOB, amount)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("v2 sync", [2**112, 1]),
        ("v3 initialize", [2**160, 1]),
        ("v3 initialize", [1, 2**23]),
        ("v3 initialize", [1, 2**256 - 2**23 - 1]),
        ("v3 initialize", [1]),
        ("v3 initialize", [1, 1, 1]),
    ],
)
def test_what_no_pool_can_write_is_left_out_and_the_rest_is_read(
    name: str, words: list[int]
) -> None:
    foreign = log(name, [], [("uint256", word) for word in words])
    good = log("v2 sync", [], [("uint112", 1), ("uint112", 2)])

    found, [refused] = pools.readable([foreign, good])

    assert len(found) == 1
    assert isinstance(refused, ForeignLogError)


@pytest.mark.parametrize(("lower", "upper"), [(1, 1), (2, 1)])
def test_a_range_without_ticks_is_no_range(lower: int, upper: int) -> None:
    indexed = [("address", ALICE), ("int24", lower), ("int24", upper)]
    raw = log("v3 burn", indexed, [("uint128", 1), ("uint256", 1), ("uint256", 1)])

    assert pools.readable([raw])[0] == []


@pytest.mark.parametrize("field", ["blockNumber", "blockHash", "transactionHash", "logIndex"])
def test_what_the_node_damaged_is_no_fault_of_the_pool(field: str) -> None:
    raw = log("v2 sync", [], [("uint112", 1), ("uint112", 2)])

    with pytest.raises(LogError) as caught:
        pools.readable([{name: value for name, value in raw.items() if name != field}])

    assert not isinstance(caught.value, ForeignLogError)
