"""Allow lists as tables and as trees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minting.provenance import allowlist, merkle
from minting.provenance.allowlist import Entry
from tests.fixtures.chain import ALICE, BOB, OWNER

HEADING = "wallet,max_quantity,price_eth"
ENTRIES = [Entry(ALICE, 2, 10**16), Entry(BOB, 1, 0), Entry(OWNER, 65_535, 2**96 - 1)]


def read(*rows: str) -> tuple[list[Entry], list[str]]:
    entries, errors = allowlist.read([HEADING, *rows])
    return entries, [str(error) for error in errors]


def test_a_table_is_read_to_the_wei() -> None:
    entries, errors = read(f"{ALICE},2,0.01", f" {BOB.lower()} , 1 , 0", "")

    assert errors == []
    assert entries == ENTRIES[:2]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("0x1234,1,1", "row 1: '0x1234' is not an address"),
        (f"{ALICE[:-1]}d,1,1", "not an address"),
        (f"{ALICE},0,1", "not in 1..65535"),
        (f"{ALICE},65536,1", "not in 1..65535"),
        (f"{ALICE},-1,1", "not a number of works"),
        (f"{ALICE},1.5,1", "not a number of works"),
        (f"{ALICE},²,1", "not a number of works"),
        (f"{ALICE},1,x", "not a number"),
        (f"{ALICE},1,NaN", "not a price"),
        (f"{ALICE},1,-1", "not a price"),
        (f"{ALICE},1,1e30", "not a price"),
        (f"{ALICE},1,0.0000000000000000001", "not a price"),
        (f"{ALICE},1", "not 3 columns"),
        (f"{ALICE},1,1,1", "not 3 columns"),
    ],
)
def test_a_bad_row_is_named_with_what_is_wrong(row: str, said: str) -> None:
    entries, errors = read(row)

    assert entries == []
    assert len(errors) == 1
    assert said in errors[0]


def test_every_bad_row_is_named_and_good_ones_are_read() -> None:
    entries, errors = read("x,1,1", f"{ALICE},2,0.01", f"{ALICE},1,1", "y,1,1")

    assert entries == ENTRIES[:1]
    assert [error.split(":")[0] for error in errors] == ["row 1", "row 3", "row 4"]


@pytest.mark.parametrize("lines", [[], [""], ["a,b,c"], [HEADING]])
def test_a_table_without_entries_is_refused(lines: list[str]) -> None:
    entries, errors = allowlist.read(lines)

    assert entries == []
    assert len(errors) == 1


@given(st.lists(st.text(max_size=60), max_size=5))
def test_any_text_is_read_or_refused_in_words(lines: list[str]) -> None:
    entries, errors = allowlist.read(lines)

    assert entries == [] or not errors or all(str(error) for error in errors)


@pytest.mark.parametrize("place", range(3))
def test_a_proof_leads_to_the_root(place: int) -> None:
    node = allowlist.leaf_hash(ENTRIES[place])
    for sibling in allowlist.proof(ENTRIES, place):
        node = merkle.hashes_root([node, sibling])

    assert node == allowlist.root(ENTRIES)


def test_an_empty_list_has_no_root() -> None:
    with pytest.raises(ValueError, match="leaf"):
        allowlist.root([])
