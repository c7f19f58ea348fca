"""The moments of works' lives, each against what the contract said in that block."""

import pytest

from minting import indexer
from minting.chain import contracts, stakes
from minting.models import Contract, Token
from minting.services import Moment, law_of, moments, read_levels
from tests.fixtures.chain import ALICE, BOB, Chain
from tests.fixtures.living import mint
from tests.minting.test_moving import DAY_S, interact, token_of, wait

pytestmark = pytest.mark.usefixtures("chain_settings")


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


def lived(token: Token) -> list[Moment]:
    return moments(token, law_of(token.contract))


def titles(found: list[Moment]) -> list[list[str]]:
    return [[what.title for what in one.happened] for one in found]


def live(chain: Chain, contract: Contract) -> None:
    """Staked for five days, then passed on, with an interaction before and after."""
    staking = stakes.staking()
    interact(chain, contract)
    chain.succeed(staking.call("stake", [1]), contract.staking_address, ALICE)
    wait(chain, 5 * DAY_S)
    interact(chain, contract)
    chain.succeed(staking.call("unstake", [1]), contract.staking_address, ALICE)
    chain.succeed(contracts.call("transferFrom", ALICE, BOB, 1), contract.address, ALICE)
    indexer.poll()


def test_every_moment_has_the_levels_of_its_block(evolving_works: Contract, chain: Chain) -> None:
    live(chain, evolving_works)
    token = token_of(evolving_works)

    found = lived(token)

    assert titles(found) == [
        ["First drawn"],
        ["Interaction 1"],
        ["Staked"],
        ["Interaction 2"],
        ["Stake taken back"],
        ["A new holder"],
    ]
    for one in found:
        assert one.levels == read_levels(chain, token, one.block.number)
    assert [one.levels[2:] for one in found][-3:] == [(2, 3), (2, 0), (2, 0)]
    assert all(one.is_whole and one.epoch == 0 for one in found)


def test_a_work_that_is_not_drawn_yet_has_no_moments(evolving_drop: object, chain: Chain) -> None:
    mint(chain)
    indexer.poll()

    assert lived(token_of(Contract.objects.get())) == []


def test_the_newest_moments_are_kept_with_what_came_before_counted(
    evolving_works: Contract, chain: Chain
) -> None:
    live(chain, evolving_works)
    token = token_of(evolving_works)

    found = moments(token, law_of(token.contract), most=2)

    assert found == lived(token)[-2:]
