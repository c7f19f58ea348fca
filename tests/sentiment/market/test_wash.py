from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.market.wash import CYCLE, ROUND_TRIP, SELF_TRADE, Trade, flags

START = datetime(2026, 1, 1, tzinfo=UTC)


def chain(hands: str, work: str = "1", days: int = 1) -> list[Trade]:
    """A token that goes from hand to hand, one letter each; ``?`` is unknown."""
    known = [hand.replace("?", "") for hand in hands]
    return [
        Trade(work, START + timedelta(days=days * i), (i,), seller, buyer)
        for i, (seller, buyer) in enumerate(pairwise(known))
    ]


@pytest.mark.parametrize(
    ("hands", "expected"),
    [
        ("AB", [""]),
        ("AA", [SELF_TRADE]),
        ("ABA", [ROUND_TRIP] * 2),
        ("ABCA", [CYCLE] * 3),
        ("ABCDEFA", [CYCLE] * 6),
        ("ABCDEFGA", [""] * 7),
        ("XABAY", ["", ROUND_TRIP, ROUND_TRIP, ""]),
        ("AABA", [SELF_TRADE, ROUND_TRIP, ROUND_TRIP]),
        ("ABACA", [ROUND_TRIP] * 4),
        ("??", [""]),
        ("?A?A?", [""] * 4),
        ("A?A", ["", ""]),
        ("AB?BA", [""] * 4),
        ("", []),
    ],
)
def test_a_token_that_comes_back_is_flagged_with_the_way_it_took(
    hands: str, expected: list[str]
) -> None:
    assert flags(chain(hands)) == expected


@pytest.mark.parametrize(("days", "expected"), [(30, ROUND_TRIP), (31, "")])
def test_a_way_there_and_back_counts_for_thirty_days(days: int, expected: str) -> None:
    assert flags(chain("ABA", days=days)) == [expected] * 2


def test_a_token_that_was_given_away_in_between_is_not_followed() -> None:
    first, second = chain("AB")[0], chain("CA")[0]
    later = Trade("1", START + timedelta(days=1), (1,), second.seller, second.buyer)

    assert flags([first, later]) == ["", ""]


def test_a_dealer_who_trades_many_tokens_with_one_wallet_is_not_flagged() -> None:
    trades = [trade for work in "12345" for trade in chain("AB", work)]
    back = [trade for work in "6789" for trade in chain("BA", work)]

    assert set(flags(trades + back)) == {""}


def test_sales_of_one_moment_are_ordered_by_their_place() -> None:
    there = Trade("1", START, (7, 1), "A", "B")
    back = Trade("1", START, (7, 2), "B", "C")
    again = Trade("1", START, (8, 0), "C", "A")

    assert flags([again, back, there]) == [CYCLE] * 3


@given(st.text("ABC?", max_size=9), st.text("ABC?", max_size=9), st.randoms())
def test_the_order_of_trades_does_not_matter(one: str, other: str, chance: Random) -> None:
    trades = chain(one, "1") + chain(other, "2")
    order = list(range(len(trades)))
    chance.shuffle(order)

    shuffled = flags([trades[i] for i in order])

    assert shuffled == [flags(trades)[i] for i in order]


@given(st.text("ABC?", max_size=9))
def test_an_unknown_party_is_never_part_of_a_pattern(hands: str) -> None:
    trades = chain(hands)

    for trade, reason in zip(trades, flags(trades), strict=True):
        assert not reason or (trade.seller and trade.buyer)
