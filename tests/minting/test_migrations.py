"""Installations of earlier versions after an upgrade, or stopped before one."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from minting.models import Cursor
from tests.fixtures.chain import ALICE, BOB
from tests.fixtures.migrations import Targets, migrate, old_drop

BEFORE = [("minting", "0002_market"), ("generation", "0013_measured_checkpoint")]
HASHES = (
    "head",
    "metadata_root",
    "image_root",
    "provenance",
    "checkpoint_hash",
    "code_hash",
    "params_hash",
    "parent_params_hash",
    "vote_tally_root",
    "curation_log_root",
    "seed_commit",
)


def test_drops_of_the_first_contract_stop_the_upgrade_and_stay(
    latest: Targets,
) -> None:
    old = migrate(BEFORE)
    drop = old_drop(old)
    commitments = old.get_model("minting", "Commitment").objects
    commitments.create(
        drop=drop,
        collection_id=drop.collection_id,
        number=1,
        first_token_id=1,
        count=1,
        image_cid="x",
        root_cid="x",
        base_uri="ipfs://x/",
        manifest={},
        **dict.fromkeys(HASHES, "0" * 64),
    )

    with pytest.raises(DatabaseError, match="a contract of an earlier version"):
        migrate(latest)

    assert commitments.count() == 1
    commitments.all().delete()


def test_listings_know_their_contract_and_token_by_themselves(latest: Targets) -> None:
    before = [("minting", "0010_governance"), ("generation", "0014_drop_kind")]
    old = migrate(before)
    drop, now = old_drop(old), timezone.now()
    contract = old.get_model("minting", "Contract").objects.create(
        collection_id=drop.collection_id,
        chain_id=31337,
        address=BOB,
        deployed_block=1,
        treasury=BOB,
        royalty_bps=0,
    )
    block = old.get_model("minting", "Block").objects.create(
        chain_id=31337, number=5, hash="0x1", parent_hash="0x0", mined_at=now
    )
    token = old.get_model("minting", "Token").objects.create(
        contract=contract, token_id=7, drop=drop, owner=ALICE, minted_block=block
    )
    listing = old.get_model("minting", "Listing").objects.create(
        token=token,
        seller=ALICE,
        order_hash="0x2",
        price_wei=1,
        starts_at=now,
        expires_at=now + timedelta(hours=1),
        order={},
        signature="0x",
    )

    new = migrate(latest)

    row = new.get_model("minting", "Listing").objects.get(pk=listing.pk)
    assert (row.token_id, row.contract_id, row.token_number) == (token.pk, contract.pk, 7)


def test_governments_of_before_are_read_from_their_founding(latest: Targets) -> None:
    old = migrate([("minting", "0011_listings_without_tokens"), ("generation", "0014_drop_kind")])
    drop = old_drop(old)
    contract = old.get_model("minting", "Contract").objects.create(
        collection_id=drop.collection_id,
        chain_id=31337,
        address=ALICE,
        deployed_block=7,
        treasury=ALICE,
        royalty_bps=500,
        has_votes=True,
    )
    terms = {"delay": 1, "period": 1, "threshold": 1, "quorum_percent": 1, "wait_s": 1}
    governance = old.get_model("minting", "Governance").objects.create(
        contract=contract, governor=BOB, founded_block=9, **terms
    )

    migrate(latest)

    cursor = Cursor.objects.get(governance=governance.pk)
    assert (cursor.number, cursor.first) == (8, 9)
