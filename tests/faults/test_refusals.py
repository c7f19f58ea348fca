"""F13, F14: what nodes and contracts refuse, and what they forget."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from pytest_django import Settings

from generation.models import Drop
from minting import sender
from minting.chain.client import Client, RpcError
from minting.chain.toxic import Proxy
from minting.models import ChainTransaction, Contract
from tests.faults import oracle
from tests.faults.conftest import OpenSale, mint, pump, read_chain, rest, times
from tests.fixtures.chain import ALICE, OWNER, Chain
from tests.minting.sender.conftest import sign_only

State = ChainTransaction.State
LATER = sender.STUCK_AFTER + timedelta(seconds=1)
REVERT = "0x5f5ffd"  # PUSH0 PUSH0 REVERT


@times(light=1, full=10)
def test_a_nonce_that_somebody_else_used(
    open_sale: OpenSale, chain: Chain, monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    drop = open_sale(n)

    for i in range(n):
        intent = mint(drop, i)
        lost = sign_only(intent, monkeypatch)
        chain.succeed(b"", ALICE, OWNER, 1)
        rest()
        assert intent.attempts.get(is_live=True).nonce == lost.nonce + 1
    read_chain()

    oracle.check(chain, n)


@times(light=1, full=10)
def test_a_gap_between_nonces(open_sale: OpenSale, chain: Chain, n: int) -> None:
    drop = open_sale(3 * n)

    for i in range(n):
        chain.call("evm_setAutomine", False)
        first, _, _ = (mint(drop, f"{i}/{k}") for k in range(3))
        pump()
        chain.call("anvil_dropTransaction", first.attempts.get().tx_hash)
        chain.mine()
        pump()
        chain.call("evm_setAutomine", True)
        chain.mine()
        rest()
        assert first.attempts.count() == 1
    read_chain()

    oracle.check(chain, 3 * n)


@times(light=1, full=10)
def test_a_replacement_that_is_underpriced(
    open_sale: OpenSale, chain: Chain, toxic: Proxy, settings: Settings, n: int
) -> None:
    drop = open_sale(n)

    for i in range(n):
        settings.CHAIN_RPC_URL, toxic.fault, toxic.share = toxic.url, "underpriced", 1.0
        intent = mint(drop, i)
        pump()
        pump(LATER)
        refused = intent.attempts.get(is_live=True)
        toxic.fault = ""
        rest()
        fees = list(intent.attempts.order_by("pk").values_list("max_fee_wei", flat=True))
        assert len(fees) == 2
        assert sender.MAX_FEE_WEI >= fees[1] >= 1.125 * fees[0]
        assert intent.attempts.get(is_live=True) == refused
    settings.CHAIN_RPC_URL = chain.url
    read_chain()

    oracle.check(chain, n)


@times(light=1, full=10)
def test_a_base_fee_that_grows_a_hundredfold(open_sale: OpenSale, chain: Chain, n: int) -> None:
    drop = open_sale(n)

    for i in range(n):
        chain.call("evm_setAutomine", False)
        chain.call("anvil_setNextBlockBaseFeePerGas", hex(10**9))
        chain.mine()
        intent = mint(drop, i)
        pump()
        chain.call("anvil_setNextBlockBaseFeePerGas", hex(10**11))
        chain.mine()
        pump(LATER)
        fees = list(intent.attempts.order_by("pk").values_list("max_fee_wei", flat=True))
        assert len(fees) == 2
        assert sender.MAX_FEE_WEI >= fees[1] >= 1.125 * fees[0]
        chain.mine()
        chain.call("evm_setAutomine", True)
        rest()
    read_chain()

    oracle.check(chain, n)


@times(light=1, full=10)
def test_an_account_without_funds(open_sale: OpenSale, chain: Chain, n: int) -> None:
    drop = open_sale(n)

    for i in range(n):
        balance_wei = chain.balance_wei(OWNER)
        chain.call("anvil_setBalance", OWNER, "0x0")
        intent = mint(drop, i)
        pump()
        intent.refresh_from_db()
        assert intent.state == State.PENDING
        assert "insufficient funds" in intent.error.lower()
        chain.call("anvil_setBalance", OWNER, hex(balance_wei))
        rest()
    read_chain()

    oracle.check(chain, n)


@times(light=1, full=10)
def test_a_transaction_that_runs_out_of_gas(
    open_sale: OpenSale, chain: Chain, monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    drop = open_sale(n)
    estimate_all = Client.estimate_all

    def too_little(self: Client, requests: Sequence[dict[str, str]]) -> list[int | RpcError]:
        return [
            one if isinstance(one, RpcError) else one // 2 for one in estimate_all(self, requests)
        ]

    for i in range(n):
        intent = mint(drop, f"short/{i}")
        with monkeypatch.context() as patch:
            patch.setattr(Client, "estimate_all", too_little)
            pump()
        rest()
        intent.refresh_from_db()
        assert intent.state == State.REVERTED
        assert intent.error.endswith("perhaps for lack of gas")
        mint(drop, i)
        rest()
    read_chain()

    oracle.check(chain, n)


@times(light=1, full=10)
def test_a_revert_is_final(
    open_sale: OpenSale, chain: Chain, monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    drop = open_sale(n)
    address = Contract.objects.get().address
    code = chain.call("eth_getCode", address, "latest")

    for i in range(n):
        in_block = mint(drop, f"refused/{i}")
        sign_only(in_block, monkeypatch)
        chain.call("anvil_setCode", address, REVERT)
        rest()
        in_simulation = mint(drop, f"again/{i}")
        rest()
        chain.call("anvil_setCode", address, code)
        for intent in (in_block, in_simulation):
            intent.refresh_from_db()
            assert (intent.state, intent.error) == (State.REVERTED, "refused without a reason")
        assert not in_simulation.attempts.exists()
        mint(drop, i)
        rest()
    assert beyond_the_supply(drop) == "NotEnoughLeft(quantity=1, remaining=0)"
    read_chain()

    oracle.check(chain, n)


def beyond_the_supply(drop: Drop) -> str:
    intent = mint(drop, "one more")
    rest()
    intent.refresh_from_db()
    return intent.error


@times(light=2, full=20)
def test_a_mempool_that_is_dropped(open_sale: OpenSale, chain: Chain, n: int) -> None:
    """F14: the same bytes again."""
    drop = open_sale(n)

    for i in range(n):
        chain.call("evm_setAutomine", False)
        intent = mint(drop, i)
        pump()
        stored = intent.attempts.get()
        chain.call("anvil_dropAllTransactions")
        assert not chain.knows(stored.tx_hash)
        pump()
        chain.mine()
        chain.call("evm_setAutomine", True)
        rest()
        intent.refresh_from_db()
        assert intent.tx_hash == stored.tx_hash
        assert intent.attempts.count() == 1
    read_chain()

    oracle.check(chain, n)
