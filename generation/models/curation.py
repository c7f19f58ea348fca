"""What curators and leads decide about a drop: a log that is only ever appended to."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Max, Q

from generation.models.drops import Artwork, Drop
from generation.models.evidence import AppendOnlyQuerySet, ImmutableRow


class CurationDecisionQuerySet(AppendOnlyQuerySet["CurationDecision"]):
    def newest_first(self) -> Self:
        return self.select_related("curator").order_by("-pk")

    def in_order(self) -> Self:
        """As they were taken: each is written under its drop's lock."""
        return self.order_by("pk")

    def newest_ids(self) -> dict[int, int]:
        """The newest decision about each work that has one."""
        return dict(self.order_by().values_list("artwork_id").annotate(newest=Max("pk")))


class CurationDecision(ImmutableRow):
    """One entry of a drop's curation log; the last one about a work counts.

    ``image_digest`` is the picture that was decided about, after a retouch or another try the new
    one. ``body`` holds what its kind needs besides.
    """

    class Kind(models.TextChoices):
        DECIDED = "decided"  # accepted, rejected or reopened
        REDRAWN = "redrawn", "drawn again"
        RETOUCHED = "retouched"  # its picture was exchanged for an edited one
        OVERRULED = "overruled"  # a lead closes although the guard holds the drop
        CLOSED = "closed"

    drop = models.ForeignKey(Drop, models.PROTECT, related_name="decisions")
    artwork = models.ForeignKey(Artwork, models.PROTECT, null=True, related_name="decisions")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.DECIDED)
    curator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    status = models.CharField(max_length=10, choices=Artwork.Status, blank=True)
    image_digest = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    body = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CurationDecisionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["overruled", "closed"], artwork=None)
                | Q(kind__in=["decided", "redrawn", "retouched"], artwork__isnull=False),
                name="decision_about_a_work_or_a_drop",
            ),
            models.UniqueConstraint(
                fields=["drop"], condition=Q(kind="closed"), name="curation_closed_once"
            ),
        ]

    @property
    def done(self) -> str:
        """What was done, as one word of a sentence."""
        if self.kind != self.Kind.DECIDED:
            return self.get_kind_display().lower()
        return "reopened" if self.status == Artwork.Status.PENDING else self.status

    def __str__(self) -> str:
        return f"{self.kind} {self.status} {self.drop_id}/{self.artwork_id}"
