"""A request is exact in its counts, the same after JSON, or refused by place and value."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from generation.imaging.compose import Rule
from generation.traits.planner import (
    Counts,
    Curve,
    Request,
    RequestError,
    Shares,
    counts,
    exclude,
    include,
    parse_rule,
    sentence,
)


def test_shares_become_counts_by_largest_remainder() -> None:
    # 10 x (.47, .16, .158, .12, .061, .031): floors 4 1 1 1 0 0; the three remainders above .58
    # are .7, .61 and .6: the tie-free textbook case of Hamilton's method.
    shares = {"a": 0.47, "b": 0.16, "c": 0.158, "d": 0.12, "e": 0.061, "f": 0.031}

    found = counts(Request(10, {"x": Shares(shares)}))

    assert found["x"] == {"a": 5, "b": 2, "c": 1, "d": 1, "e": 1, "f": 0}


def test_equal_remainders_go_to_the_value_named_first() -> None:
    found = counts(Request(5, {"x": Shares({"b": 0.25, "a": 0.25, "d": 0.25, "c": 0.25})}))

    assert found["x"] == {"b": 2, "a": 1, "d": 1, "c": 1}


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=12), st.integers(1, 10_000))
def test_counts_are_exact_whatever_the_shares(weights: list[int], size: int) -> None:
    assume(sum(weights))
    shares = {f"v{i}": weight / sum(weights) for i, weight in enumerate(weights)}

    found = counts(Request(size, {"x": Shares(shares)}))["x"]

    assert sum(found.values()) == size
    assert all(abs(found[v] - shares[v] * size) < 1 for v in shares)


def test_a_zipf_curve_halves_the_second_and_thirds_the_third() -> None:
    assert counts(Request(110, {"x": Curve("zipf", 1.0, ("a", "b", "c"))}))["x"] == {
        "a": 60,
        "b": 30,
        "c": 20,
    }


def test_a_geometric_curve_of_steepness_one_halves_at_each_value() -> None:
    assert counts(Request(70, {"x": Curve("geometric", 1.0, ("a", "b", "c"))}))["x"] == {
        "a": 40,
        "b": 20,
        "c": 10,
    }


def test_a_request_is_the_same_after_json() -> None:
    request = Request(
        6,
        {
            "head": Counts({"bald": 4, "short": 2}),
            "beard": Shares({"none": 0.5, "full": 0.5}),
            "hat": Curve("geometric", 0.5, ("cap", "none")),
        },
        (exclude("head", "bald", "hat", "cap", "crown"), include("hat", "cap", "beard", "full")),
        ({"head": "bald", "beard": "none", "hat": "none"},),
        is_unique=True,
    )

    assert Request.from_json(json.loads(json.dumps(request.to_json()))) == request


@pytest.mark.parametrize(
    ("change", "place", "found"),
    [
        ({"size": 10_001}, "size", 10_001),
        ({"size": True}, "size", True),
        ({"attributes": {"x": {"counts": {"a": -1}}}}, "count of a", -1),
        ({"attributes": {"x": {"counts": {"a": 1.5}}}}, "count of a", 1.5),
        ({"attributes": {"x": {"shares": {"a": 0.5}}}}, "sum of shares", 0.5),
        ({"attributes": {"x": {"shares": {"a": "1"}}}}, "share of a", "1"),
        ({"attributes": {"x": {"curve": "bell", "order": ["a"]}}}, "curve", "bell"),
        ({"attributes": {"x": {"a": 1}}}, "x", ["a"]),
        ({"rules": [{"if": ["x", "a"], "never": {}}]}, "rule", {"if": ["x", "a"], "never": {}}),
        ({"one_of_ones": [{"x": "a"}, {"x": "a"}]}, "one-of-one", {"x": "a"}),
        ({"attributes": None}, "request", "'NoneType' object has no attribute 'items'"),
    ],
)
def test_json_that_is_no_request_is_refused_by_place_and_value(
    change: dict[str, Any], place: str, found: object
) -> None:
    body = {"size": 3, "attributes": {"x": {"counts": {"a": 3}}}} | change

    with pytest.raises(RequestError) as refused:
        Request.from_json(body)

    assert (refused.value.place, refused.value.found) == (place, found)


@pytest.mark.parametrize(
    "rule",
    [exclude("head", "bald", "hat", "cap", "bowler"), include("skin", "amber", "hat", "none")],
)
def test_a_rule_is_read_from_the_words_that_say_it(rule: Rule) -> None:
    assert parse_rule(sentence(rule)) == rule


@pytest.mark.parametrize(
    "text",
    ["", "head=bald", "head=bald excludes", "head=bald hates hat=cap", "head excludes hat=cap",
     "head=bald excludes hat=", "=bald excludes hat=cap", "a=b excludes c=d e=f",
     "a=b requires c=|"],
)  # fmt: skip
def test_other_words_are_no_rule(text: str) -> None:
    with pytest.raises(RequestError):
        parse_rule(text)
