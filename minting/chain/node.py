"""A local node of our own: anvil, as npm installed it."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from minting.chain.client import ChainError, Client

LOCAL_CHAIN_ID = 31337


class NodeError(Exception):
    """The node is not installed or does not come up."""


def anvil(node_modules: Path) -> Path:
    """The program for this platform below ``node_modules``; NodeError if npm has not been run."""
    found = sorted((node_modules / "@foundry-rs").glob("anvil-*/bin/anvil*"))
    if not found:
        raise NodeError(f"no chain node in {node_modules}: npm ci installs it")
    return found[0]


def command(program: Path, port: int, state: Path | None = None) -> list[str]:
    """Anvil on the loopback; ``state`` is read at the start and written each second."""
    words = [str(program), "--host", "127.0.0.1", "--port", str(port), "--quiet"]
    words += ["--chain-id", str(LOCAL_CHAIN_ID)]
    if state is not None:
        state.parent.mkdir(parents=True, exist_ok=True)
        words += ["--state", str(state), "--state-interval", "1"]
    return words


def answers(url: str) -> bool:
    """Whether a node of the local chain is there."""
    try:
        with Client(url, timeout_s=2) as node:
            node.check_chain(LOCAL_CHAIN_ID)
    except ChainError:
        return False
    return True


@contextmanager
def running(
    program: Path, port: int, state: Path | None = None, flags: Sequence[str] = ()
) -> Iterator[str]:
    """A node for as long as the block runs; gives its URL. NodeError after 30 s of silence."""
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([*command(program, port, state), *flags])  # noqa: S603
    try:
        deadline = time.monotonic() + 30
        while not answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise NodeError(f"the chain node on port {port} does not come up")
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(30)
