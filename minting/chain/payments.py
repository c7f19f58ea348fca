"""Payments between accounts as blocks list them: who sent value to whom.

What a contract passes on inside a call stands in no block and is not seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address

from minting.chain.client import Client, TransportError

BLOCKS = 20
MAX_BYTES = 64 * 2**20  # of one answer


@dataclass(frozen=True)
class Payment:
    tx_hash: str
    block_number: int
    payer: str
    payee: str
    value_wei: int


def read_payments(node: Client, first: int, last: int) -> Iterator[tuple[int, list[Payment]]]:
    """Payments in blocks first..last, some blocks at a time, each time with the last one read."""
    for at in range(first, last + 1, BLOCKS):
        end = min(at + BLOCKS - 1, last)
        calls = [("eth_getBlockByNumber", [hex(n), True]) for n in range(at, end + 1)]
        found = node.batch(calls, MAX_BYTES)
        try:
            payments = [one for raw in found for one in _payments(raw)]
        except (KeyError, TypeError, ValueError) as error:
            raise TransportError("eth_getBlockByNumber", "not a block") from error
        yield end, payments


def _payments(raw: dict[str, Any]) -> Iterator[Payment]:
    for entry in raw["transactions"]:
        value_wei = int(entry["value"], 16)
        if value_wei and entry["to"]:
            yield Payment(
                tx_hash=entry["hash"],
                block_number=int(raw["number"], 16),
                payer=to_checksum_address(entry["from"]),
                payee=to_checksum_address(entry["to"]),
                value_wei=value_wei,
            )
