"""The client against a server that misbehaves, and against a real node."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from minting.chain import client
from minting.chain.client import BATCH, Client, RpcError, TransportError, WrongChainError
from minting.chain.signer import Signer, TransactionRequest
from tests.fixtures.chain import OWNER, Chain
from tests.minting.test_signer import DEV_KEY

Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server that gives the same answer to everything; returns its URL."""
    servers: list[ThreadingHTTPServer] = []

    def start(body: bytes, status: int = 200, length: int | None = None) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/secret-key"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def reply(result: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()


@pytest.mark.parametrize(
    ("body", "status", "length"),
    [
        (b"busy", 429, None),
        (b"oops", 500, None),
        (b"<html>gateway</html>", 200, None),
        (reply("0x1")[:20], 200, None),
        (reply("0x1")[:20], 200, 40),
        (b"", 200, None),
        (b"[]", 200, None),
        (b"null", 200, None),
        (b'{"jsonrpc": "2.0", "id": 1}', 200, None),
        (reply("seven"), 200, None),
        (reply(None), 200, None),
    ],
    ids=[
        "429",
        "500",
        "HTML",
        "half a reply",
        "half a reply, cut off",
        "nothing",
        "a list",
        "null",
        "no result",
        "no number",
        "null as a number",
    ],
)
def test_an_answer_that_cannot_be_read_is_a_transport_error(
    serve: Serve, body: bytes, status: int, length: int | None
) -> None:
    with Client(serve(body, status, length)) as client, pytest.raises(TransportError) as caught:
        client.block_number()

    assert "secret-key" not in str(caught.value)


def test_a_node_that_is_silent_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Client(url, timeout_s=0.1) as client, pytest.raises(TransportError) as caught:
            client.block_number()

    assert caught.value.reason == "ReadTimeout"


def test_a_refusal_keeps_code_and_payload(serve: Serve) -> None:
    error = {"code": 3, "message": "execution reverted", "data": "0x1234"}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}).encode()

    with Client(serve(body)) as client, pytest.raises(RpcError) as caught:
        client.block_number()

    assert (caught.value.code, caught.value.is_revert) == (3, True)
    assert caught.value.revert_data == b"\x12\x34"


def test_a_refusal_by_the_node_is_no_revert(serve: Serve) -> None:
    error = {"code": -32000, "message": "insufficient funds", "data": None}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}).encode()

    with Client(serve(body)) as client, pytest.raises(RpcError) as caught:
        client.block_number()

    assert not caught.value.is_revert
    assert caught.value.is_unaffordable
    assert caught.value.revert_data == b""


def test_a_batch_that_is_answered_short_is_a_transport_error(serve: Serve) -> None:
    url = serve(b'[{"jsonrpc": "2.0", "id": 0, "result": "0x1"}]')

    with Client(url) as client, pytest.raises(TransportError, match="not as long"):
        client.batch([("eth_blockNumber", []), ("eth_chainId", [])])


def test_batches_keep_their_order(chain: Chain) -> None:
    first = chain.block_number() - 20
    numbers = [first + place % 20 for place in range(BATCH + 7)]

    found = chain.headers(numbers)

    assert [header.number for header in found if header] == numbers


def test_a_header_names_its_parent(chain: Chain) -> None:
    newest = chain.header("latest")
    assert newest is not None

    parent = chain.header(newest.number - 1)

    assert parent is not None
    assert newest.parent_hash == parent.hash


def test_a_block_that_is_not_there_is_none(chain: Chain) -> None:
    assert chain.header(chain.block_number() + 1) is None


def test_a_transaction_that_is_not_there_has_no_receipt(chain: Chain) -> None:
    assert chain.receipt("0x" + "ab" * 32) is None
    assert not chain.knows("0x" + "ab" * 32)


def test_the_nonce_counts_transactions_up_to_a_block(chain: Chain) -> None:
    before = chain.block_number()
    chain.succeed(b"", OWNER)

    assert (chain.nonce(OWNER, before), chain.nonce(OWNER)) == (0, 1)


def test_another_chain_is_refused(chain: Chain) -> None:
    with pytest.raises(WrongChainError) as caught:
        chain.check_chain(1)

    assert (caught.value.expected, caught.value.found) == (1, 31337)


@pytest.mark.parametrize("found", [{}, "0x1", {"transactionHash": "0x1", "blockNumber": None}])
def test_a_receipt_with_fields_missing_is_a_transport_error(serve: Serve, found: Any) -> None:
    with Client(serve(reply(found))) as client, pytest.raises(TransportError):
        client.receipt("0x" + "ab" * 32)


def test_a_batch_tells_answers_from_refusals(chain: Chain) -> None:
    number, refusal, chain_id = chain.outcomes(
        [("eth_blockNumber", []), ("eth_no_such_method", []), ("eth_chainId", [])]
    )

    assert (number, chain_id) == (hex(chain.block_number()), hex(31337))
    assert isinstance(refusal, RpcError)


def test_a_batch_whose_answers_all_have_to_be_there_raises_the_refusal(chain: Chain) -> None:
    with pytest.raises(RpcError):
        chain.batch([("eth_blockNumber", []), ("eth_no_such_method", [])])


def test_bytes_that_the_node_has_already_are_not_refused(chain: Chain) -> None:
    chain.call("evm_setAutomine", False)
    request = TransactionRequest(0, OWNER, b"", 0, 21_000, 10**11, 10**9)
    raw = Signer(DEV_KEY, 31337).sign(request).raw

    assert chain.send_all([raw]) == chain.send_all([raw]) == [None]


def test_a_block_has_the_receipts_of_its_transactions(chain: Chain) -> None:
    receipt = chain.succeed(b"", OWNER)

    found = chain.block_receipts([receipt.block_number, receipt.block_number + 1])

    assert found == [[receipt], None]


def test_a_nonce_and_receipts_of_one_state(chain: Chain) -> None:
    receipt = chain.succeed(b"", OWNER)
    hashes = [receipt.tx_hash, "0x" + "ab" * 32]

    found = chain.nonce_and_receipts(OWNER, receipt.block_number, hashes)

    assert found == (1, [receipt, None])


def test_a_server_without_the_block_says_nothing_of_its_nonces(chain: Chain) -> None:
    with pytest.raises(RpcError):
        chain.nonce_and_receipts(OWNER, chain.block_number() + 9, [])


def test_logs_that_take_too_much_memory_are_not_kept(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_LOG_BYTES", 1000)
    monkeypatch.setattr(client, "CHUNK_BYTES", 100)

    with Client(serve(reply("0x" + "0" * 2000))) as node, pytest.raises(TransportError) as caught:
        node.logs("0x" + "12" * 20, 1, 2)

    assert caught.value.reason == "the answer is too long"
