"""The outbox against a real node; processes are killed where it says so."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import Settings

from generation.models import Collection, Drop
from minting import sender, services
from minting.chain.client import Client, RpcError, TransportError, WrongChainError
from minting.chain.phases import unpack
from minting.chain.signer import DevKeyError
from minting.models import Attempt, ChainTransaction, Contract
from tests.fixtures.chain import ALICE, OWNER, Chain
from tests.fixtures.sales import everybody
from tests.fixtures.works import MakeDrop
from tests.minting.conftest import NOW, pump

ROOT = Path(__file__).parents[2]
State = ChainTransaction.State
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
send = Client.send
def kill(self, raw):
    if when == "after broadcast":
        send(self, raw)
    os.kill(os.getpid(), signal.SIGKILL)
if when != "never":
    Client.send = kill
while gate and not os.path.exists(gate):
    time.sleep(0.005)
sender.pump(timezone.now())
"""

pytestmark = pytest.mark.usefixtures("chain_settings")


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

    def end(self: Client, raw: bytes) -> str:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(Client, "send", end)
        with pytest.raises(SystemExit):
            sender.pump(NOW)
    return intent.attempts.get()


def test_a_drop_goes_from_curation_to_its_sale(make_drop: MakeDrop, chain: Chain) -> None:
    drop = make_drop(3)
    services.request_commit(drop=drop)
    pump()
    drop.refresh_from_db()
    committed = drop.state
    services.request_open_sale(drop=drop, phases=everybody(10**16, 2))
    pump()
    drop.refresh_from_db()

    address = Contract.objects.get().address
    commitment = drop.commitment
    assert (committed, drop.state) == (Drop.State.COMMITTED, Drop.State.MINTING)
    assert chain.ask(address, "head").hex() == commitment.head
    lot, [phase] = chain.ask(address, "lotOf", 1), chain.ask(address, "phasesOf", 1)
    assert (lot[:4], unpack(phase)) == ((1, 3, 0, 1), commitment.phases.get().phase)


def test_pump_names_the_drops_that_moved(make_drop: MakeDrop) -> None:
    drop = make_drop(1)
    services.request_commit(drop=drop)

    assert pump() == {drop.pk}
    assert pump() == set()


def test_a_second_pump_changes_nothing(intent: ChainTransaction, chain: Chain) -> None:
    pump()
    before, nonce = reload(intent), chain.nonce(OWNER)

    sender.pump(NOW + timedelta(hours=1))

    after = reload(intent)
    assert (after.state, after.tx_hash) == (State.CONFIRMED, before.tx_hash)
    assert chain.nonce(OWNER) == nonce
    assert intent.attempts.count() == 1


def test_a_confirmed_contract_has_its_address_and_a_cursor_before_it(
    intent: ChainTransaction, chain: Chain
) -> None:
    pump()

    contract = reload(intent).contract
    assert chain.ask(contract.address, "owner") == OWNER.lower()
    assert contract.deployed_block == chain.block_number()
    assert contract.cursor.number == chain.block_number() - 1


def test_bytes_that_were_stored_and_not_sent_are_sent_as_they_are(
    intent: ChainTransaction, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = sign_only(intent, monkeypatch)
    unknown = chain.knows(stored.tx_hash)

    pump()

    assert not unknown
    assert reload(intent).state == State.CONFIRMED
    assert reload(intent).tx_hash == stored.tx_hash
    assert intent.attempts.count() == 1


def test_a_lost_reply_to_a_broadcast_is_resolved_by_hash(
    intent: ChainTransaction, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Client.send

    def lose_reply(self: Client, raw: bytes) -> str:
        send(self, raw)
        raise TransportError("eth_sendRawTransaction", "the reply is lost")

    with monkeypatch.context() as patch:
        patch.setattr(Client, "send", lose_reply)
        sender.pump(NOW)
    doubtful = reload(intent)
    chain.mined(intent.attempts.get().tx_hash)

    sender.pump(NOW)

    assert (doubtful.state, doubtful.error) == (
        State.SENT,
        "eth_sendRawTransaction: the reply is lost",
    )
    assert (reload(intent).state, reload(intent).error) == (State.CONFIRMED, "")
    assert chain.nonce(OWNER) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("when", ["before broadcast", "after broadcast"])
def test_a_killed_process_loses_and_doubles_nothing(
    intent: ChainTransaction, chain: Chain, when: str
) -> None:
    with start_pump(chain, when) as process:
        process.wait(60)

    pump()

    assert process.returncode == -9
    assert reload(intent).state == State.CONFIRMED
    assert intent.attempts.count() == 1
    assert chain.nonce(OWNER) == 1


@pytest.mark.django_db(transaction=True)
def test_two_processes_never_share_a_nonce(
    collection: Collection, chain: Chain, tmp_path: Path
) -> None:
    n_intents = 8
    for number in range(n_intents):
        other = Collection.objects.create(
            slug=f"other-{number}", name="Other", checkpoint=collection.checkpoint
        )
        deploy_alone(other)
    gate = tmp_path / "open"

    with start_pump(chain, gate=str(gate)) as one, start_pump(chain, gate=str(gate)) as two:
        gate.touch()
        codes = [one.wait(120), two.wait(120)]
    pump()

    assert codes == [0, 0]
    assert set(ChainTransaction.objects.values_list("state", flat=True)) == {State.CONFIRMED}
    assert sorted(Attempt.objects.values_list("nonce", flat=True)) == list(range(n_intents))
    assert chain.nonce(OWNER) == n_intents


def test_the_database_refuses_a_nonce_twice(
    intent: ChainTransaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = sign_only(intent, monkeypatch)
    attempt.pk, attempt.tx_hash = None, "0x" + "ab" * 32

    with pytest.raises(IntegrityError), transaction.atomic():
        attempt.save()


def test_a_refusal_in_simulation_is_final_and_says_why(make_drop: MakeDrop, chain: Chain) -> None:
    drop = make_drop(1)
    services.request_commit(drop=drop)
    pump()
    drop.refresh_from_db()
    intent = services.request_open_sale(drop=drop, phases=everybody(1, 1))
    chain.succeed(bytes(intent.call), Contract.objects.get().address)
    nonce = chain.nonce(OWNER)

    pump()
    pump()

    found = reload(intent)
    assert (found.state, found.error) == (
        State.REVERTED,
        "SaleOutOfOrder(dropNumber=1, expected=2)",
    )
    assert not intent.attempts.exists()
    assert chain.nonce(OWNER) == nonce


def test_a_transaction_that_fails_in_its_block_is_final(
    make_drop: MakeDrop, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = make_drop(1)
    services.request_commit(drop=drop)
    pump()
    drop.refresh_from_db()
    intent = services.request_open_sale(drop=drop, phases=everybody(1, 1))
    sign_only(intent, monkeypatch)
    # The contract now refuses everything: PUSH0 PUSH0 REVERT.
    chain.call("anvil_setCode", Contract.objects.get().address, "0x5f5ffd")

    pump()

    found = reload(intent)
    drop.refresh_from_db()
    assert (found.state, found.error) == (State.REVERTED, "refused without a reason")
    assert found.block_number == chain.block_number()
    assert drop.state == Drop.State.COMMITTED


def test_confirmations_are_counted(
    intent: ChainTransaction, chain: Chain, settings: Settings
) -> None:
    settings.CHAIN_CONFIRMATIONS = 3
    sender.pump(NOW)
    chain.mined(intent.attempts.get().tx_hash)
    states = []
    for _ in range(3):
        sender.pump(NOW)
        states.append(reload(intent).state)
        chain.mine()

    assert states == [State.SENT, State.SENT, State.CONFIRMED]


def test_a_block_that_is_replaced_before_it_is_deep_enough_does_not_count(
    intent: ChainTransaction, fresh_chain: Chain, settings: Settings
) -> None:
    chain, settings.CHAIN_RPC_URL, settings.CHAIN_CONFIRMATIONS = fresh_chain, fresh_chain.url, 2
    sender.pump(NOW)
    before = intent.attempts.get()
    chain.mined(before.tx_hash)
    chain.reorganise(1)
    gone = chain.receipt(before.tx_hash) is None
    sender.pump(NOW)
    unsettled = reload(intent).state
    chain.mined(before.tx_hash)
    chain.mine()

    sender.pump(NOW)

    assert gone
    assert unsettled == State.SENT
    assert (reload(intent).state, reload(intent).tx_hash) == (State.CONFIRMED, before.tx_hash)
    assert chain.ask(reload(intent).contract.address, "owner") == OWNER.lower()


def test_a_forgotten_transaction_is_sent_again(intent: ChainTransaction, chain: Chain) -> None:
    chain.call("evm_setAutomine", False)
    sender.pump(NOW)
    stored = intent.attempts.get()
    chain.call("anvil_dropAllTransactions")
    forgotten = not chain.knows(stored.tx_hash)

    sender.pump(NOW)
    chain.mine()
    sender.pump(NOW)

    assert forgotten
    assert (reload(intent).state, reload(intent).tx_hash) == (State.CONFIRMED, stored.tx_hash)


def test_a_nonce_that_somebody_else_used_is_given_up(
    intent: ChainTransaction, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = sign_only(intent, monkeypatch)
    chain.succeed(b"", ALICE, OWNER, 1)

    pump()
    pump()

    kept = intent.attempts.get(is_live=True)
    assert (lost.nonce, kept.nonce) == (0, 1)
    assert (reload(intent).state, reload(intent).tx_hash) == (State.CONFIRMED, kept.tx_hash)


def test_a_fee_that_became_too_low_is_raised(intent: ChainTransaction, chain: Chain) -> None:
    chain.call("evm_setAutomine", False)
    sender.pump(NOW)
    first = intent.attempts.get()
    chain.call("anvil_setNextBlockBaseFeePerGas", hex(first.max_fee_wei * 3))
    chain.mine()
    sender.pump(NOW + timedelta(seconds=59))
    n_early = intent.attempts.count()

    sender.pump(NOW + timedelta(seconds=61))
    chain.mine()
    sender.pump(NOW + timedelta(seconds=62))

    second = intent.attempts.get(is_live=True)
    assert n_early == 1
    assert second.nonce == first.nonce
    assert second.max_fee_wei >= first.max_fee_wei * 1.125
    assert second.tip_wei >= first.tip_wei * 1.125
    assert (reload(intent).state, reload(intent).tx_hash) == (State.CONFIRMED, second.tx_hash)


def test_a_chain_that_is_too_dear_is_waited_for(intent: ChainTransaction, chain: Chain) -> None:
    chain.call("anvil_setNextBlockBaseFeePerGas", hex(sender.MAX_FEE_WEI))
    chain.mine()

    sender.pump(NOW)

    assert reload(intent).state == State.PENDING
    assert "is the cap" in reload(intent).error


def test_an_account_without_funds_waits_until_it_has_some(
    collection: Collection, chain: Chain, settings: Settings
) -> None:
    settings.CHAIN_PRIVATE_KEY = "0x" + "11" * 32
    intent = deploy_alone(collection)
    chain.call("anvil_setBalance", intent.sender, "0x0")
    pump()
    poor = reload(intent)
    chain.call("anvil_setBalance", intent.sender, hex(10**18))

    pump()

    assert poor.state in {State.PENDING, State.SENT}
    assert "funds" in poor.error.lower()
    assert reload(intent).state == State.CONFIRMED


def test_a_development_key_is_refused_on_another_chain(
    intent: ChainTransaction, chain: Chain, settings: Settings
) -> None:
    settings.CHAIN_ID = 1

    with pytest.raises(DevKeyError):
        sender.pump(NOW)

    assert chain.nonce(OWNER) == 0


def test_a_node_of_another_chain_is_refused(
    collection: Collection, chain: Chain, settings: Settings
) -> None:
    settings.CHAIN_ID, settings.CHAIN_PRIVATE_KEY = 1, "0x" + "11" * 32
    intent = deploy_alone(collection)

    with pytest.raises(WrongChainError, match=r"serves chain 31337.*set to 1"):
        sender.pump(NOW)

    assert reload(intent).state == State.PENDING
    assert "31337" in reload(intent).error


def test_an_intent_of_another_key_says_so(intent: ChainTransaction, settings: Settings) -> None:
    settings.CHAIN_PRIVATE_KEY = "0x" + "11" * 32

    pump()

    assert reload(intent).error == f"no key for {OWNER} on chain 31337"


def test_a_node_that_is_away_leaves_everything_due(
    intent: ChainTransaction, settings: Settings
) -> None:
    reachable, settings.CHAIN_RPC_URL = settings.CHAIN_RPC_URL, "http://127.0.0.1:1"
    with pytest.raises(TransportError):
        sender.pump(NOW)
    away = reload(intent)
    settings.CHAIN_RPC_URL = reachable

    pump()

    assert (away.state, away.error) == (State.PENDING, "eth_chainId: ConnectionError")
    assert reload(intent).state == State.CONFIRMED


def test_a_commit_waits_for_its_contract(make_drop: MakeDrop, chain: Chain) -> None:
    intent = services.request_commit(drop=make_drop(1))
    chain.call("evm_setAutomine", False)
    sender.pump(NOW)
    waiting = reload(intent)
    chain.mine()
    sender.pump(NOW)
    chain.mine()

    sender.pump(NOW)

    assert (waiting.state, waiting.error) == (State.PENDING, "")
    assert reload(intent).state == State.CONFIRMED


def test_a_node_that_refuses_the_bytes_is_asked_again(
    intent: ChainTransaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Client, raw: bytes) -> str:
        raise RpcError("eth_sendRawTransaction", -32000, "transaction pool is full")

    with monkeypatch.context() as patch:
        patch.setattr(Client, "send", refuse)
        sender.pump(NOW)
    refused = reload(intent)

    pump()

    assert refused.state == State.SENT
    assert "pool is full" in refused.error
    assert (reload(intent).state, reload(intent).error) == (State.CONFIRMED, "")
