"""A JSON-RPC client for one node. It never retries: what a failure means is the caller's part."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import orjson
import requests

# A node that has not answered by then is treated as lost; the caller asks again later.
TIMEOUT_S = 10.0
BATCH = 100
# Logs that take more are not read to their end, about 25,000: whoever asked asks for fewer blocks.
MAX_LOG_BYTES = 16 * 2**20
CHUNK_BYTES = 2**20
HEADERS = {"Content-Type": "application/json"}

Call = tuple[str, list[Any]]
Parsed = TypeVar("Parsed")


class ChainError(Exception):
    """Something about the chain or the way to it is wrong."""


class TransportError(ChainError):
    """No answer, or none that can be read: the request may or may not have had its effect."""

    def __init__(self, method: str, reason: str) -> None:
        super().__init__(f"{method}: {reason}")
        self.method = method
        self.reason = reason


class RpcError(ChainError):
    """The node understood the request and refused it."""

    def __init__(self, method: str, code: int, message: str, payload: Any = None) -> None:
        super().__init__(f"{method}: {message} ({code})")
        self.method = method
        self.code = code
        self.message = message
        self.payload = payload

    @property
    def is_revert(self) -> bool:
        """Whether the contract refused, as opposed to the node (code 3 by convention)."""
        return self.code == 3 or "revert" in self.message.lower()

    @property
    def is_known(self) -> bool:
        """Whether the node says that it has these signed bytes already."""
        message = self.message.lower()
        return "already known" in message or "already imported" in message

    @property
    def is_nonce_too_low(self) -> bool:
        return "nonce too low" in self.message.lower()

    @property
    def is_unaffordable(self) -> bool:
        """Whether the sender has too little for the value and the gas."""
        return "insufficient funds" in self.message.lower()

    @property
    def is_underpriced(self) -> bool:
        """Whether the node would take the transaction, or its replacement, for a higher fee."""
        return "underpriced" in self.message.lower()

    @property
    def revert_data(self) -> bytes:
        """What the contract gave as its reason, or nothing."""
        payload = self.payload
        if isinstance(payload, dict):
            payload = payload.get("data")
        return _bytes(payload) if isinstance(payload, str) and payload.startswith("0x") else b""


class WrongChainError(ChainError):
    """The node serves another chain than the one this installation is set to."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"the node serves chain {found}, this installation is set to {expected}")
        self.expected = expected
        self.found = found


@dataclass(frozen=True)
class Header:
    number: int
    hash: str
    parent_hash: str
    timestamp: int
    base_fee_wei: int


@dataclass(frozen=True)
class Receipt:
    tx_hash: str
    block_number: int
    block_hash: str
    succeeded: bool
    gas_used: int
    gas_price_wei: int
    contract_address: str | None

    @property
    def fee_wei(self) -> int:
        """What the sender paid for it, beside the value."""
        return self.gas_used * self.gas_price_wei


class Client:
    """Calls to the node at ``url``; the URL may hold a key and never appears in an error."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._session = requests.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def call(self, method: str, *params: Any) -> Any:
        """The result of one request."""
        outcome = _outcome(method, self._post(method, _request(1, method, list(params))))
        if isinstance(outcome, RpcError):
            raise outcome
        return outcome

    def batch(self, calls: Iterable[Call], most_bytes: int | None = None) -> list[Any]:
        """The results of many requests, in their order; the first refusal is raised."""
        found = self.outcomes(calls, most_bytes)
        for outcome in found:
            if isinstance(outcome, RpcError):
                raise outcome
        return found

    def outcomes(self, calls: Iterable[Call], most_bytes: int | None = None) -> list[Any]:
        """The results of many requests, in their order, each the node's answer or an RpcError.

        An answer of more than ``most_bytes`` is a TransportError.
        """
        pending = list(calls)
        found: list[Any] = []
        for at in range(0, len(pending), BATCH):
            found += self._batch(pending[at : at + BATCH], most_bytes)
        return found

    def check_chain(self, expected: int) -> None:
        """WrongChainError if the node serves another chain."""
        found = _integer(self.call("eth_chainId"))
        if found != expected:
            raise WrongChainError(expected, found)

    def block_number(self) -> int:
        return _integer(self.call("eth_blockNumber"))

    def header(self, number: int | str) -> Header | None:
        """The header of a block by number or tag; None if there is no such block."""
        return self.headers([number])[0]

    def headers(self, numbers: Sequence[int | str]) -> list[Header | None]:
        found = self.batch([("eth_getBlockByNumber", [_tag(n), False]) for n in numbers])
        return [None if raw is None else _parsed(_header, raw) for raw in found]

    def receipt(self, tx_hash: str) -> Receipt | None:
        """The receipt of a transaction that is in a block; None if it is in none."""
        raw = self.call("eth_getTransactionReceipt", tx_hash)
        return None if raw is None else _parsed(_receipt, raw)

    def receipts(self, tx_hashes: Sequence[str]) -> list[Receipt | None]:
        found = self.batch(("eth_getTransactionReceipt", [tx_hash]) for tx_hash in tx_hashes)
        return [None if raw is None else _parsed(_receipt, raw) for raw in found]

    def block_receipts(self, numbers: Sequence[int]) -> list[list[Receipt] | None]:
        """The receipts of all transactions in each block; None of a block that is not there."""
        found = self.batch(("eth_getBlockReceipts", [_tag(number)]) for number in numbers)
        return [None if raw is None else [_parsed(_receipt, one) for one in raw] for raw in found]

    def receipt_logs(self, tx_hashes: Sequence[str]) -> list[list[dict[str, Any]] | None]:
        """The raw logs of each transaction; None for one that is in no block."""
        found = self.batch(("eth_getTransactionReceipt", [tx_hash]) for tx_hash in tx_hashes)
        return [None if raw is None else raw["logs"] for raw in found]

    def knows(self, tx_hash: str) -> bool:
        """Whether the node has the transaction, in a block or waiting."""
        return self.knows_all([tx_hash])[0]

    def knows_all(self, tx_hashes: Sequence[str]) -> list[bool]:
        found = self.batch(("eth_getTransactionByHash", [tx_hash]) for tx_hash in tx_hashes)
        return [raw is not None for raw in found]

    def nonce(self, address: str, block: int | str = "latest") -> int:
        """How many transactions of ``address`` are in blocks up to ``block``."""
        return _integer(self.call("eth_getTransactionCount", address, _tag(block)))

    def nonces(self, addresses: Sequence[str], block: str = "latest") -> list[int]:
        """The next nonce of each account; ``pending`` counts what waits in the pool."""
        found = self.batch(("eth_getTransactionCount", [one, block]) for one in addresses)
        return [_integer(raw) for raw in found]

    def balance_wei(self, address: str) -> int:
        return _integer(self.call("eth_getBalance", address, "latest"))

    def nonce_and_receipts(
        self, address: str, number: int, tx_hashes: Sequence[str]
    ) -> tuple[int, list[Receipt | None]]:
        """The nonce of ``address`` after block ``number``, and receipts, as one server has them.

        Behind an address there may be several servers, not all at the same block. One array goes
        to one of them, and one that does not have the block yet refuses.
        """
        calls: list[Call] = [("eth_getTransactionReceipt", [tx_hash]) for tx_hash in tx_hashes]
        found = self._batch([("eth_getTransactionCount", [address, _tag(number)]), *calls])
        for outcome in found:
            if isinstance(outcome, RpcError):
                raise outcome
        return _integer(found[0]), [
            None if raw is None else _parsed(_receipt, raw) for raw in found[1:]
        ]

    def tip_wei(self) -> int:
        return _integer(self.call("eth_maxPriorityFeePerGas"))

    def estimate_gas(self, request: dict[str, str]) -> int:
        """The gas a transaction needs; RpcError with ``is_revert`` if the contract refuses it."""
        [gas] = self.estimate_all([request])
        if isinstance(gas, RpcError):
            raise gas
        return gas

    def estimate_all(self, requests: Sequence[dict[str, str]]) -> list[int | RpcError]:
        """The gas of each transaction on the newest state, or why it is refused."""
        found = self.outcomes(("eth_estimateGas", [request]) for request in requests)
        return [raw if isinstance(raw, RpcError) else _integer(raw) for raw in found]

    def read(self, to: str, call: bytes, block: int | str = "latest") -> bytes:
        """The return value of a call that changes nothing."""
        request = {"to": to, "data": "0x" + call.hex()}
        return _bytes(self.call("eth_call", request, _tag(block)))

    def read_all(self, calls: Sequence[tuple[str, bytes]], block: int | str) -> list[bytes]:
        """The return values of calls (to, input), all on the state after one block."""
        requests = [{"to": to, "data": "0x" + call.hex()} for to, call in calls]
        found = self.batch(("eth_call", [request, _tag(block)]) for request in requests)
        return [_bytes(raw) for raw in found]

    def send(self, raw: bytes) -> str:
        """Broadcast signed bytes; returns the transaction hash the node gives them."""
        return str(self.call("eth_sendRawTransaction", "0x" + raw.hex()))

    def send_all(self, raws: Sequence[bytes]) -> list[RpcError | None]:
        """Broadcast signed bytes; for each why the node refuses it, None where the node has it."""
        found = self.outcomes(("eth_sendRawTransaction", ["0x" + raw.hex()]) for raw in raws)
        return [one if isinstance(one, RpcError) and not one.is_known else None for one in found]

    def logs(
        self,
        address: str | Sequence[str],
        first: int,
        last: int,
        *topics: list[str],
        step: int = 0,
    ) -> list[dict[str, Any]]:
        """Raw logs of contracts in blocks first..last; each topic is one of those in its list.

        With a ``step``, they are asked for that many blocks at a time, all in one array.
        """
        step = step or last - first + 1
        calls: list[Call] = [
            (
                "eth_getLogs",
                [
                    {
                        "address": address,
                        "fromBlock": hex(at),
                        "toBlock": hex(min(at + step - 1, last)),
                        "topics": topics,
                    }
                ],
            )
            for at in range(first, last + 1, step)
        ]
        found = self.batch(calls, MAX_LOG_BYTES)
        if not all(isinstance(one, list) for one in found):
            raise TransportError("eth_getLogs", "the answer is no list")
        return [entry for one in found for entry in one]

    def _batch(self, calls: list[Call], most_bytes: int | None = None) -> list[Any]:
        name = f"batch of {calls[0][0]}"
        requests = [_request(i, *call) for i, call in enumerate(calls)]
        replies = self._post(name, requests, most_bytes)
        if not isinstance(replies, list) or len(replies) != len(calls):
            raise TransportError(name, "the answer is not as long as the request")
        by_id = {reply.get("id"): reply for reply in replies if isinstance(reply, dict)}
        return [_outcome(call[0], by_id.get(i)) for i, call in enumerate(calls)]

    def _post(self, name: str, body: Any, most_bytes: int | None = None) -> Any:
        try:
            with self._session.post(
                self._url,
                orjson.dumps(body),
                headers=HEADERS,
                timeout=self._timeout_s,
                stream=True,
            ) as reply:
                if reply.status_code != requests.codes.ok:
                    raise TransportError(name, f"HTTP status {reply.status_code}")
                return orjson.loads(_content(name, reply, most_bytes))
        except (requests.RequestException, ValueError) as error:
            raise TransportError(name, type(error).__name__) from error


def _content(name: str, reply: requests.Response, most_bytes: int | None) -> bytes | bytearray:
    if most_bytes is None:
        return reply.content
    content = bytearray()
    for chunk in reply.iter_content(CHUNK_BYTES):
        content += chunk
        if len(content) > most_bytes:
            raise TransportError(name, "the answer is too long")
    return content


def _request(number: int, method: str, params: list[Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def _outcome(method: str, reply: Any) -> Any:
    """What the node answered, or its refusal as an RpcError."""
    if not isinstance(reply, dict) or not ("result" in reply or "error" in reply):
        raise TransportError(method, "the answer is not JSON-RPC")
    if "error" in reply:
        error = reply["error"] if isinstance(reply["error"], dict) else {}
        return RpcError(
            method, int(error.get("code", 0)), str(error.get("message", "")), error.get("data")
        )
    return reply["result"]


def _parsed(parse: Callable[[dict[str, Any]], Parsed], raw: dict[str, Any]) -> Parsed:
    try:
        return parse(raw)
    except (KeyError, TypeError) as error:
        raise TransportError(parse.__name__.strip("_"), "a field is missing") from error


def _header(raw: dict[str, Any]) -> Header:
    return Header(
        number=_integer(raw["number"]),
        hash=raw["hash"],
        parent_hash=raw["parentHash"],
        timestamp=_integer(raw["timestamp"]),
        base_fee_wei=_integer(raw.get("baseFeePerGas", "0x0")),
    )


def _receipt(raw: dict[str, Any]) -> Receipt:
    return Receipt(
        tx_hash=raw["transactionHash"],
        block_number=_integer(raw["blockNumber"]),
        block_hash=raw["blockHash"],
        succeeded=_integer(raw["status"]) == 1,
        gas_used=_integer(raw["gasUsed"]),
        gas_price_wei=_integer(raw["effectiveGasPrice"]),
        contract_address=raw.get("contractAddress"),
    )


def _integer(text: Any) -> int:
    try:
        return int(text, 16)
    except (TypeError, ValueError) as error:
        raise TransportError("quantity", f"{text!r:.40} is no number") from error


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _tag(block: int | str) -> str:
    return hex(block) if isinstance(block, int) else block
