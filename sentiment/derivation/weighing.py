"""How a round's votes came to weigh what they do: the part of a bundle that says so, and its check.

Votes of earlier rounds keep what they weighed in their own; the bundles of those say why.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minting.verification.findings import FailedError, Said
from sentiment.derivation.document import VoteRow
from sentiment.derivation.reading import address, count, mapping, number, require, table, text
from sentiment.integrity import weighing

PARTS = ("rule", "block", "holdings", "discounts")
HOLDING_COLUMNS = ["wallet", "works"]
DISCOUNT_COLUMNS = ["voter", "factor", "rule", "reason", "by", "at"]


def describe(
    rule: str,
    block: int | None,
    holdings: Sequence[Sequence[Any]],
    discounts: Sequence[Sequence[Any]],
) -> dict[str, Any]:
    """The part of a bundle; rows are those of voters of the round, by address."""
    return {
        "rule": rule,
        "block": block,
        "holdings": {"columns": HOLDING_COLUMNS, "rows": sorted(map(list, holdings))},
        "discounts": {"columns": DISCOUNT_COLUMNS, "rows": sorted(map(list, discounts))},
    }


def check(told: Any, votes: Sequence[VoteRow]) -> Said:
    """Whether the weights of the round's own votes follow from rule, holdings and discounts."""
    parts = mapping(told, "weighing", PARTS)
    rule, block = text(parts["rule"], "weighing.rule"), parts["block"]
    require(rule in weighing.RULES, "weighing.rule", "not one of those that are known")
    is_equal = rule == "equal"
    require((block is None) == is_equal, "weighing.block", "does not fit the rule")
    works, factors = _holdings(parts["holdings"]), _discounts(parts["discounts"])
    require(not (is_equal and works), "weighing.holdings", "do not fit the rule")
    own = [vote for vote in votes if vote.age == 0]
    found = _weights(rule, works, factors, own)
    for vote in own:
        weight = found[vote.voter.lower()]
        if vote.weight != weight:
            raise FailedError(f"a vote of {vote.voter} weighs {vote.weight:g}, not {weight:g}")
    counted = f"every wallet the same in {len(own)} votes"
    if block is not None:
        count(block, "weighing.block")
        counted = f"{len(own)} votes by the works held at block {block}, as told here"
    less = "1 voter counts" if len(factors) == 1 else f"{len(factors)} voters count"
    return f"{counted}; {less} less by a lead's decision"


def _weights(
    rule: str, works: Mapping[str, int], factors: Mapping[str, float], own: Sequence[VoteRow]
) -> dict[str, float]:
    cast = Counter(vote.voter.lower() for vote in own)
    voters = sorted(cast)
    held = np.array([works.get(voter, 0) for voter in voters], np.int64)
    full = weighing.weights(rule, held, np.array([cast[voter] for voter in voters], np.int64))
    return {
        voter: weighing.reduced(weight, factors.get(voter, 1.0))
        for voter, weight in zip(voters, full.tolist(), strict=True)
    }


def _holdings(told: Any) -> dict[str, int]:
    path = "weighing.holdings"
    rows = table(mapping(told, path, ("columns", "rows")), path, HOLDING_COLUMNS)
    found = {address(wallet, path).lower(): count(works, path, 1) for wallet, works in rows}
    require(len(found) == len(rows), path, "a wallet twice")
    return found


def _discounts(told: Any) -> dict[str, float]:
    path = "weighing.discounts"
    rows = table(mapping(told, path, ("columns", "rows")), path, DISCOUNT_COLUMNS)
    found = {}
    for voter, factor, *said in rows:
        found[address(voter, path).lower()] = number(factor, path)
        require(all(isinstance(one, str) and one for one in said), path, "without its reason")
    require(all(0 <= one < 1 for one in found.values()), path, "not from 0 to below 1")
    require(len(found) == len(rows), path, "a voter twice")
    return found
