"""The outbox after replies, blocks and nonces were lost."""

from collections.abc import Sequence

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings

from minting import sender, services
from minting.chain.client import Client, RpcError, TransportError
from minting.models import ChainTransaction
from tests.fixtures.chain import ALICE, OWNER, Chain
from tests.fixtures.outbox import NOW, pump
from tests.minting.sender.conftest import refuse, reload, sign_only

State = ChainTransaction.State

pytestmark = pytest.mark.usefixtures("chain_settings")


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
    send_all = Client.send_all

    def lose_reply(self: Client, raws: Sequence[bytes]) -> list[RpcError | None]:
        send_all(self, raws)
        raise TransportError("eth_sendRawTransaction", "the reply is lost")

    with monkeypatch.context() as patch:
        patch.setattr(Client, "send_all", lose_reply)
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


def test_a_node_that_refuses_the_bytes_is_asked_again(
    intent: ChainTransaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Client, "send_all", refuse("transaction pool is full"))
        sender.pump(NOW)
    refused = reload(intent)

    pump()

    assert refused.state == State.SENT
    assert "pool is full" in refused.error
    assert (reload(intent).state, reload(intent).error) == (State.CONFIRMED, "")


def test_the_database_refuses_a_nonce_twice(
    intent: ChainTransaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = sign_only(intent, monkeypatch)
    attempt.pk, attempt.tx_hash = None, "0x" + "ab" * 32

    with pytest.raises(IntegrityError), transaction.atomic():
        attempt.save()


def test_a_nonce_is_not_given_up_on_the_word_of_two_servers(
    intent: ChainTransaction, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is behind and has no receipt; the other says that the nonce is used: by these bytes."""
    stored = sign_only(intent, monkeypatch)
    chain.mined(chain.send(bytes(stored.raw)))
    monkeypatch.setattr(Client, "receipts", lambda self, hashes: [None] * len(hashes))
    monkeypatch.setattr(Client, "knows_all", lambda self, hashes: [False] * len(hashes))

    sender.pump(NOW)

    assert intent.attempts.get().is_live
    assert reload(intent).state == State.SENT
    assert "nonce too low" in reload(intent).error


def test_what_settled_meanwhile_keeps_its_own_reason(intent: ChainTransaction) -> None:
    services.refuse(intent=intent, reason="SaleNotOpen(dropNumber=1)", now=NOW)

    services.note_error(pks=[intent.pk], error="eth_chainId: ConnectionError")

    assert reload(intent).error == "SaleNotOpen(dropNumber=1)"
