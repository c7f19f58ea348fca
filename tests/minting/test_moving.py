"""Works that move: rows against the contract, on a real node that reorganises."""

import io

import numpy as np
import pytest
from PIL import Image

from minting import indexer, services
from minting.chain import evolving, stakes
from minting.models import Contract, Interaction, NamedPosition, Token
from minting.services.evolution import NotPaintedError, mirror_work, read_levels, read_work
from tests.fixtures.chain import ALICE, Chain
from tests.fixtures.living import mint

pytestmark = pytest.mark.usefixtures("chain_settings")
DAY_S = 86_400


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


def token_of(contract: Contract, token_id: int = 1) -> Token:
    return contract.tokens.select_related("contract").get(token_id=token_id)


def interact(chain: Chain, contract: Contract, token_id: int = 1) -> None:
    chain.succeed(evolving.interact(token_id), contract.evolution_address, ALICE)


def wait(chain: Chain, seconds: int) -> None:
    chain.call("evm_increaseTime", seconds)
    chain.mine()
    indexer.poll()


def check(chain: Chain, contract: Contract, token_id: int = 1) -> tuple[int, ...]:
    """The chain's levels, after the rows and the picture were found to be the same."""
    token = token_of(contract, token_id)
    header = chain.header("latest")
    assert header is not None
    told, own = read_work(chain, token), mirror_work(token, header.timestamp)
    drawn = Image.open(io.BytesIO(told.picture)).convert("RGB")
    assert own.levels == told.levels == read_levels(chain, token)
    assert np.array_equal(np.asarray(drawn), own.pixels)
    return own.levels


def test_rows_draw_what_the_contract_draws(evolving_works: Contract, chain: Chain) -> None:
    assert check(chain, evolving_works) == (0, 0, 0, 0)
    before = mirror_work(token_of(evolving_works), 0).pixels

    interact(chain, evolving_works)
    call = stakes.staking().call("stake", [1])
    chain.succeed(call, evolving_works.staking_address, ALICE)
    wait(chain, 5 * DAY_S)
    interact(chain, evolving_works)
    indexer.poll()

    assert check(chain, evolving_works) == (0, 0, 2, 3)
    assert check(chain, evolving_works, 2) == (0, 0, 0, 0)
    assert not np.array_equal(mirror_work(token_of(evolving_works), 0).pixels, before)


def test_nothing_is_drawn_before_the_secret_is_told(evolving_drop: object, chain: Chain) -> None:
    mint(chain)
    indexer.poll()
    token = token_of(Contract.objects.get())

    with pytest.raises(NotPaintedError):
        mirror_work(token, 0)
    with pytest.raises(NotPaintedError):
        read_work(chain, token)


def test_levels_that_are_not_its_own_draw_another_work(
    evolving_works: Contract,
) -> None:
    token = token_of(evolving_works)

    moved = mirror_work(token, 0, given=(10, 0, 0, 0))

    assert moved.levels == (10, 0, 0, 0)
    assert not np.array_equal(moved.pixels, mirror_work(token, 0).pixels)


@pytest.mark.parametrize("depth", [1, 2])
def test_a_reorganisation_takes_interactions_back(
    evolving_works: Contract, chain: Chain, depth: int
) -> None:
    interact(chain, evolving_works, 1)
    interact(chain, evolving_works, 2)
    indexer.poll()
    before = Interaction.objects.count()

    chain.reorganise(depth)
    indexer.poll()

    assert before == 2
    assert Interaction.objects.count() == 2 - depth
    assert check(chain, evolving_works, 1)[2] == 2 - depth


def test_reading_the_contract_again_leaves_the_same_rows(
    evolving_works: Contract, chain: Chain
) -> None:
    interact(chain, evolving_works)
    chain.mine(2 * indexer.REORG_WINDOW)
    indexer.poll()
    before = list(Interaction.objects.in_order().values("tx_hash", "count", "holder"))

    for number in (chain.block_number() - 1, 1):
        for _ in services.drop_rows(chain_id=31337, first=number, source=evolving_works):
            pass
        indexer.poll()

        again = list(Interaction.objects.in_order().values("tx_hash", "count", "holder"))
        assert again == before
        assert len(before) == 1
    assert not NamedPosition.objects.exists()
