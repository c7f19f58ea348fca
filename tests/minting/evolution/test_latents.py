"""Which values a word chooses, and what it is drawn from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minting.evolution.latents import Attribute, attributes, choose, latents_of, thresholds
from tests.fixtures.painting import shipped

TWO = (
    Attribute("ground", ("sky", "sea"), (64, 256), np.array([[10, 11], [12, 13]], np.uint8)),
    Attribute("hat", ("none", "cap"), (128, 256), np.array([[14], [15]], np.uint8)),
)


@pytest.mark.parametrize(
    ("head", "code"), [("0000", "0a0b0e"), ("3f7f", "0a0b0e"), ("4080", "0c0d0f")]
)
def test_bytes_choose_codes(head: str, code: str) -> None:
    word = bytes.fromhex(head).ljust(32, b"\7")

    assert latents_of(TWO, word) == bytes.fromhex(code).ljust(32, b"\7")


@given(word=st.binary(min_size=32, max_size=32))
def test_what_no_code_fills_stays(word: bytes) -> None:
    latents = latents_of(attributes(shipped()), word)

    assert len(latents) == 32
    assert latents[20:] == word[20:]


@given(byte=st.integers(0, 255))
def test_equal_shares_leave_no_byte_without_a_value(byte: int) -> None:
    schema = attributes(shipped())

    chosen = choose(schema, bytes([byte]) * 32)

    for attribute, place in zip(schema, chosen, strict=True):
        assert place == sum(limit <= byte for limit in attribute.thresholds)
        assert 0 <= place < len(attribute.values)


def test_a_value_is_chosen_as_often_as_its_share() -> None:
    attribute = Attribute("hat", ("a", "b", "c"), thresholds([1, 0, 3]), np.zeros((3, 1), np.uint8))

    chosen = [choose([attribute], bytes([byte]) + bytes(31))[0] for byte in range(256)]

    assert [chosen.count(place) for place in range(3)] == [64, 0, 192]


@pytest.mark.parametrize(
    ("shares", "found"),
    [
        ([1, 1], (128, 256)),
        ([1, 1, 1], (86, 171, 256)),
        ([0, 2], (0, 256)),
        ([5, 0], (256, 256)),
        ([0.001, 0.999], (0, 256)),
    ],
)
def test_shares_become_parts_of_256(shares: list[float], found: tuple[int, ...]) -> None:
    assert thresholds(shares) == found


@given(shares=st.lists(st.floats(0, 1000), min_size=1, max_size=40).filter(any))
def test_parts_are_within_one_of_their_shares(shares: list[float]) -> None:
    parts = np.diff([0, *thresholds(shares)])

    assert parts.sum() == 256
    assert np.abs(parts - np.array(shares) / sum(shares) * 256).max() < 1 + 1e-9


@pytest.mark.parametrize("shares", [[1, -1], [0, 0], []])
def test_shares_that_are_none_are_refused(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="shares"):
        thresholds(shares)


def test_shares_for_other_values_are_refused() -> None:
    with pytest.raises(ValueError, match="accessory has 4 values, not 2"):
        attributes(shipped(), {"accessory": [1, 2]})


def test_a_word_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        latents_of(TWO, bytes(31))
