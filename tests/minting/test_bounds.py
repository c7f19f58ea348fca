"""Names and values of bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minting.chain import bounds
from minting.chain.bounds import ENTROPY, STEP, pack, share_name, unpack
from minting.provenance.keccak import keccak256

HAT = ("hat", "red")
LONG = ("background", "the colour of the sea at night")


def test_short_names_are_ascii_and_long_ones_are_hashed() -> None:
    assert pack(STEP) == b"step" + bytes(28)
    assert pack(share_name(*HAT)) == b"share.hat.red" + bytes(19)
    assert pack(share_name(*LONG)) == keccak256(share_name(*LONG).encode())
    assert pack("x" * 31) == b"x" * 31 + b"\0"
    assert pack("x" * 32) == keccak256(b"x" * 32)
    assert pack("share.hat.grün") == keccak256("share.hat.grün".encode())


def test_names_are_found_again_by_those_who_know_the_options() -> None:
    for option in (HAT, LONG):
        assert unpack(pack(share_name(*option)), [HAT, LONG]) == share_name(*option)
    assert unpack(pack(ENTROPY), []) == ENTROPY
    assert unpack(pack(share_name(*LONG)), [HAT]) == "0x" + pack(share_name(*LONG)).hex()


@given(st.binary(min_size=32, max_size=32))
def test_any_word_has_a_name(word: bytes) -> None:
    assert unpack(word, [HAT])


@given(st.text(max_size=40), st.integers(-(2**127) + 1, 2**127 - 1), st.integers(0, 2**127 - 1))
def test_a_call_is_read_as_it_was_written(name: str, low: int, high: int) -> None:
    assert bounds.read_set_bounds(bounds.set_bounds(name, low, high)) == (pack(name), low, high)


@given(st.binary(max_size=120))
def test_another_call_is_none(call: bytes) -> None:
    assert bounds.read_set_bounds(call) is None


def test_ranges_are_those_of_shares() -> None:
    found = {STEP: (0.0, 0.1), share_name(*HAT): (0.0, 0.2), "0x12": (0.0, 1.0)}

    assert bounds.ranges(found, [HAT, LONG]) == {HAT: (0.0, 0.2)}


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0, 0, "red hat: no works"),
        (0, 0.1, "red hat: at most 10 % of works"),
        (0, 1, "red hat: no limit"),
        (0.05, 1, "red hat: at least 5 % of works"),
        (0.125, 0.5, "red hat: 12.5 to 50 % of works"),
        (0.25, 0.25, "red hat: exactly 25 % of works"),
    ],
)
def test_a_range_in_words(low: float, high: float, said: str) -> None:
    assert bounds.words(share_name(*HAT), low, high, HAT) == said


def test_other_bounds_in_words() -> None:
    assert bounds.words(STEP, 0, 0.1) == "change of shares per drop: at most 10 %"
    assert bounds.words(ENTROPY, 0.7, 1) == "evenness of shares: at least 70 %"
