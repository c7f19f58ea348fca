"""Checks of works that their contract paints: what it paints with, their levels, their pictures.

Everything is computed here from logs and from what the contract's peers answer after the block,
and compared with what the contract says.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generation.gan.twins import Twin
from minting.chain import evolving, painted
from minting.chain.abi import compiled
from minting.chain.evolving import EpochLog, InteractionLog, Log, PositionLog, ProvenLog
from minting.chain.logs import Place
from minting.evolution import describing, epochs, packing, rules
from minting.evolution.latents import choose, latents_of
from minting.evolution.network import Layer
from minting.evolution.packing import Label, PackingError
from minting.evolution.rules import NOBODY, Law, Source
from minting.verification.findings import (
    Finding,
    NotCheckableError,
    Said,
    State,
    counted,
    judge,
    named,
    require,
)
from minting.verification.ledger import KINDS, ChainDrop, Ledger, domain_words, has_code
from minting.verification.moments import Moment, owner
from minting.verification.node import Event, Node
from minting.verification.works import token_seed


def is_painted(ledger: Ledger, drop: ChainDrop) -> bool:
    """Whether the contract itself draws a drop's works, as it does once its secret is told."""
    return ledger.variant in (painted.PAINTED, painted.EVOLVING) and drop.kind == KINDS[2]


def check(hand: "Hand", token_ids: Sequence[int], snapshots: Mapping[bytes, Any]) -> list[Finding]:
    """Of some tokens of a drop.

    ``snapshots``: what epochs say that they were computed from, by hash.
    """
    drop = hand.drop
    subject = f"drop {drop.number}" if len(token_ids) != 1 else f"token {token_ids[0]}"
    if not drop.secret:
        why = "not revealed yet: until then nothing is painted"
        return [Finding("painted works", subject, State.NOT_CHECKABLE, why)]
    minted = [one for one in token_ids if owner(hand.node, one) is not None]
    found = [judge("painter", "chain", hand.painter)]
    if hand.evolution is not None:
        found += [
            judge("evolution", "chain", hand.law_said),
            judge("epochs", "chain", lambda: hand.epochs_said(snapshots)),
            judge("levels", subject, lambda: hand.levels_said(minted)),
        ]
    return [*found, judge("painted works", subject, lambda: hand.pictures_said(minted))]


@dataclass(frozen=True)
class Hand:
    """What a collection paints a drop with; ``first`` is where events are looked for."""

    node: Node
    ledger: Ledger
    drop: ChainDrop
    first: int

    @cached_property
    def _painter(self) -> Node:
        at = str(self.node.beside(self.node.contract, compiled(painted.PAINTED)).call("painter"))
        return self.node.beside(at, compiled("Painter"))

    @cached_property
    def evolution(self) -> Node | None:
        if self.ledger.variant != painted.EVOLVING:
            return None
        own = self.node.beside(self.node.contract, compiled(painted.EVOLVING))
        at = str(own.call("evolution"))
        return None if at == NOBODY else self.node.beside(at, compiled("Evolution"))

    @cached_property
    def network(self) -> bytes:
        """As it stands on the chain."""
        return self.node.code(str(self._painter.call("network")))

    @cached_property
    def _layers(self) -> tuple[Layer, ...]:
        return packing.unpack(self.network)

    @cached_property
    def _label(self) -> Label:
        return packing.unpack_label(self.node.code(str(self._painter.call("label"))))

    @cached_property
    def _law(self) -> Law:
        assert self.evolution is not None
        return rules.from_words(self.evolution.call("rules"), self.evolution.call("periodS"))

    @cached_property
    def _logs(self) -> list[Log]:
        assert self.evolution is not None
        found = self.evolution.events(evolving.EVENTS, self.first)
        return [_log(self.node, event) for event in found]

    @cached_property
    def _now(self) -> Moment:
        return Moment(self.node, self._law, evolving.replay(self._logs))

    def then(self, number: int) -> Moment:
        """After an earlier block."""
        seen = [log for log in self._logs if log.place.block_number <= number]
        return Moment(self.node.at(number), self._law, evolving.replay(seen))

    def proofs(self, token_id: int) -> dict[int, int]:
        """The block in which each epoch of a work was proven."""
        found = [log for log in self._logs if isinstance(log, ProvenLog)]
        return {one.epoch: one.place.block_number for one in found if one.token_id == token_id}

    def snapshot_hash(self, epoch: int) -> bytes:
        """Of what an epoch says that it was computed from; nothing if it is not among the logs."""
        return self._now.kept.roots.get(epoch, (b"", b""))[1]

    def latents(self, token_id: int, own: Sequence[int] | None = None) -> bytes:
        """What a work is drawn from at these levels; as it began where none are given."""
        word = self.word(token_id)
        if own is None:
            return latents_of(self._label.attributes, word)
        return describing.moved(self._label, word, self._law, own)

    def twin(self, token_id: int, basis: NDArray[np.float32]) -> Twin:
        """What the contract draws of a work, before anything moved it."""
        schema, word = self._label.attributes, self.word(token_id)
        chosen = zip(schema, choose(schema, word), strict=True)
        return Twin(
            values={attribute.name: attribute.values[place] for attribute, place in chosen},
            latents=np.frombuffer(latents_of(schema, word), np.uint8),
            basis=basis,
        )

    def word(self, token_id: int) -> bytes:
        """The word that a work follows from; NotCheckableError before the reveal."""
        return token_seed(self.drop, self.ledger, self.node.contract, token_id)

    def painter(self) -> Said:
        words = [_word(str(self._painter.call(name))) for name in ("network", "label")]
        require(
            has_code(self.node.code(self._painter.contract), compiled("Painter"), {*words}),
            "the painter is not the code that is committed here",
        )
        try:
            n_values = sum(len(one.values) for one in self._label.attributes)
            assert self._layers
        except PackingError as error:
            require(False, f"what it paints with is none: {error}")
        digest = hashlib.sha256(self.network).hexdigest()
        return f"{n_values} values, a network of sha256 {digest}, all of it on the chain"

    def law_said(self) -> Said:
        evolution = self.evolution
        assert evolution is not None
        known = {"collection": self.node.contract, "painter": self._painter.contract}
        for name, wanted in known.items():
            found = str(evolution.call(name))
            require(found.lower() == wanted.lower(), f"its {name} is {found}, not {wanted}")
        allowed = {*map(_word, known.values()), self._law.period_s.to_bytes(32)}
        allowed |= domain_words(self.ledger.chain_id, evolution.contract, "Morphora", "1")
        require(
            has_code(self.node.code(evolution.contract), compiled("Evolution"), allowed),
            "the evolution is not the code that is committed here",
        )
        rules.check(self._law)
        named = ", ".join(rule.name for rule in self._law.rules)
        return f"{counted(len(self._law.rules), 'rule')} that nobody can change: {named}"

    def epochs_said(self, snapshots: Mapping[bytes, Any]) -> Said:
        """Each published root is that of the levels that its snapshot's quantities give."""
        if not self._now.kept.roots:
            return "none was published yet"
        missing = []
        for number, (root, digest) in self._now.kept.roots.items():
            if digest not in snapshots:
                missing.append(number)
                continue
            told = snapshots[digest]
            require(told["epoch"] == number, f"epoch {number} names the snapshot of another")
            quantities = {int(row[0]): tuple(map(int, row[1:])) for row in told["works"]}
            found = epochs.root(epochs.leaves(self._law, number, digest, quantities))
            require(found == root, f"the root of epoch {number} is not that of its snapshot")
            _check_volumes(told, self._law, number)
        n_epochs = len(self._now.kept.roots)
        if missing:
            raise NotCheckableError(f"no snapshot was given of epoch {named(missing)}")
        return (
            f"{counted(n_epochs, 'root')} from the snapshots, and volumes from the sales in these"
        )

    def levels_said(self, token_ids: Sequence[int]) -> Said:
        evolution = self.evolution
        assert evolution is not None
        if not token_ids:
            raise NotCheckableError("none of these works was minted yet")
        for token_id in token_ids:
            found, told = self._now.levels(token_id), list(evolution.call("levelsOf", token_id))
            require(found == told, f"token {token_id} is at {told}, logs and peers say {found}")
        if len(token_ids) == 1:
            rows = zip(self._law.rules, self._now.levels(token_ids[0]), strict=True)
            return ", ".join(f"{rule.name} {level} of {rule.highest}" for rule, level in rows)
        return f"{len(token_ids)} works are at the levels that logs and peers lead to"

    def pictures_said(self, token_ids: Sequence[int]) -> Said:
        if not token_ids:
            raise NotCheckableError("none of these works was minted yet")
        for token_id in token_ids:
            word = self.word(token_id)
            law = None if self.evolution is None else self._law
            own = [] if law is None else self._now.levels(token_id)
            wanted = describing.uri(self._label, self._layers, token_id, word, law, own)
            told = self.node.call("tokenURI", token_id)
            require(told == wanted, f"the contract paints token {token_id} in another way")
        return (
            f"{counted(len(token_ids), 'work')} painted again, byte for byte what the contract says"
        )


def _log(node: Node, event: Event) -> Log:
    """An event as what the contract keeps is replayed from."""
    block = f"0x{node.header(event.block_number).hash.hex()}"
    place = Place(event.block_number, block, event.tx_hash, event.log_index)
    match event.name:
        case "EpochPublished":
            return EpochLog(place, event.words[0], *event.values)
        case "Proven":
            token_id, epoch = event.words
            return ProvenLog(place, token_id, epoch, tuple(event.values[0]))
        case "Interacted":
            return InteractionLog(place, event.words[0], f"0x{event.words[1]:040x}", *event.values)
    rule, token_id = event.words
    return PositionLog(place, rule, token_id, *event.values)


def load_snapshots(paths: Sequence[Path]) -> dict[bytes, Any]:
    """Snapshots by their hash; ValueError for a file that is none."""
    found = {}
    for path in paths:
        told = json.loads(path.read_bytes())
        if not isinstance(told, dict) or not {"epoch", "works", "rules"} <= set(told):
            raise ValueError(f"{path.name} is no snapshot of an epoch")
        found[epochs.snapshot_hash(told)] = told
    return found


def _check_volumes(told: Mapping[str, Any], law: Law, number: int) -> None:
    """What a snapshot says was paid for works is the sum of the sales that it lists."""
    places = [i for i, rule in enumerate(law.proven) if rule.source == Source.VOLUME]
    if "sales" not in told or not places:
        return
    paid: Counter[int] = Counter()
    for *_, token_id, price_wei, _currency, reason in told["sales"]:
        paid[int(token_id)] += 0 if reason else int(price_wei)
    for token_id, *own in told["works"]:
        volume = int(own[places[0]])
        require(
            volume == paid[int(token_id)],
            f"epoch {number} counts {volume} wei for work {token_id}, its sales {paid[token_id]}",
        )


def _word(address: str) -> bytes:
    return bytes.fromhex(address[2:]).rjust(32, b"\0")
