"""Works of a drop that is drawn on the fly: rows that are there at once and for good."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from generation.models import Artwork, Drop, Job
from generation.services.drops import WrongStateError
from generation.services.jobs import create_job, lease_job, renew_job, resume_job
from generation.services.works import RenderedWork, add_looks, add_works
from generation.traits.novelty import Looks

KIND = "draw"


def lease_drawing(*, drop: Drop, now: datetime, lease: timedelta) -> Job | None:
    """The right to draw a drop's works, one process at a time; None if another has it.

    In order and by one, because each work is compared with those before it.
    """
    job = create_job(kind=KIND, key=f"{KIND}:{drop.pk}", total=drop.size, args={}, drop=drop)
    return lease_job(pk=job.pk, now=now, lease=lease)


def failed_drawing(drop: Drop) -> Job | None:
    """The drawing of a drop that stands still after its last attempt; None if it does not."""
    return Job.objects.filter(drop=drop, kind=KIND, state=Job.State.FAILED).first()


def draw_again(*, drop: Drop) -> None:
    """Let a drawing that failed go on from where it was; WrongStateError if none did."""
    job = failed_drawing(drop)
    if job is None or not resume_job(job=job):
        raise WrongStateError(drop, "stuck in its drawing")


@transaction.atomic
def record_drawn(
    *,
    job: Job,
    works: Sequence[RenderedWork],
    token_ids: Sequence[int],
    looks: Looks,
    environment: dict[str, Any],
    now: datetime,
    lease: timedelta,
) -> list[Artwork]:
    """Store works with their token ids, and keep the lease; without it nothing is written."""
    drop = job.drop
    assert drop is not None
    done = drop.artworks.count() + len(works)
    renew_job(
        job=job, now=now, lease=lease, done=done, checkpoint=_seen(job.checkpoint, environment)
    )
    rows = add_works(drop=drop, works=works)
    for row, token_id in zip(rows, token_ids, strict=True):
        row.status, row.token_id = Artwork.Status.ACCEPTED, token_id
    Artwork.objects.bulk_update(rows, ["status", "token_id"])
    add_looks(
        digests=[work.image_digest for work in works],
        parser_sha256=drop.checkpoint.parser_sha256,
        looks=looks,
    )
    return rows


def _seen(checkpoint: dict[str, Any], environment: dict[str, Any]) -> dict[str, Any]:
    """Every environment that the drop's works were drawn in, each once."""
    known = checkpoint.get("environments", [])
    if environment not in known:
        known = [*known, environment]
    return {"environments": known}
