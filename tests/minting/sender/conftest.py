"""An intent, and the states in which processes that end leave it."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from django.db import connection

from generation.models import Collection
from minting import sender, services
from minting.chain.client import Client, RpcError
from minting.models import Attempt, ChainTransaction
from tests.fixtures.chain import Chain
from tests.fixtures.outbox import NOW

ROOT = Path(__file__).parents[3]
# Pumps once, in a process of its own; the argument says when it is killed.
PUMP = """
import os, signal, sys, time
import django
from django.conf import settings
database, url, when, gate = sys.argv[1:]
settings.DATABASES["default"]["NAME"] = database
settings.CHAIN_RPC_URL = url
django.setup()
from django.utils import timezone
from minting import sender
from minting.chain.client import Client
send_all = Client.send_all
def kill(self, raws):
    if when == "after broadcast":
        send_all(self, raws)
    os.kill(os.getpid(), signal.SIGKILL)
if when != "never":
    Client.send_all = kill
while gate and not os.path.exists(gate):
    time.sleep(0.005)
sender.pump(timezone.now())
"""


def start_pump(chain: Chain, when: str = "never", gate: str = "") -> subprocess.Popen[bytes]:
    database = str(connection.settings_dict["NAME"])
    return subprocess.Popen(
        [sys.executable, "-c", PUMP, database, chain.url, when, gate],
        cwd=ROOT,
        env=_environment(),
    )


def _environment() -> dict[str, str]:
    return os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.test"}


@pytest.fixture
def intent(collection: Collection) -> ChainTransaction:
    """An intent to create the collection's contract, alone."""
    return deploy_alone(collection)


def deploy_alone(collection: Collection) -> ChainTransaction:
    """The libraries that a sale needs are intents of their own."""
    intents = services.request_deploy(collection=collection).transactions
    intents.filter(kind="library").delete()
    return intents.get()


def reload(intent: ChainTransaction) -> ChainTransaction:
    return ChainTransaction.objects.select_related("contract").get(pk=intent.pk)


def sign_only(intent: ChainTransaction, monkeypatch: pytest.MonkeyPatch) -> Attempt:
    """The state that a process leaves which ends after storing and before broadcasting."""

    def end(self: Client, raws: Sequence[bytes]) -> list[RpcError | None]:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(Client, "send_all", end)
        with pytest.raises(SystemExit):
            sender.pump(NOW)
    return intent.attempts.get()


@pytest.fixture
def collections(collection: Collection) -> list[Collection]:
    """Eight collections that wait for their contracts."""
    return [
        Collection.objects.create(slug=f"other-{i}", name="Other", checkpoint=collection.checkpoint)
        for i in range(8)
    ]


def refuse(message: str) -> Callable[[Client, Sequence[bytes]], list[RpcError | None]]:
    """A ``send_all`` of a node that refuses everything."""

    def send_all(self: Client, raws: Sequence[bytes]) -> list[RpcError | None]:
        return [RpcError("eth_sendRawTransaction", -32000, message) for _ in raws]

    return send_all
