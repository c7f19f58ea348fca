"""How the transactions of a drop fare, in words."""

from typing import Any

from django.db.models import Q

from generation.models import Drop
from minting.models import ChainTransaction
from minting.services import chain_alarms


def chain_context(drop: Drop) -> dict[str, Any]:
    """How the drop's transactions fare, the contract's creation included; the newest of a kind."""
    contract = Q(drop=None, contract__collection=drop.collection_id)
    intents = ChainTransaction.objects.defer("call").filter(Q(drop=drop) | contract)
    quiet_mints = Q(kind=ChainTransaction.Kind.MINT, error="")
    holders_own = Q(kind=ChainTransaction.Kind.INTERACT)  # theirs to sign again
    shown = intents.exclude(quiet_mints | holders_own).order_by("pk")
    newest = {intent.kind: intent for intent in shown}
    settled = (ChainTransaction.State.CONFIRMED, ChainTransaction.State.REVERTED)
    sale = newest.get(ChainTransaction.Kind.OPEN_SALE)
    troubled = next((intent for intent in newest.values() if intent.error), None)
    is_refused = troubled is not None and troubled.state == ChainTransaction.State.REVERTED
    return {
        "chain_trouble": chain_trouble(troubled) if troubled else " ".join(chain_alarms()),
        "is_refused": is_refused,
        "is_committing": ChainTransaction.Kind.COMMIT in newest,
        "sale_on_its_way": sale is not None and sale.state not in settled,
    }


def chain_trouble(intent: ChainTransaction) -> str:
    """What the contract refused, or why a transaction waits."""
    step = intent.get_kind_display().lower()
    if intent.state == ChainTransaction.State.REVERTED:
        return f"The chain refused to {step}: {intent.error}"
    return f"The transaction to {step} waits: {intent.error}"
