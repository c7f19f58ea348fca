"""Positions and prices. Against the pools themselves: test_uniswap.py."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minting.chain import liquidity
from minting.chain.liquidity import Change
from minting.chain.logs import ZERO_ADDRESS, Place
from minting.chain.pools import ShareLog
from minting.services.pools import shares
from tests.fixtures.chain import ALICE, BOB, OWNER

CHANGES = [
    Change(ALICE, 100, -60, 60),
    Change(BOB, 7, 60, 120),
    Change(ALICE, -40, -60, 60),
    Change(BOB, 5, -60, 60),
]


@pytest.mark.parametrize(("tick", "expected"), [(-61, 0), (-60, 65), (59, 65), (60, 7), (120, 0)])
def test_a_range_begins_at_its_lower_tick_and_ends_before_its_upper(
    tick: int, expected: int
) -> None:
    assert liquidity.in_range(CHANGES, tick) == expected


def test_a_position_is_of_one_owner_in_one_range() -> None:
    assert liquidity.position(CHANGES, ALICE, -60, 60) == 60
    assert liquidity.position(CHANGES, BOB, -60, 60) == 5
    assert liquidity.position(CHANGES, ALICE, 60, 120) == 0


def test_shares_are_parts_of_all_shares() -> None:
    changes = [Change(ZERO_ADDRESS, 1000), Change(ALICE, 2000), Change(ALICE, -1000)]

    assert liquidity.share(changes, ALICE) == Fraction(1, 2)
    assert liquidity.share([], ALICE) == 0


WALLET = st.sampled_from([ZERO_ADDRESS, ALICE, BOB, OWNER])


@given(st.lists(st.tuples(WALLET, WALLET, st.integers(0, 2**112))))
def test_shares_are_made_from_nothing_and_destroyed_into_it(
    moves: list[tuple[str, str, int]],
) -> None:
    """As an ERC-20 counts them; what is made for the zero address is its own."""
    place = Place(1, "0x", "0x", 0)
    held = dict.fromkeys((ZERO_ADDRESS, ALICE, BOB, OWNER), 0)
    found = []
    for sender, recipient, amount in moves:
        found += shares(ShareLog(place, OWNER, sender, recipient, amount))
        if sender != ZERO_ADDRESS:
            held[sender] -= amount
        if recipient != ZERO_ADDRESS or sender == ZERO_ADDRESS:
            held[recipient] += amount

    assert {owner: liquidity.position(found, owner) for owner in held} == held


@pytest.mark.parametrize(
    ("reserves", "decimals", "expected"),
    [((100, 200), (18, 18), 2.0), ((10**18, 3_000 * 10**6), (18, 6), 3_000.0), ((0, 5), (0, 0), 0)],
)
def test_a_price_of_reserves_is_in_whole_tokens(
    reserves: tuple[int, int], decimals: tuple[int, int], expected: float
) -> None:
    assert liquidity.price_of_reserves(*reserves, *decimals) == expected


def test_the_price_of_a_root_is_the_one_that_uniswap_prints() -> None:
    """USDC / WETH at tick 195,285, block 15,000,000 or so: 1.0001^195285 WETH-wei a USDC unit."""
    root = int(1.0001 ** (195_285 / 2) * 2**96)

    price = liquidity.price_of_root(root, 6, 18)

    assert 1 / price == pytest.approx(10**12 / 1.0001**195_285, rel=1e-9)
    assert liquidity.price_of_root(2**96, 18, 18) == 1.0
