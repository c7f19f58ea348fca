"""What contracts owe a wallet that bought from them, and the call that gets it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from generation.models import Drop
from minting.chain import contracts
from minting.chain.client import Client
from minting.chain.logs import ZERO_ADDRESS
from minting.chain.phases import PhaseKind
from minting.models import Commitment, DropEvent, SalePhase, Token, Transfer

AT_ONCE = 100  # works given back in one transaction, about 3 million gas


@dataclass(frozen=True)
class Owed:
    """A call to a collection that brings a wallet nearer to its money, or all the way.

    ``function`` is settle or fail, which anybody may call and which pays nothing yet, or
    claimRefund or refund, which pay ``amount_wei`` to whoever calls.
    """

    collection: str
    contract: str
    drop_number: int
    function: str
    arguments: tuple[Any, ...]
    amount_wei: int


def may_owe(*, wallet: str) -> bool:
    """Whether it is worth asking the chain: rows alone say so."""
    return bool(_auctions(wallet) or _open_drops(wallet))


def find_owed(*, wallet: str, node: Client) -> list[Owed]:
    """Ask the contract of every drop that may owe the wallet something; ChainError if it can't."""
    newest = node.header("latest")
    time = newest.timestamp if newest else 0
    found = [_from_auction(phase, wallet, node, time) for phase in _auctions(wallet)]
    for commitment in _open_drops(wallet):
        if commitment.final_by is not None and commitment.final_by < time:
            found.append(_from_late_drop(commitment, wallet, node))
    return [owed for some in found for owed in some]


def _auctions(wallet: str) -> list[SalePhase]:
    """Auctions that the wallet bought in."""
    mints = Transfer.objects.filter(sender=ZERO_ADDRESS, recipient=wallet)
    bought = set(mints.values_list("token__drop", "token__phase").distinct())
    drops = {drop for drop, _ in bought}
    rows = SalePhase.objects.filter(kind=PhaseKind.AUCTION, commitment__drop__in=drops).in_order()
    rows = rows.select_related("commitment__collection__contract", "commitment__drop")
    rows = rows.defer("commitment__manifest")
    return [row for row in rows if (row.commitment.drop_id, row.number) in bought]


def _open_drops(wallet: str) -> list[Commitment]:
    """Drops that are not final, of which the wallet holds works."""
    held = Token.objects.filter(owner=wallet, drop__kind=Drop.Kind.ON_THE_FLY)
    rows = Commitment.objects.light().select_related("collection__contract", "drop")
    sealed = DropEvent.objects.filter(kind=DropEvent.Kind.SEALED)
    return list(rows.filter(drop__in=held.values("drop")).exclude(events__in=sealed))


def _from_auction(phase: SalePhase, wallet: str, node: Client, time: int) -> list[Owed]:
    """What was paid above the last price, once somebody has settled the auction."""
    number = phase.commitment.number
    lot, auction, bought = _ask(
        node,
        phase.commitment,
        ("lotOf", number),
        ("auctionOf", number, phase.number),
        ("boughtBy", number, phase.number, wallet),
    )
    (last_price_wei, _, _, is_settled), (quantity, paid_wei) = auction, bought
    amount_wei = paid_wei - last_price_wei * quantity
    if amount_wei <= 0:
        return []
    if is_settled:
        return [_owed(phase.commitment, "claimRefund", (number, phase.number), amount_wei)]
    (_, count, minted, *_) = lot
    if time < phase.end and minted < count:
        return []
    return [_owed(phase.commitment, "settle", (number, phase.number), amount_wei)]


def _from_late_drop(commitment: Commitment, wallet: str, node: Client) -> list[Owed]:
    """What the works cost that the wallet holds, once somebody has declared the drop failed."""
    number = commitment.number
    (fate,) = _ask(node, commitment, ("fateOf", number))
    is_final, has_failed = fate[-2:]
    if is_final:
        return []
    tokens = list(Token.objects.filter(drop=commitment.drop_id, owner=wallet).order_by("token_id"))
    auctions = commitment.phases.filter(kind=PhaseKind.AUCTION).in_order()
    prices = _last_prices(commitment, [phase.number for phase in auctions], node)
    costs = {token.token_id: prices.get(token.phase, token.price_wei) for token in tokens}
    if not has_failed:
        return [_owed(commitment, "fail", (number,), sum(costs.values()))]
    ids = sorted(costs)
    return [
        _owed(commitment, "refund", (number, some), sum(costs[token_id] for token_id in some))
        for some in (ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE))
    ]


def _last_prices(
    commitment: Commitment, phases: Sequence[int], node: Client
) -> dict[int | None, int]:
    """Of each auction in wei a work: all its works cost that in the end."""
    questions = [("auctionOf", commitment.number, phase) for phase in phases]
    found = _ask(node, commitment, *questions)
    return {phase: auction[0] for phase, auction in zip(phases, found, strict=True)}


def _ask(node: Client, commitment: Commitment, *questions: tuple[Any, ...]) -> list[Any]:
    """Answers of a collection to (function, arguments...), on the state after one block."""
    if not questions:
        return []
    address = commitment.collection.contract.address
    calls = [(address, contracts.call(*question)) for question in questions]
    answers = zip(questions, node.read_all(calls, "latest"), strict=True)
    return [contracts.answer(question[0], raw) for question, raw in answers]


def _owed(
    commitment: Commitment, function: str, arguments: tuple[Any, ...], amount_wei: int
) -> Owed:
    return Owed(
        collection=commitment.collection.name,
        contract=commitment.collection.contract.address,
        drop_number=commitment.drop.number,
        function=function,
        arguments=arguments,
        amount_wei=amount_wei,
    )
