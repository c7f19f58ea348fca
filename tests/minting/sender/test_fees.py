"""What the outbox pays, and what it does not."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from generation.models import Collection
from minting import sender
from minting.chain.client import Client
from minting.models import Attempt, ChainTransaction
from tests.fixtures.chain import OWNER, Chain
from tests.fixtures.outbox import NOW, pump
from tests.minting.sender.conftest import deploy_alone, refuse, reload, sign_only

State = ChainTransaction.State

pytestmark = pytest.mark.usefixtures("chain_settings")


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

    assert poor.state == State.PENDING
    assert poor.error.startswith(f"insufficient funds: {intent.sender} has 0 wei, up to ")
    assert reload(intent).state == State.CONFIRMED


def test_an_account_signs_only_what_it_can_pay_for(
    collections: list[Collection], chain: Chain
) -> None:
    for each in collections:
        deploy_alone(each)
    chain.call("evm_setAutomine", False)
    chain.call("anvil_setBalance", OWNER, hex(10**12))
    sender.pump(NOW)
    error = ChainTransaction.objects.earliest("pk").error
    each_wei = int(error.split("up to ")[1].split()[0])
    chain.call("anvil_setBalance", OWNER, hex(3 * each_wei + each_wei // 2))

    sender.pump(NOW)

    states = list(ChainTransaction.objects.order_by("pk").values_list("state", flat=True))
    assert states == [State.SENT] * 3 + [State.PENDING] * (len(collections) - 3)
    assert Attempt.objects.count() == 3


def test_a_replacement_never_bids_more_than_the_cap(
    intent: ChainTransaction, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = sign_only(intent, monkeypatch)
    Attempt.objects.filter(pk=stored.pk).update(max_fee_wei=sender.MAX_FEE_WEI * 9 // 10)
    monkeypatch.setattr(Client, "send_all", refuse("replacement transaction underpriced"))

    sender.pump(NOW + timedelta(minutes=2))

    assert intent.attempts.count() == 1
    assert "is the cap" in reload(intent).error


@pytest.mark.parametrize("after_s", [59, 61])
def test_a_fee_that_the_node_refuses_is_raised_though_the_market_is_no_dearer(
    intent: ChainTransaction, chain: Chain, monkeypatch: pytest.MonkeyPatch, after_s: int
) -> None:
    first = sign_only(intent, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(Client, "send_all", refuse("replacement transaction underpriced"))
        sender.pump(NOW + timedelta(seconds=after_s))
    refused = reload(intent)

    pump()

    last = intent.attempts.get(is_live=True)
    assert "underpriced" in refused.error
    assert (last.max_fee_wei >= first.max_fee_wei * 1.125) == (after_s > 60)
    assert last.nonce == first.nonce
    assert reload(intent).state == State.CONFIRMED
