"""What a rehearsal came to, in numbers that JSON and a page can show."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil
from statistics import median
from typing import Any

from minting.chain.phases import PhaseKind
from minting.chain.rehearsal.plan import (
    BLOCK_GAS,
    BLOCK_S,
    KINDS,
    MAINNET_BLOCK_S,
    Options,
    Sale,
)
from minting.chain.rehearsal.stage import Sent

WEI_PER_GWEI, WEI_PER_ETH = 10**9, 10**18
# Blocks at least so full on average: then the chain is what holds the crowd up.
FULL_SHARE = 0.8


def cost_eth(gas: int, options: Options) -> list[float]:
    """Gas at each gas price."""
    return [gas * price * WEI_PER_GWEI / WEI_PER_ETH for price in options.gas_prices_gwei]


def pace(rushes: Sequence[Sequence[Sent]]) -> dict[str, Any]:
    """How fast the sale went here, what held it up, and how long it takes on a mainnet.

    Blocks between rushes do not count. A mainnet's time is that of blocks with nothing else in
    them: more traffic makes it longer.
    """
    blocks, works, gas, fullness = 0, 0, 0, []
    for sent in rushes:
        used: Counter[int] = Counter()
        for one in sent:
            if one.receipt is not None:
                used[one.receipt.block_number] += one.receipt.gas_used
        bought = [one for one in sent if one.is_bought and one.receipt is not None]
        numbers = [one.receipt.block_number for one in bought if one.receipt is not None]
        if not numbers:
            continue
        first, last = min(numbers), max(numbers)
        blocks += last - first + 1
        works += sum(one.order.quantity for one in bought)
        gas += sum(n for number, n in used.items() if number <= last)
        fullness += [used[number] / BLOCK_GAS for number in range(first, last)]
    share = sum(fullness) / len(fullness) if fullness else 0.0
    return {
        "blocks": blocks,
        "seconds": blocks * BLOCK_S,
        "works_per_s": works / (blocks * BLOCK_S) if blocks else 0.0,
        "block_fullness": round(share, 3),
        "bounded_by": "the block gas limit" if share >= FULL_SHARE else "how fast orders come in",
        "gas": gas,
        "mainnet_blocks": ceil(gas / BLOCK_GAS),
        "mainnet_s": ceil(gas / BLOCK_GAS) * MAINNET_BLOCK_S,
    }


def failures(sent: Sequence[Sent]) -> dict[str, dict[str, int]]:
    """Reason -> how often, of buyers and of each trick of the bots."""
    found: dict[str, Counter[str]] = {}
    for one in sent:
        if not one.is_bought:
            who = one.order.trick or "buyers"
            found.setdefault(who, Counter())[one.reason.split("(")[0]] += 1
    return {who: dict(counts.most_common()) for who, counts in sorted(found.items())}


def mints(sale: Sale, sent: Sequence[Sent], options: Options) -> list[dict[str, Any]]:
    """Gas and its cost for a buyer, for each kind of phase and number of works."""
    groups: dict[tuple[PhaseKind, int], list[int]] = {}
    for one in sent:
        if one.is_bought and one.receipt is not None:
            kind = sale.phases[one.order.phase].kind
            groups.setdefault((kind, one.order.quantity), []).append(one.receipt.gas_used)
    return [
        {
            "kind": KINDS[kind],
            "works": quantity,
            "n": len(found),
            "median_gas": int(median(found)),
            "p95_gas": sorted(found)[ceil(0.95 * len(found)) - 1],
            "cost_eth": cost_eth(int(median(found)), options),
        }
        for (kind, quantity), found in sorted(groups.items())
    ]


def steps(gas: Mapping[str, int], options: Options) -> list[dict[str, Any]]:
    """The lead's own steps, and all of them together."""
    own = {name: n for name, n in gas.items() if name != "earlier drops"}
    own["all of them"] = sum(own.values())
    return [{"name": name, "gas": n, "cost_eth": cost_eth(n, options)} for name, n in own.items()]
