"""Interactions that holders sign and the installation sends, on a real node."""

from typing import Any

import pytest
from django.test import Client
from eth_account import Account
from eth_account.messages import encode_typed_data
from pytest_django import Settings

from gallery.views.intents import chain_context
from minting import indexer
from minting.chain import contracts
from minting.models import ChainTransaction, Contract, Interaction
from tests.fixtures.chain import ALICE, BOB, Chain
from tests.fixtures.outbox import pump

pytestmark = pytest.mark.usefixtures("chain_settings")
Kind = ChainTransaction.Kind
DAY_S = 86_400
# Whose the accounts of the fixtures are on a local chain; anvil tells them to everybody.
ALICE_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
BOB_KEY = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture(autouse=True)
def few_a_day(settings: Settings) -> None:
    settings.RELAYED_A_DAY = 2


def url(contract: Contract, token_id: int = 1) -> str:
    return f"/api/tokens/{contract.address}/{token_id}/interaction"


def offered(client: Client, contract: Contract, token_id: int = 1) -> dict[str, Any]:
    answer = client.get(url(contract, token_id))
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def send(
    client: Client, contract: Contract, typed: dict[str, Any], key: str = ALICE_KEY
) -> tuple[int, dict[str, Any]]:
    signed = Account.sign_message(encode_typed_data(full_message=typed), key)
    body = {
        "deadline": typed["message"]["deadline"],
        "signature": "0x" + bytes(signed.signature).hex(),
    }
    token_id = typed["message"]["tokenId"]
    answer = client.post(url(contract, token_id), body, content_type="application/json")
    return answer.status_code, answer.json()


def settle() -> None:
    pump()
    indexer.poll()


def test_a_signed_interaction_is_sent_and_counts(
    client: Client, evolving_works: Contract, chain: Chain
) -> None:
    found = offered(client, evolving_works)

    status, sent = send(client, evolving_works, found["typed_data"])
    waiting = offered(client, evolving_works)
    settle()

    assert (status, sent["state"]) == (202, "pending")
    assert (waiting["typed_data"], waiting["sent"]["state"]) == (None, "pending")
    row = Interaction.objects.select_related("token").get()
    assert (row.holder, row.token.token_id, row.count) == (ALICE, 1, 1)
    after = offered(client, evolving_works)
    assert (after["count"], after["typed_data"], after["left"]) == (2, None, 1)
    assert after["opens_at"] is not None
    chain.call("evm_increaseTime", DAY_S + 1)
    chain.mine()
    assert offered(client, evolving_works)["typed_data"]["message"]["count"] == 2


def test_the_same_signature_again_is_the_same_transaction(
    client: Client, evolving_works: Contract
) -> None:
    typed = offered(client, evolving_works)["typed_data"]

    statuses = [send(client, evolving_works, typed)[0] for _ in range(3)]
    settle()

    assert statuses == [202, 202, 202]
    assert ChainTransaction.objects.filter(kind=Kind.INTERACT).count() == 1
    assert Interaction.objects.count() == 1


def test_what_the_contract_would_refuse_is_not_sent(
    client: Client, evolving_works: Contract, chain: Chain
) -> None:
    typed = offered(client, evolving_works)["typed_data"]
    forged = send(client, evolving_works, typed, BOB_KEY)
    chain.succeed(contracts.call("transferFrom", ALICE, BOB, 1), evolving_works.address, ALICE)
    sold = send(client, evolving_works, typed)
    late = typed | {"message": typed["message"] | {"tokenId": 2, "deadline": 1}}
    passed = send(client, evolving_works, late)

    assert [forged[0], sold[0], passed[0]] == [409, 409, 409]
    assert "BadSignature" in forged[1]["detail"]
    assert "BadSignature" in sold[1]["detail"]
    assert "DeadlinePassed" in passed[1]["detail"]
    assert not ChainTransaction.objects.filter(kind=Kind.INTERACT).exists()


def test_no_more_are_sent_than_a_day_has(
    client: Client, evolving_works: Contract, settings: Settings
) -> None:
    statuses = []
    for token_id in (1, 2):
        typed = offered(client, evolving_works, token_id)["typed_data"]
        statuses.append(send(client, evolving_works, typed)[0])
    spent = offered(client, evolving_works, 3)
    settings.RELAYED_A_DAY = 3
    typed = offered(client, evolving_works, 3)["typed_data"]
    settings.RELAYED_A_DAY = 2

    status, problem = send(client, evolving_works, typed)

    assert statuses == [202, 202]
    assert (spent["left"], spent["typed_data"]) == (0, None)
    assert (status, problem["code"]) == (429, "limit")


def test_after_one_that_was_refused_in_its_block_another_can_be_signed(
    client: Client, evolving_works: Contract, chain: Chain
) -> None:
    """The work was passed on while the first was waiting: its new holder signs."""
    send(client, evolving_works, offered(client, evolving_works)["typed_data"])
    chain.succeed(contracts.call("transferFrom", ALICE, BOB, 1), evolving_works.address, ALICE)
    settle()

    found = offered(client, evolving_works)
    status, _ = send(client, evolving_works, found["typed_data"], BOB_KEY)
    settle()

    states = ChainTransaction.objects.filter(kind=Kind.INTERACT).order_by("pk")
    assert found["sent"]["state"] == "reverted"
    assert "BadSignature" in found["sent"]["error"]
    assert found["typed_data"]["message"]["holder"] == BOB
    assert status == 202
    assert list(states.values_list("state", flat=True)) == ["reverted", "confirmed"]
    assert Interaction.objects.get().holder == BOB


def test_leads_are_not_told_of_what_holders_sign_again(
    client: Client, evolving_works: Contract, chain: Chain
) -> None:
    send(client, evolving_works, offered(client, evolving_works)["typed_data"])
    chain.succeed(contracts.call("transferFrom", ALICE, BOB, 1), evolving_works.address, ALICE)
    settle()
    drop = evolving_works.tokens.select_related("drop")[0].drop

    told = chain_context(drop)

    assert ChainTransaction.objects.get(kind=Kind.INTERACT).error
    assert (told["chain_trouble"], told["is_refused"]) == ("", False)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"deadline": 1},
        {"deadline": -1, "signature": "0x00"},
        {"deadline": 1, "signature": "00"},
        {"deadline": 1, "signature": "0x0"},
        {"deadline": 1, "signature": "0x" + "00" * 2049},
    ],
)
def test_what_is_no_signature_is_refused(
    client: Client, evolving_works: Contract, body: dict[str, Any]
) -> None:
    answer = client.post(url(evolving_works), body, content_type="application/json")

    assert answer.status_code == 400


def test_nothing_is_offered_where_nothing_is_sent(
    client: Client, evolving_works: Contract, settings: Settings
) -> None:
    missing = client.get(url(evolving_works, 99)).status_code
    settings.CHAIN_RPC_URL = "http://127.0.0.1:9"
    away = client.get(url(evolving_works)).status_code
    settings.RELAYED_A_DAY = 0

    assert (missing, away) == (404, 503)
    assert client.get(url(evolving_works)).status_code == 404
