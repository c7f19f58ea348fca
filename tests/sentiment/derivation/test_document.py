"""A document is read as it should be, or a named error says what is not."""

import contextlib
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.derivation.derive import DerivationError, derive
from sentiment.derivation.document import read
from sentiment.derivation.reading import DocumentError
from tests.sentiment.derivation.documents import make_document

DOCUMENT = make_document(n_votes=40, n_sales=20, n_works=20)

Spoil = Callable[[dict[str, Any]], object]


def spoilt(spoil: Spoil) -> dict[str, Any]:
    made = copy.deepcopy(DOCUMENT)
    spoil(made)
    return made


def rename_column(made: dict[str, Any]) -> None:
    made["votes"]["columns"] = [*made["votes"]["columns"][:-1], "round"]


def turn_around(made: dict[str, Any]) -> None:
    first = made["votes"]["rows"][0]
    again = [first[1], first[0], *first[2:]]
    made["votes"]["rows"] = sorted([*made["votes"]["rows"], again])


WRONG: dict[str, tuple[Spoil, str]] = {
    "a part is missing": (lambda d: d.pop("market"), "inputs"),
    "a part is unknown": (lambda d: d.update(comments=[]), "inputs"),
    "another column": (rename_column, "votes.columns"),
    "a row is short": (lambda d: d["votes"]["rows"][3].pop(), "votes.rows[3]"),
    "an unknown work": (
        lambda d: d["votes"]["rows"][0].__setitem__(0, "1/999"),
        "votes.rows[0].left",
    ),
    "a work that is a list": (
        lambda d: d["votes"]["rows"][0].__setitem__(0, []),
        "votes.rows[0].left",
    ),
    "a third one won": (
        lambda d: d["votes"]["rows"][0].__setitem__(2, "nobody"),
        "votes.rows[0].winner",
    ),
    "no address": (lambda d: d["votes"]["rows"][0].__setitem__(3, "0x1"), "votes.rows[0].voter"),
    "an age that is not the drop's": (
        lambda d: d["votes"]["rows"][0].__setitem__(4, 5 - 5 * d["votes"]["rows"][0][4]),
        "votes.rows[0].age",
    ),
    "a weight below zero": (
        lambda d: d["votes"]["rows"][0].__setitem__(5, -1),
        "votes.rows[0].weight",
    ),
    "a weight that is no number": (
        lambda d: d["votes"]["rows"][0].__setitem__(5, float("nan")),
        "votes.rows[0].weight",
    ),
    "a weight of ten decimals": (
        lambda d: d["votes"]["rows"][0].__setitem__(5, 0.1234567891),
        "votes.rows[0].weight",
    ),
    "true for a number": (
        lambda d: d["votes"]["rows"][0].__setitem__(4, True),
        "votes.rows[0].age",
    ),
    "rows out of order": (lambda d: d["votes"]["rows"].reverse(), "votes.rows[1]"),
    "shares beyond one": (
        lambda d: d["parameters"]["distributions"]["eyes"].update(open=2),
        "parameters",
    ),
    "a work without a trait": (lambda d: d["works"]["1/0"].pop("eyes"), "inputs"),
    "a constant out of range": (lambda d: d["constants"].update(lapse=1), "constants.lapse"),
    "a constant that is missing": (lambda d: d["constants"].pop("junk"), "constants"),
    "half a cycle": (lambda d: d["constants"].update(max_cycle=2.5), "constants.max_cycle"),
    "more floor than room": (lambda d: d["constants"].update(p_min=0.4), "inputs"),
    "a sale at no time": (
        lambda d: d["market"]["rows"][2].__setitem__(11, "noon"),
        "market.rows[2].at",
    ),
    "a time of no zone": (
        lambda d: d["market"]["rows"][2].__setitem__(11, "2026-03-01T00:00:00"),
        "market.rows[2].at",
    ),
    "a price in letters": (
        lambda d: d["market"]["rows"][2].__setitem__(6, "1e18"),
        "market.rows[2].price_wei",
    ),
    "a range of nothing": (
        lambda d: d["ranges"]["rows"].append(["hat", "velvet", 0.0, 0.1]),
        "ranges.rows[0]",
    ),
    "a range upside down": (
        lambda d: d["ranges"]["rows"].append(["hat", "red", 0.5, 0.1]),
        "ranges.rows[0]",
    ),
    "a range there twice": (
        lambda d: d["ranges"]["rows"].extend([["hat", "red", 0.0, 0.1]] * 2),
        "ranges.rows[1]",
    ),
    "a latent of no work": (lambda d: d["latents"].update({"9/9": {}}), "latents.9/9"),
    "a latent that is no number": (
        lambda d: d["latents"].update({"1/0": {"age": "far"}}),
        "latents.1/0.age",
    ),
    "a latent beyond reason": (
        lambda d: d["latents"].update({"1/0": {"age": 1e9}}),
        "latents.1/0",
    ),
    "no supply": (lambda d: d["market"].update(supply={}), "market.supply"),
    "a supply of no drop": (lambda d: d["market"]["supply"].update(all={}), "market.supply.all"),
}


@pytest.mark.parametrize(("spoil", "path"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named(spoil: Spoil, path: str) -> None:
    with pytest.raises(DocumentError) as caught:
        derive(spoilt(spoil))

    assert caught.value.path == path


def test_a_pair_voted_on_twice_by_one_voter_is_refused() -> None:
    with pytest.raises(DocumentError, match="a second vote"):
        read(spoilt(turn_around))


@pytest.mark.parametrize("document", [None, [], 3, "text", {1: 2}])
def test_what_is_no_object_is_refused(document: Any) -> None:
    with pytest.raises(DocumentError):
        derive(document)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to everything in a document, big and small."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = [path] if path else []
    for name, one in inner:
        deeper = isinstance(one, dict | list)
        found += leaves(one, (*path, name)) if deeper else [(*path, name)]
    return found


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(st.sampled_from(leaves(DOCUMENT)), ANYTHING)
def test_whatever_stands_anywhere_it_is_read_or_refused_by_name(
    path: tuple[Any, ...], value: Any
) -> None:
    made = copy.deepcopy(DOCUMENT)
    inner = made
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value

    with contextlib.suppress(DocumentError, DerivationError):
        derive(made)


def test_the_order_of_names_is_no_part_of_a_document() -> None:
    sorted_by_name = json.loads(json.dumps(DOCUMENT, sort_keys=True))

    assert derive(sorted_by_name).rows == derive(DOCUMENT).rows
