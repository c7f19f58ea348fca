"""A drop on its way from draft to curation: parts that any worker may draw, closed once."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from generation.models import Artwork, Drop, DropPlan, Job, Selection
from generation.services.drops import WrongStateError, move_drop
from generation.services.guard import measure_drop, remember_diversity
from generation.services.jobs import LostLeaseError
from generation.services.plans import CHUNK, add_candidates, open_round
from generation.services.selections import open_candidates
from generation.services.works import RenderedWork, add_looks, add_works, rank_works
from generation.traits.novelty import Looks


@transaction.atomic
def start_rendering(*, drop: Drop) -> list[Job]:
    """Split a draft, or the first round of a planned one, into jobs that any worker may take."""
    if drop.kind == Drop.Kind.ON_THE_FLY:
        raise WrongStateError(drop, "a drop whose works are drawn before they are minted")
    move_drop(drop=drop, expected=Drop.State.DRAFT, to=Drop.State.RENDERING)
    found = DropPlan.objects.filter(drop=drop).first()
    if found is not None:
        return open_round(found=found)
    several = Selection.objects.select_related("drop__parameter_set").filter(drop=drop).first()
    if several is not None:
        return open_candidates(found=several)
    starts = range(0, drop.size, CHUNK)
    return Job.objects.bulk_create(
        Job(
            kind="render",
            key=f"render:{drop.pk}:{start}",
            drop=drop,
            args={"start": start, "stop": min(start + CHUNK, drop.size)},
            total=min(CHUNK, drop.size - start),
        )
        for start in starts
    )


@transaction.atomic
def record_works(
    *, job: Job, works: Sequence[RenderedWork], looks: Looks, environment: dict[str, Any]
) -> int:
    """Store what a chunk produced and close its job; without the lease nothing is written.

    Pictures of which not each becomes a work wait as candidates until all of them are there.
    """
    drop = job.drop
    assert drop is not None
    held = Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.RUNNING).update(
        state=Job.State.DONE,
        done=len(works),
        checkpoint={"environment": environment},
        lease_until=None,
        updated_at=timezone.now(),
    )
    if not held:
        raise LostLeaseError(job.key)
    if "candidates" in job.args:
        add_candidates(job=job, works=list(works))
    else:
        add_works(drop=drop, works=works)
    add_looks(
        digests=[work.image_digest for work in works],
        parser_sha256=drop.checkpoint.parser_sha256,
        looks=looks,
    )
    return len(works)


@transaction.atomic
def finish_rendering(
    *, drop: Drop, repeats: Iterable[int], groups: Iterable[Sequence[int]] = ()
) -> Drop:
    """Set repeats aside, rank and measure the rest, and hand the drop to its curators.

    ``repeats`` are the places of works that show an earlier work's picture again, ``groups`` those
    of works that look much alike.
    """
    unfinished = drop.jobs.filter(kind="render").unfinished().exists()
    if unfinished or drop.artworks.count() != drop.size:
        raise WrongStateError(drop, "completely rendered")
    move_drop(drop=drop, expected=Drop.State.RENDERING, to=Drop.State.CURATING)
    drop.artworks.filter(index__in=list(repeats)).update(status=Artwork.Status.DUPLICATE)
    for group in groups:
        drop.artworks.filter(index__in=group).update(similar_group=min(group))
    rank_works(drop=drop)
    remember_diversity(drop=drop, found=measure_drop(drop, drop.artworks.shown()))
    return drop
