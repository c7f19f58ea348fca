"""Many intents at once: works minted to our own account."""

from collections.abc import Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from generation.models import Drop
from generation.services import WrongStateError
from minting import sender, services
from minting.chain.client import Client, RpcError
from minting.models import Attempt, ChainTransaction, Contract
from tests.fixtures.chain import OWNER, Chain
from tests.fixtures.outbox import NOW, park, pump
from tests.fixtures.sales import everybody
from tests.fixtures.works import MakeDrop

State = ChainTransaction.State
N_WORKS = 60

pytestmark = pytest.mark.usefixtures("chain_settings")


@pytest.fixture
def drop(make_drop: MakeDrop, chain: Chain) -> Drop:
    """A drop on sale."""
    drop = make_drop(N_WORKS)
    services.request_commit(drop=drop)
    pump()
    drop.refresh_from_db()
    services.request_open_sale(drop=drop, phases=everybody(10**15, 2))
    pump()
    drop.refresh_from_db()
    return drop


def request_mints(drop: Drop, n: int) -> list[ChainTransaction]:
    return [services.request_mint(drop=drop, quantity=1, key=str(i)) for i in range(n)]


def supply(chain: Chain) -> int:
    return int(chain.ask(Contract.objects.get().address, "totalSupply"))


def test_a_key_mints_once(drop: Drop, chain: Chain) -> None:
    first, second = (services.request_mint(drop=drop, quantity=2, key="gift") for _ in range(2))

    pump()
    third = services.request_mint(drop=drop, quantity=2, key="gift")

    assert first == second == third
    assert (third.state, supply(chain)) == (State.CONFIRMED, 2)
    assert chain.ask(Contract.objects.get().address, "ownerOf", 2) == OWNER.lower()


def test_only_a_drop_on_sale_is_minted(make_drop: MakeDrop, chain: Chain) -> None:
    drop = make_drop(1)
    services.request_commit(drop=drop)

    with pytest.raises(WrongStateError):
        services.request_mint(drop=drop, quantity=1, key="early")


@pytest.mark.parametrize("quantity", [0, 3])
def test_a_quantity_out_of_range_is_refused(drop: Drop, quantity: int) -> None:
    with pytest.raises(ValueError, match=r"not in 1\.\.2"):
        services.request_mint(drop=drop, quantity=quantity, key="many")


def test_many_are_minted_in_order_under_consecutive_nonces(drop: Drop, chain: Chain) -> None:
    before = chain.nonce(OWNER)
    intents = request_mints(drop, N_WORKS)

    pump()

    nonces = list(
        Attempt.objects.filter(transaction__in=intents)
        .order_by("transaction")
        .values_list("nonce", flat=True)
    )
    assert nonces == list(range(before, before + N_WORKS))
    assert supply(chain) == N_WORKS


def test_what_the_node_keeps_back_is_replaced_and_the_others_follow(
    drop: Drop, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    intents = request_mints(drop, 5)
    park(chain, monkeypatch)
    early = sender.PARKED_AFTER / 2
    sender.pump(NOW)
    sender.pump(NOW + early)
    parked, n_early = supply(chain), Attempt.objects.filter(transaction__in=intents).count()

    sender.pump(NOW + sender.PARKED_AFTER)
    pump()

    attempts = Attempt.objects.filter(transaction__in=intents).order_by("pk")
    first, *_, higher = attempts
    assert (parked, n_early) == (0, 5)
    assert len(attempts) == 6
    assert (higher.nonce, higher.transaction_id) == (first.nonce, first.transaction_id)
    assert higher.max_fee_wei == -(-first.max_fee_wei * 9 // 8)
    assert supply(chain) == 5
    assert not ChainTransaction.objects.unsettled().exists()


def test_what_waits_for_a_block_is_not_replaced(drop: Drop, chain: Chain) -> None:
    chain.call("evm_setAutomine", False)
    intents = request_mints(drop, 3)
    sender.pump(NOW)

    sender.pump(NOW + 2 * sender.PARKED_AFTER)

    assert Attempt.objects.filter(transaction__in=intents).count() == 3


def test_a_node_that_counts_nothing_as_pending_is_not_outbid_without_end(
    drop: Drop, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.call("evm_setAutomine", False)
    intents = request_mints(drop, 2)
    nonce = Client.nonce
    monkeypatch.setattr(Client, "nonce", lambda self, address, _="": nonce(self, address))

    for times in range(5):
        sender.pump(NOW + times * sender.PARKED_AFTER)
    chain.mine()
    sender.pump(NOW + 5 * sender.PARKED_AFTER)

    assert [intent.attempts.count() for intent in intents] == [2, 1]
    assert supply(chain) == 2


def test_those_beyond_the_supply_are_refused(drop: Drop, chain: Chain) -> None:
    request_mints(drop, N_WORKS + 3)

    pump()

    refused = ChainTransaction.objects.filter(state=State.REVERTED)
    assert supply(chain) == N_WORKS
    assert [one.error.split("(")[0] for one in refused] == ["NotEnoughLeft"] * 3


def test_more_than_a_part_go_out_in_one_pump(
    drop: Drop, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "CHUNK", 7)
    request_mints(drop, N_WORKS)

    sender.pump(NOW)

    assert not ChainTransaction.objects.filter(state=State.PENDING).exists()


def test_one_refusal_among_many_concerns_itself_alone(
    drop: Drop, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    intents = request_mints(drop, 5)
    send_all = Client.send_all

    def refuse_last(self: Client, raws: Sequence[bytes]) -> list[RpcError | None]:
        return [*send_all(self, raws[:-1]), RpcError("eth_sendRawTransaction", -32000, "full")]

    with monkeypatch.context() as patch:
        patch.setattr(Client, "send_all", refuse_last)
        sender.pump(NOW)
    errors = [one.error for one in ChainTransaction.objects.filter(pk__in=[i.pk for i in intents])]

    pump()

    assert [bool(error) for error in sorted(errors)] == [False] * 4 + [True]
    assert supply(chain) == 5


def test_the_number_of_queries_to_sign_does_not_grow(drop: Drop, chain: Chain) -> None:
    chain.call("evm_setAutomine", False)
    counts = []
    for n_intents in (5, 50):
        request_mints(drop, n_intents)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            sender.pump(NOW)
        counts.append(len(queries))

    assert counts[1] <= counts[0] + 2
