"""The wallets of ``benchmarks.votes``, in a process of their own: ``-m benchmarks.vote_load PLAN``.

Bare sockets that stay open, so that little is taken from the server beside it. Each connection
sends its next vote once the last one is answered. No pair is sent twice; what a connection lost
while it waited is written down with status 0 and not sent again.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import combinations, islice
from pathlib import Path
from typing import Any

RECONNECT_S = 0.05


@dataclass(frozen=True)
class Plan:
    """Who votes where; each wallet skips its first ``skip`` pairs.

    ``rate`` is votes a second over all connections; 0: as many as are answered.
    """

    port: int
    round: int
    works: list[int]
    wallets: list[dict[str, str]]
    seconds: float
    connections: int
    rate: float = 0.0
    skip: int = 0

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "Plan":
        return cls(**json.loads(path.read_text()))


@dataclass
class Told:
    """What came of it: rows of status, ms, wallet, first work, second work, id of the vote."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    rows: list[tuple[int, float, int, int, int, int]] = field(default_factory=list)


async def drive(plan: Plan) -> Told:
    told = Told()
    started = time.monotonic()
    tasks = (connection(plan, place, started, told) for place in range(plan.connections))
    await asyncio.gather(*tasks)
    told.seconds = time.monotonic() - started
    told.cpu_s = time.process_time()
    return told


async def connection(plan: Plan, place: int, started: float, told: Told) -> None:
    """One connection's votes until the time is up."""
    reader: asyncio.StreamReader | None = None
    for n, (wallet, first, second) in enumerate(ballots(plan, place)):
        if plan.rate:
            due = started + (n * plan.connections + place) / plan.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        if time.monotonic() >= started + plan.seconds:
            break
        raw = message(plan, wallet, first, second)
        if reader is None:
            reader, writer = await connect(plan.port)
        asked = time.monotonic()
        try:
            writer.write(raw)
            status, pk = await answer(reader)
        except (OSError, asyncio.IncompleteReadError):
            status, pk, reader = 0, 0, None
        told.rows.append((status, 1000 * (time.monotonic() - asked), wallet, first, second, pk))
    if reader is not None:
        writer.close()


def ballots(plan: Plan, place: int) -> Iterator[tuple[int, int, int]]:
    """Wallets of one connection in turn, each with its next pair."""
    mine = range(place, len(plan.wallets), plan.connections)
    for first, second in islice(combinations(plan.works, 2), plan.skip, None):
        for wallet in mine:
            yield wallet, first, second


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """As soon as somebody listens."""
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(RECONNECT_S)


def message(plan: Plan, wallet: int, first: int, second: int) -> bytes:
    body = json.dumps({"left": first, "right": second, "winner": first}).encode()
    keys = plan.wallets[wallet]
    head = (
        f"POST /api/rounds/{plan.round}/votes HTTP/1.1\r\nHost: localhost:{plan.port}\r\n"
        f"Cookie: sessionid={keys['session']}; csrftoken={keys['csrf']}\r\n"
        f"X-CSRFToken: {keys['csrf']}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, int]:
    """Status of the next answer, and the id in it."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    body: dict[str, Any] = json.loads(await reader.readexactly(length) or b"{}")
    return int(head[9:12]), int(body.get("id", 0))


def main() -> None:
    told = asyncio.run(drive(Plan.read(Path(sys.argv[1]))))
    sys.stdout.write(json.dumps(asdict(told)))


if __name__ == "__main__":
    main()
