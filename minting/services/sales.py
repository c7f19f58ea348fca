"""Opening the sale of a committed drop, in phases that nobody changes afterwards."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from generation.models import Drop
from generation.services import SaleForbiddenError, WrongStateError, is_saleable
from minting.chain import contracts
from minting.chain.node import LOCAL_CHAIN_ID
from minting.chain.phases import MAX_PHASES, TIME_LIMIT, Phase, PhaseError, PhaseKind
from minting.models import ChainTransaction, Commitment, Contract, ListEntry, SalePhase
from minting.provenance import allowlist
from minting.services.chain import load_signer
from minting.services.outbox import intend

# 20 works cost 549,000 gas to mint: a fiftieth of a block.
MAX_PER_TRANSACTION = 20
# What a phase without an end has as its end: the contract counts seconds in 40 bits.
NO_END = TIME_LIMIT - 2


class SaleAlreadyRequestedError(Exception):
    """A sale was asked for with other terms, and is on its way or open."""

    def __init__(self, drop: Drop) -> None:
        super().__init__(f"the sale of drop {drop.number} was asked for with other terms")
        self.drop = drop


@dataclass(frozen=True)
class Terms:
    """A phase as it is asked for, with its allow list where it has one.

    The phase's ``terms`` are those of its list where ``entries`` are given.
    """

    phase: Phase
    entries: tuple[allowlist.Entry, ...] = ()

    @classmethod
    def listed(cls, phase: Phase, entries: Iterable[allowlist.Entry]) -> "Terms":
        """A phase for those on a list; ``phase`` may be of any kind and is made one of lists."""
        listed = tuple(entries)
        root = int.from_bytes(allowlist.root(listed))
        return cls(replace(phase, kind=PhaseKind.LISTED, terms=root), listed)


def public_sale(
    *, price_wei: int, max_per_transaction: int, start: datetime, end: datetime | None = None
) -> list[Terms]:
    """One phase for everybody, by default until the drop is sold out."""
    phase = Phase(
        kind=PhaseKind.PUBLIC,
        price_wei=price_wei,
        start=int(start.timestamp()),
        end=NO_END if end is None else int(end.timestamp()),
        max_per_transaction=max_per_transaction,
    )
    return [Terms(phase)]


def asked_for(commitment: Commitment) -> list[Terms]:
    """The phases that are stored, as drafts or as they are on chain."""
    return [
        Terms(
            row.phase,
            tuple(
                allowlist.Entry(*entry)
                for entry in row.entries.order_by("pk").values_list(
                    "wallet", "max_quantity", "price_wei"
                )
            ),
        )
        for row in commitment.phases.in_order()
    ]


@transaction.atomic
def add_phase(*, drop: Drop, terms: Terms) -> SalePhase:
    """Put another phase into a sale that is not asked for yet."""
    commitment = _plannable(drop)
    number = commitment.phases.count()
    if number == MAX_PHASES:
        raise PhaseError(f"a sale has {MAX_PHASES} phases at most")
    return _store_phase(commitment, number, terms)


@transaction.atomic
def remove_phase(*, phase: SalePhase) -> None:
    """Take a phase out of a sale that is not asked for yet; the later ones move up."""
    commitment = _plannable(phase.commitment.drop)
    phase.delete()
    for number, row in enumerate(commitment.phases.in_order()):
        SalePhase.objects.filter(pk=row.pk).update(number=number)


def _plannable(drop: Drop) -> Commitment:
    current = Drop.objects.select_for_update().get(pk=drop.pk)
    if current.state != Drop.State.COMMITTED or standing_sale(current):
        raise WrongStateError(current, "committed, and its sale not asked for")
    return Commitment.objects.light().get(drop=current)


def standing_sale(drop: Drop) -> ChainTransaction | None:
    """The intent that opens a drop's sale, unless the contract refused it."""
    asked = ChainTransaction.objects.filter(drop=drop, kind=ChainTransaction.Kind.OPEN_SALE)
    return asked.exclude(state=ChainTransaction.State.REVERTED).first()


@transaction.atomic
def request_open_sale(
    *, drop: Drop, phases: Sequence[Terms], final_by: int = TIME_LIMIT - 1
) -> ChainTransaction:
    """The intent that opens the sale; asked for again, the same prices are the same intent.

    ``final_by`` is when buyers may have their money back, in seconds since 1970, unless the works
    are final. Away from the local chain, a price needs a licence that allows sales, or a lead's
    permission (SaleForbiddenError). PhaseError if the phases contradict themselves.
    """
    _check(phases, final_by)
    current = Drop.objects.select_for_update().get(pk=drop.pk)
    earlier = standing_sale(current)
    if earlier is None and current.state != Drop.State.COMMITTED:
        raise WrongStateError(current, Drop.State.COMMITTED)
    commitment = Commitment.objects.light().get(drop=current)
    if earlier is not None:
        if _prices(row.phase for row in commitment.phases.in_order()) != _prices(
            terms.phase for terms in phases
        ):
            raise SaleAlreadyRequestedError(current)
        return earlier
    if current.kind == Drop.Kind.ON_THE_FLY and final_by >= NO_END:
        raise PhaseError("a drop that is drawn on the fly has an end, and a time to be final by")
    contract = Contract.objects.get(collection=current.collection_id)
    costs = any(t.phase.price_wei or any(e.price_wei for e in t.entries) for t in phases)
    if costs and contract.chain_id != LOCAL_CHAIN_ID and not is_saleable(current.checkpoint):
        raise SaleForbiddenError(current.checkpoint)
    _store(commitment, phases, final_by)
    return intend(
        kind=ChainTransaction.Kind.OPEN_SALE,
        contract=contract,
        drop=current,
        call=contracts.open_sale(
            commitment.number, commitment.body, [terms.phase for terms in phases], final_by
        ),
        sender=load_signer().address,
    )


def _check(phases: Sequence[Terms], final_by: int) -> None:
    if not 1 <= len(phases) <= MAX_PHASES:
        raise PhaseError(f"a sale has 1..{MAX_PHASES} phases")
    for terms in phases:
        n = terms.phase.max_per_transaction
        if not 1 <= n <= MAX_PER_TRANSACTION:
            raise PhaseError(f"{n} works are not in 1..{MAX_PER_TRANSACTION}")
        if terms.phase.end > final_by or final_by >= TIME_LIMIT:
            raise PhaseError("a phase ends after the works are to be final")


def _prices(phases: Iterable[Phase]) -> list[tuple[int, ...]]:
    """What a buyer would notice; not the times, which a lead who asks twice has moved."""
    return [(p.kind, p.price_wei, p.max_per_transaction, p.max_per_wallet, p.terms) for p in phases]


def _store(commitment: Commitment, phases: Sequence[Terms], final_by: int) -> None:
    """The phases as rows, in the place of those of a sale that the contract refused."""
    commitment.phases.all().delete()
    for number, terms in enumerate(phases):
        _store_phase(commitment, number, terms)
    commitment.final_by = final_by
    commitment.save(update_fields=["final_by"])


def _store_phase(commitment: Commitment, number: int, terms: Terms) -> SalePhase:
    phase = terms.phase
    row = SalePhase.objects.create(
        commitment=commitment,
        number=number,
        kind=int(phase.kind),
        price_wei=phase.price_wei,
        start=phase.start,
        end=phase.end,
        max_per_transaction=phase.max_per_transaction,
        max_per_wallet=phase.max_per_wallet,
        terms=phase.terms.to_bytes(32).hex(),
    )
    entries = (ListEntry(phase=row, **vars(entry)) for entry in terms.entries)
    ListEntry.objects.bulk_create(entries, batch_size=1000)
    return row


def running_phase(commitment: Commitment, now: datetime) -> SalePhase | None:
    """The first phase of a sale that everybody can buy in now, else the first that runs at all."""
    time = int(now.timestamp())
    running = [row for row in commitment.phases.in_order() if row.start <= time < row.end]
    open_to_all = [row for row in running if row.phase.is_for_everybody]
    return next(iter([*open_to_all, *running]), None)
