"""A drop on sale on a real node, and how often each fault is tried."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone
from pytest_django import Settings

from generation.models import Drop
from minting import indexer, sender, services
from minting.chain.client import Client, TransportError
from minting.chain.toxic import Proxy, running
from minting.models import ChainTransaction
from minting.services import chain as chain_services
from tests.fixtures.chain import Chain
from tests.fixtures.sales import everybody
from tests.fixtures.works import MakeDrop

# A node that says nothing is given up sooner than by an installation.
TIMEOUT_S = 0.5


def times(light: int, full: int) -> pytest.MarkDecorator:
    """``n`` is small where everything is tested and full with ``make test-faults``."""
    return pytest.mark.parametrize(
        "n", [light, pytest.param(full, marks=pytest.mark.faults)], ids=["light", "full"]
    )


OpenSale = Callable[[int], Drop]


@pytest.fixture
def open_sale(
    transactional_db: None, make_drop: MakeDrop, chain: Chain, settings: Settings
) -> OpenSale:
    """Puts a drop of n works on sale at 10^15 wei each."""
    settings.CHAIN_RPC_URL = chain.url

    def make(n_works: int) -> Drop:
        drop = make_drop(n_works, Drop.State.CURATING, 0)
        services.request_commit(drop=drop)
        rest()
        drop.refresh_from_db()
        services.request_open_sale(drop=drop, phases=everybody(10**15, 5))
        rest()
        drop.refresh_from_db()
        return drop

    return make


@pytest.fixture
def toxic(chain: Chain, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy before the node; ``aim`` it once the sale is open."""
    monkeypatch.setattr(chain_services, "Client", partial(Client, timeout_s=TIMEOUT_S))
    with running(chain.url) as proxy:
        yield proxy


def mint(drop: Drop, key: object) -> ChainTransaction:
    return services.request_mint(drop=drop, quantity=1, key=str(key))


def pump(later: timedelta = timedelta()) -> datetime:
    """As the task does, which tries again at the next ring."""
    now = timezone.now() + later
    with suppress(TransportError):
        sender.pump(now)
    return now


def rest(within_s: float = 30) -> float:
    """Pump until nothing is open; returns the seconds it took."""
    started = time.monotonic()
    pump()
    while ChainTransaction.objects.unsettled().exists():
        open_ones = ChainTransaction.objects.unsettled().values_list("state", "error")
        assert time.monotonic() - started < within_s, list(open_ones)
        time.sleep(0.01)
        pump()
    return time.monotonic() - started


def read_chain() -> None:
    """The indexer up to the head."""
    indexer.poll()
