"""A pool as wallets use it, beside a real one: the arithmetic of ranges, and who has positions."""

import pytest
from pytest_django import Settings

from minting.chain import uniswap
from minting.chain.exchange import ACROSS_WEI, Exchange, open_exchange
from minting.chain.pool_facts import NotAPoolError, read_pool
from minting.chain.pools import V3
from minting.chain.uniswap import ONE_X96, read_venue
from tests.fixtures.chain import ALICE, BOB, Chain
from tests.minting.uniswap import open_exchange as open_both


@pytest.fixture
def exchange(chain: Chain, settings: Settings) -> Exchange:
    return open_exchange(chain, settings.NODE_MODULES)


@pytest.mark.parametrize(
    ("tick", "root_x96"),
    [  # MIN_SQRT_RATIO, 1, MAX_SQRT_RATIO of Uniswap's TickMath
        (-887_272, 4_295_128_739),
        (0, ONE_X96),
        (887_272, 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342),
    ],
)
def test_roots_are_those_of_the_contracts(tick: int, root_x96: int) -> None:
    assert uniswap.root_x96(tick) == pytest.approx(root_x96, rel=1e-9)


@pytest.mark.parametrize("ticks", [(-600, 600), (-120, 6000), (60, 600), (-600, -60)])
def test_a_position_takes_what_was_computed(
    ticks: tuple[int, int], exchange: Exchange, chain: Chain
) -> None:
    """Above, below and around the price."""
    wanted = 3 * 10**17
    most = uniswap.amounts(wanted, ticks, exchange.venue.read_price(chain).root_x96)

    call = exchange.venue.open(ALICE, ticks, most)
    chain.succeed(call, exchange.venue.manager, exchange.trader)

    [position] = exchange.venue.read_positions(chain, ALICE)
    assert (position.lower, position.upper) == ticks
    assert position.liquidity == pytest.approx(wanted, rel=1e-9)
    assert (most[0] > 0, most[1] > 0) == (ticks[1] > 0, ticks[0] < 0)


def test_a_trade_ends_at_the_price_that_was_named(exchange: Exchange, chain: Chain) -> None:
    venue = exchange.venue
    aim = uniswap.root_x96(100.5)

    call = venue.trade(exchange.trader, ACROSS_WEI, is_first=False, root_x96=aim)
    chain.succeed(call, venue.router, exchange.trader)

    price = venue.read_price(chain)
    assert (price.root_x96, price.tick) == (aim, 100)


def test_less_liquidity_pays_its_owner_out(exchange: Exchange, chain: Chain) -> None:
    venue = exchange.venue
    exchange.add_position(exchange.trader)
    position = venue.read_positions(chain, exchange.trader)[-1]
    before = balance(chain, exchange, exchange.trader)

    call = venue.remove(position.number, position.liquidity, exchange.trader)
    chain.succeed(call, venue.manager, exchange.trader)

    assert venue.read_positions(chain, exchange.trader)[-1].liquidity == 0
    assert balance(chain, exchange, exchange.trader) - before == pytest.approx(10**18, rel=1e-9)


def test_positions_of_other_pools_are_left_out(exchange: Exchange, chain: Chain) -> None:
    number = exchange.add_position(ALICE)
    cheap = 500
    core = uniswap.artefact(exchange.venue.packages, "v3-core", "UniswapV3Factory")
    facts = read_pool(chain, exchange.venue.pool, V3)
    chain.succeed(core.call("createPool", *exchange.venue.tokens, cheap), facts.factory)
    asked = core.call("getPool", *exchange.venue.tokens, cheap)
    pool = core.answer("getPool", chain.read(facts.factory, asked))

    other = read_venue(chain, exchange.venue.packages, pool, exchange.venue.manager)

    assert [one.number for one in exchange.venue.read_positions(chain, ALICE)] == [number]
    assert other.read_positions(chain, ALICE) == []
    assert other.read_nth(chain, number - 1) is None
    assert (other.spacing, other.count(chain)) == (10, 2)
    assert exchange.venue.read_positions(chain, BOB) == []


def test_another_factorys_manager_is_refused(exchange: Exchange, chain: Chain) -> None:
    both = open_both(chain)

    with pytest.raises(NotAPoolError, match="is of the factory"):
        read_venue(chain, exchange.venue.packages, exchange.venue.pool, both.positions)
    with pytest.raises(NotAPoolError, match="is no manager"):
        read_venue(chain, exchange.venue.packages, exchange.venue.pool, both.pool)


def balance(chain: Chain, exchange: Exchange, owner: str) -> int:
    token = uniswap.artefact(exchange.venue.packages, "v2-periphery", "WETH9")
    raw = chain.read(exchange.venue.tokens[0], token.call("balanceOf", owner))
    return int(token.answer("balanceOf", raw))
