"""Logs of the collection contract: raw JSON in, frozen rows out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address

from minting.chain import contracts
from minting.provenance.keccak import keccak256
from minting.provenance.lineage import DropBody

ZERO_ADDRESS = "0x" + "0" * 40


class LogError(ValueError):
    """A log is not one of the contract's events, or is damaged."""


@dataclass(frozen=True)
class Place:
    """Where a log stands; (tx_hash, log_index) names it on its chain."""

    block_number: int
    block_hash: str
    tx_hash: str
    log_index: int


@dataclass(frozen=True)
class TransferLog:
    place: Place
    sender: str
    recipient: str
    token_id: int

    @property
    def is_mint(self) -> bool:
        return self.sender == ZERO_ADDRESS


@dataclass(frozen=True)
class DropCommittedLog:
    place: Place
    drop_number: int
    head: bytes
    body: DropBody
    base_uri: str


@dataclass(frozen=True)
class SaleOpenedLog:
    place: Place
    drop_number: int
    price_wei: int
    max_per_transaction: int


Log = TransferLog | DropCommittedLog | SaleOpenedLog


def topic(event: str) -> str:
    """The first topic of an event's logs."""
    return "0x" + keccak256(contracts.signature(contracts.element("event", event)).encode()).hex()


def decode_all(raw: Iterable[Mapping[str, Any]]) -> list[Log]:
    """Decoded logs in the order of the chain; LogError for anything else."""
    return sorted(
        (decode_log(entry) for entry in raw),
        key=lambda log: (log.place.block_number, log.place.log_index),
    )


def decode_log(raw: Mapping[str, Any]) -> Log:
    try:
        topics = [bytes.fromhex(text[2:]) for text in raw["topics"]]
        words = [int.from_bytes(word) for word in topics[1:]]
        body = bytes.fromhex(raw["data"][2:])
        place = Place(
            int(raw["blockNumber"], 16),
            raw["blockHash"],
            raw["transactionHash"],
            int(raw["logIndex"], 16),
        )
        return _decode(raw["topics"][0], place, words, body)
    except (KeyError, IndexError, TypeError, ValueError, DecodingError) as error:
        raise LogError(f"not a log of the collection: {error}") from error


def _decode(event: str, place: Place, words: list[int], body: bytes) -> Log:
    if event == topic("Transfer"):
        sender, recipient, token_id = words
        return TransferLog(place, _address(sender), _address(recipient), token_id)
    if event == topic("DropCommitted"):
        fields, base_uri = decode(_unindexed("DropCommitted"), body)
        return DropCommittedLog(place, words[0], words[1].to_bytes(32), DropBody(*fields), base_uri)
    if event == topic("SaleOpened"):
        price_wei, cap = decode(_unindexed("SaleOpened"), body)
        return SaleOpenedLog(place, words[0], price_wei, cap)
    raise LogError(f"unknown event {event}")


def _unindexed(event: str) -> list[str]:
    inputs = contracts.element("event", event)["inputs"]
    return contracts.types([field for field in inputs if not field["indexed"]])


def _address(word: int) -> str:
    return str(to_checksum_address(word.to_bytes(20)))
