"""Allow lists: who may buy how many works for how much, as a Merkle tree and as a table.

Leaves are ``['address', 'uint256', 'uint256']``: wallet, how many works, price of one in wei, in
OpenZeppelin's StandardMerkleTree, like the leaves of works.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from eth_utils.address import (
    is_address,
    is_checksum_address,
    is_checksum_formatted_address,
    to_checksum_address,
)

from minting.provenance import merkle
from minting.provenance.keccak import keccak256

COLUMNS = ("wallet", "max_quantity", "price_eth")
MAX_QUANTITY = 2**16 - 1
PRICE_LIMIT_WEI = 2**96
WEI_PER_ETH = 10**18


@dataclass(frozen=True)
class Entry:
    """One wallet's place on a list."""

    wallet: str
    max_quantity: int
    price_wei: int


@dataclass(frozen=True)
class RowError:
    """What is wrong with a row of a table; ``row`` counts from 1 after the heading."""

    row: int
    message: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.message}"


def leaf_hash(entry: Entry) -> bytes:
    """keccak256(keccak256(abi.encode(wallet, quantity, price)))."""
    words = [int(entry.wallet, 16), entry.max_quantity, entry.price_wei]
    return keccak256(keccak256(b"".join(word.to_bytes(32) for word in words)))


def root(entries: Sequence[Entry]) -> bytes:
    """The tree's root; ValueError for an empty list."""
    return merkle.hashes_root([leaf_hash(entry) for entry in entries])


def proof(entries: Sequence[Entry], index: int) -> list[bytes]:
    """The siblings from ``entries[index]`` up to the root."""
    return merkle.hashes_proof([leaf_hash(entry) for entry in entries], index)


def proofs(entries: Sequence[Entry]) -> list[list[bytes]]:
    """The proof of each entry, in their order; nothing for an empty list."""
    if not entries:
        return []
    hashes = [leaf_hash(entry) for entry in entries]
    return merkle.hashes_proofs(hashes, range(len(hashes)))


def read(lines: Iterable[str]) -> tuple[list[Entry], list[RowError]]:
    """Entries of a CSV table with the columns wallet, max_quantity, price_eth, and its errors."""
    table = csv.DictReader(lines)
    try:
        heading = tuple(table.fieldnames or ())
    except csv.Error:
        heading = ()
    if heading != COLUMNS:
        return [], [RowError(0, f"the heading is not {','.join(COLUMNS)}")]
    entries: dict[str, Entry] = {}
    errors = []
    number = 0
    while True:
        number += 1
        try:
            row = next(table)
        except StopIteration:
            break
        except csv.Error as error:
            errors.append(RowError(number, f"not a row of a table: {error}"))
            break
        try:
            entry = _entry(row)
        except ValueError as error:
            errors.append(RowError(number, str(error)))
            continue
        if entry.wallet in entries:
            errors.append(RowError(number, f"{entry.wallet} is on the list already"))
        entries.setdefault(entry.wallet, entry)
    if not entries and not errors:
        errors.append(RowError(0, "the list is empty"))
    return list(entries.values()), errors


def _entry(row: dict[str, str]) -> Entry:
    if None in row or None in row.values():
        raise ValueError(f"not {len(COLUMNS)} columns")
    wallet, quantity, price = (row[name].strip() for name in COLUMNS)
    if not is_address(wallet):
        raise ValueError(f"{wallet[:60]!r} is not an address")
    if is_checksum_formatted_address(wallet) and not is_checksum_address(wallet):
        raise ValueError(f"{wallet} is not an address: a letter or its case is wrong")
    if not quantity.isascii() or not quantity.isdigit() or len(quantity) > len(str(MAX_QUANTITY)):
        raise ValueError(f"max_quantity {quantity[:20]!r} is not a number of works")
    if not 1 <= int(quantity) <= MAX_QUANTITY:
        raise ValueError(f"max_quantity {quantity} is not in 1..{MAX_QUANTITY}")
    return Entry(str(to_checksum_address(wallet)), int(quantity), _wei(price))


def _wei(text: str) -> int:
    try:
        wei = Decimal(text) * WEI_PER_ETH
    except InvalidOperation as error:
        raise ValueError(f"price_eth {text[:40]!r} is not a number") from error
    if not wei.is_finite() or not 0 <= wei < PRICE_LIMIT_WEI or wei != int(wei):
        raise ValueError(f"price_eth {text[:40]} is not a price in whole wei below 2^96")
    return int(wei)
