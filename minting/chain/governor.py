"""Logs of a government of holders, and the state of its proposals: raw JSON to rows.

Three contracts write: OpenZeppelin's Governor and TimelockController, and the bounds of the
parameters. Anybody may carry a decision out at the timelock itself, past the governor, so the
timelock's word counts too.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address

from minting.chain.logs import LogError, Place, in_chain, number, party, read_place
from minting.provenance.keccak import keccak256

SIGNATURES = {
    "created": "ProposalCreated("
    "uint256,address,address[],uint256[],string[],bytes[],uint256,uint256,string)",
    "cast": "VoteCast(address,uint256,uint8,uint256,string)",
    "cast with parameters": "VoteCastWithParams(address,uint256,uint8,uint256,string,bytes)",
    "queued": "ProposalQueued(uint256,uint256)",
    "executed": "ProposalExecuted(uint256)",
    "canceled": "ProposalCanceled(uint256)",
    "quorum": "QuorumNumeratorUpdated(uint256,uint256)",
    "carried out": "CallExecuted(bytes32,uint256,address,uint256,bytes)",
    "called off": "Cancelled(bytes32)",
    "bounds": "BoundsChanged(bytes32,int128,int128)",
}
NAMES = {"0x" + keccak256(text.encode()).hex(): name for name, text in SIGNATURES.items()}
TOPICS = {name: topic for topic, name in NAMES.items()}
CREATED = [
    "uint256",
    "address",
    "address[]",
    "uint256[]",
    "bytes[]",
    "bytes[]",
    "uint256",
    "uint256",
    "bytes",
]


class State(StrEnum):
    """IGovernor.ProposalState, in its order. This governor never answers "expired"."""

    PENDING = "pending"
    ACTIVE = "active"
    CANCELED = "canceled"
    DEFEATED = "defeated"
    SUCCEEDED = "succeeded"
    QUEUED = "queued"
    EXPIRED = "expired"
    EXECUTED = "executed"


class Call(NamedTuple):
    """What a proposal would have the timelock do."""

    target: str
    value_wei: int
    data: bytes


@dataclass(frozen=True)
class ProposalLog:
    """Voted on after block ``snapshot``, with the votes of that block, up to ``deadline``.

    ``operation`` is its name in the timelock.
    """

    place: Place
    number: str
    operation: str
    proposer: str
    calls: tuple[Call, ...]
    snapshot: int
    deadline: int
    description: str
    description_hash: str


@dataclass(frozen=True)
class BallotLog:
    """``support`` is 0 against, 1 for, 2 abstaining."""

    place: Place
    number: str
    voter: str
    support: int
    weight: int
    reason: str


@dataclass(frozen=True)
class StepLog:
    """Of a proposal, named by its number or its operation: queued, executed or canceled.

    ``amount`` is the time in seconds from which a queued one may be carried out; of a step
    "quorum", which is no proposal's, the per cent from then on.
    """

    place: Place
    kind: str
    about: str = ""
    amount: int = 0


@dataclass(frozen=True)
class BoundsLog:
    """A parameter may lie between these from here on, in millionths."""

    place: Place
    name: bytes
    low: int
    high: int


Log = ProposalLog | BallotLog | StepLog | BoundsLog


class Tally(NamedTuple):
    """Votes cast, one a work."""

    against: int = 0
    in_favour: int = 0
    abstain: int = 0

    @property
    def towards_quorum(self) -> int:
        return self.in_favour + self.abstain


def state(
    *, clock: int, snapshot: int, deadline: int, quorum: int, tally: Tally, steps: Iterable[str]
) -> State:
    """What ``Governor.state`` answers in block ``clock``.

    Source: OpenZeppelin 5.7, Governor.state, GovernorCountingSimple, GovernorTimelockControl.
    """
    done = set(steps)
    if "executed" in done:
        return State.EXECUTED
    if "canceled" in done:
        return State.CANCELED
    if snapshot >= clock:
        return State.PENDING
    if deadline >= clock:
        return State.ACTIVE
    if tally.towards_quorum < quorum or tally.in_favour <= tally.against:
        return State.DEFEATED
    return State.QUEUED if "queued" in done else State.SUCCEEDED


def quorum_of(supply: int, percent: int) -> int:
    """Votes that have to be cast, of ``supply`` works at the snapshot."""
    return supply * percent // 100


def decode_governor(raw: Iterable[Mapping[str, Any]]) -> list[Log]:
    """Decoded logs in the order of the chain; LogError for anything else."""
    return sorted([decode_log(entry) for entry in raw], key=in_chain)


def decode_log(raw: Mapping[str, Any]) -> Log:
    try:
        place, body = read_place(raw), bytes.fromhex(raw["data"][2:])
        topic, *words = raw["topics"]
        return READ[NAMES[topic]](place, raw["address"], words, body)
    except (KeyError, TypeError, ValueError, DecodingError) as error:
        raise LogError(f"not a log of a government: {error}") from error


def _created(place: Place, governor: str, words: Sequence[str], body: bytes) -> ProposalLog:
    found = decode(CREATED, body)
    proposal, proposer, targets, values, _, calldatas, snapshot, deadline, text = found
    digest = keccak256(text)
    return ProposalLog(
        place=place,
        number=_word(proposal),
        operation=operation(governor, targets, values, calldatas, digest),
        proposer=str(to_checksum_address(proposer)),
        calls=tuple(
            Call(str(to_checksum_address(target)), value, data)
            for target, value, data in zip(targets, values, calldatas, strict=True)
        ),
        snapshot=snapshot,
        deadline=deadline,
        description=_readable(text),
        description_hash="0x" + digest.hex(),
    )


def operation(
    governor: str,
    targets: Sequence[str],
    values: Sequence[int],
    calldatas: Sequence[bytes],
    digest: bytes,
) -> str:
    """TimelockController.hashOperationBatch, with the salt of GovernorTimelockControl."""
    own = bytes.fromhex(governor[2:]).ljust(32, b"\0")
    salt = bytes(a ^ b for a, b in zip(own, digest, strict=True))
    kinds = ["address[]", "uint256[]", "bytes[]", "bytes32", "bytes32"]
    packed = encode(kinds, [targets, values, calldatas, bytes(32), salt])
    return "0x" + keccak256(packed).hex()


def _cast(place: Place, _: str, words: Sequence[str], body: bytes) -> BallotLog:
    (voter,) = words
    # What follows the reason of a vote with parameters means nothing to this governor.
    proposal, support, weight, reason = decode(["uint256", "uint8", "uint256", "bytes"], body)
    return BallotLog(place, _word(proposal), party(voter), support, weight, _readable(reason))


def _step(kind: str, types: Sequence[str]) -> Callable[..., StepLog]:
    def read(place: Place, _: str, words: Sequence[str], body: bytes) -> StepLog:
        proposal, *amounts = decode(types, body)
        return StepLog(place, kind, _word(proposal), *amounts)

    return read


def _quorum(place: Place, _: str, words: Sequence[str], body: bytes) -> StepLog:
    _old, percent = decode(["uint256", "uint256"], body)
    return StepLog(place, "quorum", amount=percent)


def _operated(kind: str) -> Callable[..., StepLog]:
    def read(place: Place, _: str, words: Sequence[str], body: bytes) -> StepLog:
        operated, *_index = words
        return StepLog(place, kind, _word(number(operated)))

    return read


def _bounds(place: Place, _: str, words: Sequence[str], body: bytes) -> BoundsLog:
    (name,) = words
    low, high = decode(["int128", "int128"], body)
    return BoundsLog(place, number(name).to_bytes(32), low, high)


READ: dict[str, Callable[[Place, str, Sequence[str], bytes], Log]] = {
    "created": _created,
    "cast": _cast,
    "cast with parameters": _cast,
    "queued": _step("queued", ["uint256", "uint256"]),
    "executed": _step("executed", ["uint256"]),
    "canceled": _step("canceled", ["uint256"]),
    "quorum": _quorum,
    "carried out": _operated("executed"),
    "called off": _operated("canceled"),
    "bounds": _bounds,
}


def _word(value: int) -> str:
    return f"0x{value:064x}"


def _readable(text: bytes) -> str:
    """Anybody writes what they like: no byte of it may stop the reading, nor a database."""
    return text.decode("utf-8", "replace").replace("\0", "�")
