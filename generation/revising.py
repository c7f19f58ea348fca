"""Other pictures for works under curation: drawn again, or retouched by hand and read again.

Imports torch: workers and commands only.
"""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from django.utils import timezone

from generation import rendering, services
from generation.imaging import codec
from generation.imaging.codec import ImageRefusedError
from generation.models import Artwork, Drop, Job, Look
from generation.models.drops import image_path
from generation.services import RenderedWork, RevisionRefusedError, WrongStateError
from generation.traits.novelty import Looks, Seen

LEASE = timedelta(minutes=1)


def run_revision(*, job_id: int) -> Job | None:
    """Make a work's other picture and exchange it; None if that is done or in other hands."""
    job = services.lease_job(pk=job_id, now=timezone.now(), lease=LEASE)
    if job is None or job.drop is None:
        return None
    work = job.drop.artworks.get(pk=job.args["artwork"])
    try:
        drawn, looks = (_redraw if job.kind == "redraw" else _retouch)(job.drop, work, job)
        services.exchange(job=job, drawn=drawn, looks=looks)
    except services.LostLeaseError:
        return None
    except (RevisionRefusedError, WrongStateError, ImageRefusedError) as error:
        services.end_job(job=job, state=Job.State.FAILED, error=str(error))
    except Exception as error:
        services.release_job(job=job, error=f"{type(error).__name__}: {error}")
        raise
    job.refresh_from_db()
    return job


def _redraw(drop: Drop, work: Artwork, job: Job) -> tuple[RenderedWork, Looks]:
    """The first of a batch of tries that is new, and that a plan can use."""
    tries = range(job.args["first"], job.args["first"] + services.TRIES)
    drawn, looks = rendering.draw_works(
        drop,
        [rendering.asked(drop, work.index, attempt) for attempt in tries],
        rendering.renewal(job),
    )
    for row in _new(drop, work, drawn, looks):
        return drawn[row], looks.rows([row])
    raise RevisionRefusedError(
        f"none of {len(drawn)} other pictures of #{work.index} is new and as asked; "
        "send it back again for more"
    )


def _new(drop: Drop, work: Artwork, drawn: Sequence[RenderedWork], looks: Looks) -> Sequence[int]:
    """Which of some pictures repeat nothing and fit the plan, in their order."""
    others = drop.artworks.shown().exclude(pk=work.pk).values_list("image_digest", flat=True)
    known = Look.objects.of(others, drop.checkpoint.parser_sha256)
    digests = services.shown_digests(drop)
    block = Seen(Look.stacked(known.values())).block(looks)
    found = []
    for row, picture in enumerate(drawn):
        near = block.near(row)
        is_new = picture.image_digest not in digests and not near.repeats()
        if is_new and _fits(drop, work, picture, near.novelty):
            found.append(row)
    return found


def _fits(drop: Drop, work: Artwork, picture: RenderedWork, novelty: float) -> bool:
    if not hasattr(drop, "plan"):
        return True
    quota = drop.plan.quota
    return (
        _shows(picture.parsed, quota.plan[work.index])
        and picture.confidence >= quota.min_confidence
        and novelty >= quota.min_novelty
    )


def _shows(parsed: dict[str, str], wanted: dict[str, str]) -> bool:
    return all(parsed[name] == value for name, value in wanted.items())


def _retouch(drop: Drop, work: Artwork, job: Job) -> tuple[RenderedWork, Looks]:
    """The edited picture, read as any other; a plan's counts stay exact."""
    picture = codec.read_stored(image_path(job.args["digest"]))
    (reading,), looks = rendering.read_pictures(drop.checkpoint, picture[np.newaxis])
    if hasattr(drop, "plan"):
        _check_plan(drop, work, reading.values)
    return (
        RenderedWork(
            index=work.index,
            source=work.drawn_for,
            attempt=work.attempt,
            item_seed=work.item_seed,
            requested=work.requested,
            parsed=reading.values,
            confidence=reading.confidence,
            image_digest=job.args["digest"],
            explores=work.explores,
            is_control=work.is_control,
        ),
        looks,
    )


def _check_plan(drop: Drop, work: Artwork, parsed: dict[str, str]) -> None:
    wanted = drop.plan.quota.plan[work.index]
    others = [f"{k} {parsed[k]}, not {v}" for k, v in wanted.items() if parsed[k] != v]
    if others:
        raise RevisionRefusedError(
            f"the plan of this drop asks for other traits of #{work.index}: {'; '.join(others)}"
        )
