"""What is rehearsed, and the same sale as it is moved to the chain that is thrown away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from minting.chain.phases import TIME_LIMIT, Phase, PhaseKind
from minting.provenance import allowlist
from minting.provenance.allowlist import Entry
from minting.provenance.keccak import ZERO
from minting.provenance.lineage import DropBody

BLOCK_S = 1
BLOCK_GAS = 30_000_000
MAINNET_BLOCK_S = 12
# The secret's block: after the sale is open, and long before its hash is out of reach.
REVEAL_BLOCKS = 12
# What has no end ends with the contract's 40 bits of seconds, and is not moved.
NO_END = TIME_LIMIT - 2
WEEK_S = 7 * 86_400
KINDS = {
    PhaseKind.PUBLIC: "public",
    PhaseKind.LISTED: "allow list",
    PhaseKind.AUCTION: "auction",
    PhaseKind.SIGNED: "signed",
}


@dataclass(frozen=True)
class Options:
    n_buyers: int = 100
    n_bots: int = 10
    has_faults: bool = True
    seed: int = 0
    gas_prices_gwei: tuple[float, ...] = (5, 20, 100)
    eth_usd: float | None = None


@dataclass(frozen=True)
class Plan:
    """A drop as it is committed, those before it, and its phases with their lists.

    ``placed`` are calls to the factory that create what the collection is drawn with, where it is
    drawn inside the chain, and ``law`` is the document of how its works move.
    """

    deployment: bytes
    earlier: tuple[DropBody, ...]
    body: DropBody
    secret: bytes
    phases: tuple[Phase, ...]
    lists: tuple[tuple[Entry, ...], ...]
    final_by: int | None
    placed: tuple[bytes, ...] = ()
    law: Mapping[str, Any] | None = None

    @property
    def number(self) -> int:
        return len(self.earlier) + 1

    @property
    def is_living(self) -> bool:
        """Whether its works are drawn after they are minted, and sealed at last."""
        return self.body.seed_commit != ZERO and self.body.metadata_root == ZERO

    @property
    def has_reveal(self) -> bool:
        return self.body.seed_commit != ZERO


@dataclass(frozen=True)
class Sale:
    """The sale on the chain that is thrown away: the same terms, begun now, for our own keys."""

    number: int
    phases: tuple[Phase, ...]
    lists: tuple[tuple[Entry, ...], ...]
    final_by: int

    def running(self, time: int) -> list[int]:
        """Phases that sell at a time; those that sell by signed tickets are left out."""
        return [
            n
            for n, phase in enumerate(self.phases)
            if phase.start <= time < phase.end and phase.kind != PhaseKind.SIGNED
        ]

    def moments(self) -> list[int]:
        """When buyers come: as a phase begins, and as an auction has fallen by half and wholly."""
        times = {phase.start for phase in self.phases if phase.kind != PhaseKind.SIGNED}
        for phase in self.phases:
            if phase.kind == PhaseKind.AUCTION:
                falls = -(-(phase.price_wei - phase.floor_wei) // phase.fall_wei)
                fallen = {phase.start + -(-falls * n // 2) * phase.every_s for n in (1, 2)}
                times |= {time for time in fallen if time < phase.end}
        return sorted(times)

    def last_end(self) -> int:
        return max(phase.end for phase in self.phases)

    def cap(self, phase: int, wallet: str) -> int:
        """How many works a wallet may have in a phase; 0 is no cap."""
        if self.phases[phase].kind != PhaseKind.LISTED:
            return self.phases[phase].max_per_wallet
        return self._list_caps[phase].get(wallet, 0)

    @cached_property
    def _list_caps(self) -> list[dict[str, int]]:
        return [{one.wallet: one.max_quantity for one in entries} for entries in self.lists]


def move(plan: Plan, wallets: Sequence[str], now: int) -> Sale:
    """All times by the same number of seconds, so that the first phase begins now.

    Each list keeps its size, caps and prices; its wallets become the first of ``wallets``.
    """
    by = now - min(phase.start for phase in plan.phases)
    lists = tuple(
        tuple(replace(one, wallet=wallet) for one, wallet in zip(entries, wallets, strict=False))
        for entries in plan.lists
    )
    phases = tuple(
        _moved(phase, entries, by) for phase, entries in zip(plan.phases, lists, strict=True)
    )
    last = max(phase.end for phase in phases)
    final_by = TIME_LIMIT - 1 if plan.final_by is None else plan.final_by
    if plan.final_by is None and plan.is_living:
        final_by = last + WEEK_S
    elif final_by < NO_END:
        final_by += by
    return Sale(plan.number, phases, lists, min(final_by, TIME_LIMIT - 1))


def _moved(phase: Phase, entries: Sequence[Entry], by: int) -> Phase:
    end = phase.end if phase.end >= NO_END else phase.end + by
    terms = phase.terms
    if phase.kind == PhaseKind.LISTED:
        terms = int.from_bytes(allowlist.root(entries))
    return replace(phase, start=phase.start + by, end=end, terms=terms)
