"""What a wallet can buy now, phase by phase, and what its mints have become."""

from dataclasses import dataclass
from functools import lru_cache

from django.db.models import QuerySet

from minting.chain.logs import ZERO_ADDRESS
from minting.chain.phases import PhaseKind
from minting.models import ListEntry, SalePhase, Token, Transfer
from minting.provenance import allowlist
from minting.provenance.allowlist import Entry


@dataclass(frozen=True)
class Eligibility:
    """How many works a wallet may still buy in a phase, for how much, and why none.

    ``max_quantity``, ``price_wei`` and ``proof`` are the arguments of ``mintListed``.
    """

    may_buy: int
    price_wei: int
    reason: str = ""
    max_quantity: int = 0
    proof: tuple[bytes, ...] = ()


def find_eligibility(*, phase: SalePhase, wallet: str, left: int, time: int) -> Eligibility:
    """What the contract would let a wallet buy, as far as the chain has been read.

    ``left`` works of the drop are not minted; ``time`` is in seconds since 1970.
    """
    terms = phase.phase
    entry = _entry(phase, wallet) if phase.kind == PhaseKind.LISTED else None
    price_wei = entry.price_wei if entry else terms.price_at(time)
    if phase.kind == PhaseKind.LISTED and entry is None:
        return Eligibility(0, price_wei, "This wallet is not on the list.")
    if phase.kind == PhaseKind.SIGNED:
        return Eligibility(0, price_wei, "This phase sells by signed tickets.")
    cap = entry.max_quantity if entry else terms.max_per_wallet
    bought = bought_in(phase, wallet)
    may_buy = min(left, terms.max_per_transaction, cap - bought if cap else left)
    reason = ""
    if time < terms.start:
        may_buy, reason = 0, "It has not begun."
    elif time >= terms.end:
        may_buy, reason = 0, "It is over."
    elif not left:
        reason = "Everything is minted."
    elif may_buy <= 0:
        may_buy, reason = 0, f"This wallet has its {cap} work{'s' if cap > 1 else ''} already."
    return Eligibility(
        may_buy=may_buy,
        price_wei=price_wei,
        reason=reason,
        max_quantity=entry.max_quantity if entry else 0,
        proof=_proof(phase.pk, wallet) if entry else (),
    )


def bought_in(phase: SalePhase, wallet: str) -> int:
    """How many works a wallet has minted in a phase, whoever has them now."""
    mints = Transfer.objects.filter(sender=ZERO_ADDRESS, recipient=wallet)
    return mints.filter(token__drop=phase.commitment.drop_id, token__phase=phase.number).count()


def minted_in(tx_hash: str) -> QuerySet[Token]:
    """The tokens that a transaction minted, with their pictures where they have one."""
    mints = Transfer.objects.filter(tx_hash=tx_hash.lower(), sender=ZERO_ADDRESS)
    rows = Token.objects.filter(pk__in=mints.values("token"))
    return rows.select_related("artwork", "drop__collection").order_by("token_id")


def place_in_queue(token: Token) -> int:
    """How many works are drawn before a token's, itself counted; 0 once it is drawn."""
    if token.artwork_id is not None:
        return 0
    waiting = Token.objects.filter(drop=token.drop_id, artwork=None)
    return waiting.filter(token_id__lte=token.token_id).count()


def _entry(phase: SalePhase, wallet: str) -> ListEntry | None:
    return phase.entries.filter(wallet=wallet).first()


def _proof(phase_id: int, wallet: str) -> tuple[bytes, ...]:
    entries = _entries(phase_id)
    place = next(i for i, entry in enumerate(entries) if entry.wallet == wallet)
    return tuple(allowlist.proof(entries, place))


# A list of 10,000 takes 2 MB and 30 ms; it is fixed once its sale is on chain.
@lru_cache(maxsize=8)
def _entries(phase_id: int) -> tuple[Entry, ...]:
    rows = ListEntry.objects.filter(phase=phase_id).order_by("pk")
    return tuple(Entry(*row) for row in rows.values_list("wallet", "max_quantity", "price_wei"))
