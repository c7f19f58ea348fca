"""Everything that the chain says about a collection and its drops, as frozen rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from minting.chain.abi import Compiled, compiled
from minting.chain.phases import Phase, unpack
from minting.provenance.keccak import keccak256
from minting.provenance.lineage import DropBody, Roots
from minting.verification.node import ContradictionError, Event, Node

VARIANTS = (
    *("LivingCollection", "LivingVotesCollection"),
    *("PaintedCollection", "EvolvingCollection"),
)
KINDS = ("fixed", "prepared", "on the fly")
_DOMAIN = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_PUSH1, _PUSH32, _PUSH20 = 0x60, 0x7F, 0x73
_LONG_NAME = b"\xff".rjust(32, b"\0")  # what OpenZeppelin keeps of a name of 32 bytes or more
DROP_EVENTS = (
    *("DropCommitted", "SaleOpened", "BlockCaptured", "RevealRearmed"),
    *("DropRevealed", "DropSealed", "DropFailed"),
)


@dataclass(frozen=True)
class ChainDrop:
    """One drop, as its events tell it."""

    number: int
    head: bytes
    body: DropBody
    phases: tuple[Phase, ...] = ()
    final_by: int | None = None  # None before its sale was opened
    reveal_block: int = 0
    block_hash: bytes = b""
    drop_seed: bytes = b""
    secret: bytes = b""
    sealed: Roots | None = None
    has_failed: bool = False

    @property
    def kind(self) -> str:
        if self.body.seed_commit == bytes(32):
            return KINDS[0]
        return KINDS[2] if self.body.metadata_root == bytes(32) else KINDS[1]

    @property
    def roots(self) -> Roots | None:
        """What its works are; None while that is open."""
        if self.kind == KINDS[2]:
            return self.sealed
        body = self.body
        return Roots(body.metadata_root, body.image_root, body.folder, body.provenance)

    @property
    def is_final(self) -> bool:
        if self.kind == KINDS[1]:
            return bool(self.secret)
        return self.roots is not None

    def number_of(self, token_id: int) -> int:
        """Which of the drop's works an id has."""
        if self.kind != KINDS[1]:
            return token_id
        turn = int.from_bytes(self.drop_seed) % self.body.count
        first = self.body.first_token_id
        return first + (token_id - first + turn) % self.body.count


@dataclass(frozen=True)
class Ledger:
    """A collection after one block."""

    chain_id: int
    name: str
    domain: tuple[Any, ...]
    head: bytes
    variant: str
    foreign: tuple[str, ...]  # whose code is not what is committed here
    drops: tuple[ChainDrop, ...] = ()
    fates: dict[int, tuple[Any, ...]] = field(default_factory=dict)

    def drop(self, number: int) -> ChainDrop | None:
        return next((drop for drop in self.drops if drop.number == number), None)

    def drop_of(self, token_id: int) -> ChainDrop | None:
        for drop in self.drops:
            if 0 <= token_id - drop.body.first_token_id < drop.body.count:
                return drop
        return None


def read(node: Node, first: int) -> Ledger:
    """All of it, events from block ``first`` on."""
    chain_id = node.chain_id()
    variant, foreign, domain = _codes(node, chain_id)
    if node.contract in foreign:
        return Ledger(chain_id, "", domain, b"", variant, foreign)
    drops = fold_events(node.events(DROP_EVENTS, first))
    opened = [drop.number for drop in drops if drop.final_by is not None]
    return Ledger(
        chain_id=chain_id,
        name=node.call("name"),
        domain=domain,
        head=node.call("head"),
        variant=variant,
        foreign=foreign,
        drops=tuple(drops),
        # A drop that came too late for its reveal block was passed over: it has no fate.
        fates={n: node.call("fateOf", n) for n in opened if drops[n - 1].phases},
    )


def fold_events(events: Sequence[Event]) -> list[ChainDrop]:
    """Drops in their order; ContradictionError if the events of one come before the drop."""
    drops: dict[int, ChainDrop] = {}
    for event in events:
        number = event.words[0]
        if event.name == "DropCommitted":
            body = DropBody(*event.values[0])
            if number != len(drops) + 1:
                raise ContradictionError(f"drop {number} follows on {len(drops)}")
            head = event.words[1].to_bytes(32)
            drops[number] = ChainDrop(number, head, body, reveal_block=body.reveal_block)
        elif number not in drops:
            raise ContradictionError(f"{event.name} of drop {number}, which was not committed")
        else:
            drops[number] = _next(drops[number], event)
    return list(drops.values())


def _next(drop: ChainDrop, event: Event) -> ChainDrop:
    values = event.values
    match event.name:
        case "SaleOpened":
            return replace(drop, phases=tuple(map(unpack, values[0])), final_by=values[1])
        case "BlockCaptured":
            return replace(drop, reveal_block=values[0], block_hash=values[1])
        case "RevealRearmed":
            return replace(drop, reveal_block=values[0])
        case "DropRevealed":
            return replace(drop, drop_seed=values[0], secret=values[1])
        case "DropSealed":
            return replace(drop, sealed=Roots(*values[0]))
    return replace(drop, has_failed=True)


def _codes(node: Node, chain_id: int) -> tuple[str, tuple[str, ...], tuple[Any, ...]]:
    """Which of our contracts it is, which parts are not as committed here, and its domain."""
    code = node.code(node.contract)
    if not code:
        return "", (node.contract,), ()
    domain = node.ask("eip712Domain")
    if domain is None:
        return VARIANTS[0], (node.contract,), ()
    allowed = domain_words(chain_id, node.contract, str(domain[1]), str(domain[2]))
    painter = node.beside(node.contract, compiled(VARIANTS[2])).ask("painter")
    if painter is not None:
        allowed.add(bytes.fromhex(str(painter)[2:]).rjust(32, b"\0"))
    fits = [name for name in VARIANTS if has_code(code, compiled(name), allowed)]
    if not fits:
        return VARIANTS[0], (node.contract,), domain
    libraries = compiled(fits[0]).libraries.items()
    foreign = [name for name, at in libraries if node.code(at) != _library(compiled(name), at)]
    return fits[0], tuple(foreign), domain


def domain_words(chain_id: int, contract: str, name: str, version: str) -> set[bytes]:
    """The words of EIP-712 (OpenZeppelin) that a contract's code gets as it is created."""
    name_hash, version_hash = keccak256(name.encode()), keccak256(version.encode())
    address = bytes.fromhex(contract[2:]).rjust(32, b"\0")
    words = [keccak256(_DOMAIN), name_hash, version_hash, chain_id.to_bytes(32), address]
    domain = keccak256(b"".join(words))
    return {*words[1:], domain, _short(name), _short(version)}


def _short(text: str) -> bytes:
    raw = text.encode()
    return _LONG_NAME if len(raw) > 31 else raw.ljust(31, b"\0") + bytes([len(raw)])


def has_code(code: bytes, contract: Compiled, allowed: set[bytes]) -> bool:
    """Whether code is the compiler's, with allowed words where that has zeros to be filled."""
    wanted = bytes.fromhex(contract.artefact["deployed_bytecode"][2:])
    filled = bytearray(wanted)
    at = 0
    while at < len(wanted):
        n_pushed = wanted[at] - _PUSH1 + 1 if _PUSH1 <= wanted[at] <= _PUSH32 else 0
        place = slice(at + 1, at + 33)
        if wanted[at] == _PUSH32 and wanted[place] == bytes(32) and code[place] in allowed:
            filled[place] = code[place]
        at += 1 + n_pushed
    return bytes(filled) == code


def _library(contract: Compiled, address: str) -> bytes:
    """A library's code begins with its own address, which the compiler leaves open."""
    wanted = bytes.fromhex(contract.artefact["deployed_bytecode"][2:])
    assert wanted[0] == _PUSH20
    return wanted[:1] + bytes.fromhex(address[2:]) + wanted[21:]
