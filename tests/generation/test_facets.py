"""Bitmaps against counting one by one."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.traits import rarity
from generation.traits.facets import (
    DROP,
    TRAIT,
    Catalogue,
    DropFacets,
    FacetsFormatError,
    Group,
    UnknownFacetError,
    Work,
    pack,
    unpack,
)

HEADS = ["bald", "bun", "long"]
EYES = ["glasses", "none"]

traits = st.fixed_dictionaries({"head": st.sampled_from(HEADS), "eyes": st.sampled_from(EYES)})
drops = st.lists(
    st.lists(st.tuples(traits, st.integers(0, 3)), min_size=1, max_size=40), max_size=4
)


def build(parts: list[list[tuple[dict[str, str], int]]]) -> tuple[Catalogue, list[Work], list[int]]:
    """A catalogue, all its works in the order of ids, and the drop number of each."""
    works: list[Work] = []
    numbers: list[int] = []
    made = {}
    for number, part in enumerate(parts, 1):
        start = len(works) + 1
        rows = [
            Work(token_id, 1000 + token_id, float(score), shown)
            for token_id, (shown, score) in enumerate(part, start)
        ]
        made[number] = DropFacets.of(rows)
        works += rows
        numbers += [number] * len(rows)
    return Catalogue(made), works, numbers


chosen_values = st.fixed_dictionaries(
    {},
    optional={
        f"{TRAIT}head": st.sets(st.sampled_from(HEADS)).map(sorted),
        f"{TRAIT}eyes": st.sets(st.sampled_from(EYES)).map(sorted),
        DROP: st.sets(st.sampled_from("1234")).map(sorted),
        "status": st.sets(st.sampled_from(["minted", "unminted"])).map(sorted),
    },
)


@given(drops, chosen_values, st.integers(0, 2**32 - 1))
def test_counts_are_those_of_counting_one_by_one(
    parts: list[list[tuple[dict[str, str], int]]], chosen: dict[str, list[str]], seed: int
) -> None:
    catalogue, works, numbers = build(parts)
    minted = np.random.default_rng(seed).random(len(works)) < 0.5
    rows = [
        {f"{TRAIT}{name}": value for name, value in work.traits.items()}
        | {DROP: str(number), "status": "minted" if is_minted else "unminted"}
        for work, number, is_minted in zip(works, numbers, minted, strict=True)
    ]
    market = {"status": Group.of({"minted": minted, "unminted": ~minted})}
    known = catalogue.groups | market
    chosen = {
        name: [value for value in values if name in known and value in known[name].values]
        for name, values in chosen.items()
    }

    found = catalogue.search(chosen, market)

    def passes(row: dict[str, str], besides: str = "") -> bool:
        return all(
            not values or name == besides or row[name] in values for name, values in chosen.items()
        )

    assert unpack(found.bits, len(works)).tolist() == [passes(row) for row in rows]
    assert found.total == sum(map(passes, rows))
    for name, group in known.items():
        for value in group.values:
            expected = sum(row[name] == value and passes(row, besides=name) for row in rows)
            assert found.counts[name][value] == expected


@given(
    drops, st.sampled_from(["rarity", "newest"]), st.integers(1, 7), st.sets(st.sampled_from(HEADS))
)
def test_pages_show_every_work_once_forwards_and_backwards(
    parts: list[list[tuple[dict[str, str], int]]], sort: str, size: int, heads: set[str]
) -> None:
    catalogue, works, _ = build(parts)
    order = catalogue.by_rarity if sort == "rarity" else catalogue.newest
    known = catalogue.groups[f"{TRAIT}head"].values if works else ()
    wanted = sorted(heads & set(known))
    found = catalogue.search({f"{TRAIT}head": wanted})
    passing = [w for w in works if not wanted or w.traits["head"] in wanted]
    rule: dict[str, Callable[[Work], tuple[float, int]]] = {
        "rarity": lambda w: (-w.score, w.token_id),
        "newest": lambda w: (0, -w.token_id),
    }
    expected = [work.token_id for work in sorted(passing, key=rule[sort])]

    forwards: list[int] = []
    at, has_next = 0, True
    while has_next:
        part = catalogue.slice_after(found.bits, order, at, size)
        assert part.start == len(forwards)
        forwards += catalogue.token_ids[part.places].tolist()
        has_next = part.has_next
        at = int(np.flatnonzero(order == part.places[-1])[0]) + 1 if len(part.places) else 0
    backwards: list[int] = []
    at, has_previous = len(works), True
    while has_previous:
        part = catalogue.slice_after(found.bits, order, at, size, backwards=True)
        stop = part.start + size
        here = [t for t in catalogue.token_ids[part.places].tolist() if t not in backwards]
        backwards = here + backwards
        has_previous = part.has_previous
        at = int(np.flatnonzero(order == part.places[0])[0]) if len(part.places) else 0
        assert stop >= len(here)

    assert forwards == backwards == expected


@given(drops)
def test_the_bits_of_a_breakdown_make_the_rarity_score(
    parts: list[list[tuple[dict[str, str], int]]],
) -> None:
    catalogue, works, numbers = build(parts)

    for number in set(numbers):
        mine = [work for work, other in zip(works, numbers, strict=True) if other == number]
        rows = [{k: None if v == "none" else v for k, v in w.traits.items()} for w in mine]
        for work, ranked in zip(mine, rarity.score(rows), strict=True):
            found = catalogue.breakdown(number, work.token_id)
            assert math.isclose(found.score, ranked.score, rel_tol=1e-9, abs_tol=1e-12)
            assert {share.attribute: share.value for share in found.shares} == work.traits


@given(drops)
def test_facets_come_back_from_their_bytes(
    parts: list[list[tuple[dict[str, str], int]]],
) -> None:
    for facets in build(parts)[0].drops.values():
        again = DropFacets.from_bytes(facets.to_bytes())

        assert again.to_bytes() == facets.to_bytes()
        assert again.values == facets.values
        assert (again.codes == facets.codes).all()
        assert (again.scores == facets.scores).all()


@pytest.mark.parametrize("raw", [b"", b"facets1\0", b"facets1\0rubbish", b"PK\x03\x04"])
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(FacetsFormatError):
        DropFacets.from_bytes(raw)


def test_facets_that_are_cut_short_are_refused() -> None:
    raw = build([[({"head": "bun", "eyes": "none"}, 1)] * 5])[0].drops[1].to_bytes()

    with pytest.raises(FacetsFormatError):
        DropFacets.from_bytes(raw[:-3])


@given(st.lists(st.booleans(), max_size=200))
def test_masks_come_back_from_their_words(mask: list[bool]) -> None:
    assert unpack(pack(np.array(mask, np.bool_)), len(mask)).tolist() == mask


@pytest.mark.parametrize(
    ("group", "value"), [("trait.head", "horns"), ("trait.tail", "long"), ("drop", "7"), ("x", "y")]
)
def test_a_filter_that_nothing_has_is_refused(group: str, value: str) -> None:
    catalogue, _, _ = build([[({"head": "bun", "eyes": "none"}, 1)]])

    with pytest.raises(UnknownFacetError) as refused:
        catalogue.search({group: [value]})

    assert (refused.value.group, refused.value.value) == (group, value)


def test_an_attribute_that_only_one_drop_has_is_absent_in_the_others() -> None:
    first = DropFacets.of([Work(1, 11, 1.0, {"head": "bun"})])
    second = DropFacets.of([Work(2, 12, 1.0, {"head": "bun", "hat": "cap"})])

    found = Catalogue({1: first, 2: second}).search({})

    assert found.counts[f"{TRAIT}hat"] == {"cap": 1, "none": 1}


def test_a_trait_may_be_called_drop() -> None:
    found = Catalogue({1: DropFacets.of([Work(1, 11, 1.0, {"drop": "tear"})])}).search({})

    assert found.counts == {"trait.drop": {"tear": 1}, "drop": {"1": 1}}


def test_works_without_traits_have_a_catalogue() -> None:
    catalogue = Catalogue({1: DropFacets.of([Work(1, 11, 0.0, {}), Work(2, 12, 0.0, {})])})

    assert catalogue.search({}).total == 2
    assert catalogue.breakdown(1, 2).score == 0


@pytest.mark.parametrize("token_id", [0, 3, -1, 2**63, 10**30])
def test_a_token_that_is_not_there_has_no_place(token_id: int) -> None:
    catalogue, _, _ = build([[({"head": "bun", "eyes": "none"}, 1)] * 2])

    assert catalogue.place_of(token_id) is None
    assert [catalogue.place_of(1), catalogue.place_of(2)] == [0, 1]


def test_a_mask_passes_over_unknown_tokens() -> None:
    catalogue, _, _ = build([[({"head": "bun", "eyes": "none"}, 1)] * 3])

    assert catalogue.mask_of([2, 9, 0]).tolist() == [False, True, False]


def test_tokens_are_there_or_not_in_the_order_asked() -> None:
    catalogue, _, _ = build([[({"head": "bun", "eyes": "none"}, 1)] * 3])

    assert catalogue.has([4, 3, 0, 1]).tolist() == [False, True, False, True]
    assert Catalogue({}).has([1]).tolist() == [False]
