"""Pasts of collections and of files, for laws to be tried on."""

from datetime import UTC, datetime, timedelta

import pytest

from minting import indexer
from minting.chain import evolving, stakes
from minting.evolution import trials
from minting.evolution.rules import Source
from minting.evolution.trials import Fact
from minting.models import Contract
from minting.services import law_of, read_levels
from sentiment.models import ReferenceSale
from sentiment.services import find_past, pasts
from tests.fixtures.chain import ALICE, BOB, Chain
from tests.sentiment.services.test_epochs import CAROL, ETH, sell, vote

pytestmark = pytest.mark.usefixtures("chain_settings")
DAY_S = 86_400
JULY = datetime(2019, 7, 1, tzinfo=UTC)


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


def test_a_collections_own_past_gives_the_levels_that_its_contract_has(
    evolving_works: Contract, chain: Chain
) -> None:
    chain.succeed(evolving.interact(2), evolving_works.evolution_address, ALICE)
    call = stakes.staking().call("stake", [1])
    chain.succeed(call, evolving_works.staking_address, ALICE)
    chain.call("evm_increaseTime", 5 * DAY_S)
    chain.succeed(evolving.interact(2), evolving_works.evolution_address, ALICE)
    chain.mine(20)
    indexer.poll()
    sell(evolving_works, 3, ETH, ALICE, BOB)
    sell(evolving_works, 2, 9 * ETH, BOB, BOB)
    vote(evolving_works, 1, 3, 2)

    past = find_past("collection:living")
    found = trials.run(law_of(evolving_works), past)

    tokens = evolving_works.tokens.select_related("contract").order_by("token_id")
    told = [read_levels(chain, token) for token in tokens]
    assert ("collection:living", "Living") in pasts()
    assert past.works == ("1", "2", "3")
    assert past.n_days >= 5
    assert found.levels[:, 2:].tolist() == [list(own[2:]) for own in told]
    assert found.levels[:, :2].tolist() == [[0, 1], [0, 0], [6, 0]]
    assert found.is_known == (True,) * 4


@pytest.mark.django_db
def test_a_file_of_sales_is_a_past_without_its_wash_trades() -> None:
    for row, (token, day, price, seller, buyer) in enumerate(
        [
            ("7", 0, ETH, ALICE, BOB),
            ("7", 2, 3 * ETH, BOB, CAROL),
            ("8", 1, 50 * ETH, ALICE, ALICE),
            ("9", 40, None, "", ""),
        ]
    ):
        ReferenceSale.objects.create(
            source="old",
            source_row=row,
            sold_at=JULY + timedelta(days=day),
            token_ref=token,
            price_wei=price,  # type: ignore[misc]  # the field is typed for amounts
            seller=seller,
            buyer=buyer,
        )

    past = find_past("file:old")

    assert pasts() == [("file:old", "old (4 sales)")]
    assert past.works == ("7", "8", "9")
    assert past.n_days == 41
    assert list(past.facts) == [Source.VOLUME]
    assert past.facts[Source.VOLUME] == [Fact(0, "7", ETH), Fact(2, "7", 3 * ETH)]


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "file:", "file:none", "collection:none", "else:where"])
def test_another_past_is_none(key: str) -> None:
    with pytest.raises(LookupError):
        find_past(key)
