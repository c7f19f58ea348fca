"""Processes of their own that work on a test's database, forked from one that has loaded Django."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.db import connection

if not apps.ready:
    django.setup()

from generation.imaging import codec
from minting import services, tasks
from minting.chain.client import Client, RpcError
from minting.models import Commitment

FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload([__name__])
STEPS = ["before signing", "after storing", "after broadcast", "after receipt"]
TASKS: dict[str, Callable[[], object]] = {"sweep": tasks.sweep, "index": tasks.index}


def start(work: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """``work(*arguments)`` in a new process, on this test's database, node and pictures."""
    here = (str(connection.settings_dict["NAME"]), settings.CHAIN_RPC_URL, str(settings.MEDIA_ROOT))
    process = FORK.Process(target=_run, args=(here, work, arguments))
    process.start()
    return process


def _run(here: tuple[str, str, str], work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    connection.settings_dict["NAME"], settings.CHAIN_RPC_URL = here[:2]
    settings.MEDIA_ROOT = Path(here[2])
    work(*arguments)


def deliver(task: str, barrier: Any) -> None:
    """One delivery of a task; all that share the barrier begin together."""
    barrier.wait(60)
    TASKS[task]()


def die(step: str) -> None:
    """Pump, and be killed at ``step``."""
    send_all = Client.send_all

    def kill(*arguments: Any, **named: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)

    def send_then_kill(self: Client, raws: Sequence[bytes]) -> list[RpcError | None]:
        send_all(self, raws)
        return list(kill())

    match step:
        case "before signing":
            services.sign_attempts = kill
        case "after storing":
            Client.send_all = kill  # type: ignore[method-assign]
        case "after broadcast":
            Client.send_all = send_then_kill  # type: ignore[method-assign]
        case "after receipt":
            services.settle = kill
    while True:
        tasks.sweep()


def pack_and_die(pk: int, suffix: str) -> None:
    _die_at_the_switch(suffix)
    services.drop_car(commitment=Commitment.objects.get(pk=pk))


def store_and_die(raw: bytes) -> None:
    _die_at_the_switch(".png")
    codec.store(raw, Path(settings.MEDIA_ROOT) / "images", ".png")


def _die_at_the_switch(suffix: str) -> None:
    """Be killed instead of moving a finished file to the name under which it is found."""
    replace = Path.replace

    def kill(self: Path, target: Path) -> Path:
        if settings.MEDIA_ROOT in Path(target).parents and Path(target).suffix == suffix:
            os.kill(os.getpid(), signal.SIGKILL)
        return replace(self, target)

    Path.replace = kill  # type: ignore[method-assign,assignment]


__all__ = ["FORK", "STEPS", "deliver", "die", "pack_and_die", "start", "store_and_die"]
