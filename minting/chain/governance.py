"""The founding of a collection's government: what is sent, and where its contracts then are."""

from dataclasses import astuple, dataclass
from typing import NamedTuple

import rlp  # type: ignore[import-untyped]
from eth_utils.address import to_checksum_address

from minting.chain.abi import Compiled, compiled
from minting.provenance.keccak import keccak256

MAX_BLOCKS = 648_000  # 90 days of 12 s
MAX_WAIT_S = 90 * 86_400


class TermsError(ValueError):
    """No government can be founded on these terms."""


@dataclass(frozen=True)
class FoundingTerms:
    """How holders decide.

    ``delay`` and ``period`` are blocks: from a proposal to its snapshot, and that voting takes.
    ``threshold`` are the votes, one a work, that a proposer needs; ``quorum_percent`` of all votes
    have to be cast; ``wait_s`` are seconds until a decision may be carried out. TermsError where
    the contract would refuse, or nobody would live to see a decision: what is handed over could
    never be used again.
    """

    delay: int
    period: int
    threshold: int
    quorum_percent: int
    wait_s: int

    def __post_init__(self) -> None:
        if not 0 <= self.delay <= MAX_BLOCKS or not 0 < self.period <= MAX_BLOCKS:
            raise TermsError(f"a vote starts and ends within {MAX_BLOCKS:,} blocks, and takes one")
        if not 0 <= self.wait_s <= MAX_WAIT_S:
            raise TermsError(f"a decision waits up to {MAX_WAIT_S:,} s")
        if self.threshold < 0:
            raise TermsError("a threshold is a number of works")
        if not 0 <= self.quorum_percent <= 100:
            raise TermsError("a quorum is between 0 and 100 %")


class Government(NamedTuple):
    """Where the contracts of a founding are."""

    timelock: str
    governor: str
    bounds: str


def founding() -> Compiled:
    return compiled("Founding")


def deployment(votes: str, terms: FoundingTerms) -> bytes:
    """The input of the transaction that founds the government of collection ``votes``."""
    return founding().deployment(votes, *astuple(terms))


def founded(address: str) -> Government:
    """What the founding at ``address`` created: its first three creations, in their order.

    A creation's address is keccak256(rlp([creator, nonce]))[12:], and a contract's first nonce is
    1 (EIP-161).
    """
    creator = bytes.fromhex(address[2:])
    parts = [keccak256(rlp.encode([creator, nonce]))[12:] for nonce in (1, 2, 3)]
    return Government(*(str(to_checksum_address(part)) for part in parts))
