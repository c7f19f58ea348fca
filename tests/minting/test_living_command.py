"""One command to a collection that lives; the installation's clockwork runs while it waits."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from generation.models import Checkpoint, Collection, Drop
from minting.chain import evolving
from minting.evolution.rules import Source
from minting.management.commands import living
from minting.models import ChainTransaction, Contract, Pool
from tests.fixtures.chain import Chain
from tests.fixtures.outbox import pump

pytestmark = pytest.mark.usefixtures("chain_settings")


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def clockwork(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Sends what waits each time that the command looks; how long it would have slept."""
    slept: list[float] = []

    def beat(seconds: float) -> None:
        slept.append(seconds)
        pump()

    monkeypatch.setattr(living, "wait", beat)
    return slept


@pytest.fixture
def teacher(
    small_checkpoint: Checkpoint, small_student: Path, settings: Settings, tmp_path: Path
) -> Checkpoint:
    settings.MEDIA_ROOT, settings.CHAIN_REVEAL_BLOCKS = tmp_path / "media", 40
    return small_checkpoint


def call(**options: object) -> str:
    out = StringIO()
    call_command("living", stdout=out, **options)
    return out.getvalue()


def test_one_call_leads_to_a_sale_and_another_changes_nothing(
    teacher: Checkpoint, clockwork: list[float], chain: Chain
) -> None:
    said = call(size=6)
    sent = ChainTransaction.objects.count()

    again = call(size=6)

    drop = Drop.objects.get()
    contract = Contract.objects.get()
    law = evolving.read_law(chain, contract.evolution_address)
    assert "6 works are on sale" in said
    assert (drop.state, drop.size, drop.kind) == ("minting", 6, "on_the_fly")
    assert law.rules[0].source == Source.POSITION
    assert chain.call("eth_getCode", law.rules[0].pool, "latest") != "0x"
    assert clockwork
    assert Pool.objects.get().address == law.rules[0].pool
    assert "6 works are on sale" in again
    assert (ChainTransaction.objects.count(), Collection.objects.count()) == (sent, 1)


def test_without_the_clockwork_it_gives_up_and_goes_on_later(
    teacher: Checkpoint, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(CommandError, match="did not come in 0 s: is `make up` on"):
        call(size=6, patience=0)
    request.getfixturevalue("clockwork")

    assert "6 works are on sale" in call(size=6)


def test_without_a_student_there_is_nothing_to_draw_with(small_checkpoint: Checkpoint) -> None:
    with pytest.raises(CommandError, match="taught a network that fits a contract"):
        call()

    assert not Collection.objects.exists()


def test_another_chain_is_left_alone(teacher: Checkpoint, settings: Settings) -> None:
    settings.CHAIN_RPC_URL = "http://127.0.0.1:9"

    with pytest.raises(CommandError, match="needs the local chain"):
        call()
