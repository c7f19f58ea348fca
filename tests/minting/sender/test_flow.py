"""The outbox against a real node: intents that reach the chain, wait, or are refused."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from generation.models import Collection, Drop
from minting import sender, services
from minting.chain.client import WrongChainError
from minting.chain.phases import unpack
from minting.chain.signer import DevKeyError
from minting.models import Attempt, ChainTransaction, Contract
from tests.fixtures.chain import OWNER, Chain
from tests.fixtures.outbox import NOW, pump
from tests.fixtures.sales import everybody
from tests.fixtures.works import MakeDrop
from tests.minting.sender.conftest import deploy_alone, reload, sign_only

State = ChainTransaction.State

pytestmark = pytest.mark.usefixtures("chain_settings")


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
    assert Attempt.objects.count() == 1


def test_a_confirmed_contract_has_its_address_and_a_cursor_before_it(
    intent: ChainTransaction, chain: Chain
) -> None:
    pump()

    contract = reload(intent).contract
    assert chain.ask(contract.address, "owner") == OWNER.lower()
    assert contract.deployed_block == chain.block_number()
    assert contract.cursor.number == chain.block_number() - 1


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
