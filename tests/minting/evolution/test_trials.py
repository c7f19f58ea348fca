"""A law over a past that is written out by hand, and against rules asked one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minting.evolution import trials
from minting.evolution.rules import NOBODY, Law, Rule, Source
from minting.evolution.trials import Fact, Past

DIRECTION = (0,) * 31 + (1,)
LAW = Law(
    (
        Rule(Source.VOLUME, "volume", 2, 3, DIRECTION),
        Rule(Source.INTERACTIONS, "interactions", 0, 2, DIRECTION),
        Rule(Source.SHARE, "share", 0, 2, DIRECTION, "0x" + "1" * 40, NOBODY),
    ),
    60,
)


def test_levels_rise_with_what_is_known_and_days_are_counted_once_a_work() -> None:
    volumes = [
        Fact(0, "a", 3),  # below 2^2
        Fact(1, "a", 1),  # 4: level 1
        Fact(3, "a", 5),  # 9: level 2
        Fact(3, "a", 7),  # 16: level 3, in the same epoch
        Fact(4, "a", 99),  # at the end already
        Fact(3, "b", 4),
    ]
    past = Past(
        ("a", "b", "c"), 5, {Source.VOLUME: volumes, Source.INTERACTIONS: [Fact(2, "b", 1)]}
    )

    found = trials.run(LAW, past)

    assert found.levels.tolist() == [[3, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert found.proofs.tolist() == [0, 1, 0, 2, 0]
    assert found.is_known == (True, True, False)
    assert found.n_moved == 2


facts = st.lists(
    st.builds(Fact, st.integers(0, 9), st.sampled_from("abc"), st.integers(0, 2**70)), max_size=30
)


@given(volumes=facts)
def test_the_end_does_not_depend_on_the_days(volumes: list[Fact]) -> None:
    past = Past(("a", "b", "c"), 10, {Source.VOLUME: volumes})

    found = trials.run(LAW, past)

    sums = [sum(one.amount for one in volumes if one.work == work) for work in past.works]
    assert found.levels[:, 0].tolist() == [LAW.rules[0].level(total) for total in sums]
    assert found.proofs.sum() >= found.n_moved
    assert found.proofs.max() <= 3


def test_stages_go_from_the_least_to_the_most() -> None:
    levels = np.array([[0], [9], [1], [0], [5], [3]], np.uint8)
    found = trials.Trial(levels, np.zeros(1, np.int64), (True,))

    assert trials.stages(found, 9) == [2, 5, 4, 1]
    assert trials.stages(found, 2) == [2, 1]
    assert trials.stages(trials.Trial(levels[:1], found.proofs, (True,)), 4) == []
