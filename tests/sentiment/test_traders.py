"""Wallets of the community in a real Uniswap: what they do moves works, and pictures with them."""

import re
from collections.abc import Callable, Iterator
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client as Browser
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from generation.models import Drop
from minting import indexer, services
from minting.chain.exchange import DEPTH_WEI, Exchange, open_exchange
from minting.chain.uniswap import read_venue
from minting.evolution import laws
from minting.evolution.laws import Choice
from minting.evolution.rules import Rule, Source
from minting.models import Contract, NamedPosition
from sentiment.management.crowd import Crowd, Member, _account
from sentiment.management.traders import Trader
from tests.fixtures.chain import BOB, Chain
from tests.minting.uniswap import WIDE
from tests.minting.uniswap import open_exchange as open_both

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.usefixtures("transactional_db", "chain_settings"),
]
SEED = 3
HIGHEST = 10
PICTURE = "/collections/living/works/{}/living.png"


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def holder(chain: Chain) -> str:
    """The first wallet of the community; the node sends what the fixtures have it do."""
    address = str(_account(SEED, 0).address)
    chain.call("anvil_impersonateAccount", address)
    chain.call("anvil_setBalance", address, hex(10**20))
    return address


@pytest.fixture
def exchange(chain: Chain, settings: Settings) -> Exchange:
    return open_exchange(chain, settings.NODE_MODULES)


@pytest.fixture
def evolving_draft(
    living_draft: Drop, small_student: None, settings: Settings, exchange: Exchange
) -> Drop:
    """Its works are moved by positions alone."""
    settings.CHAIN_REVEAL_BLOCKS = 40
    venue = exchange.venue
    choice = Choice(Source.POSITION, "fuller hair", HIGHEST, venue.manager, venue.pool)
    services.plan_contract(collection=living_draft.collection, law=laws.plan([choice]))
    return living_draft


@pytest.fixture
def site() -> Iterator[str]:
    server = LiveServer("localhost")
    yield server.url
    server.stop()


@pytest.fixture
def crowd(evolving_works: Contract, site: str, chain: Chain) -> Crowd:
    made = Crowd(site, chain, seed=SEED, n_wallets=2)
    made.fund()
    return made


def trader_of(crowd: Crowd, member: Member) -> Trader:
    found = crowd._trader(member, crowd._chain())
    assert found is not None
    return found


def seen(chain: Chain, works: Contract) -> tuple[int, bytes]:
    """The first work's level and picture, in the contract's words."""
    told = services.read_work(chain, works.tokens.select_related("contract").get(token_id=1))
    [level] = told.levels
    return level, told.picture


def test_holders_open_positions_and_their_works_move(
    crowd: Crowd, evolving_works: Contract, chain: Chain
) -> None:
    before = seen(chain, evolving_works)

    provided = [crowd.provide(crowd.members[0]) for _ in range(4)]
    indexer.poll()

    level, picture = seen(chain, evolving_works)
    assert before[0] == 0 < level <= HIGHEST
    assert picture != before[1]
    assert provided == [True, True, True, False]
    positions = trader_of(crowd, crowd.members[0]).positions()
    rows = NamedPosition.objects.values_list("token__token_id", "position_id")
    assert {int(number) for _, number in rows} == {one.number for one in positions}
    assert {token_id for token_id, _ in rows} == {1, 2, 3}


def test_a_position_that_counts_for_none_is_named_before_another_is_opened(
    crowd: Crowd,
) -> None:
    trader = trader_of(crowd, crowd.members[0])
    number = trader.open_position()

    trader.provide([1])

    assert [one.number for one in trader.positions()] == [number]


def test_a_trade_past_the_edge_takes_the_level_and_the_way_back_gives_it(
    crowd: Crowd, evolving_works: Contract, chain: Chain
) -> None:
    nothing = seen(chain, evolving_works)
    holder, other = (trader_of(crowd, member) for member in crowd.members)
    holder.provide([1])
    reached = seen(chain, evolving_works)
    [position] = holder.positions()

    assert other.trade_to(position.upper)
    left = seen(chain, evolving_works)
    assert other.trade_to(position.upper - 1)
    back = seen(chain, evolving_works)

    assert left == nothing
    assert reached == back != nothing


def test_swaps_take_works_out_of_range_and_back(
    crowd: Crowd, evolving_works: Contract, chain: Chain
) -> None:
    """One in four crosses: in 100 none does once in 10^12 runs."""
    trader_of(crowd, crowd.members[0]).provide([1])

    found = []
    for _ in range(100):
        assert crowd.swap(crowd.members[1])
        found.append(seen(chain, evolving_works)[0])

    outs = [k for k, level in enumerate(found) if level == 0]
    assert outs
    assert any(found[outs[0] :])


def test_liquidity_goes_up_and_down_and_the_level_with_it(
    crowd: Crowd, evolving_works: Contract, chain: Chain
) -> None:
    trader = trader_of(crowd, crowd.members[0])
    trader.provide([1])

    for level in (1, 7, 3, HIGHEST, 0, 2):
        [position] = trader.positions()
        wanted = 3 * 2 ** (trader.rule.offset + level - 2) if level else 0
        assert trader.change(position, wanted - position.liquidity)
        assert seen(chain, evolving_works)[0] == level


def test_members_adjust_their_own_positions(crowd: Crowd, chain: Chain) -> None:
    trader = trader_of(crowd, crowd.members[0])
    trader.open_position()

    changed = []
    for _ in range(12):
        assert crowd.adjust(crowd.members[0])
        changed.append(trader.positions()[0].liquidity)

    assert len(set(changed)) > 6
    assert any(b < a for a, b in pairwise(changed))
    assert any(b > a for a, b in pairwise(changed))


def test_who_has_no_works_and_no_position_trades_and_nothing_else(crowd: Crowd) -> None:
    stranger = crowd.members[1]

    assert not crowd.provide(stranger)
    assert not crowd.adjust(stranger)
    assert crowd.swap(stranger)


@pytest.mark.parametrize("left_wei", [0, 10**18])
def test_who_is_poor_gives_way(crowd: Crowd, chain: Chain, left_wei: int) -> None:
    for member in crowd.members:
        chain.call("anvil_setBalance", member.account.address, hex(left_wei))

    assert not crowd.provide(crowd.members[0])
    assert not crowd.swap(crowd.members[1])
    assert crowd.interact(crowd.members[0]) == bool(left_wei)


def test_without_npms_packages_nobody_trades(
    crowd: Crowd, settings: Settings, tmp_path: Path
) -> None:
    settings.NODE_MODULES = tmp_path

    assert not crowd.provide(crowd.members[0])
    assert not crowd.swap(crowd.members[0])


def test_a_community_moves_pictures_on_a_live_site(
    evolving_works: Contract, site: str, chain: Chain
) -> None:
    """The command's own loop, all wishes by lot, until three works have had six pictures."""
    pictures, out = pictures_now(), StringIO()
    for _ in range(30):
        call_command(
            "community",
            base_url=site,
            rpc_url=chain.url,
            wallets=2,
            pace=6000,
            seed=SEED,
            actions=10,
            stdout=out,
        )
        pictures |= pictures_now()
        if len(pictures) >= 6:
            break

    assert len(pictures) >= 6
    assert re.search(r"\d+ swap", out.getvalue())
    assert NamedPosition.objects.exists()


def pictures_now() -> set[bytes]:
    """What the site shows of the works."""
    indexer.poll()
    return {Browser().get(PICTURE.format(token_id)).content for token_id in (1, 2, 3)}


@pytest.fixture
def strange(chain: Chain, settings: Settings) -> Callable[[Member], Trader]:
    """A pool of wrapped ether and another money, with a router where nobody expects it."""
    both = open_both(chain)
    both.add_range(BOB, -WIDE, WIDE, DEPTH_WEI)
    venue = read_venue(chain, settings.NODE_MODULES, both.pool, both.positions)
    rule = Rule(Source.POSITION, "liquidity", 50, HIGHEST, (1,) * 32, both.positions, both.pool)

    def trader(member: Member) -> Trader:
        chain.call("anvil_setBalance", member.account.address, hex(10**20))
        nowhere: Any = ""
        return Trader(chain, member, venue, nowhere, 0, rule, np.random.default_rng(1))

    return trader


def test_who_cannot_make_a_token_gets_it_by_a_trade(
    strange: Callable[[Member], Trader],
) -> None:
    trader = strange(Member(_account(SEED, 0), 0))

    opened = trader.open_position()
    traded = [trader.trade_to(tick) for tick in (60, -60)]

    assert opened is None
    assert sorted(traded) == [False, True]
    assert trader.open_position() is not None
