"""Work that outlives its worker."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q


class JobQuerySet(models.QuerySet["Job"]):
    def due(self, now: datetime) -> Self:
        """Jobs nobody works on: queued, or running with an expired lease."""
        return self.filter(
            Q(state=Job.State.QUEUED) | Q(state=Job.State.RUNNING, lease_until__lt=now)
        ).order_by("created_at", "pk")

    def bells(self) -> list[tuple[int, int]]:
        """(id, fence) of each: what a doorbell says, so that only one of several is answered."""
        return list(self.values_list("pk", "fence"))

    def unfinished(self) -> Self:
        return self.exclude(state__in=[Job.State.DONE, Job.State.FAILED, Job.State.STOPPED])


class Job(models.Model):
    """A piece of work that outlives its worker. The holder of the highest fence may write."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        STOPPED = "stopped"

    kind = models.CharField(max_length=30)
    key = models.CharField(max_length=100, unique=True)
    drop = models.ForeignKey("generation.Drop", models.PROTECT, null=True, related_name="jobs")
    args = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    checkpoint = models.JSONField(default=dict)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(done__lte=F("total")), name="job_done_within_total"),
        ]
        indexes = [models.Index(fields=["kind", "state"], name="job_kind_state")]

    def __str__(self) -> str:
        return self.key
