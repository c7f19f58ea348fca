"""How far works are moved after a block: from the logs of then, and what peers answer then."""

from dataclasses import dataclass

from minting.chain.evolving import Kept
from minting.evolution import levels
from minting.evolution.rules import NOBODY, Law, Rule, Source
from minting.provenance.keccak import keccak256
from minting.verification.node import Node

# What a peer may use, and what every call costs beside (see Peers.sol).
STIPEND, BASE = 100_000, 22_000


@dataclass(frozen=True)
class Moment:
    """A collection after one block; ``kept`` is what its evolution keeps then."""

    node: Node
    law: Law
    kept: Kept

    def levels(self, token_id: int) -> list[int]:
        """Of each rule; UnreadableError where the node does not know the state of then."""
        holder = owner(self.node, token_id) or NOBODY
        proven = iter(self.kept.proven.get(token_id, (0, ()))[1])
        return [
            next(proven, 0)
            if rule.source.is_proven
            else rule.level(self._quantity(place, rule, token_id, holder))
            for place, rule in enumerate(self.law.rules)
        ]

    def _quantity(self, place: int, rule: Rule, token_id: int, holder: str) -> int:
        if rule.source == Source.INTERACTIONS:
            return self.kept.interactions.get(token_id, 0)
        if rule.source == Source.STAKE:
            stake = self._ask(rule.peer, "stakeOf(uint256)", [token_id], 2)
            if not stake or stake[0] != int(holder, 16):
                return 0
            return levels.age(stake[1], self.node.block.timestamp)
        if rule.source == Source.SHARE:
            balance = self._ask(rule.peer, "balanceOf(address)", [int(holder, 16)], 1)
            supply = self._ask(rule.peer, "totalSupply()", [], 1)
            n_works = self.node.call("balanceOf", holder)
            return levels.share(balance[0], supply[0], n_works) if balance and supply else 0
        position = self.kept.positions.get((place, token_id), 0)
        return self._liquidity(rule, position, holder) if position else 0

    def _liquidity(self, rule: Rule, position_id: int, holder: str) -> int:
        named = self._ask(rule.peer, "ownerOf(uint256)", [position_id], 1)
        found = self._ask(rule.peer, "positions(uint256)", [position_id], 12)
        if named != [int(holder, 16)] or not found or found[2:5] != self._key(rule.pool):
            return 0
        slot = self._ask(rule.pool, "slot0()", [], 7)
        if not slot or not 0 < slot[0] < 2**160:
            return 0
        lower, upper, tick = (levels.signed(one) for one in (found[5], found[6], slot[1]))
        return levels.in_range(found[7], lower, upper, tick)

    def _key(self, pool: str) -> list[int]:
        """The pool's tokens and its fee."""
        parts = [self._ask(pool, name, [], 1) for name in ("token0()", "token1()", "fee()")]
        return [word for part in parts for word in part]

    def _ask(self, peer: str, function: str, words: list[int], n: int) -> list[int]:
        question = keccak256(function.encode())[:4] + b"".join(one.to_bytes(32) for one in words)
        return self.node.peer(peer, question, n, BASE + STIPEND)


def owner(node: Node, token_id: int) -> str | None:
    """Who has a work; None where nobody does."""
    found = node.ask("ownerOf", token_id)
    return None if found is None else str(found)
