"""`manage.py exchange`: a real pool on the node, in which a trade moves a work."""

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from generation.models import Drop
from minting import services
from minting.chain import evolving
from minting.chain.exchange import open_exchange
from minting.evolution import laws
from minting.evolution.laws import Choice
from minting.evolution.rules import Source
from minting.models import Contract
from tests.fixtures.chain import ALICE, Chain

pytestmark = pytest.mark.usefixtures("chain_settings")


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


def run(**options: object) -> list[str]:
    out = StringIO()
    call_command("exchange", stdout=out, every=0, **options)
    return out.getvalue().splitlines()


@pytest.fixture
def evolving_draft(
    living_draft: Drop, small_student: Path, settings: Settings, chain: Chain
) -> Drop:
    settings.CHAIN_REVEAL_BLOCKS = 40
    manager, pool = (line.split()[-1] for line in run())
    choice = Choice(Source.POSITION, "fuller hair", 16, manager, pool)
    services.plan_contract(collection=living_draft.collection, law=laws.plan([choice]))
    return living_draft


def test_trades_move_a_work_back_and_forth(
    evolving_works: Contract, chain: Chain, settings: Settings
) -> None:
    told = run(wallet=ALICE)
    number = int(re.findall(r"position (\d+) is", told[-1])[0])
    chain.succeed(evolving.name_position(0, 1, number), evolving_works.evolution_address, ALICE)
    token = evolving_works.tokens.select_related("contract").get(token_id=1)

    exchange = open_exchange(chain, settings.NODE_MODULES)

    reached = services.read_levels(chain, token)
    got_wei = exchange.leave()
    left = services.read_levels(chain, token)
    exchange.come_back(got_wei)
    back = services.read_levels(chain, token)
    run(rounds=2)

    assert reached[0] > 10
    assert left == (0,)
    assert reached == back == services.read_levels(chain, token)


def test_it_is_where_it_was(chain: Chain) -> None:
    assert run() == run()


def test_another_chain_is_refused(settings: Settings) -> None:
    settings.CHAIN_RPC_URL = "http://127.0.0.1:9"

    with pytest.raises(CommandError, match="31337 only"):
        run()
