"""The list of edits: what it makes of a manifest, and that an undo takes back exactly one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.traits.edits import Edit, Kind, State, apply, in_force, replay, schema_after

ITEMS: list[dict[str, Any]] = [
    {"file": f"{n}.png", "attributes": {"head": "bald", "skin": "umber"}, "licence": "CC0-1.0"}
    for n in range(4)
]


def edit(number: int, kind: Kind, *places: int, **said: Any) -> Edit:
    return Edit(number, kind, places, **said)


kinds = st.sampled_from([Kind.REJECT, Kind.ACCEPT, Kind.RELABEL, Kind.LICENCE])
said = st.tuples(kinds, st.sets(st.integers(0, 3), min_size=1), st.sampled_from("abc"))


def numbered(drawn: list[tuple[Kind, set[int], str]], start: int = 1) -> list[Edit]:
    return [
        Edit(n, kind, tuple(places), "head" if kind is Kind.RELABEL else "", value)
        for n, (kind, places, value) in enumerate(drawn, start)
    ]


def test_the_last_word_counts() -> None:
    state = replay(
        ITEMS,
        [
            edit(1, Kind.REJECT, 0, 1),
            edit(2, Kind.RELABEL, 2, attribute="head", value="bun"),
            edit(3, Kind.ACCEPT, 1),
            edit(4, Kind.RELABEL, 2, attribute="head", value="afro"),
            edit(5, Kind.LICENCE, 3, value="CC-BY-4.0"),
        ],
    )

    assert state == State({0}, {2: {"head": "afro"}}, {3: "CC-BY-4.0"})
    assert state.n_changes == 3


def test_the_order_is_that_of_the_numbers() -> None:
    edits = [edit(2, Kind.ACCEPT, 0), edit(1, Kind.REJECT, 0)]

    assert replay(ITEMS, edits).rejected == set()


def test_a_version_has_the_new_words_and_not_the_rejected_and_the_items_stay_as_they_were() -> None:
    state = State({0}, {2: {"head": "afro"}}, {3: "CC-BY-4.0"})

    made = apply(ITEMS, state)

    assert [item["file"] for item in made] == ["1.png", "2.png", "3.png"]
    assert made[1]["attributes"] == {"head": "afro", "skin": "umber"}
    assert made[2]["licence"] == "CC-BY-4.0"
    assert ITEMS[2]["attributes"]["head"] == "bald"


def test_saying_what_the_manifest_says_is_no_difference() -> None:
    edits = [
        edit(1, Kind.RELABEL, 2, attribute="head", value="bun"),
        edit(2, Kind.RELABEL, 2, attribute="head", value="bald"),
        edit(3, Kind.LICENCE, 2, value="CC0-1.0"),
        edit(4, Kind.ACCEPT, 2),
    ]

    assert replay(ITEMS, edits) == State()


@given(st.lists(said), st.lists(said))
def test_undoing_later_edits_in_any_order_restores_what_was_before(
    before: list[tuple[Kind, set[int], str]], after: list[tuple[Kind, set[int], str]]
) -> None:
    first = numbered(before)
    later = numbered(after, len(first) + 1)
    end = len(first) + len(later)
    undos = [Edit(end + n, Kind.UNDO, undoes=e.number) for n, e in enumerate(later, 1)]

    restored = replay(ITEMS, [*first, *later, *undos])

    assert restored == replay(ITEMS, first)
    assert in_force([*first, *later, *undos]) == first


@given(st.lists(said, min_size=1), st.data())
def test_undoing_one_edit_is_as_if_it_had_never_been_said(
    drawn: list[tuple[Kind, set[int], str]], data: st.DataObject
) -> None:
    edits = numbered(drawn)
    gone = data.draw(st.sampled_from(edits))
    undo = Edit(len(edits) + 1, Kind.UNDO, undoes=gone.number)

    assert replay(ITEMS, [*edits, undo]) == replay(ITEMS, [e for e in edits if e != gone])


@given(st.lists(said))
def test_every_picture_is_either_in_the_version_or_rejected(
    drawn: list[tuple[Kind, set[int], str]],
) -> None:
    state = replay(ITEMS, numbered(drawn))

    kept = [item["file"] for item in apply(ITEMS, state)]

    gone = {ITEMS[place]["file"] for place in state.rejected}
    assert set(kept) | gone == {item["file"] for item in ITEMS}
    assert len(kept) + len(gone) == len(ITEMS)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (edit(1, Kind.REJECT, 4), "no picture 4"),
        (edit(1, Kind.REJECT, -1), "no picture -1"),
        (edit(1, Kind.RELABEL, 0, attribute="hat", value="top"), "no attribute 'hat'"),
    ],
)
def test_what_cannot_be_is_refused(wrong: Edit, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replay(ITEMS, [wrong])


def test_new_values_come_last_and_values_that_nobody_has_stay() -> None:
    items = [{"attributes": {"head": "afro"}}, {"attributes": {"head": "bald"}}]

    assert schema_after({"head": ["bald", "bun"]}, items) == {"head": ["bald", "bun", "afro"]}
