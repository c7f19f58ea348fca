import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minting.provenance.canonical import MAX_DEPTH, CanonicalError, canonicalize

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-(2**53) + 1, 2**53 - 1)
    | st.floats(1e21, 1e300)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("aé€\U0001f600"), inner),
    max_leaves=20,
)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_bytes_are_those_of_the_example_of_rfc_8785() -> None:
    """RFC 8785, section 3.2.2 and its expected output in 3.2.3."""
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }

    found = canonicalize(value)

    assert found.hex() == (
        "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a"
        "5b3333333333333333332e333333333333332c31652b33302c342e352c302e3030322c31652d3237"
        "5d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d"
    )


def test_keys_are_sorted_by_utf_16_units() -> None:
    """RFC 8785, section 3.2.3: the emoji's surrogates come before U+FB33."""
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "ö": 7}

    found = list(json.loads(canonicalize(value)))

    assert found == ["\r", "1", "\x80", "ö", "\u20ac", "\U0001f600", "\ufb33"]


@given(JSON)
def test_reading_gives_the_value_back_and_the_same_bytes(value: Any) -> None:
    found = canonicalize(value)

    assert json.loads(found) == value
    assert canonicalize(json.loads(found)) == found


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.nan, "finite"),
        ([math.inf], "finite"),
        ({"a": -math.inf}, "finite"),
        (2**53, "2^53"),
        (-(2**53), "2^53"),
        (2.0**53, "2^53"),
        (1e20, "2^53"),
        ("\ud800", "surrogate"),
        ({"\udfff": 1}, "surrogate"),
        ({1: 1}, "a key is int"),
        ({None: 1}, "a key is NoneType"),
        (b"bytes", "bytes is no JSON value"),
        ({"a": {1, 2}}, "set is no JSON value"),
        (nested(MAX_DEPTH + 1), "deeper"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(CanonicalError) as caught:
        canonicalize(value)

    assert reason in caught.value.reason


def test_the_greatest_depth_is_accepted() -> None:
    assert canonicalize(nested(MAX_DEPTH)) == b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH


def test_an_error_says_where_it_is() -> None:
    with pytest.raises(CanonicalError) as caught:
        canonicalize({"traits": [1, {"size": math.nan}]})

    assert caught.value.path == "$.traits[1].size"
