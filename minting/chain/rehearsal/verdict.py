"""What has to be true after a sale, whoever came and whatever was lost on the way."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minting.chain.bulk import Fate
from minting.chain.rehearsal.plan import Sale
from minting.chain.rehearsal.stage import Sent

MAX_SAID = 5


@dataclass(frozen=True)
class Ledger:
    """What the chain says: its supply, its money, its logs, and the next nonce of each wallet."""

    supply: int
    balance_wei: int
    paid_wei: int
    minted: Mapping[int, tuple[str, int]]
    nonces: Mapping[str, int]


def violations(sale: Sale, sent: Sequence[Sent], ledger: Ledger, count: int) -> list[str]:
    """Sentences about what is wrong; empty if the rehearsal passed."""
    return [
        *_supply(sent, ledger, count),
        *_money(sent, ledger),
        *_caps(sale, ledger),
        *_bots(sent),
        *_wallets(sent, ledger),
        *_lost(sent),
    ]


def _supply(sent: Sequence[Sent], ledger: Ledger, count: int) -> list[str]:
    accepted = sum(one.order.quantity for one in sent if one.is_bought)
    n_ids = len(ledger.minted)
    if accepted == ledger.supply == n_ids and n_ids <= count:
        return []
    return [
        f"the contract counts {ledger.supply} works, its logs {n_ids}, what it took is {accepted}, "
        f"the drop has {count}"
    ]


def _money(sent: Sequence[Sent], ledger: Ledger) -> list[str]:
    paid = sum(one.order.value_wei for one in sent if one.is_bought)
    if paid == ledger.balance_wei == ledger.paid_wei:
        return []
    return [
        f"buyers paid {paid} wei, the logs say {ledger.paid_wei}, "
        f"the contract has {ledger.balance_wei}"
    ]


def _caps(sale: Sale, ledger: Ledger) -> list[str]:
    """Each wallet by the logs, where the phase or its list has a cap."""
    held = Counter(ledger.minted.values())
    above = [
        f"{wallet} has {n} works of phase {phase}, {cap} are allowed"
        for (wallet, phase), n in sorted(held.items())
        if (cap := sale.cap(phase, wallet)) and n > cap
    ]
    return above[:MAX_SAID]


def _bots(sent: Sequence[Sent]) -> list[str]:
    let_in = Counter(one.order.trick for one in sent if one.order.trick and one.is_bought)
    return [f"a bot was let in: {trick}, {n} times" for trick, n in sorted(let_in.items())]


def _wallets(sent: Sequence[Sent], ledger: Ledger) -> list[str]:
    """Nothing lost and nothing doubled: works and nonces of each wallet, counted on both sides."""
    works: Counter[str] = Counter()
    nonces: Counter[str] = Counter()
    for one in sent:
        wallet = one.order.signer.address
        works[wallet] += one.order.quantity if one.is_bought else 0
        nonces[wallet] += one.receipt is not None
    held = Counter(wallet for wallet, _ in ledger.minted.values())
    wrong = [
        f"{wallet} was told of {works[wallet]} works and has {held[wallet]}"
        for wallet in sorted(works | held)
        if works[wallet] != held[wallet]
    ]
    wrong += [
        f"{wallet} has {n} receipts and {ledger.nonces[wallet]} transactions on chain"
        for wallet, n in sorted(nonces.items())
        if ledger.nonces[wallet] != n
    ]
    return wrong[:MAX_SAID]


def _lost(sent: Sequence[Sent]) -> list[str]:
    n_lost = sum(one.fate is Fate.LOST for one in sent)
    refused = sum(one.fate is Fate.REFUSED and not one.order.trick for one in sent)
    said = [f"{n_lost} transactions have no receipt"] if n_lost else []
    if refused:
        said.append(f"the node did not take {refused} good transactions")
    return said
