"""OpenRarity 0.7.5 is the oracle: same scores, same ranks, on any table of traits."""

import csv
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from generation.traits import rarity

PUNKS = Path(__file__).parents[3] / "shared" / "data" / "punks_traits.csv"
Row = dict[str, str | None]


def open_rarity(rows: Sequence[Mapping[str, str | None]]) -> list[tuple[float, int, int]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from open_rarity import Collection, RarityRanker, Token  # type: ignore[import-untyped]  # ships no types

        tokens = [
            Token.from_erc721("0x" + "0" * 40, i, {k: v for k, v in row.items() if v is not None})
            for i, row in enumerate(rows)
        ]
        ranked = RarityRanker.rank_collection(Collection(name="oracle", tokens=tokens))
    found = {
        r.token.token_identifier.token_id: (
            r.score,
            r.rank,
            r.token_features.unique_attribute_count,
        )
        for r in ranked
    }
    return [found[i] for i in range(len(rows))]


def assert_agrees(rows: Sequence[Mapping[str, str | None]]) -> None:
    found, wanted = rarity.score(rows), open_rarity(rows)

    assert [(r.rank, r.n_unique) for r in found] == [(rank, n) for _, rank, n in wanted]
    assert [r.score for r in found] == pytest.approx(
        [s for s, _, _ in wanted], rel=1e-12, abs=1e-12
    )


values = st.sampled_from([None, "red", "Red ", "blue", " BLUE", "none", "", "None", "7"])
tables = st.lists(
    st.dictionaries(st.sampled_from(["hat", "coat", "eyes"]), values), min_size=1, max_size=12
)


@settings(deadline=None, max_examples=150)
@given(tables)
@example([{}, {"hat": "red"}])
@example([{}, {}])
@example([{"hat": "red"}] * 3)
@example([{"Hat ": "red"}, {"hat": "RED"}, {"hat": "blue"}])
def test_any_table_scores_as_open_rarity_scores_it(rows: list[Row]) -> None:
    assert_agrees(rows)


@pytest.mark.skipif(not PUNKS.exists(), reason="the table of 10,000 punks is not on this machine")
def test_ten_thousand_punks_score_as_open_rarity_scores_them() -> None:
    with PUNKS.open() as file:
        table = list(csv.DictReader(file, skipinitialspace=True))
    rows: list[Row] = []
    for punk in table:
        worn = [a for a in punk["accessories"].split(" / ") if a]
        rows.append(
            {k: punk[k] for k in ("type", "gender", "skin tone")}
            | {f"wears {a}": "yes" for a in worn}
        )

    assert_agrees(rows)


def test_a_hand_worked_table_has_its_scores() -> None:
    # Hat: red 1/4, blue 3/4; trait count 1 throughout, 0 bits. H = 0.811278 bits.
    found = rarity.score([{"hat": "red"}, {"hat": "blue"}, {"hat": "blue"}, {"hat": "blue"}])

    assert [r.score for r in found] == pytest.approx([2.465246] + [0.511584] * 3, abs=1e-6)
    assert [r.rank for r in found] == [1, 2, 2, 2]


def test_ties_share_a_rank_and_the_next_rank_skips() -> None:
    rows: list[Row] = [{"hat": h} for h in ("a", "b", "b", "c", "c", "c")]

    assert [r.rank for r in rarity.score(rows)] == [1, 2, 2, 4, 4, 4]


def test_an_absent_trait_is_informative_but_never_unique() -> None:
    rows: list[Row] = [
        {"hat": "red", "coat": None},
        {"hat": "red", "coat": "x"},
        {"hat": "red", "coat": "x"},
    ]

    found = rarity.score(rows)

    assert found[0].score > found[1].score
    assert found[0].n_unique == 1  # the trait count of 1, which nobody else has


def test_a_collection_of_equal_tokens_scores_zero() -> None:
    found = rarity.score([{"hat": "red"}] * 4)

    assert [(r.score, r.rank) for r in found] == [(0.0, 1)] * 4


def test_no_rows_no_scores() -> None:
    assert rarity.score([]) == []


def test_the_mean_score_is_one() -> None:
    rows: list[Row] = [{"hat": str(i % 3), "coat": str(i % 7)} for i in range(50)]

    assert sum(r.score for r in rarity.score(rows)) / 50 == pytest.approx(1, abs=1e-12)


def test_ten_thousand_tokens_of_eight_traits_take_under_half_a_second() -> None:
    rows: list[Row] = [
        {f"t{k}": f"v{i * (k + 3) % (k + 5)}" for k in range(8)} for i in range(10_000)
    ]

    started = time.process_time()
    rarity.score(rows)

    assert time.process_time() - started < 0.5
