"""The moments of a work's life: what happened to it block by block, and where it was after each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from django.db.models import QuerySet

from minting.chain import evolving
from minting.chain.client import Client, RpcError
from minting.evolution.rules import Law
from minting.models import (
    Block,
    DropEvent,
    Interaction,
    NamedPosition,
    ProvenLevels,
    Stake,
    Token,
    Transfer,
)
from minting.services.evolution import READ_ON_CHAIN, Known, levels_of

MOST = 100


@dataclass(frozen=True)
class Happening:
    """``wallet``: who did it, if a wallet did. ``epoch``: which one was proven; 0: none."""

    title: str
    says: str = ""
    wallet: str = ""
    epoch: int = 0


@dataclass(frozen=True)
class Moment:
    """A block, and a work's levels after it.

    ``epoch`` is the newest one that was proven by then, 0 before the first. ``is_whole``: whether
    levels count what no row has, positions in pools.
    """

    block: Block
    happened: tuple[Happening, ...]
    levels: tuple[int, ...]
    epoch: int
    is_whole: bool


@dataclass(frozen=True)
class _Event:
    """``changes``: fields of what rows know of the work."""

    block: Block
    happening: Happening
    changes: dict[str, Any] = field(default_factory=dict)


def moments(token: Token, law: Law, most: int = MOST) -> list[Moment]:
    """The newest ones since the contract first drew the work, in order, as far as rows know."""
    first = _first(token)
    if first is None:
        return []
    known, epoch, found = Known(), 0, []
    is_whole = all(rule.source not in READ_ON_CHAIN for rule in law.rules)
    events = _in_order(token, law, first)
    for number, some in groupby(events, key=lambda event: event.block.number):
        together = list(some)
        for event in together:
            known = replace(known, **event.changes)
            epoch = event.happening.epoch or epoch
        if number >= first.number:
            block = together[0].block
            levels = levels_of(known, law, int(block.mined_at.timestamp()))
            happened = tuple(event.happening for event in together)
            found.append(Moment(block, happened, levels, epoch, is_whole))
    return found[-most:]


def happenings(token: Token, law: Law) -> list[tuple[Block, Happening]]:
    """All that happened to it, in order, also before it was drawn."""
    events = _in_order(token, law, _first(token))
    return [(event.block, event.happening) for event in events]


def ask_chain(node: Client, token: Token, found: Sequence[Moment]) -> list[Moment]:
    """The same with what the contract says, but for blocks whose state the node has forgotten."""
    open_ones = [one for one in found if not one.is_whole]
    evolution = evolving.contract()
    call = evolution.call("levelsOf", token.token_id)
    request = {"to": token.contract.evolution_address, "data": "0x" + call.hex()}
    outcomes = node.outcomes(
        ("eth_call", [request, {"blockHash": one.block.hash}]) for one in open_ones
    )
    told = {
        one.block.number: tuple(evolution.answer("levelsOf", bytes.fromhex(raw[2:])))
        for one, raw in zip(open_ones, outcomes, strict=True)
        if not isinstance(raw, RpcError)
    }
    return [
        replace(one, levels=told[one.block.number], is_whole=True)
        if one.block.number in told
        else one
        for one in found
    ]


def _in_order(token: Token, law: Law, first: Block | None) -> list[_Event]:
    drawn = [] if first is None else [_Event(first, Happening("First drawn"))]
    return sorted([*drawn, *_events(token, law)], key=lambda event: event.block.number)


def _first(token: Token) -> Block | None:
    """Where the work was minted and its drop's secret told, both."""
    told = DropEvent.objects.filter(
        commitment__drop=token.drop_id, kind=DropEvent.Kind.REVEALED
    ).select_related("block")
    event = told.order_by("block__number").first()
    if event is None:
        return None
    return max(event.block, token.minted_block, key=lambda block: block.number)


def _events(token: Token, law: Law) -> Iterator[_Event]:
    names = [rule.name for rule in law.proven]
    for row in _rows(ProvenLevels, token):
        says = ", ".join(f"{name} {n}" for name, n in zip(names, row.levels, strict=True))
        told = Happening(f"Epoch {row.epoch}", says, epoch=row.epoch)
        yield _Event(row.block, told, {"proven": tuple(row.levels)})
    for row in _rows(Interaction, token):
        told = Happening(f"Interaction {row.count}", wallet=row.holder)
        yield _Event(row.block, told, {"interactions": row.count})
    for row in _rows(NamedPosition, token):
        title = "No position" if row.position_id == "0" else f"Position {row.position_id}"
        says = f"counts as {law.rules[row.rule].name} from here on"
        yield _Event(row.block, Happening(title, says))
    for row in _rows(Stake, token).select_related("ended_block"):
        since = int(row.block.mined_at.timestamp())
        yield _Event(row.block, Happening("Staked", wallet=row.owner), {"staked_since": since})
        if row.ended_block is not None:
            yield _Event(row.ended_block, Happening("Stake taken back"), {"staked_since": 0})
    for row in _rows(Transfer, token):
        if not row.is_mint:
            yield _Event(row.block, Happening("A new holder", wallet=row.recipient))


def _rows(table: Any, token: Token) -> QuerySet[Any]:
    rows: QuerySet[Any] = table.objects.filter(token=token).select_related("block").in_order()
    return rows
