"""Files of past sales, read strictly: a row is understood or named with its line, never guessed.

A price that is ``-`` or empty is unknown, not zero. The address 0x0 and an empty party are unknown,
not a wallet: as a wallet, 0x0 becomes the largest trader of every market that loses parties.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from eth_utils.address import to_checksum_address

REQUIRED = ("timestamp", "token_id", "price_eth")
MAX_ERRORS = 20
WEI_PER_ETHER = Decimal(10**18)
LIST_COLUMN = "accessories"
_PRICE = re.compile(r"[0-9]{1,40}(\.[0-9]{1,18})?", re.ASCII)
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_HASH = re.compile(r"0x[0-9a-fA-F]{64}", re.ASCII)

Traits = Mapping[str, Any]


class HistoryError(ValueError):
    """A file of sales or traits cannot be read; ``problems`` are at most 20, with their lines."""

    def __init__(self, problems: list[str], n_problems: int) -> None:
        rest = n_problems - len(problems)
        super().__init__("\n".join([*problems, *[f"... and {rest} more"] * bool(rest)]))
        self.problems = problems
        self.n_problems = n_problems


@dataclass(frozen=True)
class PastSale:
    """One record; ``row`` counts from 1, ``price_wei`` is None and parties empty where unknown."""

    row: int
    sold_at: datetime
    token_ref: str
    traits: Traits
    price_wei: int | None
    seller: str
    buyer: str
    tx_hash: str


def read_sales(lines: Iterable[str], traits: Mapping[str, Traits] | None = None) -> list[PastSale]:
    """All records of a file of sales, or none.

    Parameters
    ----------
    lines
        CSV with at least the columns timestamp (with its zone), token_id and price_eth; seller,
        buyer and tx where known; further columns are left alone.
    traits
        of each token by its id; a sale of a token that is not among them is an error.

    Raises
    ------
    HistoryError
    """
    found: list[PastSale] = []
    problems: list[str] = []
    for line, record in _records(lines, REQUIRED, problems):
        try:
            found.append(_sale(len(found) + len(problems) + 1, record, traits))
        except ValueError as error:
            problems.append(f"line {line}: {error}")
    _refuse(problems)
    if not found:
        raise HistoryError(["the file has no sales"], 1)
    return found


def read_traits(lines: Iterable[str]) -> dict[str, Traits]:
    """Traits of each token of a CSV file with a column id, or none.

    ``accessories`` is a list joined by `` / ``; an empty value is a trait the token does not have.

    Raises
    ------
    HistoryError
    """
    found: dict[str, Traits] = {}
    problems: list[str] = []
    for line, record in _records(lines, ("id",), problems):
        token = record.pop("id")
        if not token or token in found:
            problems.append(f"line {line}: id {token!r} is empty or there twice")
        found[token] = {name: _trait(name, value) for name, value in record.items() if value}
    _refuse(problems)
    return found


def _records(
    lines: Iterable[str], required: Iterable[str], problems: list[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and fields of each record; rows of another length become problems."""
    reader = csv.reader(lines, skipinitialspace=True, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        missing = [name for name in required if name not in header]
        if missing or len(set(header)) < len(header):
            raise HistoryError([f"line 1: columns {', '.join(missing) or 'twice'} missing"], 1)
        for row in reader:
            if len(row) == len(header):
                fields = zip(header, (value.strip() for value in row), strict=True)
                yield reader.line_num, dict(fields)
            elif row:
                problems.append(f"line {reader.line_num}: {len(row)} fields, not {len(header)}")
    except csv.Error as error:
        problems.append(f"line {reader.line_num}: {error}")
    except UnicodeDecodeError as error:
        problems.append(f"after line {reader.line_num}: {error}")


def _refuse(problems: list[str]) -> None:
    if problems:
        raise HistoryError(problems[:MAX_ERRORS], len(problems))


def _sale(row: int, record: Mapping[str, str], traits: Mapping[str, Traits] | None) -> PastSale:
    token = record["token_id"]
    if not token or len(token) > 100:
        raise ValueError(f"token_id {token!r:.50} is empty or too long")
    if traits is not None and token not in traits:
        raise ValueError(f"token_id {token!r} is not in the file of traits")
    return PastSale(
        row=row,
        sold_at=_moment(record["timestamp"]),
        token_ref=token,
        traits={} if traits is None else traits[token],
        price_wei=_price_wei(record["price_eth"]),
        seller=_party("seller", record.get("seller", "")),
        buyer=_party("buyer", record.get("buyer", "")),
        tx_hash=_hash(record.get("tx", "")),
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"timestamp {text!r:.50} is no ISO 8601 time") from error
    if moment.tzinfo is None:
        raise ValueError(f"timestamp {text!r} has no time zone")
    return moment


def _price_wei(text: str) -> int | None:
    """Exact wei; a float would lose them above 0.009 ether."""
    if text in ("", "-"):
        return None
    if not _PRICE.fullmatch(text):
        raise ValueError(f"price_eth {text!r:.50} is no amount of at most 18 decimals")
    return int(Decimal(text) * WEI_PER_ETHER)


def _party(name: str, text: str) -> str:
    if not text:
        return ""
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"{name} {text!r:.50} is no address")
    return "" if int(text, 16) == 0 else str(to_checksum_address(text))


def _hash(text: str) -> str:
    if text and not _HASH.fullmatch(text):
        raise ValueError(f"tx {text!r:.80} is no hash")
    return text.lower()


def _trait(name: str, value: str) -> str | list[str]:
    return value.split(" / ") if name == LIST_COLUMN else value
