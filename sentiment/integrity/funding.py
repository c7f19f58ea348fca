"""Wallets that had their first money from the same hand."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Funded:
    """Wallets of one funder, who is among them if they vote too; ``n_known`` have a known funder.

    No chance is claimed: an exchange or a faucet funds many who know nothing of one another.
    """

    funder: str
    wallets: tuple[str, ...]
    n_known: int


def groups(funders: Mapping[str, str], voters: frozenset[str]) -> list[Funded]:
    """Groups of two voters or more, the largest first; ``funders`` by wallet."""
    found: dict[str, set[str]] = defaultdict(set)
    known = {wallet: funder for wallet, funder in funders.items() if wallet in voters}
    for wallet, funder in known.items():
        found[funder] |= {wallet, funder} & voters
    return sorted(
        (
            Funded(funder, tuple(sorted(wallets)), len(known))
            for funder, wallets in found.items()
            if len(wallets) > 1
        ),
        key=lambda group: (-len(group.wallets), group.funder),
    )
