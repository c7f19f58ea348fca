"""A process that brings an evolving collection to the chain is killed at every step of it.

The next process goes on; each contract is created once, and nothing is sent twice.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from generation.models import Drop
from minting import revealing, services
from minting.chain import evolving
from minting.chain.abi import compiled
from minting.models import Attempt, ChainTransaction, Contract
from minting.services import painting
from tests.fixtures.chain import OWNER, Chain
from tests.fixtures.outbox import pump
from tests.fixtures.stack import ROOT

# Pumps until the moment comes, in a process of its own.
MAKE = """
import os, signal, sys
from pathlib import Path
import django
from django.conf import settings
database, url, student, key, moment = sys.argv[1:]
settings.DATABASES["default"]["NAME"] = database
settings.CHAIN_RPC_URL = url
django.setup()
from django.db.models.signals import post_save
from django.utils import timezone
from minting import sender
from minting.chain.client import Client
from minting.models import Attempt, ChainTransaction
from minting.services import painting
painting.student_of = lambda checkpoint: Path(student)
send_all = Client.send_all
def kill():
    os.kill(os.getpid(), signal.SIGKILL)
def note(instance, created, **_):
    if created and instance.key.startswith(key):
        kill()
def send(self, raws):
    answers = send_all(self, raws)
    rows = Attempt.objects.filter(transaction__key__startswith=key)
    return kill() if any(bytes(row.raw) in raws for row in rows) else answers
if moment == "asked":  # and not yet stored for good
    post_save.connect(note, ChainTransaction)
if moment == "sent":  # and not yet noted
    Client.send_all = send
for _ in range(100):
    sender.pump(timezone.now())
"""
Kind = ChainTransaction.Kind

pytestmark = [
    pytest.mark.usefixtures("chain_settings"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


# As they are sent, and as they are asked for: with the stakes' own contract its place is asked for.
SENT = (Kind.DEPLOY, Kind.STAKING, Kind.EVOLUTION, Kind.LOCKER, Kind.LAW)
ASKED = (Kind.DEPLOY, Kind.STAKING, Kind.LOCKER, Kind.EVOLUTION, Kind.LAW)


def steps(contract: Contract, moment: str) -> list[str]:
    """What the keys of its intents begin with; libraries and the painter's parts go together."""
    network, _, painter = painting.painter_of(contract.collection).calls
    parts = [painter] if moment == "asked" else [network, painter]  # the rest is asked for before
    kinds = ASKED if moment == "asked" else SENT
    found = [f"{Kind.LIBRARY}:{contract.chain_id}:{address}" for address in parts]
    return found + [f"{kind}:{contract.pk}:" for kind in kinds]


def killed(chain: Chain, student: Path, key: str, moment: str) -> int:
    database = str(connection.settings_dict["NAME"])
    done = subprocess.run(
        [sys.executable, "-c", MAKE, database, chain.url, str(student), key, moment],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.test"},
        timeout=300,
    )
    return done.returncode


@pytest.mark.parametrize("moment", ["asked", "sent"])
def test_a_kill_at_each_step_deploys_each_contract_once(
    evolving_draft: Drop, small_student: Path, chain: Chain, moment: str
) -> None:
    services.request_living_commit(drop=evolving_draft, reveal_block=revealing.choose_block() + 100)
    due = steps(Contract.objects.get(), moment)

    codes = [killed(chain, small_student, key, moment) for key in due]
    pump()

    contract, rows = Contract.objects.get(), ChainTransaction.objects.all()
    assert codes == [-9] * len(due)
    assert {row.state for row in rows} == {"confirmed"}
    assert [rows.filter(key__startswith=key).count() for key in due] == [1] * len(due)
    assert Attempt.objects.count() == chain.nonce(OWNER) == len(rows)
    evolution = chain.read(contract.address, compiled("EvolvingCollection").call("evolution"))
    assert evolution[12:].hex() == contract.evolution_address[2:].lower()
    assert chain.ask(contract.address, "locker") == contract.staking_address.lower()
    assert evolving.read_law(chain, contract.evolution_address) == services.law_of(contract)
