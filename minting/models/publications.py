"""Where a drop's files were put, and whether they are still there."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q

from generation.models import Drop, Job
from minting.publishing.gateway import Found


class PackedCar(models.Model):
    """The CAR file of a drop as it was packed, and where it is cut.

    The file itself may be gone: it is packed again, byte for byte, when it is needed.
    """

    drop = models.OneToOneField(Drop, models.PROTECT, related_name="packed_car")
    root_cid = models.CharField(max_length=100)
    n_bytes = models.PositiveBigIntegerField()
    n_blocks = models.PositiveIntegerField()
    parts = models.JSONField(help_text="what a part is: minting.publishing.parts.Part")
    part_bytes = models.PositiveBigIntegerField(help_text="what a part has at most")
    packed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.root_cid


class PublicationQuerySet(models.QuerySet["Publication"]):
    def in_order(self) -> Self:
        return self.order_by("pk")

    def due(self, now: datetime) -> Self:
        """Those whose job nobody works on, and that do not wait for their time."""
        jobs = Job.objects.filter(kind="publish").due(now)
        return self.filter(Q(due_at=None) | Q(due_at__lte=now), job__in=jobs.order_by())

    def bells(self) -> list[tuple[int, int]]:
        """(id of the job, fence) of each: what a doorbell says."""
        return list(self.order_by("pk").values_list("job_id", "job__fence"))


class Publication(models.Model):
    """A drop's files at a target: what was agreed to, and how far it is; its job has the lease."""

    class Remote(models.TextChoices):
        """What the target says."""

        NONE = "", "nothing yet"
        QUEUED = "queued", "waits there"
        PINNING = "pinning", "is being fetched"
        PINNED = "pinned", "is kept"
        FAILED = "failed", "could not be fetched"

    drop = models.ForeignKey(Drop, models.PROTECT, related_name="publications")
    job = models.OneToOneField(Job, models.PROTECT, related_name="publication")
    target = models.CharField(max_length=30)
    kind = models.CharField(max_length=10)
    root_cid = models.CharField(max_length=100)
    n_bytes = models.PositiveBigIntegerField(help_text="of the CAR, by which the cost was told")
    months = models.PositiveIntegerField()
    cost = models.CharField(
        max_length=80, blank=True, help_text="as it was shown; empty: no price was set"
    )
    request_id = models.CharField(max_length=200, blank=True, help_text="the target's")
    remote = models.CharField(max_length=10, choices=Remote, blank=True)
    remote_says = models.CharField(max_length=250, blank=True)
    due_at = models.DateTimeField(null=True, help_text="when to ask again; none: now")
    checked_at = models.DateTimeField(null=True, help_text="when its blocks were read back")
    checked_through = models.CharField(max_length=250, blank=True)
    n_checked = models.PositiveIntegerField(default=0, help_text="blocks that were read back")
    agreed_at = models.DateTimeField(help_text="to its months and cost")

    objects = PublicationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["drop", "target"], name="publication_once_a_target"),
        ]

    def __str__(self) -> str:
        return f"drop {self.drop_id} at {self.target}"


class PublicationPart(models.Model):
    """A part that has to be sent; ``sent_at`` once the target has said that it has it."""

    publication = models.ForeignKey(Publication, models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    n_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["publication", "number"], name="publication_part"),
        ]

    def __str__(self) -> str:
        return f"part {self.number} of {self.publication_id}"


class StorageRound(models.Model):
    """How far the check of a drop's files is; moved by compare-and-set only."""

    drop = models.OneToOneField(Drop, models.PROTECT, related_name="storage_round")
    next_token_id = models.PositiveBigIntegerField(help_text="the first that is not checked yet")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, help_text="of the round; none while it runs")
    says = models.CharField(max_length=250, blank=True, help_text="why it cannot go on")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(finished_at__gte=F("started_at")),
                name="storage_round_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"storage of {self.drop_id} from {self.next_token_id}"


class StoredWorkQuerySet(models.QuerySet["StoredWork"]):
    def in_order(self) -> Self:
        return self.order_by("token_id", "pk")

    def with_trouble(self) -> Self:
        """Those of which something is not there, or was not to be had."""
        return self.exclude(own=Found.FOUND, remote__in=[Found.FOUND, ""])


class StoredWork(models.Model):
    """A work's files when they were last looked for: in our own store, and where tokenURI says."""

    FOUND = [(one.value, one.value) for one in Found]

    drop = models.ForeignKey(Drop, models.PROTECT, related_name="stored_works")
    token_id = models.PositiveBigIntegerField()
    own = models.CharField(max_length=12, choices=FOUND)
    remote = models.CharField(
        max_length=12, choices=FOUND, blank=True, help_text="empty: there was nobody to ask"
    )
    uri = models.CharField(max_length=500, help_text="what tokenURI said, or was committed to")
    is_minted = models.BooleanField(help_text="the contract said it; else it is the committed one")
    file = models.CharField(max_length=100, blank=True, help_text="what is not there")
    through = models.CharField(max_length=250, blank=True, help_text="who said so")
    why = models.CharField(max_length=250, blank=True)
    checked_at = models.DateTimeField()

    objects = StoredWorkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["drop", "token_id"], name="stored_work_once"),
        ]
        indexes = [models.Index(fields=["drop", "remote"], name="stored_work_remote")]

    def __str__(self) -> str:
        return f"files of work {self.token_id}: {self.own}, {self.remote or 'not asked'}"
