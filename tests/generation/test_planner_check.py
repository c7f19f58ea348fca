"""What cannot be met is said before anything is drawn, with the numbers that do not fit."""

from dataclasses import replace

import pytest

from generation.traits.planner import (
    Counts,
    ImpossibleError,
    Request,
    check,
    exclude,
    include,
    plan,
)
from tests.generation.test_planner import SCHEMA, SEED, heads, sentences


def test_a_request_that_can_be_met_has_no_problems() -> None:
    assert check(heads(100, exclude("hat", "crown", "beard", "full")), SCHEMA) == []


def test_what_the_generator_does_not_know_is_named() -> None:
    request = heads(
        100, exclude("head", "bald", "hat", "wig"), include("horns", "two", "hat", "none")
    )

    assert sentences(request) == [
        "The rule head=bald excludes hat=wig: hat has no value wig.",
        "The rule horns=two requires hat=none: there is no attribute horns.",
    ]


def test_an_attribute_without_counts_is_named() -> None:
    request = Request(3, {"head": Counts({"bald": 3}), "beard": Counts({"none": 3})})

    assert sentences(request) == ["No work knows its hat: give it counts or shares."]


def test_counts_that_miss_the_size_are_named_with_both_numbers() -> None:
    request = heads(1000)
    request = replace(
        request, attributes=request.attributes | {"beard": Counts({"none": 700, "full": 200})}
    )

    (problem,) = check(request, SCHEMA)

    assert problem.sentence == "The counts of beard sum to 900, but the drop has 1,000 works."
    assert (problem.asked, problem.possible) == (900, 1000)


def test_a_value_that_its_partners_cannot_carry_is_named_with_both_numbers() -> None:
    request = Request(
        1000,
        {
            "head": Counts({"bald": 800, "short": 150, "long": 50}),
            "beard": Counts({"none": 700, "full": 300}),
            "hat": Counts({"none": 1000}),
        },
        (include("beard", "full", "head", "short", "long"),),
    )

    (problem,) = check(request, SCHEMA)

    assert problem.sentence == (
        "300 works are to show beard=full, but the values of head that the rules allow with it "
        "(short|long) are on 200 works in all."
    )
    assert (problem.asked, problem.possible) == (300, 200)


def test_two_values_that_crowd_each_other_are_named_together() -> None:
    # Either alone fits on the 50 long heads; together they do not.
    request = Request(
        100,
        {
            "head": Counts({"short": 50, "long": 50}),
            "hat": Counts({"none": 40, "cap": 30, "crown": 30}),
            "beard": Counts({"none": 100}),
        },
        (include("hat", "cap", "head", "long"), include("hat", "crown", "head", "long")),
    )

    (problem,) = check(request, SCHEMA)

    assert (problem.kind, problem.asked, problem.possible) == ("pair", 60, 50)
    assert "hat=cap|crown" in problem.sentence


def test_rules_that_only_contradict_together_are_named_without_the_innocent_ones() -> None:
    # Each pair fits: 50 bald, 50 bearded, 50 with caps. But baldness, beard and cap forbid each
    # other, so 150 placings need 150 works.
    rules = (
        exclude("head", "bald", "beard", "full"),
        exclude("head", "bald", "hat", "cap"),
        exclude("beard", "full", "hat", "cap"),
    )
    innocent = exclude("head", "long", "hat", "crown")
    request = Request(
        100,
        {
            "head": Counts({"bald": 50, "short": 45, "long": 5}),
            "beard": Counts({"none": 50, "full": 50}),
            "hat": Counts({"none": 45, "cap": 50, "crown": 5}),
        },
        (innocent, *rules),
    )

    (problem,) = check(request, SCHEMA)

    assert (problem.kind, problem.asked, problem.possible) == ("together", 100, 75)
    assert "at most 75 of 100 works" in problem.sentence
    assert "head=long" not in problem.sentence.split(": left over")[0]


def test_a_one_of_one_that_breaks_a_rule_is_named() -> None:
    crowned = {"head": "bald", "beard": "full", "hat": "crown"}
    request = heads(100, exclude("hat", "crown", "beard", "full"), one_of_ones=(crowned,))

    assert sentences(request) == [
        "The one-of-one (head=bald, beard=full, hat=crown) breaks the rule hat=crown excludes "
        "beard=full."
    ]


def test_more_one_of_ones_than_the_count_of_their_value_are_named() -> None:
    request = Request(
        4,
        {"head": Counts({"bald": 3, "short": 1}), "hat": Counts({"cap": 2, "none": 2})},
        one_of_ones=({"head": "short", "hat": "cap"}, {"head": "short", "hat": "none"}),
    )

    assert sentences(request, {"head": ["bald", "short"], "hat": ["cap", "none"]}) == [
        "2 one-of-ones have head=short, but only 1 works may."
    ]


def test_more_unique_works_than_combinations_are_named_with_both_numbers() -> None:
    # 3 x 2 x 3 = 18 combinations, 3 of which show a crown and a beard.
    request = heads(20, exclude("hat", "crown", "beard", "full"), is_unique=True)

    (problem,) = check(request, SCHEMA)

    assert (problem.kind, problem.asked, problem.possible) == ("combinations", 20, 15)


def test_unique_works_that_counts_make_impossible_are_found() -> None:
    # 4 of 6 combinations are wanted, but 3 works show a cap and there are 2 heads only.
    request = Request(
        4,
        {"head": Counts({"a": 2, "b": 2}), "hat": Counts({"cap": 3, "none": 1, "crown": 0})},
        is_unique=True,
    )

    (problem,) = check(request, {"head": ["a", "b"], "hat": ["cap", "none", "crown"]})

    assert (problem.kind, problem.asked, problem.possible) == ("together", 4, 3)
    assert problem.sentence == (
        "With these counts and rules at most 3 of 4 works can differ from each other and from the "
        "one-of-ones."
    )


def test_an_impossible_request_gets_no_plan_but_its_problems() -> None:
    request = heads(20, include("head", "bald", "hat", "cap"))

    with pytest.raises(ImpossibleError) as refused:
        plan(request, SCHEMA, SEED)

    assert list(refused.value.problems) == check(request, SCHEMA)
