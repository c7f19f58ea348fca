"""A drop's files are looked for where the contract says, and in our own store."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from generation.models import Drop
from minting import indexer, inspecting, services, tasks
from minting.chain import contracts
from minting.models import Commitment, Contract, DropEvent, Seal, StorageRound, StoredWork
from minting.provenance import cid
from minting.publishing.gateway import Gateways
from minting.publishing.targets import Target
from tests.fixtures.chain import ALICE, Chain
from tests.fixtures.ipfs import Node
from tests.fixtures.living import draw, mint, until
from tests.fixtures.outbox import pump
from tests.fixtures.sales import everybody
from tests.minting.publishing.conftest import ask, pack, work

AWAY = "http://127.0.0.1:1"
Counts = dict[str, int]


def ring(n: int = 1) -> None:
    for _ in range(n):
        inspecting.ring(lambda row: None)


def counts(name: str) -> Counts:
    found: Counts = {}
    for value in StoredWork.objects.values_list(name, flat=True):
        found[value] = found.get(value, 0) + 1
    return found


@pytest.fixture
def sold(drop: Drop, chain_settings: Settings, chain: Chain) -> Drop:
    """On chain, its first three works minted."""
    Drop.objects.filter(pk=drop.pk).update(state=Drop.State.CURATING)
    drop.refresh_from_db()
    services.request_commit(drop=drop)
    pump()
    drop.refresh_from_db()
    services.request_open_sale(drop=drop, phases=everybody(0, 5))
    pump()
    chain.succeed(contracts.mint(1, 0, 3), Contract.objects.get().address, ALICE)
    indexer.poll()
    drop.refresh_from_db()
    return drop


@pytest.fixture
def kept(sold: Drop, targets: dict[str, Target], ipfs: Node, settings: Settings) -> Drop:
    """Published, and to be asked for at the node's gateway."""
    settings.IPFS_GATEWAYS = (ipfs.url,)
    work(ask(sold, targets["car"]))
    return sold


def picture(drop: Drop, token_id: int) -> str:
    work = drop.artworks.get(token_id=token_id)
    return cid.file_cid(work.image_path.read_bytes())


def test_every_work_is_found_where_the_contract_says(kept: Drop, ipfs: Node) -> None:
    ring()

    assert (counts("own"), counts("remote")) == ({"found": 12}, {"found": 12})
    minted = StoredWork.objects.filter(is_minted=True).order_by("token_id")
    assert [row.token_id for row in minted] == [1, 2, 3]
    assert minted[2].uri == f"{kept.commitment.base_uri}3.json"
    round = StorageRound.objects.get()
    assert round.finished_at is not None
    asked = {entry["name"] for entry in ipfs.log("GET /ipfs/")}
    assert f"GET /ipfs/{kept.commitment.root_cid}/metadata/3.json" in asked


def test_what_is_missing_or_wrong_is_told_by_work_and_file(kept: Drop, ipfs: Node) -> None:
    ipfs.control(drop=[picture(kept, 2)])
    ipfs.lie(picture(kept, 7), b"another picture")

    ring()

    assert counts("remote") == {"found": 10, "missing": 1, "wrong": 1}
    found = StoredWork.objects.with_trouble().in_order().values_list("token_id", "remote", "file")
    assert list(found) == [(2, "missing", "image"), (7, "wrong", "image")]
    told = services.storage_of(kept)
    assert (told.n_works, told.n_checked, told.n_remote, told.n_trouble) == (12, 12, 10, 2)


def test_our_own_store_is_looked_at_without_a_gateway(sold: Drop) -> None:
    path = sold.artworks.get(token_id=4).image_path
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    sold.artworks.get(token_id=5).image_path.unlink()

    ring()

    assert counts("remote") == {"": 12}
    assert counts("own") == {"found": 10, "wrong": 1, "missing": 1}
    trouble = StoredWork.objects.with_trouble().in_order()
    assert [(row.token_id, row.own, row.file) for row in trouble] == [
        (4, "wrong", "image"),
        (5, "missing", "image"),
    ]


def test_works_come_round_some_at_a_ring(
    kept: Drop, monkeypatch: pytest.MonkeyPatch, ipfs: Node
) -> None:
    monkeypatch.setattr(inspecting, "WORKS_A_RING", 5)

    seen = []
    for _ in range(4):
        ring()
        seen.append(StoredWork.objects.count())

    assert seen == [5, 10, 12, 12]
    assert len(ipfs.log("GET /ipfs/")) == 2 * 12 + work_reads(kept)


def work_reads(drop: Drop) -> int:
    """Blocks that the publication read back."""
    return drop.publications.get().n_checked


def test_a_round_begins_again_after_its_time(kept: Drop, settings: Settings) -> None:
    ring()
    first = StoredWork.objects.get(token_id=1).checked_at

    ring()
    unmoved = StoredWork.objects.get(token_id=1).checked_at
    day = timedelta(hours=settings.STORAGE_CHECK_HOURS)
    StorageRound.objects.update(started_at=timezone.now() - day, finished_at=timezone.now())
    ring()

    assert unmoved == first
    assert StoredWork.objects.get(token_id=1).checked_at > first
    assert StoredWork.objects.count() == 12


def test_the_task_run_twice_changes_nothing(kept: Drop) -> None:
    tasks.check_storage()
    before = list(StoredWork.objects.order_by("pk").values()), StorageRound.objects.values().get()

    tasks.check_storage()

    now = list(StoredWork.objects.order_by("pk").values()), StorageRound.objects.values().get()
    assert now == before


def test_somebody_who_moved_the_round_is_not_overtaken(kept: Drop) -> None:
    round = services.start_round(drop=kept, now=timezone.now())
    StorageRound.objects.update(next_token_id=9)

    moved = services.note_works(round=round, works=[], after=3, now=timezone.now())

    assert not moved
    assert StorageRound.objects.get().next_token_id == 9


def test_a_gateway_that_is_away_holds_nobody_up(sold: Drop, settings: Settings) -> None:
    settings.IPFS_GATEWAYS = (AWAY,)

    ring()

    round = StorageRound.objects.get()
    assert counts("remote") == {"unreachable": 2}
    assert (round.next_token_id, round.finished_at) == (3, None)
    assert round.says == "no gateway answers; it goes on by itself"


def test_a_slow_gateway_costs_a_ring_its_time_and_no_more(
    kept: Drop, ipfs: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspecting, "RING_S", -1.0)

    ring()
    assert StoredWork.objects.count() == 0
    inspecting.look(services.start_round(drop=kept, now=timezone.now()), gateways(ipfs), 0.0)

    assert StoredWork.objects.count() == 1
    assert StorageRound.objects.get().next_token_id == 2


def gateways(ipfs: Node) -> Gateways:
    return Gateways([ipfs.url])


def test_a_chain_that_is_away_is_said_and_nothing_is_guessed(
    kept: Drop, settings: Settings
) -> None:
    settings.CHAIN_RPC_URL = AWAY

    ring()

    assert StoredWork.objects.count() == 0
    assert StorageRound.objects.get().says.startswith("the chain cannot be asked")


def test_another_address_on_chain_is_followed(
    kept: Drop, ipfs: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contract's word counts, not ours: our row names another root than it does."""
    root = kept.commitment.root_cid
    Commitment.objects.update(root_cid=cid.file_cid(b"another"))

    ring()

    minted = StoredWork.objects.filter(is_minted=True)
    assert {row.uri.split("/")[2] for row in minted} == {root}
    assert {row.remote for row in minted} == {"found"}
    assert counts("remote") == {"found": 3, "missing": 9}


@pytest.mark.usefixtures("chain_settings", "targets")
def test_a_drop_drawn_on_the_fly_is_looked_at_once_it_is_sealed(
    living_drop: Drop, chain: Chain, ipfs: Node, settings: Settings
) -> None:
    settings.IPFS_GATEWAYS = (ipfs.url,)
    mint(chain, 5)
    mint(chain, 1)
    until(DropEvent.Kind.CAPTURED, living_drop)
    ring()
    before = StorageRound.objects.count()
    draw(living_drop)
    until(DropEvent.Kind.SEALED, living_drop)
    living_drop.refresh_from_db()
    pack(living_drop)
    work(ask(living_drop, ipfs.target(services.find_target("car").kind)))

    ring()

    assert before == 0
    assert counts("remote") == {"found": 6}
    assert StoredWork.objects.filter(is_minted=True).count() == 6


@pytest.fixture
def painted(
    evolving_drop: Drop,
    evolving_works: Contract,
    targets: dict[str, Target],
    ipfs: Node,
    settings: Settings,
) -> Drop:
    """Three works that their contract draws, sealed, their folder published."""
    settings.IPFS_GATEWAYS = (ipfs.url,)
    until(DropEvent.Kind.SEALED, evolving_drop)
    evolving_drop.refresh_from_db()
    pack(evolving_drop)
    work(ask(evolving_drop, targets["car"]))
    return evolving_drop


@pytest.mark.usefixtures("chain_settings")
def test_works_that_their_contract_draws_are_looked_for_in_their_folder(
    painted: Drop, chain: Chain, ipfs: Node
) -> None:
    """The contract names no address of theirs: large pictures are where the seal says."""
    told = chain.ask(Contract.objects.get().address, "tokenURI", 1)
    [seal] = Seal.objects.all()

    ring()

    rows = StoredWork.objects.order_by("token_id")
    folder = f"ipfs://{seal.root_cid}/metadata"
    assert told.startswith("data:application/json;base64,")
    assert [row.uri for row in rows] == [f"{folder}/{n}.json" for n in (1, 2, 3)]
    assert {row.is_minted for row in rows} == {True}
    assert counts("remote") == counts("own") == {"found": 3}


@pytest.mark.usefixtures("chain_settings")
def test_a_large_picture_that_is_gone_is_told_though_the_contract_draws_its_work(
    painted: Drop, ipfs: Node
) -> None:
    painted.artworks.get(token_id=1).image_path.unlink()
    ipfs.control(drop=[picture(painted, 2)])

    said = StringIO()
    with pytest.raises(CommandError, match="living 1: 2 of 3 works are not as they should be"):
        call_command("check_storage", "living", stdout=said)

    assert "living 1: 3 of 3 works, our store 2, gateways 2" in said.getvalue()
    assert "    1  our store missing, gateway found: image" in said.getvalue()
    assert "    2  our store found, gateway missing: image, status 404" in said.getvalue()


def test_the_command_says_what_is_not_there(kept: Drop, ipfs: Node) -> None:
    whole = StringIO()
    call_command("check_storage", "portraits", 1, stdout=whole)
    ipfs.control(drop=[picture(kept, 2)])
    broken = StringIO()
    with pytest.raises(CommandError, match="1 of 12 works"):
        call_command("check_storage", stdout=broken)

    assert "portraits 1: 12 of 12 works, our store 12, gateways 12" in whole.getvalue()
    assert "    2  our store found" in broken.getvalue()
    assert "gateway missing: image, status 404" in broken.getvalue()
