"""F12: what the way to the node does to mints."""

import pytest
from pytest_django import Settings

from minting import sender
from minting.chain.client import WrongChainError
from minting.chain.toxic import Proxy
from tests.faults import oracle
from tests.faults.conftest import OpenSale, mint, pump, read_chain, rest, times
from tests.fixtures.chain import Chain

KINDS = [
    "latency",
    "reset",
    "black hole",
    "half reply",
    "lost reply",
    "429",
    "500",
    "HTML body",
    "stale head",
]


@times(light=1, full=20)
def test_a_bad_way_to_the_node_mints_each_token_once(
    open_sale: OpenSale, chain: Chain, toxic: Proxy, settings: Settings, n: int
) -> None:
    drop = open_sale(n * len(KINDS))

    for kind in KINDS:
        settings.CHAIN_RPC_URL, toxic.fault, before = toxic.url, kind, toxic.n_faults
        for i in range(n):
            mint(drop, f"{kind}/{i}")
            pump()
        rest(60)
        assert toxic.n_faults > before, kind
    settings.CHAIN_RPC_URL = chain.url
    read_chain()

    oracle.check(chain, n * len(KINDS))


def test_a_node_of_another_chain_is_refused(
    open_sale: OpenSale, chain: Chain, toxic: Proxy, settings: Settings
) -> None:
    drop = open_sale(1)
    settings.CHAIN_RPC_URL, toxic.fault, toxic.share = toxic.url, "wrong chain id", 1.0
    intent = mint(drop, 0)

    with pytest.raises(WrongChainError):
        sender.pump(intent.created_at)

    intent.refresh_from_db()
    assert intent.error == "the node serves chain 1, this installation is set to 31337"
    assert not intent.attempts.exists()
    settings.CHAIN_RPC_URL = chain.url
    rest()
    read_chain()
    oracle.check(chain, 1)
