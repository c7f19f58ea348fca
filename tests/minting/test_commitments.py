import hashlib
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from eth_account import Account
from eth_account.messages import encode_defunct

from generation.models import (
    Artwork,
    Checkpoint,
    CurationDecision,
    Direction,
    Drop,
    DropPlan,
    Job,
    ParameterSet,
)
from generation.services import SaleForbiddenError, WrongStateError, decide, record_permission
from generation.traits.planner import Quota
from minting import services
from minting.models import ChainTransaction, Commitment, Contract
from minting.provenance import cid, lineage, merkle
from minting.provenance.canonical import canonicalize
from minting.provenance.keccak import ZERO, keccak256
from minting.provenance.merkle import Leaf
from minting.services import manifests
from tests.fixtures.sales import everybody
from tests.fixtures.works import MakeDrop

CURATING = Drop.State.CURATING


def reject(drop: Drop, *indices: int) -> None:
    works = drop.artworks.filter(index__in=indices)
    decide(
        drop=drop,
        artwork_ids=works.values_list("pk", flat=True),
        status=Artwork.Status.REJECTED,
        curator=None,
        reason="torn edge",
    )


def test_ids_follow_the_order_of_the_accepted_works(make_drop: MakeDrop) -> None:
    drop = make_drop(5, CURATING)
    reject(drop, 1, 3)

    commitment = services.prepare_commitment(drop=drop)

    ids = dict(drop.artworks.values_list("index", "token_id"))
    assert ids == {0: 1, 1: None, 2: 2, 3: None, 4: 3}
    assert (commitment.number, commitment.first_token_id, commitment.count) == (1, 1, 3)


def test_a_rejected_work_is_nowhere_in_the_commitment(make_drop: MakeDrop) -> None:
    drop = make_drop(4, CURATING)
    reject(drop, 2)
    refused = drop.artworks.get(index=2)

    works = services.prepare_commitment(drop=drop).manifest["works"]

    assert [work["index"] for work in works] == [0, 1, 3]
    assert refused.image_digest not in {work["image_sha256"] for work in works}


def test_the_manifest_holds_the_directions_that_the_parameters_name(
    make_drop: MakeDrop, parameter_set: ParameterSet
) -> None:
    drop = make_drop(2, CURATING)
    for name in ("smile", "other"):
        Direction.objects.create(
            checkpoint=drop.checkpoint,
            name=name,
            method=Direction.Method.LINEAR,
            vector=np.array([0.6, 0.8], "<f4").tobytes(),
            scale=0.5,
            effect_body={},
        )
    body = parameter_set.body | {"directions": {"smile": 1.5}}
    ParameterSet.objects.filter(pk=parameter_set.pk).update(body=body)
    drop.refresh_from_db()

    directions = services.prepare_commitment(drop=drop).manifest["directions"]

    assert list(directions) == ["smile"]
    assert directions["smile"] == pytest.approx([0.3, 0.4])


def test_the_manifest_says_how_works_were_planned_and_what_drew_them(make_drop: MakeDrop) -> None:
    drop = make_drop(2, CURATING)
    drop.artworks.filter(index=1).update(source=0, attempt=3)
    floors = [{"from_round": 0, "min_confidence": 0.5, "min_novelty": 0.0, "by": "lead"}]
    quota = Quota([{"head": "bob"}, {"head": "bob"}], min_confidence=0.5)
    DropPlan.objects.create(
        drop=drop,
        request_body={"size": 2},
        quota_body=quota.to_json(),
        floors=floors,
        max_attempts=40,
    )
    for key, batch in (("a", 32), ("b", 32), ("c", 16)):
        Job.objects.create(
            kind="render", key=key, drop=drop, total=1, checkpoint={"environment": {"batch": batch}}
        )

    manifest = services.prepare_commitment(drop=Drop.objects.get(pk=drop.pk)).manifest

    plan = {"request": {"size": 2}, "places": quota.plan, "floors": floors}
    assert manifest["curation"][0] == {"kind": "planned", "body": plan}
    assert manifest["environments"] == [{"batch": 32}, {"batch": 16}]
    assert [(row["source"], row["attempt"]) for row in manifest["works"]] == [(0, 0), (0, 3)]


def test_an_undecided_work_stops_the_commitment(make_drop: MakeDrop) -> None:
    drop = make_drop(3, CURATING)
    drop.artworks.filter(index=1).update(status=Artwork.Status.PENDING)

    with pytest.raises(WrongStateError, match="completely curated"):
        services.prepare_commitment(drop=drop)

    assert not Commitment.objects.exists()
    assert not drop.artworks.exclude(token_id=None).exists()


@pytest.mark.parametrize("state", set(Drop.State) - {CURATING})
def test_only_a_curated_drop_is_committed(make_drop: MakeDrop, state: Drop.State) -> None:
    drop = make_drop(2, state)

    with pytest.raises(WrongStateError):
        services.prepare_commitment(drop=drop)

    assert not Commitment.objects.exists()


def test_preparing_twice_gives_the_same_row(make_drop: MakeDrop) -> None:
    drop = make_drop(3, CURATING)
    first = services.prepare_commitment(drop=drop)

    second = services.prepare_commitment(drop=drop)

    assert second == first
    assert Commitment.objects.count() == 1


def test_roots_are_those_of_the_files(make_drop: MakeDrop) -> None:
    drop = make_drop(4, CURATING)

    commitment = services.prepare_commitment(drop=drop)

    leaves, images, texts = [], {}, {}
    for row in commitment.manifest["works"]:
        work = drop.artworks.get(token_id=row["token_id"])
        raw, text = work.image_path.read_bytes(), canonicalize(row["metadata"])
        images[f"{work.token_id}.png"] = cid.file_node(raw)
        texts[f"{work.token_id}.json"] = cid.file_node(text)
        leaves.append(Leaf(row["token_id"], keccak256(text), hashlib.sha256(raw).digest()))
    folder = cid.directory(images)
    told = cid.file_node(manifests.provenance(commitment.manifest))
    root = cid.directory(
        {"images": folder, "metadata": cid.directory(texts), "provenance.json": told}
    )
    assert commitment.metadata_root == merkle.root(leaves).hex()
    assert commitment.image_root == folder.digest.hex()
    assert commitment.base_uri == f"ipfs://{root.text}/metadata/"
    assert commitment.manifest["works"][0]["metadata"]["image"] == f"ipfs://{folder.text}/1.png"
    assert (
        commitment.provenance
        == hashlib.sha256(b"".join(leaf.image_hash for leaf in leaves)).hexdigest()
    )


def test_lineage_is_hashed_from_the_rows(make_drop: MakeDrop) -> None:
    drop = make_drop(3, CURATING)
    reject(drop, 0)

    commitment = services.prepare_commitment(drop=drop, vote_tally_root=b"\7" * 32)

    decided, closed = CurationDecision.objects.in_order()
    shared = {"curator": "", "body": {}}
    first = {
        "kind": "decided",
        "index": 0,
        "image_sha256": drop.artworks.get(index=0).image_digest,
        "status": "rejected",
        "reason": "torn edge",
        "decided_at": decided.created_at.isoformat(),
        **shared,
    }
    last = {
        "kind": "closed",
        "index": None,
        "image_sha256": "",
        "status": "",
        "reason": "",
        "decided_at": closed.created_at.isoformat(),
        **shared,
        "body": closed.body,
    }
    assert closed.body["diversity"]["n_works"] == 2
    assert commitment.curation_log_root == lineage.curation_root([first, last]).hex()
    assert commitment.params_hash == lineage.params_hash(drop.parameter_set.body).hex()
    assert commitment.parent_params_hash == ZERO.hex()
    assert commitment.checkpoint_hash == drop.checkpoint.sha256
    assert (commitment.seed_commit, commitment.reveal_block) == (ZERO.hex(), 0)
    assert commitment.vote_tally_root == "07" * 32
    assert commitment.head == lineage.drop_head(ZERO, commitment.body).hex()


def test_the_operator_signs_the_log_and_nobody_else_could_have(make_drop: MakeDrop) -> None:
    drop = make_drop(2, CURATING)

    commitment = services.prepare_commitment(drop=drop)

    said = commitment.manifest["curation_signature"]
    root = lineage.curation_root(commitment.manifest["curation"])
    assert said["text"] == lineage.curation_text("portraits", 1, 1, root)
    assert said["signer"] == services.load_signer().address
    found = Account.recover_message(encode_defunct(text=said["text"]), signature=said["signature"])
    assert found == said["signer"]
    other = encode_defunct(text=said["text"].replace("drop: 1", "drop: 2"))
    assert Account.recover_message(other, signature=said["signature"]) != said["signer"]


def test_a_retouched_work_names_both_pictures(make_drop: MakeDrop) -> None:
    drop = make_drop(2, CURATING)
    work = drop.artworks.get(index=1)
    drop.artworks.filter(pk=work.pk).update(drawn_digest="ab" * 32, explores=True)

    first, second = services.prepare_commitment(drop=drop).manifest["works"]

    assert first["drawn_sha256"] == first["image_sha256"]
    assert (second["drawn_sha256"], second["image_sha256"]) == ("ab" * 32, work.image_digest)
    assert (first["explores"], second["explores"]) == (False, True)


def test_code_hash_covers_every_source_that_draws(make_drop: MakeDrop) -> None:
    drop = make_drop(1, CURATING)

    commitment = services.prepare_commitment(drop=drop)

    files = commitment.manifest["code"]
    root = Path(__file__).parents[2]
    assert "generation/gan/latent.py" in files
    assert all(
        hashlib.sha256((root / path).read_bytes()).hexdigest() == digest
        for path, digest in files.items()
    )
    assert commitment.code_hash == lineage.code_hash(files).hex()


def test_the_next_drop_goes_on_where_the_last_one_ended(make_drop: MakeDrop) -> None:
    first = make_drop(3, CURATING)
    earlier = services.prepare_commitment(drop=first)
    Drop.objects.filter(pk=first.pk).update(state=Drop.State.CLOSED)

    later = services.prepare_commitment(drop=make_drop(2, CURATING, seed=1))

    assert (later.number, later.first_token_id) == (2, 4)
    assert later.head == lineage.drop_head(bytes.fromhex(earlier.head), later.body).hex()


def test_a_drop_waits_for_an_earlier_commitment(make_drop: MakeDrop) -> None:
    services.prepare_commitment(drop=make_drop(2, CURATING))

    with pytest.raises(services.CommitmentPendingError):
        services.prepare_commitment(drop=make_drop(2, CURATING, seed=1))


def test_a_picture_that_changed_on_disk_stops_the_commitment(make_drop: MakeDrop) -> None:
    drop = make_drop(2, CURATING)
    work = drop.artworks.get(index=1)
    raw = bytearray(work.image_path.read_bytes())
    raw[-1] ^= 1
    work.image_path.write_bytes(raw)

    with pytest.raises(services.ImageMismatchError) as caught:
        services.prepare_commitment(drop=drop)

    assert caught.value.work == work
    assert not Commitment.objects.exists()


def test_requests_called_twice_are_one_intent_each(make_drop: MakeDrop) -> None:
    drop = make_drop(2, CURATING)
    first = services.request_commit(drop=drop)

    second = services.request_commit(drop=drop)

    assert second == first
    kinds = list(ChainTransaction.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == [*["library"] * 4, "deploy", "commit"]


def test_a_refused_intent_can_be_asked_for_again(make_drop: MakeDrop) -> None:
    drop = make_drop(2, CURATING)
    first = services.request_commit(drop=drop)
    ChainTransaction.objects.filter(pk=first.pk).update(state=ChainTransaction.State.REVERTED)

    second = services.request_commit(drop=drop)

    assert second != first
    assert second.state == ChainTransaction.State.PENDING


def test_a_sale_needs_a_commitment_on_chain(make_drop: MakeDrop) -> None:
    drop = make_drop(2, CURATING)
    services.request_commit(drop=drop)

    with pytest.raises(WrongStateError, match="committed"):
        services.request_open_sale(drop=drop, phases=everybody(1, 1))


@pytest.mark.parametrize(("price_wei", "cap"), [(-1, 1), (2**96, 1), (1, 0), (1, 21)])
def test_terms_out_of_range_are_refused(make_drop: MakeDrop, price_wei: int, cap: int) -> None:
    drop = make_drop(2, Drop.State.COMMITTED)

    with pytest.raises(ValueError, match=r"not in|1\.\.65535"):
        services.request_open_sale(drop=drop, phases=everybody(price_wei, cap))


@pytest.fixture
def far_drop(make_drop: MakeDrop) -> Drop:
    """A committed drop on another chain than the local one, its licence unknown."""
    drop = make_drop(2, CURATING)
    services.request_commit(drop=drop)
    Drop.objects.filter(pk=drop.pk).update(state=Drop.State.COMMITTED)
    Contract.objects.update(chain_id=10)
    Checkpoint.objects.update(licence="CC-BY-NC-4.0")
    return drop


def test_an_unknown_licence_blocks_a_paid_drop_away_from_the_local_chain(far_drop: Drop) -> None:
    with pytest.raises(SaleForbiddenError, match=r"CC-BY-NC-4\.0"):
        services.request_open_sale(drop=far_drop, phases=everybody(1, 1))

    services.request_open_sale(drop=far_drop, phases=everybody(0, 1))
    assert ChainTransaction.objects.filter(kind=ChainTransaction.Kind.OPEN_SALE).count() == 1


def test_a_recorded_permission_opens_the_paid_drop(far_drop: Drop) -> None:
    lead = User.objects.create(username="lead", is_staff=True)
    record_permission(checkpoint=Checkpoint.objects.get(), lead=lead, reason="letter of 3 May")

    services.request_open_sale(drop=far_drop, phases=everybody(1, 1))

    assert ChainTransaction.objects.filter(kind=ChainTransaction.Kind.OPEN_SALE).count() == 1


def test_other_terms_for_a_requested_sale_are_refused(make_drop: MakeDrop) -> None:
    drop = make_drop(2, CURATING)
    services.request_commit(drop=drop)
    Drop.objects.filter(pk=drop.pk).update(state=Drop.State.COMMITTED)
    price_wei = 2**90 + 1
    asked = services.request_open_sale(drop=drop, phases=everybody(price_wei, 2))

    again = services.request_open_sale(drop=drop, phases=everybody(price_wei, 2))
    with pytest.raises(services.SaleAlreadyRequestedError):
        services.request_open_sale(drop=drop, phases=everybody(price_wei - 1, 2))

    assert again == asked
    assert Commitment.objects.get().phases.get().price_wei == 2**90 + 1
