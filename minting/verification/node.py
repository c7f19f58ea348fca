"""What a node answers, read strictly: one block's state, and every answer in its one right form.

A block's hash is computed from its header, a log is compared with its transaction's receipt, and
an answer of the contract has to be the bytes that encoding it again gives.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, TypeVar

import rlp  # type: ignore[import-untyped]
from eth_abi.abi import decode, encode

from minting.chain import contracts
from minting.chain.abi import Compiled, types
from minting.chain.client import ChainError, Client, RpcError, TransportError
from minting.provenance.keccak import keccak256
from minting.verification.findings import MISSHAPEN

T = TypeVar("T")
# In the order in which a header is hashed; those at the end came one upgrade after the other.
HEADER = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot"),
    *("logsBloom", "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData"),
    *("mixHash", "nonce", "baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas"),
    *("parentBeaconBlockRoot", "requestsHash"),
)
_QUANTITIES = frozenset(
    {
        *("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas"),
        *("blobGasUsed", "excessBlobGas"),
    }
)
_LOG = ("address", "topics", "data", "blockNumber", "blockHash", "transactionHash", "logIndex")


class UnreadableError(Exception):
    """The node cannot be reached, or what it answers is no answer."""


class RefusedError(UnreadableError):
    """The contract does not answer this call."""


class ContradictionError(Exception):
    """Two answers of the node cannot both be right."""


@dataclass(frozen=True)
class BlockHeader:
    """A block whose hash is that of its header."""

    number: int
    hash: bytes
    timestamp: int


@dataclass(frozen=True)
class Event:
    """A log of the contract that its receipt has as well."""

    name: str
    words: list[int]
    values: tuple[Any, ...]
    block_number: int
    log_index: int
    tx_hash: str


class Node:
    """A contract as a node knows it after one block."""

    def __init__(self, client: Client, contract: str, block: int | None = None) -> None:
        """``block``: after which one; the newest where nothing is said."""
        self._client = client
        self.contract = contract
        self.interface = contracts.collection()
        self._headers: dict[int, BlockHeader] = {}
        named = "latest" if block is None else hex(block)
        found = self._ask("eth_getBlockByNumber", named, False)
        if found is None:
            raise UnreadableError(f"the node has no block {block}")
        self.block = _readable(lambda: _header(found))

    def beside(self, contract: str, interface: Compiled) -> "Node":
        """Another contract after the same block."""
        found = copy(self)
        found.contract, found.interface = contract, interface
        return found

    def at(self, number: int) -> "Node":
        """The same contract after another block."""
        found = copy(self)
        found.block = self.header(number)
        return found

    def chain_id(self) -> int:
        return _readable(lambda: _number(self._ask("eth_chainId")))

    def header(self, number: int) -> BlockHeader:
        if number not in self._headers:
            self._headers[number] = self._header(number)
        return self._headers[number]

    def _header(self, number: int) -> BlockHeader:
        raw = self._ask("eth_getBlockByNumber", hex(number), False)
        found = _readable(lambda: _header(raw))
        if found.number != number:
            raise ContradictionError(f"asked for block {number}, the node sends {found.number}")
        return found

    def code(self, address: str) -> bytes:
        raw = self._ask("eth_getCode", address, hex(self.block.number))
        return _readable(lambda: _bytes(raw))

    def call(self, name: str, *arguments: Any) -> Any:
        """What a function of the contract answers."""
        request = {"to": self.contract, "data": "0x" + self.interface.call(name, *arguments).hex()}
        answer = self._ask("eth_call", request, hex(self.block.number))
        outputs = types(self.interface.element("function", name)["outputs"])

        def read() -> Any:
            raw = _bytes(answer)
            values = decode(outputs, raw)
            if encode(outputs, values) != raw:
                raise ValueError(f"{name} is answered in another form than it has")
            return values[0] if len(values) == 1 else values

        return _readable(read)

    def ask(self, name: str, *arguments: Any) -> Any:
        """The same; None where the contract refuses."""
        try:
            return self.call(name, *arguments)
        except RefusedError:
            return None

    def events(
        self,
        names: Sequence[str],
        first: int,
        *more: str | list[str] | None,
        last: int | None = None,
    ) -> list[Event]:
        """Logs of these events up to a block, in order; ``more`` are the topics after the first.

        Asked for in one piece, and in smaller ones where the node refuses that.
        """
        topics = [[self.interface.topic(name) for name in names], *more]
        last = self.block.number if last is None else last
        raw = [log for part in self._windows(topics, first, last) for log in part]
        self._compare(raw)
        found = [_readable(lambda log=log: self._event(log, names)) for log in raw]  # type: ignore[misc]
        return sorted(found, key=lambda event: (event.block_number, event.log_index))

    def _event(self, raw: dict[str, Any], names: Sequence[str]) -> Event:
        name = {self.interface.topic(name): name for name in names}[raw["topics"][0]]
        outputs = self.interface.unindexed(name)
        body = _bytes(raw["data"])
        values = decode(outputs, body)
        if encode(outputs, values) != body:
            raise ValueError(f"{name} is told in another form than it has")
        return Event(
            name=name,
            words=[int.from_bytes(_bytes(topic)) for topic in raw["topics"][1:]],
            values=values,
            block_number=_number(raw["blockNumber"]),
            log_index=_number(raw["logIndex"]),
            tx_hash=raw["transactionHash"],
        )

    def peer(self, address: str, question: bytes, words: int, gas: int) -> list[int]:
        """The first words that a contract answers, whatever it is; none where it refuses."""
        request = {"to": address, "data": "0x" + question.hex(), "gas": hex(gas)}
        try:
            answer = self._client.call("eth_call", request, hex(self.block.number))
        except RpcError:  # out of gas, or no code that can be run, is no answer either
            return []
        except ChainError as error:
            raise UnreadableError(str(error)) from error
        raw = _readable(lambda: _bytes(answer))[: 32 * words]
        is_whole = len(raw) == 32 * words
        return [int.from_bytes(raw[i : i + 32]) for i in range(0, len(raw), 32)] if is_whole else []

    def _windows(self, topics: list[Any], first: int, last: int) -> Iterator[list[dict[str, Any]]]:
        span = max(last - first + 1, 1)
        while first <= last:
            end = min(first + span - 1, last)
            query = {
                "address": self.contract,
                "fromBlock": hex(first),
                "toBlock": hex(end),
                "topics": topics,
            }
            try:
                found = self._client.call("eth_getLogs", query)
            except (RpcError, TransportError) as error:
                if span == 1:
                    raise UnreadableError(str(error)) from error
                span = max(span // 2, 1)
                continue
            if not isinstance(found, list):
                raise UnreadableError("eth_getLogs: the answer is no list")
            yield found
            first, span = end + 1, span * 2

    def _compare(self, logs: list[dict[str, Any]]) -> None:
        """Each log has to stand in the receipt of its transaction, word for word."""
        hashes = _readable(lambda: list(dict.fromkeys(str(log["transactionHash"]) for log in logs)))
        try:
            calls = (("eth_getTransactionReceipt", [tx_hash]) for tx_hash in hashes)
            receipts = dict(zip(hashes, self._client.batch(calls), strict=True))
        except ChainError as error:
            raise UnreadableError(str(error)) from error
        for log in logs:
            same = (receipts[log["transactionHash"]] or {}).get("logs", [])
            if _facts(log) not in map(_facts, same):
                raise ContradictionError("a log is not in its transaction's receipt")
            if str(log["address"]).lower() != self.contract.lower():
                raise ContradictionError("a log is another contract's")
            number = _readable(lambda log=log: _number(log["blockNumber"]))  # type: ignore[misc]
            if log["blockHash"] != "0x" + self.header(number).hash.hex():
                raise ContradictionError(f"a log is in another block {number} than the chain's")

    def _ask(self, method: str, *params: Any) -> Any:
        try:
            return self._client.call(method, *params)
        except RpcError as error:
            raise (RefusedError if error.is_revert else UnreadableError)(str(error)) from error
        except MISSHAPEN as error:
            raise UnreadableError(f"{method}: {error}"[:200]) from error
        except ChainError as error:
            raise UnreadableError(str(error)) from error


def _facts(log: dict[str, Any]) -> list[Any]:
    return [log.get(name) for name in _LOG]


def _header(raw: dict[str, Any]) -> BlockHeader:
    fields = [
        _number(raw[name]) if name in _QUANTITIES else _bytes(raw[name])
        for name in HEADER
        if raw.get(name) is not None
    ]
    found = keccak256(rlp.encode(fields))
    if found != _bytes(raw["hash"]):
        raise ContradictionError(f"block {raw['number']} does not hash to what the node says")
    return BlockHeader(_number(raw["number"]), found, _number(raw["timestamp"]))


def _bytes(text: str) -> bytes:
    raw = bytes.fromhex(text[2:])
    if text != "0x" + raw.hex():
        raise ValueError("bytes that are written in another form than nodes write them")
    return raw


def _number(text: str) -> int:
    value = int(text, 16)
    if text != hex(value):
        raise ValueError("a number that is written in another form than nodes write it")
    return value


def _readable(read: Callable[[], T]) -> T:
    try:
        return read()
    except MISSHAPEN as error:
        raise UnreadableError(f"an answer that cannot be read: {error}"[:200]) from error
