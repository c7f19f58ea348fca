"""Doorbells of generation. The database says what is due; torch is imported by the workers only."""

from functools import partial
from typing import Any

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from generation import progress
from generation.models import Drop, Job
from generation.services.refinements import KINDS

RINGS = 8  # a sweep's calls; more would pile up in front of the workers every five seconds


@shared_task
def render_chunk(*, job_id: int) -> None:
    from generation import rendering

    drop = rendering.run_chunk(job_id=job_id)
    if drop is not None:
        progress.announce(drop_id=drop.pk, event={"kind": "rendered"})
        finish_drop.delay(drop_id=drop.pk)


@shared_task
def finish_drop(*, drop_id: int) -> None:
    """Close the rendering once every chunk is there; all but the last caller find nothing to do."""
    drop = Drop.objects.rendered().filter(pk=drop_id).first()
    if drop is None:
        return
    from generation import rendering

    finished = rendering.finish_drop(drop=drop)
    ring(finished)  # a planned drop may have another round to draw
    progress.announce(drop_id=drop_id, event={"kind": "state"})


@shared_task
def measure_latents(*, drop_id: int) -> None:
    """Say of a steered drop's works how far they lie along its directions."""
    from generation import measuring

    measuring.measure_latents(drop=Drop.objects.get(pk=drop_id))


@shared_task
def train(*, job_id: int, fence: int) -> None:
    """A while of a training run; what is left to do is rung for again, behind whatever waits.

    ``fence`` is the job's when the bell was rung: of several rings only one is answered.
    """
    if not Job.objects.filter(pk=job_id, fence=fence).exists():
        return
    from generation import training

    job = training.run_slice(job_id=job_id)
    progress.announce_run(job_id=job_id)
    if job is not None and job.state == Job.State.QUEUED:
        train.delay(job_id=job_id, fence=job.fence)


# A slice ends after some 30 s, but not in the middle of what is measured: 672 pictures.
@shared_task(time_limit=900)
def refine(*, job_id: int, fence: int) -> None:
    """A while of a search for directions, or a combination measured; rung again as in ``train``."""
    if not Job.objects.filter(pk=job_id, fence=fence).exists():
        return
    from generation import refinement

    job = refinement.run_slice(job_id=job_id)
    if job is not None:
        progress.announce_refine(checkpoint_id=job.args["checkpoint"])
    if job is not None and job.state == Job.State.QUEUED:
        refine.delay(job_id=job_id, fence=job.fence)


# Not acknowledged late: a look that killed its worker must not meet the next one.
@shared_task(acks_late=False)
def preview(*, checkpoint_id: int, spec: dict[str, Any], name: str) -> None:
    from generation import previewing

    previewing.answer(checkpoint_id=checkpoint_id, spec=spec, name=name)


@shared_task
def revise(*, job_id: int) -> None:
    """Another picture of a work: drawn again, or retouched and to be read."""
    from generation import revising

    job = revising.run_revision(job_id=job_id)
    if job is not None:
        assert job.drop_id is not None
        progress.tell_board(drop_id=job.drop_id, event={"kind": "revised"})
        progress.announce(drop_id=job.drop_id, event={"kind": "curated"})


@shared_task
def read_upload(*, job_id: int) -> None:
    from generation import intake

    intake.read_upload(job_id=job_id)


@shared_task
def embed(*, job_id: int) -> None:
    from generation import intake

    intake.embed(job_id=job_id)


@shared_task
def sweep() -> None:
    """Ring again for what is due: lost messages, dead workers, drops nobody closed."""
    due = Job.objects.filter(kind="render").due(timezone.now())
    for job_id in due.values_list("pk", flat=True)[:RINGS]:
        render_chunk.delay(job_id=job_id)
    for job_id, fence in Job.objects.filter(kind="train").due(timezone.now()).bells():
        train.delay(job_id=job_id, fence=fence)
    for job_id, fence in Job.objects.filter(kind__in=KINDS).due(timezone.now()).bells():
        refine.delay(job_id=job_id, fence=fence)
    for kind, task in WHOLE.items():
        for job_id in (
            Job.objects.filter(kind=kind).due(timezone.now()).values_list("pk", flat=True)
        ):
            task.delay(job_id=job_id)
    for drop_id in Drop.objects.rendered().values_list("pk", flat=True):
        finish_drop.delay(drop_id=drop_id)
    for drop in Drop.objects.listening_unmeasured():
        measure_latents.delay(drop_id=drop.pk)


INTAKE = {"dataset": read_upload, "embed": embed}
WHOLE = INTAKE | {"redraw": revise, "retouch": revise}  # one call does all of such a job


def ring_intake(job: Job) -> None:
    """Call a worker for an upload or for pictures to look at, once the row is committed."""
    transaction.on_commit(partial(INTAKE[job.kind].delay, job_id=job.pk))


def ring_revision(job: Job) -> None:
    """Call a worker for another picture of a work, once the row is committed."""
    transaction.on_commit(partial(revise.delay, job_id=job.pk))


def ring_refine(job: Job) -> None:
    """Call a worker for a search or a combination, once the row is committed."""
    transaction.on_commit(partial(refine.delay, job_id=job.pk, fence=job.fence))


def ask_preview(*, checkpoint_id: int, spec: dict[str, Any], name: str, limit_s: float) -> None:
    """Call the preview worker; a question that nobody waits for any more is not drawn."""
    preview.apply_async(
        kwargs={"checkpoint_id": checkpoint_id, "spec": spec, "name": name},
        expires=limit_s,
        retry=False,
    )


def ring_run(job: Job) -> None:
    """Call a worker for a training run, once the row is committed."""
    transaction.on_commit(partial(train.delay, job_id=job.pk, fence=job.fence))


def ring(drop: Drop) -> None:
    """Call the workers for every chunk of a drop that is left, once its rows are committed."""
    left = drop.jobs.filter(kind="render", state=Job.State.QUEUED).order_by("pk")
    for job_id in left.values_list("pk", flat=True):
        transaction.on_commit(partial(render_chunk.delay, job_id=job_id))
