"""Sales that were tried on a chain that is thrown away."""

from typing import Self

from django.db import models

from generation.models import Drop


class RehearsalQuerySet(models.QuerySet["Rehearsal"]):
    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class Rehearsal(models.Model):
    """A drop's sale with a crowd, bots and faults, and what came of it."""

    drop = models.ForeignKey(Drop, models.PROTECT, related_name="rehearsals")
    has_passed = models.BooleanField(help_text="nothing lost, nothing doubled, no bot let in")
    report = models.JSONField()
    terms_digest = models.CharField(max_length=64, help_text="of the drop and its phases then")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RehearsalQuerySet.as_manager()

    def __str__(self) -> str:
        return f"rehearsal {self.pk} of {self.drop_id}"
