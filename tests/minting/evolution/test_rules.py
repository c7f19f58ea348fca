"""The law of a collection: what is refused, and that nothing is lost on the way."""

import json
from dataclasses import replace
from typing import Any

import pytest

from minting.evolution import rules
from minting.evolution.rules import NOBODY, Law, LawError, Rule, Source

PEER, POOL = "0x" + "11" * 20, "0x" + "22" * 20
ALONG = (1, -128, 127, *[0] * 29)
RULES = (
    Rule(Source.VOLUME, "volume", 54, 10, ALONG),
    Rule(Source.STAKE, "stake age", 16, 9, ALONG, PEER),
    Rule(Source.VOTES, "votes", 0, 255, ALONG),
    Rule(Source.POSITION, "liquidity", 50, 30, ALONG, PEER, POOL),
)
LAW = Law(RULES, 86_400)


def test_a_law_comes_back_from_words_and_from_json() -> None:
    rules.check(LAW)

    assert rules.from_words(*rules.words(LAW)) == LAW
    assert rules.from_document(json.loads(json.dumps(rules.document(LAW)))) == LAW


def test_proven_rules_are_in_the_order_of_the_rules() -> None:
    assert [rule.name for rule in LAW.proven] == ["volume", "votes"]
    assert LAW.directions.shape == (4, 32)
    assert LAW.directions[0].tolist() == list(ALONG)


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        (0, {"highest": 0}),
        (0, {"highest": 256}),
        (0, {"offset": 256}),
        (0, {"direction": ALONG[1:]}),
        (0, {"direction": (128, *ALONG[1:])}),
        (0, {"name": ""}),
        (0, {"name": "a" * 32}),
        (0, {"name": 'a"b'}),
        (0, {"name": "a\\b"}),
        (0, {"name": "é"}),
        (2, {"name": "volume"}),
        (0, {"peer": PEER}),
        (1, {"peer": NOBODY}),
        (1, {"pool": POOL}),
        (3, {"pool": NOBODY}),
    ],
)
def test_a_rule_that_the_contract_would_refuse_is_named(rule: int, changed: Any) -> None:
    own = list(RULES)
    own[rule] = replace(own[rule], **changed)

    with pytest.raises(LawError) as refused:
        rules.check(Law(tuple(own), 86_400))

    assert refused.value.rule == rule


@pytest.mark.parametrize("law", [Law((), 1), Law(RULES * 3, 1), Law(RULES, 0)])
def test_too_few_or_many_rules_or_no_period_are_refused(law: Law) -> None:
    with pytest.raises(LawError) as refused:
        rules.check(law)

    assert refused.value.rule is None


@pytest.mark.parametrize("found", [{}, {"rules": [{}], "period_s": 1}, {"rules": 3}])
def test_json_that_is_no_law_is_refused(found: Any) -> None:
    with pytest.raises(LawError):
        rules.from_document(found)
