"""The outbox: intents that happen at most once, and the signed bytes that carry them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from generation.models import Drop
from minting.chain.signer import Signer, TransactionRequest
from minting.models import Attempt, ChainTransaction, Contract, Sender

State = ChainTransaction.State
Kind = ChainTransaction.Kind


@transaction.atomic
def intend(
    *,
    kind: Kind,
    contract: Contract,
    call: bytes,
    sender: str,
    drop: Drop | None = None,
    again: int = 0,
) -> ChainTransaction:
    """The intent of this kind for this drop; a new one only after the last was refused.

    ``again`` tells intents apart that are meant to have an effect each.
    """
    earlier = ChainTransaction.objects.filter(contract=contract, kind=kind, drop=drop)
    n_refused = earlier.filter(state=State.REVERTED).count()
    intent, _ = ChainTransaction.objects.get_or_create(
        key=f"{kind}:{contract.pk}:{drop.pk if drop else 0}:{n_refused}:{again}",
        defaults={
            "kind": kind,
            "contract": contract,
            "drop": drop,
            "chain_id": contract.chain_id,
            "sender": sender,
            "call": call,
        },
    )
    return intent


@transaction.atomic
def sign_attempts(
    *,
    intents: Sequence[ChainTransaction],
    gas: Mapping[int, int],
    signer: Signer,
    chain_nonce: int,
    max_fee_wei: int,
    tip_wei: int,
    now: datetime,
) -> list[Attempt]:
    """Take the next nonces, sign and store; not what another process took first.

    ``gas`` is by primary key. ``chain_nonce`` is what the node counts. Ours may be ahead of it,
    never behind.
    """
    if not intents:
        return []
    chain_id, address = signer.chain_id, signer.address
    Sender.objects.get_or_create(chain_id=chain_id, address=address)
    Sender.objects.select_for_update().get(chain_id=chain_id, address=address)
    pending = ChainTransaction.objects.filter(
        pk__in=[intent.pk for intent in intents], state=State.PENDING
    )
    ours = set(pending.select_for_update().order_by("pk").values_list("pk", flat=True))
    pending.update(state=State.SENT, error="")
    live = Attempt.objects.live().filter(chain_id=chain_id, sender=address)
    last = live.aggregate(last=Max("nonce"))["last"]
    nonce = chain_nonce if last is None else max(chain_nonce, last + 1)
    taken = [intent for intent in intents if intent.pk in ours]
    return Attempt.objects.bulk_create(
        _attempt(intent, signer, _request(intent, at, gas[intent.pk], max_fee_wei, tip_wei), now)
        for at, intent in enumerate(taken, nonce)
    )


@transaction.atomic
def replace_attempt(
    *, attempt: Attempt, signer: Signer, max_fee_wei: int, tip_wei: int, now: datetime
) -> Attempt | None:
    """The same transaction under the same nonce for a higher fee; either may still be mined."""
    if not Attempt.objects.filter(pk=attempt.pk, is_live=True).update(is_live=False):
        return None
    intent = attempt.transaction
    request = _request(intent, attempt.nonce, attempt.gas, max_fee_wei, tip_wei)
    higher = _attempt(intent, signer, request, now)
    higher.save()
    return higher


def _request(
    intent: ChainTransaction, nonce: int, gas: int, max_fee_wei: int, tip_wei: int
) -> TransactionRequest:
    return TransactionRequest(
        nonce=nonce,
        to=intent.to,
        data=bytes(intent.call),
        value_wei=intent.value_wei,
        gas=gas,
        max_fee_wei=max_fee_wei,
        tip_wei=tip_wei,
    )


def _attempt(
    intent: ChainTransaction, signer: Signer, request: TransactionRequest, now: datetime
) -> Attempt:
    """The signed bytes as a row that is not stored yet."""
    signed = signer.sign(request)
    return Attempt(
        transaction=intent,
        chain_id=intent.chain_id,
        sender=intent.sender,
        nonce=request.nonce,
        raw=signed.raw,
        tx_hash=signed.tx_hash,
        gas=request.gas,
        max_fee_wei=request.max_fee_wei,
        tip_wei=request.tip_wei,
        created_at=now,
    )


def note_accepted(*, attempts: Sequence[Attempt], now: datetime) -> None:
    """Remember that a node took the bytes."""
    Attempt.objects.filter(pk__in=[attempt.pk for attempt in attempts]).update(accepted_at=now)
    intents = ChainTransaction.objects.filter(
        pk__in=[attempt.transaction_id for attempt in attempts]
    )
    intents.unsettled().exclude(error="").update(error="")


def note_error(*, pks: Sequence[int], error: str) -> None:
    """Show why intents wait; they stay due. What settled meanwhile keeps its own reason."""
    ChainTransaction.objects.filter(pk__in=pks).unsettled().update(error=error)


@transaction.atomic
def abandon_attempt(*, attempt: Attempt) -> None:
    """Give up bytes whose nonce somebody else used, so that they can never be mined."""
    if Attempt.objects.filter(pk=attempt.pk, is_live=True).update(is_live=False):
        ChainTransaction.objects.filter(pk=attempt.transaction_id, state=State.SENT).update(
            state=State.PENDING
        )


def refuse(*, intent: ChainTransaction, reason: str, now: datetime) -> None:
    """Close an intent that the contract refused before anything was signed."""
    ChainTransaction.objects.filter(pk=intent.pk, state=State.PENDING).update(
        state=State.REVERTED, error=reason, settled_at=now
    )
