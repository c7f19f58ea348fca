"""What is known of a drop's files: in our own store, and where its addresses lead."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Max, Q

from generation.imaging.bucket import BucketError
from generation.imaging.codec import ImageRefusedError
from generation.models import Artwork, Drop
from minting.models import Commitment, DropEvent, Seal, StorageRound, StoredWork
from minting.provenance.canonical import canonicalize
from minting.provenance.keccak import keccak256
from minting.publishing.gateway import Found
from minting.services.exports import published


@dataclass(frozen=True)
class Storage:
    """The state of a drop's files: how many works there are, were looked at, and have what."""

    row: StorageRound | None
    n_works: int
    n_checked: int
    n_own: int
    n_remote: int
    n_asked: int
    n_trouble: int
    checked_at: datetime | None


def final_works(drop: Drop) -> tuple[Commitment, Commitment | Seal] | None:
    """What a drop's works are, once that is final and on chain; else None."""
    if not is_final(drop):
        return None
    commitment = Commitment.objects.light().get(drop=drop)
    return commitment, published(commitment)


def is_final(drop: Drop) -> bool:
    """Whether a drop's works are; cheaper than ``final_works``, which reads all of them."""
    if drop.state not in Drop.COMMITTED_STATES:
        return False
    if drop.kind != Drop.Kind.ON_THE_FLY:
        return Commitment.objects.filter(drop=drop).exists()
    sealed = DropEvent.objects.filter(commitment__drop=drop, kind=DropEvent.Kind.SEALED)
    return Seal.objects.filter(commitment__drop=drop).exists() and sealed.exists()


def open_rounds(*, now: datetime) -> list[StorageRound]:
    """Rounds that are due, the longest neglected first. A drop with new works gets its first."""
    for drop in Drop.objects.committed().filter(storage_round=None).order_by("pk"):
        if is_final(drop):
            start_round(drop=drop, now=now)
    again = now - timedelta(hours=settings.STORAGE_CHECK_HOURS)
    StorageRound.objects.filter(finished_at__isnull=False, started_at__lte=again).update(
        next_token_id=0, started_at=now, finished_at=None, says=""
    )
    rows = StorageRound.objects.filter(finished_at=None).select_related("drop__collection")
    seen = Max("drop__stored_works__checked_at")
    return list(rows.annotate(seen=seen).order_by(F("seen").asc(nulls_first=True), "pk"))


def start_round(*, drop: Drop, now: datetime) -> StorageRound:
    """Look at all works of a drop from the first one on."""
    row, is_new = StorageRound.objects.get_or_create(
        drop=drop, defaults={"next_token_id": 0, "started_at": now}
    )
    if not is_new:
        StorageRound.objects.filter(pk=row.pk).update(
            next_token_id=0, started_at=now, finished_at=None, says=""
        )
        row.refresh_from_db()
    return row


@transaction.atomic
def note_works(
    *, round: StorageRound, works: Sequence[StoredWork], after: int | None, now: datetime
) -> bool:
    """Keep what was found, and go on behind it; without ``after`` the round is over.

    False if somebody else has moved the round meanwhile: what was found is kept all the same.
    """
    StoredWork.objects.bulk_create(
        works,
        update_conflicts=True,
        unique_fields=["drop", "token_id"],
        update_fields=[
            "own",
            "remote",
            "uri",
            "is_minted",
            "file",
            "through",
            "why",
            "checked_at",
        ],
    )
    here = StorageRound.objects.filter(
        pk=round.pk, next_token_id=round.next_token_id, started_at=round.started_at
    )
    moved: dict[str, Any] = {"says": ""}
    moved |= {"finished_at": now} if after is None else {"next_token_id": after}
    return bool(here.filter(finished_at=None).update(**moved))


def note_trouble(*, round: StorageRound, says: str) -> None:
    """Why a round stands still."""
    StorageRound.objects.filter(pk=round.pk).update(says=says[:250])


def own_state(row: dict[str, Any], work: Artwork | None) -> tuple[Found, str]:
    """Whether our store still has a work's bytes: its picture, and its metadata."""
    if work is None:
        return Found.MISSING, "work"
    try:
        with work.image_path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return Found.MISSING, "image"
    except ImageRefusedError:  # the bucket's
        return Found.WRONG, "image"
    except (OSError, BucketError):
        return Found.UNREACHABLE, "image"
    if digest != row["image_sha256"]:
        return Found.WRONG, "image"
    if keccak256(canonicalize(row["metadata"])).hex() != row["metadata_keccak256"]:
        return Found.WRONG, "metadata"
    return Found.FOUND, ""


def storage_of(drop: Drop) -> Storage:
    """Counts over a drop's works; asks twice, however many there are."""
    row = StorageRound.objects.filter(drop=drop).first()
    found = StoredWork.objects.filter(drop=drop).aggregate(
        n_checked=Count("pk"),
        n_own=Count("pk", filter=Q(own=Found.FOUND)),
        n_remote=Count("pk", filter=Q(remote=Found.FOUND)),
        n_asked=Count("pk", filter=~Q(remote="")),
        n_right=Count("pk", filter=Q(own=Found.FOUND, remote__in=[Found.FOUND, ""])),
        checked_at=Max("checked_at"),
    )
    n_right = found.pop("n_right")
    works = Commitment.objects.filter(drop=drop).values_list("count", "seal__count").first()
    n_works = 0 if works is None else works[1] or works[0]
    return Storage(row=row, n_works=n_works, n_trouble=found["n_checked"] - n_right, **found)
