"""Whether a drop on chain follows from the votes that it commits to."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from minting.provenance.keccak import ZERO
from minting.verification.findings import (
    Finding,
    NotCheckableError,
    Said,
    State,
    judge,
    require,
)
from minting.verification.ledger import ChainDrop
from minting.verification.onchain import check_tally
from sentiment.derivation import document, tally
from sentiment.derivation.replay import replay


class Rounds:
    """Bundles that somebody has, by the name of the file."""

    def __init__(self, bundles: Mapping[str, Mapping[str, Any]]) -> None:
        self._bundles = bundles
        self._used: set[str] = set()

    def check(self, drop: ChainDrop) -> list[Finding]:
        """What the round that a drop names says about it."""
        name = self._find(drop)
        if name is None:
            return check_tally(drop)
        self._used.add(name)
        told, subject = self._bundles[name], f"drop {drop.number}"
        return [
            judge("vote tally", subject, lambda: _tally(told, drop)),
            *(replace(one, check=f"round's {one.check}", subject=subject) for one in replay(told)),
            judge("parameters voted for", subject, lambda: _parameters(told, drop)),
        ]

    def unused(self) -> list[Finding]:
        """Rounds that led to no drop that was asked for."""
        why = "no drop that was asked for follows from it"
        names = sorted(set(self._bundles) - self._used)
        return [Finding("round", name, State.NOT_CHECKABLE, why) for name in names]

    def _find(self, drop: ChainDrop) -> str | None:
        """By the root that the drop names; else by what was decided, to be compared."""
        root, own = drop.body.vote_tally_root.hex(), drop.body.params_hash.hex()
        by_root = [name for name, one in self._bundles.items() if _told_root(one) == root]
        by_hash = [
            name
            for name, one in self._bundles.items()
            if one["decision"] is not None and one["decision"]["params_hash"] == own
        ]
        is_named = drop.body.vote_tally_root != ZERO
        return next(iter([*by_root, *by_hash]), None) if is_named else None


def _told_root(told: Mapping[str, Any]) -> Any:
    return told["tally"].get("root") if isinstance(told["tally"], dict) else None


def _tally(told: Mapping[str, Any], drop: ChainDrop) -> Said:
    votes = document.read(told["inputs"]).votes
    found, wanted = tally.root(votes), drop.body.vote_tally_root
    require(found == wanted, f"the round's lead to {found.hex()}, the chain has {wanted.hex()}")
    return f"{len(votes)} votes lead to the root on chain"


def _parameters(told: Mapping[str, Any], drop: ChainDrop) -> Said:
    """From those before by what was decided to the drop's, by their hashes."""
    decision, before = told["decision"], told["before"]["params_hash"]
    if decision is None:
        raise NotCheckableError("the file was made before the proposal was decided")
    own, parent = drop.body.params_hash.hex(), drop.body.parent_params_hash.hex()
    require(decision["params_hash"] == own, "the drop was made with others than those decided on")
    if own == before:
        return f"{decision['state']}: they stayed as they were"
    if decision["state"] == "edited" and parent != before:
        raise NotCheckableError("a lead set them by hand after others than the votes' had followed")
    require(parent == before, "they descend from others than those that were voted on")
    return f"{decision['state']}: they and those before hash to what was committed"
