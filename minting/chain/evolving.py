"""The evolution of a collection's works: what is sent to it, what it answers, and its logs.

``EVENTS`` are those of the evolution itself. The collection says of the same things what markets
read: ``MetadataUpdate``, ``BatchMetadataUpdate`` (ERC-4906) and ``TraitUpdated`` (ERC-7496).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from minting.chain.abi import Compiled, compiled
from minting.chain.client import Client
from minting.chain.logs import LogError, Place, in_chain, number, party, read_place
from minting.evolution import rules
from minting.evolution.epochs import Leaf
from minting.evolution.rules import Law

EVENTS = ("EpochPublished", "Proven", "Interacted", "PositionNamed")
INTERACTION = [
    ("holder", "address"),
    ("tokenId", "uint256"),
    ("count", "uint256"),
    ("deadline", "uint256"),
]


@dataclass(frozen=True)
class EpochLog:
    """From here on the levels of this epoch can be proven."""

    place: Place
    epoch: int
    root: bytes
    snapshot_hash: bytes


@dataclass(frozen=True)
class ProvenLog:
    """A level for each proven rule, in the order of the rules."""

    place: Place
    token_id: int
    epoch: int
    levels: tuple[int, ...]


@dataclass(frozen=True)
class InteractionLog:
    """The ``count``-th of a work, by whoever had it."""

    place: Place
    token_id: int
    holder: str
    count: int


@dataclass(frozen=True)
class PositionLog:
    """The position that counts for a work under a rule; 0: none from here on."""

    place: Place
    rule: int
    token_id: int
    position_id: int


Log = EpochLog | ProvenLog | InteractionLog | PositionLog


@dataclass(frozen=True)
class State:
    """What the contract keeps of a work; ``interacted_at`` in seconds since 1970."""

    epoch: int
    proven: tuple[int, ...]
    interactions: int
    interacted_at: int


@dataclass
class Kept:
    """What the contract keeps, as its logs tell it.

    ``roots``: epoch -> its root and its snapshot's hash. ``proven``: token id -> the newest epoch
    that was proven, and its levels. ``interactions``: token id -> how many. ``positions``: (rule,
    token id) -> the position that counts.
    """

    roots: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    proven: dict[int, tuple[int, tuple[int, ...]]] = field(default_factory=dict)
    interactions: dict[int, int] = field(default_factory=dict)
    positions: dict[tuple[int, int], int] = field(default_factory=dict)


def contract() -> Compiled:
    return compiled("Evolution")


def publish(root: bytes, snapshot_hash: bytes) -> bytes:
    """The collection's owner alone may send it."""
    return contract().call("publish", root, snapshot_hash)


def prove(leaf: Leaf, proof: Sequence[bytes]) -> bytes:
    """Anybody may send it."""
    return contract().call("prove", leaf.epoch, leaf.token_id, list(leaf.levels), list(proof))


def name_position(rule: int, token_id: int, position_id: int) -> bytes:
    return contract().call("namePosition", rule, token_id, position_id)


def interact(token_id: int) -> bytes:
    return contract().call("interact", token_id)


def interact_for(token_id: int, deadline: int, signature: bytes) -> bytes:
    """Anybody may send it; the work's holder signed ``typed_interaction``."""
    return contract().call("interactFor", token_id, deadline, signature)


def refresh(token_id: int) -> bytes:
    """Anybody may send it, to have markets told all levels of a work."""
    return contract().call("refresh", token_id)


def typed_interaction(
    *, chain_id: int, evolution: str, holder: str, token_id: int, count: int, deadline: int
) -> dict[str, Any]:
    """What a holder's wallet signs (EIP-712) for the ``count``-th interaction with a work."""
    domain = {"name": "string", "version": "string"}
    domain |= {"chainId": "uint256", "verifyingContract": "address"}
    return {
        "types": {
            "EIP712Domain": [{"name": name, "type": kind} for name, kind in domain.items()],
            "Interaction": [{"name": name, "type": kind} for name, kind in INTERACTION],
        },
        "primaryType": "Interaction",
        "domain": {
            "name": "Morphora",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": evolution,
        },
        "message": {"holder": holder, "tokenId": token_id, "count": count, "deadline": deadline},
    }


def read_law(node: Client, evolution: str) -> Law:
    """The rules that an evolution was made with."""
    return rules.from_words(_ask(node, evolution, "rules"), _ask(node, evolution, "periodS"))


def read_levels(node: Client, evolution: str, token_id: int) -> tuple[int, ...]:
    """The levels of a work now, in the order of the rules; RpcError if it is not there."""
    return tuple(_ask(node, evolution, "levelsOf", token_id))


def read_state(node: Client, evolution: str, token_id: int) -> State:
    """``proven`` has a level for each of eight rules, 0 for those that are not proven."""
    epoch, packed, count, at = _ask(node, evolution, "stateOf", token_id)
    return State(epoch, tuple(packed.to_bytes(8, "little")), count, at)


def read_positions(node: Client, evolution: str, rule: int, token_ids: Sequence[int]) -> list[int]:
    """The position that counts for each work under a rule, 0 where none does."""
    calls = [(evolution, contract().call("positionOf", rule, one)) for one in token_ids]
    return [contract().answer("positionOf", raw) for raw in node.read_all(calls, "latest")]


@cache
def topics() -> dict[str, str]:
    """First topic -> name of the events that are read."""
    return {contract().topic(event): event for event in EVENTS}


def decode_evolution(raw: Iterable[Mapping[str, Any]]) -> list[Log]:
    """Decoded logs in the order of the chain; LogError for anything else."""
    return sorted([_decode(entry) for entry in raw], key=in_chain)


def replay(found: Iterable[Log]) -> Kept:
    """What the contract keeps after these logs, which are all of it in the order of the chain."""
    kept = Kept()
    for log in found:
        if isinstance(log, EpochLog):
            kept.roots[log.epoch] = (log.root, log.snapshot_hash)
        elif isinstance(log, ProvenLog):
            kept.proven[log.token_id] = (log.epoch, log.levels)
        elif isinstance(log, InteractionLog):
            kept.interactions[log.token_id] = log.count
        elif log.position_id:
            kept.positions[log.rule, log.token_id] = log.position_id
        else:
            kept.positions.pop((log.rule, log.token_id), None)
    return kept


def _ask(node: Client, to: str, name: str, *arguments: Any) -> Any:
    return contract().answer(name, node.read(to, contract().call(name, *arguments)))


def _decode(raw: Mapping[str, Any]) -> Log:
    try:
        place = read_place(raw)
        event, *words = raw["topics"]
        name = topics()[event]
        values = decode(contract().unindexed(name), bytes.fromhex(raw["data"][2:]))
        if name == "EpochPublished":
            [epoch] = words
            return EpochLog(place, number(epoch), *values)
        first, second = words
        if name == "Proven":
            return ProvenLog(place, number(first), number(second), values[0])
        if name == "Interacted":
            return InteractionLog(place, number(first), party(second), *values)
        return PositionLog(place, number(first), number(second), *values)
    except (KeyError, TypeError, ValueError, DecodingError) as error:
        raise LogError(f"not a log of an evolution: {error}") from error
