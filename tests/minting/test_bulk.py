"""Many transactions at once against a real node, and what gets lost on the way."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from minting.chain.bulk import Bulk, Fate, Message, Outcome, Progress
from minting.chain.client import Client, RpcError, TransportError
from minting.chain.signer import Signer
from minting.chain.toxic import ANY, running
from tests.fixtures.chain import ALICE, BOB, OWNER, Chain
from tests.fixtures.outbox import park

KEYS = {
    OWNER: "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    BOB: "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
}
SIGNER = Signer(KEYS[OWNER], 31337)
PAYMENT = Message(SIGNER, ALICE, b"", value_wei=1, gas=21_000)


def bulk(chain: Client, quiet_s: float = 0.1, patience_s: float = 20, window: int = 500) -> Bulk:
    return Bulk(
        chain,
        max_fee_wei=10**11,
        tip_wei=10**9,
        window=window,
        quiet_s=quiet_s,
        patience_s=patience_s,
    )


def fates(outcomes: Sequence[Outcome]) -> list[Fate]:
    return [one.fate for one in sorted(outcomes, key=lambda one: one.place)]


def test_each_message_has_one_outcome(chain: Chain) -> None:
    before = chain.balance_wei(ALICE)

    outcomes = list(bulk(chain).send([PAYMENT] * 250))

    assert sorted(one.place for one in outcomes) == list(range(250))
    assert {one.fate for one in outcomes} == {Fate.MINED}
    assert chain.balance_wei(ALICE) == before + 250
    assert chain.nonce(OWNER) == 250


def test_several_accounts_have_nonces_of_their_own(chain: Chain) -> None:
    other = replace(PAYMENT, signer=Signer(KEYS[BOB], 31337))

    outcomes = list(bulk(chain).send([PAYMENT, other] * 20))

    assert {one.fate for one in outcomes} == {Fate.MINED}
    assert (chain.nonce(OWNER), chain.nonce(BOB)) == (20, 20)


def test_a_refusal_by_the_contract_is_told_from_one_by_the_node(chain: Chain) -> None:
    # PUSH0 PUSH0 REVERT.
    chain.call("anvil_setCode", BOB, "0x5f5ffd")
    reverting = replace(PAYMENT, to=BOB, value_wei=0, gas=50_000)
    unpayable = replace(PAYMENT, value_wei=10**30)

    outcomes = list(bulk(chain).send([PAYMENT, reverting, unpayable]))

    assert fates(outcomes) == [Fate.MINED, Fate.REVERTED, Fate.REFUSED]
    assert "funds" in "".join(one.reason for one in outcomes).lower()


def test_the_nonce_of_a_refused_message_holds_up_nothing(chain: Chain) -> None:
    unpayable = replace(PAYMENT, value_wei=10**30)

    outcomes = list(bulk(chain).send([PAYMENT, unpayable, PAYMENT, PAYMENT]))

    assert fates(outcomes) == [Fate.MINED, Fate.REFUSED, Fate.MINED, Fate.MINED]
    assert chain.balance_wei(ALICE) % 10 == 3


def test_a_lost_reply_sends_the_same_bytes_again(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []
    send_all = Client.send_all

    def lose_first(self: Client, raws: Sequence[bytes]) -> list[RpcError | None]:
        is_first = not sent
        sent.extend(raws)
        if is_first:
            raise TransportError("batch of eth_sendRawTransaction", "ReadTimeout")
        return send_all(self, raws)

    monkeypatch.setattr(Client, "send_all", lose_first)
    progress: list[Progress] = []
    job = bulk(chain)
    job._on_progress = progress.append

    outcomes = list(job.send([PAYMENT] * 5))

    assert fates(outcomes) == [Fate.MINED] * 5
    assert {one.n_sent for one in outcomes} == {2}
    assert sent[:5] == sent[5:]
    assert progress[-1].resent == 5
    assert progress[-1].settled == 5


def test_an_emptied_mempool_is_filled_again(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    chain.call("evm_setAutomine", False)
    knows_all = Client.knows_all

    def drop(self: Client, hashes: Sequence[str]) -> list[bool]:
        chain.call("anvil_dropAllTransactions")
        monkeypatch.setattr(Client, "knows_all", knows_all)
        found = knows_all(self, hashes)
        chain.call("evm_setAutomine", True)
        return found

    monkeypatch.setattr(Client, "knows_all", drop)

    outcomes = list(bulk(chain).send([PAYMENT] * 20))

    assert fates(outcomes) == [Fate.MINED] * 20
    assert {one.n_sent for one in outcomes} == {2}
    assert chain.nonce(OWNER) == 20


def test_what_the_node_keeps_back_is_replaced_and_the_others_follow(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bulk(chain)
    list(job.send([PAYMENT]))
    park(chain, monkeypatch)

    outcomes = list(job.send([PAYMENT] * 20))

    assert fates(outcomes) == [Fate.MINED] * 20
    assert sum(one.n_sent for one in outcomes) == 21
    assert all(one.receipt and one.receipt.tx_hash == one.tx_hash for one in outcomes)
    assert chain.nonce(OWNER) == 21


def test_no_more_are_on_their_way_than_the_window_holds(chain: Chain) -> None:
    chain.call("evm_setAutomine", False)
    taken = 0

    def count() -> Iterator[Message]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield PAYMENT

    outcomes = list(bulk(chain, patience_s=0.3, window=30).send(count()))

    assert fates(outcomes)[:30] == [Fate.LOST] * 30
    assert chain.call("txpool_status")["pending"] == hex(taken)


def test_a_node_that_goes_away_loses_nothing_silently(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Client, raws: Sequence[bytes]) -> list[RpcError | None]:
        raise TransportError("batch of eth_sendRawTransaction", "ConnectionError")

    monkeypatch.setattr(Client, "send_all", fail)

    outcomes = list(bulk(chain, patience_s=0.5).send([PAYMENT] * 3))

    assert fates(outcomes) == [Fate.LOST] * 3
    assert {one.reason for one in outcomes} == {"batch of eth_sendRawTransaction: ConnectionError"}


@pytest.mark.parametrize(("n_blocks", "fate"), [(1, Fate.LOST), (2, Fate.MINED)])
def test_receipts_wait_for_their_confirmations(chain: Chain, n_blocks: int, fate: Fate) -> None:
    job = Bulk(chain, max_fee_wei=10**11, tip_wei=10**9, confirmations=3, patience_s=1)
    outcomes = job.send([PAYMENT])
    threading.Timer(0.3, chain.mine, [n_blocks]).start()

    assert fates(list(outcomes)) == [fate]


def test_a_second_call_goes_on_after_what_the_first_left_in_the_pool(chain: Chain) -> None:
    chain.call("evm_setAutomine", False)
    job = bulk(chain, patience_s=0.2)
    lost = list(job.send([PAYMENT] * 3))
    threading.Timer(0.1, chain.mine).start()

    outcomes = list(job.send([PAYMENT] * 2))

    assert fates(lost) == [Fate.LOST] * 3
    assert fates(outcomes) == [Fate.MINED] * 2
    assert chain.nonce(OWNER) == 5


def test_a_crowd_of_new_accounts_is_met_over_a_bad_way(chain: Chain) -> None:
    keys = ["0x" + f"{n:064x}" for n in range(1, 31)]
    crowd = [Signer(key, 31337) for key in keys]
    chain.batch(("anvil_setBalance", [one.address, hex(10**18)]) for one in crowd)
    before = chain.balance_wei(ALICE)

    with running(chain.url, seed=3) as proxy, Client(proxy.url, timeout_s=2) as node:
        sending = Bulk(node, max_fee_wei=10**11, tip_wei=10**9, window=10, quiet_s=0.1)
        messages = (replace(PAYMENT, signer=one) for one in crowd * 2)
        outcomes = sending.send(messages)
        first = next(outcomes)
        proxy.fault = ANY
        found = [first, *outcomes]

    assert proxy.n_faults > 0
    assert fates(found) == [Fate.MINED] * 60
    assert chain.balance_wei(ALICE) == before + 60
