"""The indexer through reorganisations of a real node, and what stops it, and how it goes on."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from generation.models import Checkpoint, Drop
from generation.services import create_collection, open_drop
from minting import indexer, revealing, services, tasks
from minting.models import (
    Alarm,
    Block,
    Commitment,
    Contract,
    Cursor,
    Delegation,
    DropEvent,
    Swap,
    Token,
    Transfer,
)
from tests.fixtures.chain import Chain
from tests.fixtures.outbox import pump
from tests.minting import reorgs
from tests.minting.reorg_traders import check_pools, check_votes, open_pools, trades
from tests.minting.reorgs import DEPTHS, Fate, Scene, Step

PRICE_WEI = 10**15

pytestmark = pytest.mark.usefixtures("chain_settings")


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def drop(
    small_checkpoint: Checkpoint,
    settings: Settings,
    tmp_path: Path,
    chain: Chain,
) -> Drop:
    """A drop that is drawn on the fly, on sale; its works vote."""
    settings.MEDIA_ROOT = tmp_path
    settings.CHAIN_REVEAL_BLOCKS = 12
    collection = create_collection(
        slug="living", name="Living", story="Drawn as they are minted.", checkpoint=small_checkpoint
    )
    services.plan_contract(collection=collection, has_votes=True)
    drop = open_drop(
        collection=collection,
        parameter_set=collection.parameter_sets.get(),
        size=100,
        kind=Drop.Kind.ON_THE_FLY,
    )
    services.request_living_commit(drop=drop, reveal_block=revealing.choose_block())
    pump()
    drop.refresh_from_db()
    end = datetime.now(UTC) + timedelta(days=30)
    phases = services.public_sale(
        price_wei=PRICE_WEI, max_per_transaction=5, start=end - timedelta(days=31), end=end
    )
    services.request_open_sale(drop=drop, phases=phases, final_by=int(end.timestamp()) + 86_400)
    pump()
    return drop


@pytest.fixture
def scene(drop: Drop, chain: Chain) -> Scene:
    """Nine wallets with a work each, after the reveal block, read."""
    scene = Scene(chain, Contract.objects.get().address, PRICE_WEI)
    scene.furnish()
    chain.mine(max(0, Commitment.objects.get().reveal_block + 1 - chain.block_number()))
    indexer.poll()
    return scene


@pytest.fixture
def traded(scene: Scene, chain: Chain) -> Scene:
    """The same with a pool of each kind, everybody's votes their own."""
    exchange = open_pools(chain, scene.wallets)
    for wallet in scene.wallets:
        chain.mined(chain.call("eth_sendTransaction", scene.delegate(wallet, wallet)))
    indexer.poll()
    return replace(scene, exchange=exchange)


def check(scene: Scene) -> None:
    reorgs.check(scene.chain)
    check_votes(scene.chain)
    assert scene.exchange is not None
    check_pools(scene.chain, scene.exchange)


def steps_of(scene: Scene, rng: random.Random) -> list[Step]:
    """Everything happens: a capture, a gift, votes and trades; the rest by chance."""
    steps, wallets = scene.steps(rng), scene.wallets
    assert scene.exchange is not None
    steps[0] = Step(scene.capture(wallets[0]), scene.mint(wallets[0]))
    steps[1] = Step(scene.delegate(wallets[1], wallets[2]), scene.mint(wallets[1]))
    for at in (2, 3, 4):
        bought, sold = trades(scene.exchange, rng, wallets[at])
        steps[at] = Step(bought, sold) if at % 2 else Step(sold, bought)
    steps[5] = Step(scene.mint(wallets[5], 2), scene.delegate(wallets[5], wallets[1]))
    return steps


@pytest.mark.parametrize("depth", DEPTHS)
def test_after_one_poll_rows_are_what_the_chain_says(traded: Scene, depth: int) -> None:
    scene, rng = traded, random.Random(depth)
    steps = steps_of(scene, rng)
    fates = list(islice(cycle(Fate), depth, depth + len(steps)))
    raws = scene.play(steps, depth)
    indexer.poll()
    check(scene)
    before = placed()

    scene.reorganise(rng, steps, raws, fates, depth)
    indexer.poll()

    check(scene)
    after = placed()
    assert {tx for tx, _ in before} & {tx for tx, _ in after - before}, "nothing came back"
    assert {tx for tx, _ in before} - {tx for tx, _ in after}, "nothing was dropped"
    assert {tx for tx, _ in after} - {tx for tx, _ in before}, "nothing was replaced"


def placed() -> set[tuple[str, str]]:
    """In which block which transaction of transfers, votes and trades is."""
    tables = (Transfer, Delegation, Swap)
    found = [table._default_manager.values_list("tx_hash", "block__hash") for table in tables]
    assert all(found)
    return {place for rows in found for place in rows}


@pytest.fixture
def alarmed(scene: Scene, caplog: pytest.LogCaptureFixture) -> Scene:
    """Reorganised deeper than the window, and asked for once since."""
    steps = scene.steps(random.Random(1))
    raws = scene.play(steps, 1)
    scene.chain.mine(indexer.REORG_WINDOW)
    indexer.poll()
    fates = [Fate.REINCLUDED] * 5 + [Fate.DROPPED] * 4
    scene.reorganise(random.Random(1), steps, raws, fates, indexer.REORG_WINDOW + 2)
    tasks.index()
    return scene


def test_beyond_the_window_an_alarm_stands_and_the_task_is_quiet(
    alarmed: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    before = list(Transfer.objects.order_by("pk").values())
    caplog.clear()

    tasks.index()
    tasks.index()

    [alarm] = Alarm.objects.all()
    assert services.chain_alarms() == [alarm.reason]
    assert "64 blocks" in alarm.reason
    assert not caplog.records
    assert list(Transfer.objects.order_by("pk").values()) == before


def test_the_first_alarm_is_logged_once(alarmed: Scene, caplog: pytest.LogCaptureFixture) -> None:
    errors = [r for r in caplog.get_records("setup") if r.levelname == "ERROR"]

    assert len(errors) == 1
    assert "manage.py reindex" in errors[0].getMessage()


def test_reindex_ends_an_alarm(alarmed: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("reindex")

    reorgs.check(alarmed.chain)
    head = alarmed.chain.block_number()
    assert services.chain_alarms() == []
    assert Cursor.objects.get().number == head
    assert f"block {head} of {head}" in capsys.readouterr().err


def test_a_reindex_from_too_late_a_block_finds_the_fork_below_it(alarmed: Scene) -> None:
    call_command("reindex", first=alarmed.chain.block_number() - 10)

    reorgs.check(alarmed.chain)
    assert services.chain_alarms() == []


def test_a_reindex_that_finds_no_block_of_ours_alarms_again(alarmed: Scene) -> None:
    Block.objects.filter(number__lt=alarmed.chain.block_number() - 40).delete()

    with pytest.raises(CommandError, match="64 blocks"):
        call_command("reindex", first=alarmed.chain.block_number())

    assert len(services.chain_alarms()) == 1


def test_reindex_reads_one_contract_again(scene: Scene) -> None:
    indexer.poll()
    middle = scene.chain.block_number() - 5
    Token.objects.update(owner="0x" + "12" * 20)
    blocks = set(Block.objects.values_list("pk", flat=True))

    call_command("reindex", contract=scene.address.lower())

    reorgs.check(scene.chain)
    assert blocks <= set(Block.objects.values_list("pk", flat=True))
    call_command("reindex", contract=scene.address, first=middle)
    reorgs.check(scene.chain)


def test_a_reindex_that_is_stopped_goes_on(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minting.services.reading.BLOCKS", 2)
    steps = iter([None, None])

    def stop(*arguments: object, **named: object) -> None:
        if next(steps, stop) is stop:
            raise KeyboardInterrupt

    monkeypatch.setattr("minting.management.commands.reindex.Command._say", stop)
    with pytest.raises(CommandError, match="stopped; dropped down to block"):
        call_command("reindex")
    n_left = Transfer.objects.count()
    monkeypatch.undo()

    tasks.index()

    assert 0 < n_left < 9
    reorgs.check(scene.chain)


def test_a_contract_that_is_not_ours_is_refused(scene: Scene) -> None:
    with pytest.raises(CommandError, match="no contract or pool of ours"):
        call_command("reindex", contract="0x" + "12" * 20)


def test_progress_is_the_cursor_against_the_head(scene: Scene) -> None:
    scene.chain.mine(10)
    indexer.poll()
    [done] = services.index_progress()
    Cursor.objects.update(number=done.head - 4)

    [behind] = services.index_progress()

    assert (done.address, done.n_behind, done.share) == (scene.address, 0, 1.0)
    assert behind.n_behind == 4
    assert 0 < behind.share < 1
    assert DropEvent.objects.count() == 0


def test_a_reindex_that_resumes_drops_nothing(scene: Scene) -> None:
    before = list(Transfer.objects.order_by("pk").values_list("pk", flat=True))
    Token.objects.update(owner="0x" + "12" * 20)
    scene.chain.mine(3)

    call_command("reindex", resume=True)

    assert list(Transfer.objects.order_by("pk").values_list("pk", flat=True)) == before
    assert set(Token.objects.values_list("owner", flat=True)) == {"0x" + "12" * 20}
    assert Cursor.objects.get().number == scene.chain.block_number()
