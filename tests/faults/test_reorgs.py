"""F15: reorganisations. After one poll the rows are what the chain says."""

import random

import pytest

from minting import indexer
from minting.models import Contract
from tests.faults.conftest import OpenSale, times
from tests.fixtures.chain import Chain
from tests.minting import reorgs
from tests.minting.reorgs import DEPTHS, Fate, Scene

PRICE_WEI = 10**15


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@times(1, 10)
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("fate", Fate, ids=[fate.value for fate in Fate])
def test_a_reorganisation_leaves_rows_as_the_chain_has_them(
    open_sale: OpenSale, chain: Chain, depth: int, fate: Fate, n: int
) -> None:
    open_sale(9 + 18 * n)
    scene = Scene(chain, Contract.objects.get().address, PRICE_WEI)
    scene.furnish()
    for round_number in range(n):
        rng = random.Random(f"{depth} {fate} {round_number}")
        steps = scene.steps(rng)
        raws = scene.play(steps, depth)
        indexer.poll()
        reorgs.check(chain)

        scene.reorganise(rng, steps, raws, [fate] * len(steps), depth)
        indexer.poll()

        reorgs.check(chain)
