"""Works that pools move, through the site: a real Uniswap on the node, rows and pictures."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image
from pytest_django import Settings

from generation.models import Drop
from minting import indexer, services
from minting.chain import evolving
from minting.evolution import laws
from minting.evolution.laws import Choice
from minting.evolution.rules import Source, from_document
from minting.models import Contract, NamedPosition
from tests.fixtures.chain import ALICE, BOB, Chain
from tests.minting.uniswap import WIDE, Exchange, open_exchange

pytestmark = pytest.mark.usefixtures("chain_settings")
RANGE = 600
POSITION, SHARE = 0, 1


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def exchange(chain: Chain) -> Exchange:
    found = open_exchange(chain)
    found.add_range(BOB, -WIDE, WIDE, 10**18)
    found.add_shares(BOB, 10**18, 10**18)
    return found


@pytest.fixture
def evolving_draft(
    living_draft: Drop, small_student: Path, settings: Settings, exchange: Exchange
) -> Drop:
    settings.CHAIN_REVEAL_BLOCKS = 40
    law = laws.plan(
        [
            Choice(Source.POSITION, "fuller hair", 16, exchange.positions, exchange.pool),
            Choice(Source.SHARE, "another posture", peer=exchange.pair),
        ]
    )
    services.plan_contract(collection=living_draft.collection, law=law)
    return living_draft


def seen(chain: Chain, contract: Contract, token_id: int = 1) -> tuple[tuple[int, ...], Any]:
    """Levels and pixels in the contract's words, which the mirror draws as well."""
    token = contract.tokens.select_related("contract").get(token_id=token_id)
    told = services.read_work(chain, token)
    pixels = np.asarray(Image.open(io.BytesIO(told.picture)).convert("RGB"))
    mirrored = services.mirror_work(token, 0, asked=told.levels)
    assert mirrored.levels == told.levels
    assert np.array_equal(mirrored.pixels, pixels)
    return told.levels, pixels


def test_a_trade_in_a_pool_changes_the_picture(
    evolving_works: Contract, exchange: Exchange, chain: Chain
) -> None:
    nothing, before = seen(chain, evolving_works)
    exchange.add_range(ALICE, -RANGE, RANGE, 10**18)
    call = evolving.name_position(POSITION, 1, 2)
    chain.succeed(call, evolving_works.evolution_address, ALICE)
    indexer.poll()
    reached, moved = seen(chain, evolving_works)

    exchange.send(exchange.v3_trade(BOB, 2 * 10**18))  # past the end of Alice's range

    after, back = seen(chain, evolving_works)
    assert (nothing, after) == ((0, 0), (0, 0))
    assert reached[POSITION] > 10
    assert not np.array_equal(moved, before)
    assert np.array_equal(back, before)
    row = NamedPosition.objects.select_related("token").get()
    assert (row.rule, row.token.token_id, row.position_id) == (POSITION, 1, "2")


def test_a_wallet_is_told_the_law_that_the_contract_has(
    evolving_works: Contract, chain: Chain, client: Client
) -> None:
    found = client.get("/api/collections/living/chain").json()

    assert from_document(found["law"]) == evolving.read_law(chain, found["evolution"])


def test_a_share_of_a_pool_moves_all_works_of_its_holder(
    evolving_works: Contract, exchange: Exchange, chain: Chain
) -> None:
    exchange.add_shares(ALICE, 10**18, 10**18)

    for token_id in (1, 2, 3):
        levels, _ = seen(chain, evolving_works, token_id)
        assert levels == (0, 8)  # a sixth of the pool is 2^29.4 of 2^32


def test_moments_of_the_past_have_the_levels_that_the_pool_gave_then(
    evolving_works: Contract, exchange: Exchange, chain: Chain
) -> None:
    exchange.add_range(ALICE, -RANGE, RANGE, 10**18)
    call = evolving.name_position(POSITION, 1, 2)
    chain.succeed(call, evolving_works.evolution_address, ALICE)
    indexer.poll()
    reached = seen(chain, evolving_works)[0]
    exchange.send(exchange.v3_trade(BOB, 2 * 10**18))
    token = evolving_works.tokens.select_related("contract").get(token_id=1)
    rows = services.moments(token, services.law_of(evolving_works))

    told = services.ask_chain(chain, token, rows)

    assert [one.happened[0].title for one in told] == ["First drawn", "Position 2"]
    assert [one.levels for one in told] == [(0, 0), reached]
    assert all(one.is_whole for one in told)
    assert not any(one.is_whole or one.levels[POSITION] for one in rows)


def test_a_block_that_the_node_has_forgotten_keeps_what_rows_know(
    evolving_works: Contract, exchange: Exchange, chain: Chain
) -> None:
    exchange.add_shares(ALICE, 10**18, 10**18)
    call = evolving.name_position(POSITION, 1, 0)
    chain.succeed(call, evolving_works.evolution_address, ALICE)
    indexer.poll()
    token = evolving_works.tokens.select_related("contract").get(token_id=1)
    first, last = services.moments(token, services.law_of(evolving_works))
    first.block.hash = "0x" + "7" * 64

    told = services.ask_chain(chain, token, [first, last])

    assert [one.is_whole for one in told] == [False, True]
    assert [one.levels for one in told] == [(0, 0), (0, 8)]
