"""Money that contracts owe to buyers, from the first call to the last wei, on a real node."""

from datetime import timedelta

import pytest

from generation.models import Drop
from minting import indexer
from minting.chain import contracts
from minting.models import Contract, Token
from minting.services import Owed, find_owed, may_owe
from tests.fixtures.chain import ALICE, BOB, Chain
from tests.fixtures.living import AUCTION_ENDS, FINAL_BY, HIGH_WEI, LAST_WEI, buy, pass_time

pytestmark = pytest.mark.usefixtures("chain_settings")


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def drop(auction_drop: Drop) -> Drop:
    return auction_drop


def take(chain: Chain, wallet: str, owed: Owed) -> int:
    """Send the call; what the wallet has more of then, but for the gas."""
    before = chain.balance_wei(wallet)
    receipt = chain.succeed(contracts.call(owed.function, *owed.arguments), owed.contract, wallet)
    indexer.poll()
    return chain.balance_wei(wallet) - before + receipt.fee_wei


def only(chain: Chain, wallet: str) -> Owed:
    (owed,) = find_owed(wallet=wallet, node=chain)
    return owed


def test_what_was_paid_above_the_last_price_comes_back(drop: Drop, chain: Chain) -> None:
    buy(chain, ALICE, 2, HIGH_WEI)
    buy(chain, BOB, 1, LAST_WEI)
    running = find_owed(wallet=ALICE, node=chain)

    pass_time(chain, AUCTION_ENDS + timedelta(minutes=1))
    over = only(chain, ALICE)
    nothing = take(chain, BOB, over)
    settled = only(chain, ALICE)
    paid = take(chain, ALICE, settled)

    assert running == []
    assert (over.function, nothing) == ("settle", 0)
    assert (settled.function, settled.arguments) == ("claimRefund", (1, 0))
    assert paid == settled.amount_wei == over.amount_wei == 2 * (HIGH_WEI - LAST_WEI)
    assert find_owed(wallet=ALICE, node=chain) == []
    assert find_owed(wallet=BOB, node=chain) == []


def test_works_of_a_drop_that_is_not_final_in_time_are_paid_back(drop: Drop, chain: Chain) -> None:
    buy(chain, ALICE, 2, LAST_WEI)
    buy(chain, BOB, 1, HIGH_WEI)
    pass_time(chain, FINAL_BY + timedelta(minutes=1))
    take(chain, BOB, find_owed(wallet=BOB, node=chain)[0])

    late = only(chain, ALICE)
    take(chain, ALICE, late)
    failed = only(chain, ALICE)
    paid = take(chain, ALICE, failed)

    assert (late.function, late.arguments) == ("fail", (1,))
    assert (failed.function, failed.arguments) == ("refund", (1, [1, 2]))
    assert paid == failed.amount_wei == late.amount_wei == 2 * LAST_WEI
    assert not Token.objects.filter(owner=ALICE).exists()
    assert find_owed(wallet=ALICE, node=chain) == []
    owed = find_owed(wallet=BOB, node=chain)
    assert sum(take(chain, BOB, one) for one in owed) == HIGH_WEI
    assert chain.balance_wei(Contract.objects.get().address) == 0


def test_nobody_is_asked_where_nothing_can_be_owed(drop: Drop, chain: Chain) -> None:
    buy(chain, ALICE, 1, LAST_WEI)

    assert may_owe(wallet=ALICE)
    assert not may_owe(wallet=BOB)
