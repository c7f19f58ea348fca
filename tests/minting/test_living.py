"""Drops that are drawn on the fly, from their commitment to their seal, on a real node."""

import hashlib
import json
from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from generation import drawing as generation_drawing
from generation.models import Artwork, Collection, Drop, Job
from generation.services import WrongStateError, lease_drawing, pause_job, start_rendering
from minting import indexer, services
from minting.chain import contracts
from minting.models import ChainTransaction, Commitment, Contract, DropEvent, Seal, Token
from minting.provenance import cid, lineage, merkle
from minting.provenance.keccak import keccak256
from minting.provenance.merkle import Leaf
from tests.fixtures.chain import BOB, OWNER, Chain
from tests.fixtures.living import advance, draw, mint, until
from tests.fixtures.outbox import pump

PRICE_WEI = 10**15
Kind = ChainTransaction.Kind

pytestmark = pytest.mark.usefixtures("chain_settings")


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def draft(living_draft: Drop) -> Drop:
    return living_draft


@pytest.fixture
def drop(living_drop: Drop) -> Drop:
    return living_drop


def test_a_minted_work_is_drawn_from_its_tokens_seed(drop: Drop, chain: Chain) -> None:
    mint(chain, 2)
    mint(chain, 1, BOB)
    indexer.poll()
    before = draw(drop)
    until(DropEvent.Kind.CAPTURED, drop)

    drawn = draw(drop)

    commitment, contract = Commitment.objects.get(), Contract.objects.get()
    captured = DropEvent.objects.get()
    header = chain.header(commitment.reveal_block)
    assert header is not None
    seed = lineage.drop_seed(bytes.fromhex(commitment.secret), bytes.fromhex(header.hash[2:]))
    seeds = [
        lineage.token_seed(
            chain_id=31337,
            contract=contract.address,
            drop_number=1,
            drop_seed=seed,
            token_id=token_id,
        ).hex()
        for token_id in (1, 2, 3)
    ]
    works = list(Artwork.objects.order_by("token_id"))
    assert (before, drawn) == ([], [1, 2, 3])
    assert "0x" + captured.word == header.hash
    assert [work.item_seed for work in works] == seeds
    assert [work.status for work in works] == ["accepted"] * 3
    assert [token.artwork for token in Token.objects.order_by("token_id")] == works
    assert len({work.image_digest for work in works}) == 3


def test_a_drop_that_is_sold_out_is_revealed_and_sealed_with_what_was_drawn(
    drop: Drop, chain: Chain
) -> None:
    mint(chain, 5)
    mint(chain, 1, BOB)
    until(DropEvent.Kind.CAPTURED, drop)
    draw(drop)

    until(DropEvent.Kind.SEALED, drop)

    address, seal = Contract.objects.get().address, Seal.objects.get()
    works = seal.manifest["works"]
    leaves = [
        Leaf(
            row["token_id"],
            bytes.fromhex(row["metadata_keccak256"]),
            bytes.fromhex(row["image_sha256"]),
        )
        for row in works
    ]
    sealed = DropEvent.objects.get(kind="sealed")
    assert merkle.root(leaves).hex() == seal.metadata_root == sealed.word
    assert chain.ask(address, "tokenURI", 4) == f"ipfs://{seal.root_cid}/metadata/4.json"
    assert chain.ask(address, "dropSeedOf", 1).hex() == DropEvent.objects.get(kind="revealed").word
    assert services.living_drops() == []
    assert Artwork.objects.filter(rarity_rank=1).exists()


def test_metadata_are_final_as_soon_as_a_work_is_drawn(
    drop: Drop, chain: Chain, client: Browser
) -> None:
    mint(chain, 5)
    mint(chain, 1, BOB)
    until(DropEvent.Kind.CAPTURED, drop)
    draw(drop)
    uri = chain.ask(Contract.objects.get().address, "tokenURI", 2)

    live = client.get(uri.removeprefix("http://localhost:8000"))
    until(DropEvent.Kind.SEALED, drop)

    [row] = [row for row in Seal.objects.get().manifest["works"] if row["token_id"] == 2]
    work = Artwork.objects.get(token_id=2)
    assert json.loads(live.content) == row["metadata"]
    assert keccak256(live.content).hex() == row["metadata_keccak256"]
    assert row["metadata"]["image"] == f"ipfs://{cid.file_cid(work.image_path.read_bytes())}"
    assert hashlib.sha256(work.image_path.read_bytes()).hexdigest() == row["image_sha256"]


def test_a_drop_is_revealed_only_when_nothing_can_be_minted(drop: Drop, chain: Chain) -> None:
    mint(chain, 2)
    until(DropEvent.Kind.CAPTURED, drop)
    draw(drop)
    for _ in range(3):
        advance()
    early = ChainTransaction.objects.filter(kind=Kind.REVEAL).count()

    header = chain.header("latest")
    assert header is not None
    chain.call("evm_setNextBlockTimestamp", header.timestamp + 601)
    chain.mine()
    until(DropEvent.Kind.SEALED, drop)

    assert early == 0
    assert Seal.objects.get().count == 2


def test_doing_every_step_again_does_nothing_twice(drop: Drop, chain: Chain) -> None:
    mint(chain, 5)
    mint(chain, 1, BOB)
    until(DropEvent.Kind.CAPTURED, drop)
    draw(drop)
    works = dict(Artwork.objects.values_list("token_id", "image_digest"))

    again = draw(drop)
    until(DropEvent.Kind.SEALED, drop)
    for _ in range(3):
        advance()

    kinds = ChainTransaction.objects.filter(kind__in=[Kind.CAPTURE, Kind.REVEAL, Kind.SEAL])
    assert again == []
    assert dict(Artwork.objects.values_list("token_id", "image_digest")) == works
    assert sorted(kinds.values_list("kind", flat=True)) == ["capture", "reveal", "seal"]
    assert set(kinds.values_list("state", flat=True)) == {"confirmed"}


def test_somebody_else_may_capture(drop: Drop, chain: Chain) -> None:
    mint(chain)
    chain.mine(12)
    chain.succeed(contracts.capture(1), Contract.objects.get().address, BOB)
    indexer.poll()

    advance()

    assert draw(drop) == [1]
    assert not ChainTransaction.objects.filter(kind=Kind.CAPTURE).exists()


def test_a_block_out_of_reach_is_replaced_by_a_later_one(drop: Drop, chain: Chain) -> None:
    mint(chain)
    chain.mine(300)

    until(DropEvent.Kind.REARMED, drop)
    until(DropEvent.Kind.CAPTURED, drop)

    captured = DropEvent.objects.get(kind="captured")
    rearmed = DropEvent.objects.get(kind="rearmed")
    assert captured.reveal_block == rearmed.reveal_block
    assert draw(drop) == [1]


def test_a_mint_that_a_reorganisation_moves_keeps_its_picture(drop: Drop, chain: Chain) -> None:
    until(DropEvent.Kind.CAPTURED, drop)
    chain.mine(3)
    mint(chain)
    indexer.poll()
    draw(drop)
    work = Artwork.objects.get()

    chain.reorganise(1)
    indexer.poll()
    gone = Token.objects.count()
    mint(chain, 1, BOB)
    indexer.poll()
    drawn = draw(drop)

    assert (gone, drawn) == (0, [])
    assert Artwork.objects.get() == work
    assert Token.objects.get().artwork == work


def test_a_picture_that_repeats_another_is_drawn_from_the_next_attempt(
    drop: Drop, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two tokens with one seed would have one picture."""
    mint(chain, 2)
    until(DropEvent.Kind.CAPTURED, drop)
    monkeypatch.setattr(services, "token_seed", lambda *_: b"\7" * 32)

    draw(drop)

    first, second = Artwork.objects.order_by("token_id")
    assert (first.attempt, second.attempt) == (0, 1)
    assert first.image_digest != second.image_digest
    assert first.requested == second.requested


def test_a_generator_that_has_nothing_new_says_so(
    drop: Drop, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    mint(chain, 2)
    until(DropEvent.Kind.CAPTURED, drop)
    monkeypatch.setattr(services, "token_seed", lambda *_: b"\7" * 32)
    monkeypatch.setattr(generation_drawing, "MAX_ATTEMPTS", 1)

    with pytest.raises(generation_drawing.RepeatedError, match="token 2"):
        draw(drop)

    assert not Artwork.objects.exists()
    assert "RepeatedError" in Job.objects.get(kind="draw").error


def test_markets_hear_of_many_works_by_one_transaction(drop: Drop, chain: Chain) -> None:
    mint(chain, 5)
    until(DropEvent.Kind.CAPTURED, drop)
    draw(drop)
    advance()
    mint(chain, 1)
    indexer.poll()
    draw(drop)
    advance()

    calls = ChainTransaction.objects.filter(kind=Kind.ANNOUNCE).order_by("pk")
    expected = [contracts.announce(1, 5), contracts.announce(6, 6)]
    assert [bytes(one.call) for one in calls] == expected


def test_a_work_that_is_not_drawn_yet_says_so(drop: Drop, chain: Chain, client: Browser) -> None:
    mint(chain)
    indexer.poll()

    said = client.get("/live/living/1.json").json()

    assert said["name"] == "Living #1"
    assert "image" not in said
    assert client.get("/live/living/2.json").status_code == 404
    assert client.get("/live/other/1.json").status_code == 404


def test_the_secret_is_told_nowhere_before_the_reveal(
    drop: Drop, chain: Chain, client: Browser
) -> None:
    mint(chain)
    until(DropEvent.Kind.CAPTURED, drop)
    draw(drop)
    secret = Commitment.objects.get().secret

    pages = [
        "/",
        "/collections/living/drops/1",
        "/collections/living/works/1",
        "/live/living/1.json",
        "/api/collections/living/chain",
        "/api/tokens?collection=living",
        "/api/drops",
    ]
    told = [client.get(page) for page in pages]
    assert [page.status_code for page in told] == [200] * len(pages)
    assert not any(secret in page.content.decode() for page in told)


def test_such_a_drop_is_not_rendered_beforehand(draft: Drop) -> None:
    with pytest.raises(WrongStateError):
        start_rendering(drop=draft)


def test_a_commitment_that_came_too_late_is_made_again(draft: Drop, chain: Chain) -> None:
    late = services.request_living_commit(drop=draft, reveal_block=chain.block_number())
    pump()
    late.refresh_from_db()

    services.request_living_commit(drop=draft, reveal_block=chain.block_number() + 12)
    pump()
    draft.refresh_from_db()

    assert late.error.startswith("RevealBlockPast")
    assert draft.state == Drop.State.COMMITTED
    assert chain.nonce(OWNER) > 0
    assert Collection.objects.get().commitments.count() == 1


def test_a_drop_is_sealed_by_one_process_at_a_time(drop: Drop, chain: Chain) -> None:
    mint(chain, 5)
    mint(chain, 1, BOB)
    until(DropEvent.Kind.CAPTURED, drop)
    draw(drop)
    until(DropEvent.Kind.REVEALED, drop)
    other = lease_drawing(drop=drop, now=timezone.now(), lease=timedelta(minutes=1))
    assert other is not None

    advance()
    meanwhile = Seal.objects.count()
    pause_job(job=other)
    until(DropEvent.Kind.SEALED, drop)

    assert (meanwhile, Seal.objects.count()) == (0, 1)


def test_a_drawing_that_failed_is_shown_and_goes_on_by_a_button(
    drop: Drop, chain: Chain, admin_client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    mint(chain, 2)
    until(DropEvent.Kind.CAPTURED, drop)
    with monkeypatch.context() as patch:
        patch.setattr(generation_drawing, "draw", _break)
        for _ in range(5):
            with pytest.raises(OSError, match="disk full"):
                draw(drop)
    stuck = admin_client.get(f"/console/drops/{drop.pk}/launch").content.decode()
    nothing = draw(drop)

    address = f"/console/drops/{drop.pk}/launch/control"
    admin_client.post(address, {"do": "draw"})
    drawn = draw(drop)

    after = admin_client.get(f"/console/drops/{drop.pk}/launch").content.decode()
    assert "it stands still: OSError: disk full" in stuck
    assert "Draw again" in stuck
    assert nothing == []
    assert drawn == [1, 2]
    assert "2 of 2 minted ones" in after
    assert "Draw again" not in after
    refused = admin_client.post(address, {"do": "draw"}, follow=True).content.decode()
    assert "not stuck in its drawing" in refused


def _break(**_: object) -> None:
    raise OSError("disk full")
