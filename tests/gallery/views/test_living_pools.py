"""A work whose holder's positions move it: its page names the pool, on a real node."""

import pytest
from django.core.cache import cache
from django.test import Client

from minting.models import Contract
from tests.fixtures.chain import BOB, Chain
from tests.gallery.views.test_living import PAGE
from tests.minting.test_moving_pools import evolving_draft
from tests.minting.uniswap import Exchange, open_exchange

pytestmark = pytest.mark.usefixtures("chain_settings")
__all__ = ["evolving_draft"]


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def exchange(chain: Chain, holder: str) -> Exchange:
    return open_exchange(chain, holder, BOB)


def test_the_page_names_the_pools_that_its_law_looks_at(
    client: Client, exchange: Exchange, evolving_works: Contract
) -> None:
    cache.clear()

    html = client.get(PAGE).content.decode().lower()

    assert f'title="{exchange.pool}"'.lower() in html
    assert f'title="{exchange.pair}"'.lower() in html
