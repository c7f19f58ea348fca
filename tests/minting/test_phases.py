"""The terms of phases. That prices are the contract's is asked of it in tests/contracts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minting.chain.phases import Phase, PhaseError, PhaseKind, falling, unpack

PUBLIC = Phase(kind=PhaseKind.PUBLIC, price_wei=10**16, start=100, end=200, max_per_transaction=5)
TERMS = falling(floor_wei=10, fall_wei=3, every_s=10)
AUCTION = replace(PUBLIC, kind=PhaseKind.AUCTION, price_wei=25, terms=TERMS)


@given(
    st.integers(1, 2**40 - 1),
    st.integers(0, 2**96 - 1),
    st.integers(1, 2**16 - 1),
    st.integers(0, 2**16 - 1),
)
def test_a_phase_is_read_back_from_its_words(
    end: int, price_wei: int, per_transaction: int, per_wallet: int
) -> None:
    phase = Phase(PhaseKind.PUBLIC, price_wei, 0, end, per_transaction, per_wallet)

    assert unpack(phase.words()) == phase


@given(st.integers(0, 2**96 - 1), st.integers(1, 2**96 - 1), st.integers(1, 2**32 - 1))
def test_a_falling_price_is_read_back(floor_wei: int, fall_wei: int, every_s: int) -> None:
    terms = falling(floor_wei=floor_wei, fall_wei=fall_wei, every_s=every_s)
    phase = replace(AUCTION, price_wei=2**96 - 1, terms=terms)

    assert (phase.floor_wei, phase.fall_wei, phase.every_s) == (floor_wei, fall_wei, every_s)


@pytest.mark.parametrize(
    ("time", "price_wei"),
    [(0, 25), (100, 25), (109, 25), (110, 22), (149, 13), (150, 10), (199, 10)],
)
def test_a_price_falls_in_steps_to_its_floor(time: int, price_wei: int) -> None:
    assert AUCTION.price_at(time) == price_wei


@pytest.mark.parametrize(
    "changes",
    [
        {"price_wei": -1},
        {"price_wei": 2**96},
        {"start": 200},
        {"end": 2**40},
        {"max_per_transaction": 0},
        {"max_per_transaction": 2**16},
        {"max_per_wallet": -1},
        {"terms": 1},
        {"kind": PhaseKind.LISTED},
        {"kind": PhaseKind.SIGNED, "terms": 2**160},
        {"kind": PhaseKind.AUCTION, "terms": 1 << 128},
        {"kind": PhaseKind.AUCTION, "price_wei": 5, "terms": TERMS},
        {"kind": PhaseKind.AUCTION, "terms": TERMS | 1 << 224},
    ],
)
def test_terms_that_contradict_themselves_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(PhaseError):
        replace(PUBLIC, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("floor_wei", "fall_wei", "every_s"),
    [(-1, 1, 1), (2**96, 1, 1), (0, 0, 1), (0, 2**96, 1), (0, 1, 0), (0, 1, 2**32)],
)
def test_a_fall_out_of_range_is_refused(floor_wei: int, fall_wei: int, every_s: int) -> None:
    with pytest.raises(PhaseError):
        falling(floor_wei=floor_wei, fall_wei=fall_wei, every_s=every_s)
