"""How works move: what the logs of an evolution say, and what follows from it for a work.

Two ways to the same picture: the chain's own (``read_work``), and from rows (``mirror_work``).
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minting.chain import contracts, evolving
from minting.chain.client import Client
from minting.chain.evolving import EpochLog, InteractionLog, Log, PositionLog, ProvenLog
from minting.evolution import latents, levels, network
from minting.evolution.network import LATENTS
from minting.evolution.rules import Law, Source
from minting.models import (
    Block,
    Commitment,
    Contract,
    DropEvent,
    Epoch,
    Interaction,
    NamedPosition,
    ProvenLevels,
    Stake,
    Token,
)
from minting.services.living import find_drop_seed, token_seed
from minting.services.painting import drawn_with, law_of

URI = "data:application/json;base64,"
IMAGE = "data:image/bmp;base64,"
READ_ON_CHAIN = (Source.POSITION, Source.SHARE)  # whose quantities no row has


class NotPaintedError(Exception):
    """What the contract draws of a work is not known: it is not revealed, or not drawn there."""

    def __init__(self, token: Token) -> None:
        super().__init__(f"the contract does not draw token {token.token_id} yet")
        self.token = token


@dataclass(frozen=True)
class ChainWork:
    """A work as the contract tells it: its levels, its metadata, its picture (BMP)."""

    levels: tuple[int, ...]
    metadata: Mapping[str, Any]
    picture: bytes


@dataclass(frozen=True)
class MirrorWork:
    """A work as rows tell it. ``pixels``: [32, 32, 3] uint8."""

    levels: tuple[int, ...]
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Known:
    """What rows know of a work: levels of the newest proof, interactions, seconds since 1970.

    No levels: nothing was proven. 0 seconds: it is not staked.
    """

    proven: tuple[int, ...] = ()
    interactions: int = 0
    staked_since: int = 0


def record_evolution(
    *, contract: Contract, found: Sequence[Log], blocks: Mapping[int, Block]
) -> None:
    """Rows of what was published, proven, done and named; part of the caller's transaction."""
    about = [log for log in found if not isinstance(log, EpochLog)]
    numbers = {log.token_id for log in about}
    tokens = {one.token_id: one for one in contract.tokens.filter(token_id__in=numbers)}
    for log in found:
        place = {
            "block": blocks[log.place.block_number],
            "tx_hash": log.place.tx_hash,
            "log_index": log.place.log_index,
        }
        if isinstance(log, EpochLog):
            hashes = {"root": _text(log.root), "snapshot_hash": _text(log.snapshot_hash)}
            Epoch.objects.create(contract=contract, number=log.epoch, **hashes, **place)
        elif log.token_id in tokens:
            _record(log, tokens[log.token_id], place)


def _record(log: Log, token: Token, place: dict[str, Any]) -> None:
    if isinstance(log, ProvenLog):
        own = list(log.levels)
        ProvenLevels.objects.create(token=token, epoch=log.epoch, levels=own, **place)
    elif isinstance(log, InteractionLog):
        Interaction.objects.create(token=token, holder=log.holder, count=log.count, **place)
    elif isinstance(log, PositionLog):
        named = {"rule": log.rule, "position_id": str(log.position_id)}
        NamedPosition.objects.create(token=token, **named, **place)


def forget_evolution(*, contract: Contract, number: int) -> None:
    """Take back what blocks above ``number`` say."""
    contract.epochs.filter(block__number__gt=number).delete()
    for table in (ProvenLevels, Interaction, NamedPosition):
        rows = table.objects.filter(token__contract=contract, block__number__gt=number)
        rows.delete()


def read_work(node: Client, token: Token, block: int | str = "latest") -> ChainWork:
    """What the contract says of a work, in two questions; NotPaintedError before its reveal."""
    contract = token.contract
    told = contracts.answer(
        "tokenURI", node.read(contract.address, contracts.call("tokenURI", token.token_id), block)
    )
    if not told.startswith(URI):
        raise NotPaintedError(token)
    about = json.loads(base64.b64decode(told.removeprefix(URI)))
    picture = base64.b64decode(about["image"].removeprefix(IMAGE))
    return ChainWork(read_levels(node, token, block), about, picture)


def read_levels(node: Client, token: Token, block: int | str = "latest") -> tuple[int, ...]:
    """A level for each rule; none where works do not move."""
    contract = token.contract
    if not contract.evolution_address:
        return ()
    call = evolving.contract().call("levelsOf", token.token_id)
    answer = node.read(contract.evolution_address, call, block)
    return tuple(evolving.contract().answer("levelsOf", answer))


def mirror_work(
    token: Token, now: int, asked: Sequence[int] = (), given: Sequence[int] | None = None
) -> MirrorWork:
    """A work from rows alone; NotPaintedError while its drop's secret is not told on the chain.

    ``now``: seconds since 1970. ``asked``: levels that the chain told, for the rules whose
    quantities no row has; 0 where it was not asked. ``given``: other levels than its own.
    """
    layers, schema = drawn_with(token.contract)
    word = word_of(token)
    start = np.frombuffer(latents.latents_of(schema, word), np.uint8).reshape(1, LATENTS)
    if token.contract.law is None:
        return MirrorWork((), network.draw_layers(layers, start)[0])
    law = law_of(token.contract)
    own = tuple(given) if given is not None else mirror_levels(token, law, now, asked)
    moved = levels.move(start, np.array([own], np.uint8), law.directions)
    return MirrorWork(own, network.draw_layers(layers, moved)[0])


def word_of(token: Token) -> bytes:
    """What the contract draws a work from."""
    commitment = Commitment.objects.filter(drop=token.drop_id).first()
    told = DropEvent.objects.filter(commitment=commitment, kind=DropEvent.Kind.REVEALED)
    seed = find_drop_seed(commitment) if commitment is not None and told.exists() else None
    if commitment is None or seed is None:
        raise NotPaintedError(token)
    return token_seed(commitment, seed, token.token_id)


def mirror_levels(token: Token, law: Law, now: int, asked: Sequence[int] = ()) -> tuple[int, ...]:
    """The levels of a work from rows, as in ``mirror_work``."""
    newest = ProvenLevels.objects.filter(token=token).order_by("-epoch", "-pk").first()
    stake = Stake.objects.running().filter(token=token, owner=token.owner)
    running = stake.select_related("block").first()
    known = Known(
        proven=tuple(newest.levels) if newest else (),
        interactions=Interaction.objects.filter(token=token).count(),
        staked_since=int(running.block.mined_at.timestamp()) if running else 0,
    )
    return levels_of(known, law, now, asked)


def levels_of(known: Known, law: Law, now: int, asked: Sequence[int] = ()) -> tuple[int, ...]:
    """The levels that follow from what rows know, as in ``mirror_work``."""
    proven = iter(known.proven or [0] * len(law.proven))
    found = []
    for k, rule in enumerate(law.rules):
        if rule.source.is_proven:
            found.append(next(proven))
        elif rule.source in READ_ON_CHAIN:
            found.append(asked[k] if k < len(asked) else 0)
        elif rule.source == Source.INTERACTIONS:
            found.append(rule.level(known.interactions))
        else:
            found.append(rule.level(levels.age(known.staked_since, now)))
    return tuple(found)


def _text(word: bytes) -> str:
    return "0x" + word.hex()
