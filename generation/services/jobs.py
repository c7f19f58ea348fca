"""Jobs: taken by lease, written under a fence, ended once."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from generation.models import Drop, Job

MAX_ATTEMPTS = 5


class LostLeaseError(Exception):
    """A worker writes for a job that somebody else has taken over."""


def create_job(
    *, kind: str, key: str, total: int, args: dict[str, Any], drop: Drop | None = None
) -> Job:
    """The job with this key, made once."""
    job, _ = Job.objects.get_or_create(
        key=key, defaults={"kind": kind, "total": total, "args": args, "drop": drop}
    )
    return job


def lease_job(*, pk: int, now: datetime, lease: timedelta) -> Job | None:
    """Take a job that is due; None if somebody else holds it or it is finished."""
    taken = (
        Job.objects.filter(pk=pk)
        .due(now)
        .update(
            state=Job.State.RUNNING,
            fence=F("fence") + 1,
            attempts=F("attempts") + 1,
            lease_until=now + lease,
            updated_at=now,
        )
    )
    return (
        Job.objects.select_related("drop__parameter_set", "drop__checkpoint").get(pk=pk)
        if taken
        else None
    )


def renew_job(
    *, job: Job, now: datetime, lease: timedelta, done: int, checkpoint: dict[str, Any]
) -> None:
    """Report progress and keep the lease; LostLeaseError if it went to another worker or a lead."""
    held = Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.RUNNING).update(
        done=done, checkpoint=checkpoint, lease_until=now + lease, updated_at=now
    )
    if not held:
        raise LostLeaseError(job.key)


def end_job(*, job: Job, state: Job.State, error: str = "") -> bool:
    """Close a job as its holder; False if it is no longer ours."""
    fields: dict[str, Any] = {"state": state, "error": error, "lease_until": None}
    if state == Job.State.DONE:
        fields["done"] = F("total")
    held = Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.RUNNING)
    return bool(held.update(updated_at=timezone.now(), **fields))


def release_job(*, job: Job, error: str) -> Job.State:
    """Put a failed attempt back in the queue, or end the job after the last one."""
    state = Job.State.FAILED if job.attempts >= MAX_ATTEMPTS else Job.State.QUEUED
    end_job(job=job, state=state, error=error)
    return state


def pause_job(*, job: Job) -> bool:
    """Give a job back unfinished, as its holder, for the next process to go on with."""
    held = Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.RUNNING)
    return bool(held.update(state=Job.State.QUEUED, attempts=0, error="", lease_until=None))


def stop_job(*, job: Job) -> bool:
    """A lead's stop: the worker notices at its next renewal."""
    return bool(
        Job.objects.filter(pk=job.pk).unfinished().update(state=Job.State.STOPPED, lease_until=None)
    )


def resume_job(*, job: Job) -> bool:
    """Queue a stopped or failed job again from where it was."""
    ended = Job.objects.filter(pk=job.pk, state__in=[Job.State.STOPPED, Job.State.FAILED])
    return bool(ended.update(state=Job.State.QUEUED, attempts=0, error=""))


def restart_job(*, job: Job) -> bool:
    """Queue a job that is done once more, from its beginning."""
    ended = Job.objects.filter(pk=job.pk, state=Job.State.DONE)
    return bool(ended.update(state=Job.State.QUEUED, attempts=0, error="", done=0, checkpoint={}))


def resize_job(*, job: Job, total: int) -> None:
    """Begin a job anew with another number of steps, as its holder."""
    held = Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.RUNNING)
    if not held.update(total=total, done=0, checkpoint={}):
        raise LostLeaseError(job.key)
    job.total, job.done = total, 0


def reclaim_job(*, job: Job) -> bool:
    """Queue a job again from where it was, whatever became of its last holder, unless it is done.

    For work started by hand: who starts it again says that the former process is gone. If it is
    not, its fence is too old and its next renewal fails.
    """
    left = Job.objects.filter(pk=job.pk).exclude(state=Job.State.DONE)
    return bool(left.update(state=Job.State.QUEUED, lease_until=None, error=""))
