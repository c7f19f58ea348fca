"""A JSON-RPC proxy between a sender and its node that does to requests what networks do."""

import asyncio
import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

STALE_BLOCKS = 5
LATENCY_S = 0.2
STATUSES = {"429": b"429 Too Many Requests", "500": b"500 Internal Server Error"}
REFUSALS = {"underpriced": "replacement transaction underpriced", "nonce": "nonce too low"}
# What public nodes do to a crowd; ``fault`` "any" is one of them, drawn for each request.
USUAL = ("latency", "reset", "half reply", "lost reply", "429", "500")
ANY = "any"


class Proxy:
    """``fault`` happens to a ``share`` of the requests, drawn from a seed; '' to none of them."""

    def __init__(self, target: str, seed: int = 0) -> None:
        self.target = urlsplit(target)
        self.fault, self.share = "", 0.3
        self.n_faults = 0
        self.url = ""
        self._chance = random.Random(seed)  # noqa: S311 - repeatable, not secret

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                body = await reader.readexactly(_length(head))
                is_hit = bool(self.fault) and self._chance.random() < self.share
                self.n_faults += is_hit
                if not await self._answer(writer, body, self._drawn() if is_hit else ""):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    def _drawn(self) -> str:
        return self._chance.choice(USUAL) if self.fault == ANY else self.fault

    async def _answer(self, writer: asyncio.StreamWriter, body: bytes, fault: str) -> bool:
        """Whether the connection goes on."""
        if fault == "latency":
            await asyncio.sleep(LATENCY_S)
        elif fault == "reset":
            return False
        elif fault == "black hole":
            await asyncio.sleep(3600)
        elif fault in STATUSES:
            return _write(writer, b"slow down", STATUSES[fault])
        elif fault == "HTML body":
            return _write(writer, b"<html><h1>Bad gateway</h1></html>")
        calls = json.loads(body)
        reply = await self._forward(json.dumps(await self._altered(calls, fault)).encode())
        if fault == "lost reply":
            return False
        if fault == "half reply":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(reply))
            writer.write(reply[: len(reply) // 2])
            await writer.drain()
            writer.close()
            return False
        return _write(writer, json.dumps(_rewritten(calls, json.loads(reply), fault)).encode())

    async def _altered(self, calls: Any, fault: str) -> Any:
        """The request; one to a server that is behind asks for an older state."""
        if fault in REFUSALS:
            return json.loads(json.dumps(calls).replace("eth_sendRawTransaction", "web3_sha3"))
        if fault != "stale head":
            return calls
        head = await self._forward(
            b'{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'
        )
        old = hex(int(json.loads(head)["result"], 16) - STALE_BLOCKS)
        return json.loads(json.dumps(calls).replace('"latest"', f'"{old}"'))

    async def _forward(self, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(self.target.hostname, self.target.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        reply = await reader.readexactly(_length(await reader.readuntil(b"\r\n\r\n")))
        writer.close()
        return reply


def _rewritten(calls: Any, replies: Any, fault: str) -> Any:
    """Answers as another chain, a server that is behind, or a strict pool would give them."""
    answers = {reply["id"]: reply for reply in _all(replies)}
    for call in _all(calls):
        reply, method = answers[call["id"]], call["method"]
        if fault == "wrong chain id" and method == "eth_chainId":
            reply["result"] = "0x1"
        elif fault == "stale head" and method == "eth_blockNumber":
            reply["result"] = hex(int(reply["result"], 16) - STALE_BLOCKS)
        elif fault == "stale head" and method.startswith("eth_getTransaction"):
            if method != "eth_getTransactionCount":
                reply["result"] = None
        elif fault in REFUSALS and _is_send(call):
            reply.pop("result", None)
            reply["error"] = {"code": -32000, "message": REFUSALS[fault]}
    return replies


def _is_send(call: dict[str, Any]) -> bool:
    return bool(call["method"] == "eth_sendRawTransaction")


def _all(body: Any) -> list[dict[str, Any]]:
    return body if isinstance(body, list) else [body]


def _length(head: bytes) -> int:
    return int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])


def _write(writer: asyncio.StreamWriter, body: bytes, status: bytes = b"200 OK") -> bool:
    writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))
    return True


@contextmanager
def running(target: str, seed: int = 0) -> Iterator[Proxy]:
    """A proxy on a thread of its own for as long as the block runs."""
    proxy, loop = Proxy(target, seed), asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(proxy.serve, "127.0.0.1", 0))
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(_hang_up())
        loop.close()


async def _hang_up() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
