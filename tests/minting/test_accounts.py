"""Accounts of tokens. Oracle: ERC-6551's own registry, created on a real node."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from eth_account import Account
from eth_account.messages import encode_defunct

from generation.models import Checkpoint
from generation.services import create_collection
from minting import services
from minting.chain import accounts, contracts
from minting.chain.abi import FACTORY, compiled
from minting.models import ChainTransaction, Contract
from minting.provenance.keccak import keccak256
from tests.fixtures.chain import ALICE, BOB, Chain, drop_body
from tests.fixtures.outbox import pump
from tests.minting.market import KEYS

CHAIN_ID = 31337
NOBODY = "0x" + "00" * 20


@dataclass(frozen=True)
class Works:
    """Two works of Alice's, and the account of the first one."""

    chain: Chain
    contract: str
    account: str

    def ask(self, name: str, *arguments: Any) -> Any:
        interface = compiled("TokenAccount")
        return interface.answer(
            name, self.chain.read(self.account, interface.call(name, *arguments))
        )

    def owner_of(self, token_id: int) -> str:
        return str(self.chain.ask(self.contract, "ownerOf", token_id))

    def give(self, token_id: int, to: str, sender: str, name: str = "safeTransferFrom") -> bytes:
        types = {"safeTransferFrom": b"safeTransferFrom(address,address,uint256)"}
        selector = keccak256(types.get(name, b"transferFrom(address,address,uint256)"))[:4]
        words = (int(sender, 16), int(to, 16), token_id)
        return selector + b"".join(word.to_bytes(32) for word in words)


def terms(contract: str, token_id: int = 1, chain_id: int = CHAIN_ID) -> dict[str, Any]:
    return {
        "implementation": accounts.own_implementation(),
        "chain_id": chain_id,
        "contract": contract,
        "token_id": token_id,
    }


@pytest.fixture
def works(chain: Chain) -> Works:
    contract = chain.deploy()
    chain.put_on_sale(contract, drop_body())
    chain.succeed(contracts.mint(1, 0, 2), contract, ALICE)
    for call in accounts.creations().values():
        chain.succeed(call, FACTORY)
    chain.succeed(accounts.create(**terms(contract)), accounts.REGISTRY, BOB)
    return Works(chain, contract, accounts.account_address(**terms(contract)))


def test_the_factory_puts_the_registry_where_the_standard_says(chain: Chain) -> None:
    assert chain.call("eth_getCode", accounts.REGISTRY, "latest") == "0x"

    chain.succeed(accounts.REGISTRY_CREATION, FACTORY)

    assert len(chain.call("eth_getCode", accounts.REGISTRY, "latest")) == 2 + 2 * 0x23B


@pytest.mark.parametrize(
    ("implementation", "chain_id", "contract", "token_id"),
    [
        ("0x" + "be" * 20, 1, "0x" + "cf" * 20, 123),
        (NOBODY, 0, NOBODY, 0),
        ("0x" + "ff" * 20, 2**256 - 1, "0x" + "ff" * 20, 2**256 - 1),
        (accounts.own_implementation(), CHAIN_ID, ALICE, 10_000),
    ],
)
def test_addresses_are_those_of_the_registry(
    chain: Chain, implementation: str, chain_id: int, contract: str, token_id: int
) -> None:
    chain.succeed(accounts.REGISTRY_CREATION, FACTORY)
    asked: dict[str, Any] = {
        "implementation": implementation,
        "chain_id": chain_id,
        "contract": contract,
        "token_id": token_id,
    }

    told = accounts.told(chain.read(accounts.REGISTRY, accounts.ask(**asked)))

    assert accounts.account_address(**asked) == told


def test_the_account_knows_its_work_and_its_owner(works: Works) -> None:
    assert works.ask("token") == (CHAIN_ID, works.contract.lower(), 1)
    assert works.ask("owner") == ALICE.lower()
    assert works.ask("isValidSigner", ALICE, b"").hex() == "523e3260"
    assert works.ask("isValidSigner", BOB, b"").hex() == "00000000"


@pytest.mark.parametrize(
    ("interface_id", "is_known"),
    [("01ffc9a7", True), ("6faff5f1", True), ("51945447", True), ("ffffffff", False)],
)
def test_the_account_says_what_it_can(works: Works, interface_id: str, is_known: bool) -> None:
    assert works.ask("supportsInterface", bytes.fromhex(interface_id)) is is_known


def test_the_owner_sends_what_the_account_holds(works: Works) -> None:
    works.chain.succeed(b"", works.account, BOB, 10**18)
    before = works.chain.balance_wei(BOB)

    works.chain.succeed(accounts.execute(BOB, 10**17, b""), works.account, ALICE)

    assert works.chain.balance_wei(BOB) - before == 10**17
    assert works.chain.balance_wei(works.account) == 9 * 10**17
    assert works.ask("state") == 1


def test_somebody_else_sends_nothing(works: Works) -> None:
    works.chain.succeed(b"", works.account, BOB, 10**18)

    reason = works.chain.refusal(accounts.execute(BOB, 1, b""), works.account, BOB)

    assert reason == f"NotOwner(caller={BOB.lower()})"


def test_the_account_runs_no_code_of_others(works: Works) -> None:
    call = compiled("TokenAccount").call("execute", BOB, 0, b"", 1)

    assert works.chain.refusal(call, works.account, ALICE) == "OnlyCalls(operation=1)"


def test_a_work_goes_into_the_account_and_comes_out_with_its_owner(works: Works) -> None:
    works.chain.succeed(works.give(2, works.account, ALICE), works.contract, ALICE)
    assert works.owner_of(2) == works.account.lower()

    works.chain.succeed(works.give(1, BOB, ALICE), works.contract, ALICE)
    out = works.give(2, BOB, works.account, "transferFrom")
    refused = works.chain.refusal(accounts.execute(works.contract, 0, out), works.account, ALICE)
    works.chain.succeed(accounts.execute(works.contract, 0, out), works.account, BOB)

    assert refused == f"NotOwner(caller={ALICE.lower()})"
    assert works.owner_of(2) == BOB.lower()


def test_the_account_does_not_take_its_own_work(works: Works) -> None:
    call = works.give(1, works.account, ALICE)

    assert works.chain.refusal(call, works.contract, ALICE) == "OwnWork()"


def test_the_owner_signs_for_the_account(works: Works) -> None:
    message = encode_defunct(text="an offer")
    digest = keccak256(b"\x19Ethereum Signed Message:\n8an offer")
    signatures = {
        name: bytes(Account.sign_message(message, KEYS[name]).signature) for name in (ALICE, BOB)
    }

    assert works.ask("isValidSignature", digest, signatures[ALICE]).hex() == "1626ba7e"
    assert works.ask("isValidSignature", digest, signatures[BOB]).hex() == "ffffffff"


def test_an_account_of_another_chain_has_no_owner_here(works: Works) -> None:
    away = terms(works.contract, chain_id=1)
    works.chain.succeed(accounts.create(**away), accounts.REGISTRY, BOB)
    account = Works(works.chain, works.contract, accounts.account_address(**away))

    assert account.ask("owner") == NOBODY
    assert account.ask("isValidSigner", NOBODY, b"").hex() == "00000000"
    refused = works.chain.refusal(accounts.execute(BOB, 0, b""), account.account, ALICE)
    assert refused == f"NotOwner(caller={ALICE.lower()})"


@pytest.mark.usefixtures("chain_settings", "db")
def test_the_command_creates_what_the_chain_lacks_once(
    chain: Chain, small_checkpoint: Checkpoint
) -> None:
    made = create_collection(slug="owners", name="Owners", story="", checkpoint=small_checkpoint)
    services.request_deploy(collection=made)
    pump()

    call_command("token_accounts", "owners")
    pump()
    call_command("token_accounts", "owners")

    for address in accounts.creations():
        assert chain.call("eth_getCode", address, "latest") != "0x"
        assert ChainTransaction.objects.get(key__endswith=address).state == "confirmed"
    assert Contract.objects.get().address


@pytest.mark.django_db
def test_the_command_names_an_unknown_collection() -> None:
    with pytest.raises(CommandError, match="no contract of a collection nobody"):
        call_command("token_accounts", "nobody")
