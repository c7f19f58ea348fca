"""Interactions that a work's holder signed and the installation sends, and pays for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from minting.chain import evolving
from minting.chain.abi import explain_revert
from minting.chain.client import Client, RpcError
from minting.evolution.rules import Source
from minting.models import ChainTransaction, Contract, Token
from minting.services.chain import load_signer
from minting.services.painting import law_of

Kind, State = ChainTransaction.Kind, ChainTransaction.State
DEADLINE_S = 900
DAY = timedelta(days=1)
MOST_GAS = 300_000  # three times a plain one; a contract that holds a work is asked, and may waste
MOST_BYTES = 2_048  # of a signature; such a contract may want more than 65


class RelayError(Exception):
    """Why an interaction is not sent; ``code`` is stable, ``detail`` is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Offer:
    """The next interaction with a work.

    ``count``: its number. ``opens_at``: from when on the law lets it be done, None for at once.
    ``typed_data``: what the holder signs (EIP-712), None while nothing would be sent. ``left``:
    how many interactions with works of its collection are sent today.
    """

    count: int
    opens_at: datetime | None
    typed_data: dict[str, Any] | None
    left: int
    sent: ChainTransaction | None


def relays(contract: Contract) -> bool:
    """Whether interactions are sent for holders."""
    return bool(
        settings.RELAYED_A_DAY
        and contract.evolution_address
        and contract.law is not None
        and any(rule.source == Source.INTERACTIONS for rule in law_of(contract).rules)
    )


def offer_interaction(*, token: Token, node: Client, now: datetime) -> Offer:
    """What the work's holder would sign now; RelayError where nothing is sent for anybody."""
    contract = token.contract
    if not relays(contract):
        raise RelayError("not_relayed", "interactions with this work are not sent for its holder")
    head = node.header("latest")
    assert head is not None
    time = max(head.timestamp, int(now.timestamp()))  # a local chain's clock may be ahead
    state = evolving.read_state(node, contract.evolution_address, token.token_id)
    count, left = state.interactions + 1, _left(contract, now)
    next_at = state.interacted_at + law_of(contract).period_s if state.interactions else 0
    opens_at = datetime.fromtimestamp(next_at, now.tzinfo) if next_at > time else None
    sent = ChainTransaction.objects.filter(key__startswith=_key(token, count)).order_by("pk").last()
    waits = sent is not None and sent.state != State.REVERTED
    typed = None
    if opens_at is None and not waits and left > 0:
        typed = evolving.typed_interaction(
            chain_id=contract.chain_id,
            evolution=contract.evolution_address,
            holder=token.owner,
            token_id=token.token_id,
            count=count,
            deadline=time + DEADLINE_S,
        )
    return Offer(count, opens_at, typed, left, sent)


def relay_interaction(
    *, token: Token, deadline: int, signature: bytes, node: Client, now: datetime
) -> ChainTransaction:
    """The interaction on its way, once however often it is asked for; RelayError.

    The contract is asked first, so what it would refuse is not paid for.
    """
    contract = token.contract
    offer = offer_interaction(token=token, node=node, now=now)
    if offer.sent is not None and offer.sent.state != State.REVERTED:
        return offer.sent
    if offer.left <= 0:
        raise RelayError("limit", "no more are sent for this collection today: send it yourself")
    if not 0 < len(signature) <= MOST_BYTES:
        raise RelayError("bad_signature", f"a signature has 1 to {MOST_BYTES} bytes")
    call = evolving.interact_for(token.token_id, deadline, signature)
    sender = load_signer().address
    try:
        gas = node.estimate_gas(
            {"from": sender, "to": contract.evolution_address, "data": "0x" + call.hex()}
        )
    except RpcError as error:
        if not error.is_revert:
            raise
        raise RelayError("refused", explain_revert(error.revert_data)) from error
    if gas > MOST_GAS:
        raise RelayError("too_dear", f"it takes {gas:,} gas, more than is paid for others")
    return _intend(token, offer.count, call, sender, now)


@transaction.atomic
def _intend(token: Token, count: int, call: bytes, sender: str, now: datetime) -> ChainTransaction:
    """Of two that ask at once one makes it, and neither goes over the day's limit."""
    contract = Contract.objects.select_for_update().get(pk=token.contract_id)
    key = _key(token, count)
    earlier = ChainTransaction.objects.filter(key__startswith=key)
    waiting = earlier.exclude(state=State.REVERTED).first()
    if waiting is not None:
        return waiting
    if _left(contract, now) <= 0:
        raise RelayError("limit", "no more are sent for this collection today: send it yourself")
    return ChainTransaction.objects.create(
        key=f"{key}{earlier.count()}",
        kind=Kind.INTERACT,
        contract=contract,
        chain_id=contract.chain_id,
        sender=sender,
        call=call,
    )


def _key(token: Token, count: int) -> str:
    """The start of the keys of all that was sent for one interaction."""
    return f"{Kind.INTERACT}:{token.contract_id}:{token.token_id}:{count}:"


def _left(contract: Contract, now: datetime) -> int:
    """What was refused cost nothing, or little, and counts all the same."""
    sent = contract.transactions.filter(kind=Kind.INTERACT, created_at__gt=now - DAY).count()
    return max(0, int(settings.RELAYED_A_DAY) - sent)
