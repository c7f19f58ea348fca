"""Each candidate is taken once or set aside with why, also when the work is resumed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.gan.latent import item_seed
from generation.traits.planner import (
    Quota,
    QuotaError,
    attempt_seed,
)

SEED = bytes(range(32))
Traits = dict[str, str]


PLAN = [{"hat": "cap"}, {"hat": "none"}, {"hat": "cap"}]


def test_a_candidate_that_shows_what_was_asked_fills_its_slot() -> None:
    quota = Quota(PLAN, min_confidence=0.5, min_novelty=0.1)

    verdict = quota.offer(1, {"hat": "none"}, 0.5, 0.1)

    assert (verdict.reason, verdict.slot, verdict.attempt) == ("accepted", 1, 0)
    assert quota.open_slots() == [0, 2]


@pytest.mark.parametrize(
    ("traits", "confidence", "novelty", "repeats", "reason", "detail"),
    [
        ({"hat": "cap"}, 0.49, 1.0, "", "low confidence", "0.49 < 0.5"),
        ({"hat": "cap"}, float("nan"), 1.0, "", "low confidence", "nan < 0.5"),
        ({"hat": "cap"}, 1.0, 0.09, "", "low novelty", "0.09 < 0.1"),
        ({"hat": "cap"}, 1.0, 1.0, "digest", "repeats", "digest"),
        ({"hat": "crown"}, 1.0, 1.0, "", "not asked", "hat=crown not cap"),
    ],
)
def test_a_candidate_is_set_aside_with_its_reason(
    traits: Traits, confidence: float, novelty: float, repeats: str, reason: str, detail: str
) -> None:
    quota = Quota(PLAN, min_confidence=0.5, min_novelty=0.1)

    verdict = quota.offer(0, traits, confidence, novelty, repeats)

    assert (verdict.reason, verdict.slot, verdict.detail) == (reason, None, detail)
    assert (quota.open_slots(), quota.set_aside) == ([0, 1, 2], {reason: 1})


def test_a_candidate_that_shows_something_else_fills_the_first_slot_that_asks_for_it() -> None:
    quota = Quota(PLAN)

    verdict = quota.offer(1, {"hat": "cap"}, 1.0, 1.0)

    assert (verdict.reason, verdict.slot, verdict.source) == ("accepted elsewhere", 0, 1)
    assert quota.filled == {0: (1, 0)}


def test_a_late_candidate_of_a_filled_slot_fills_another_or_none() -> None:
    quota = Quota(PLAN)

    verdicts = [quota.offer(0, {"hat": "cap"}, 1.0, 1.0) for _ in range(3)]

    assert [v.slot for v in verdicts] == [0, 2, None]
    assert verdicts[2].detail == "filled already"


def test_open_slots_are_rendered_the_least_tried_first() -> None:
    quota = Quota(PLAN)
    quota.offer(0, {}, 1.0, 1.0)
    quota.offer(1, {"hat": "none"}, 1.0, 1.0)

    assert quota.to_render(4) == [(2, 0), (0, 1), (2, 1), (0, 2)]


def test_nothing_is_rendered_once_all_slots_are_filled() -> None:
    quota = Quota([{"hat": "cap"}])
    quota.offer(0, {"hat": "cap"}, 1.0, 1.0)

    assert quota.to_render(5) == []


candidates = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["cap", "none", "crown", "wig"]),
        st.sampled_from([0.2, 0.9]),
        st.sampled_from([0.2, 0.9]),
        st.sampled_from(["", "", "digest"]),
    ),
    max_size=40,
)
hats = st.lists(st.sampled_from(["cap", "none", "crown"]), min_size=6, max_size=6)


@given(hats, candidates, st.integers(0, 40))
def test_a_quota_resumed_from_json_goes_on_as_if_never_stopped(
    plan_hats: list[str], offered: list[tuple[int, str, float, float, str]], stop: int
) -> None:
    works = [{"hat": hat} for hat in plan_hats]
    whole, part = (Quota(works, min_confidence=0.5, min_novelty=0.5) for _ in range(2))
    whole_said = [whole.offer(s, {"hat": hat}, c, n, r) for s, hat, c, n, r in offered]

    said = [part.offer(s, {"hat": hat}, c, n, r) for s, hat, c, n, r in offered[:stop]]
    part = Quota.from_json(json.loads(json.dumps(part.to_json())))
    said += [part.offer(s, {"hat": hat}, c, n, r) for s, hat, c, n, r in offered[stop:]]

    assert said == whole_said
    assert part.to_json() == whole.to_json()
    assert part.to_render(9) == whole.to_render(9)


@given(hats, candidates)
def test_no_candidate_is_lost_or_doubled(
    plan_hats: list[str], offered: list[tuple[int, str, float, float, str]]
) -> None:
    works = [{"hat": hat} for hat in plan_hats]
    quota = Quota(works, min_confidence=0.5, min_novelty=0.5)

    verdicts = [quota.offer(s, {"hat": hat}, c, n, r) for s, hat, c, n, r in offered]

    taken = [v for v in verdicts if v.slot is not None]
    assert len({(v.source, v.attempt) for v in verdicts}) == len(offered)
    assert {v.slot: (v.source, v.attempt) for v in taken} == quota.filled
    assert len(taken) == len(quota.filled) == len(offered) - quota.set_aside.total()
    assert all(
        hat == plan_hats[v.slot]
        for v, (_, hat, *_) in zip(verdicts, offered, strict=True)
        if v.slot is not None
    )
    assert sorted([*quota.open_slots(), *quota.filled]) == list(range(6))


@pytest.mark.parametrize(
    "change",
    [
        {"filled": [[0, 0, 0], [0, 1, 0]]},
        {"attempts": [0, 0, 0]},
        {"attempts": [2]},
        {"min_novelty": "much"},
        {"plan": 7},
    ],
)
def test_a_state_that_loses_or_doubles_candidates_is_refused(change: dict[str, Any]) -> None:
    quota = Quota(PLAN)
    quota.offer(0, {"hat": "cap"}, 1.0, 1.0)
    quota.offer(1, {"hat": "wig"}, 1.0, 1.0)

    with pytest.raises(QuotaError):
        Quota.from_json(quota.to_json() | change)


def test_the_first_attempt_has_the_seed_of_its_place() -> None:
    assert attempt_seed(SEED, 7, 0) == item_seed(SEED, 7)


def test_each_attempt_of_each_place_has_its_own_seed() -> None:
    seeds = {attempt_seed(SEED, index, attempt) for index in range(20) for attempt in range(20)}

    assert len(seeds) == 400


@pytest.mark.parametrize(("seed", "index", "attempt"), [(b"x", 0, 0), (SEED, -1, 1), (SEED, 0, -1)])
def test_a_seed_of_no_place_or_attempt_is_refused(seed: bytes, index: int, attempt: int) -> None:
    with pytest.raises(ValueError, match="index"):
        attempt_seed(seed, index, attempt)
