"""Laws as leads choose them."""

from dataclasses import replace

import pytest

from minting.evolution import laws
from minting.evolution.laws import DEFAULTS, Choice
from minting.evolution.rules import Source


def test_level_one_begins_where_the_lead_says() -> None:
    chosen = [
        Choice(Source.VOLUME, "fuller hair"),
        Choice(Source.VOTES, "another posture", offset=4),
        Choice(Source.INTERACTIONS, "a tilted head", offset=0),
    ]

    law = laws.complete(laws.plan(chosen), "0x" + "1" * 40)

    assert [rule.offset for rule in law.rules] == [DEFAULTS[Source.VOLUME].offset, 4, 0]
    assert law.rules[1].level(15) == 0
    assert law.rules[1].level(16) == 1


@pytest.mark.parametrize(
    ("source", "offset", "says"),
    [
        (Source.VOLUME, 54, "0.018 ETH"),
        (Source.VOLUME, 60, "1.15 ETH"),
        (Source.VOTES, 0, "1 vote"),
        (Source.VOTES, 10, "1,024 votes"),
        (Source.STAKE, 16, "18.2 hours"),
        (Source.STAKE, 24, "4,660 hours"),
        (Source.POSITION, 50, "2^50 of liquidity"),
        (Source.SHARE, 22, "0.0977 % of the pool"),
    ],
)
def test_quantities_are_told_in_units_that_people_know(
    source: Source, offset: int, says: str
) -> None:
    assert DEFAULTS[source].quantity(offset) == says


def test_what_is_offered_can_be_chosen() -> None:
    assert all(default.offset in default.offsets for default in DEFAULTS.values())
    assert all(default.direction in laws.DIRECTIONS for default in DEFAULTS.values())


def test_a_rule_says_where_it_goes() -> None:
    law = laws.complete(laws.plan([Choice(Source.VOTES, "wider shoulders", 7)]), "0x" + "1" * 40)

    assert laws.towards(law.rules[0]) == "wider shoulders"
    assert laws.towards(replace(law.rules[0], direction=(1,) * 32)) == ""
