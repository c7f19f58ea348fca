"""What is drawn: collections, drops, artworks, and the jobs that make them."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Count, F, Q

from generation.traits.parameters import Parameters


class ImmutableRowError(Exception):
    """A row that is evidence was about to be changed."""


class Dataset(models.Model):
    """Labelled pictures; ``digest`` is the manifest's, with each item's digest and licence."""

    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    image_px = models.PositiveIntegerField()
    n_items = models.PositiveIntegerField()
    n_refused = models.PositiveIntegerField(default=0)
    schema = models.JSONField()
    source = models.CharField(max_length=300)
    licence = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.n_items})"

    @property
    def manifest_path(self) -> Path:
        return Path(settings.DATASET_ROOT) / "manifests" / self.digest[:2] / f"{self.digest}.json"

    def items(self) -> list[dict[str, Any]]:
        """The manifest's rows: file, digest, attributes, source and licence of each picture."""
        rows: list[dict[str, Any]] = json.loads(self.manifest_path.read_text())["items"]
        return rows

    @property
    def embedding_path(self) -> Path:
        folder = Path(settings.DATASET_ROOT) / "embeddings" / self.digest[:2]
        return folder / f"{self.digest}.npy"

    def item_path(self, digest: str) -> Path:
        return Path(settings.DATASET_ROOT) / "items" / digest[:2] / f"{digest}.png"


class ItemLabel(models.Model):
    """What a person said of one picture of a dataset; ``place`` is its place in the manifest."""

    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="item_labels")
    place = models.PositiveIntegerField()
    attribute = models.CharField(max_length=50)
    value = models.CharField(max_length=100)
    labelled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "attribute", "place"], name="item_labelled_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.attribute}: {self.value}"


class Checkpoint(models.Model):
    """A trained generator and the parser that reads its pictures, both named by sha256."""

    name = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, unique=True)
    architecture = models.CharField(max_length=50)
    config = models.JSONField()
    recipe = models.JSONField()
    path = models.CharField(max_length=500)
    parser_sha256 = models.CharField(max_length=64)
    parser_path = models.CharField(max_length=500)
    source = models.CharField(max_length=300)
    licence = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.sha256[:8]})"

    @property
    def schema(self) -> dict[str, list[str]]:
        schema: dict[str, list[str]] = self.config["schema"]
        return schema


class Collection(models.Model):
    """A living collection: one contract, one checkpoint at a time, a chain of parameter sets."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    story = models.TextField(blank=True)
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="collections")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class ParameterSet(models.Model):
    """One immutable step in the append-only chain of parameters."""

    class Source(models.TextChoices):
        INITIAL = "initial"
        LEAD = "lead"
        LOOP = "loop"

    collection = models.ForeignKey(Collection, models.PROTECT, related_name="parameter_sets")
    number = models.PositiveIntegerField()
    parent = models.OneToOneField("self", models.PROTECT, null=True, related_name="child")
    source = models.CharField(max_length=10, choices=Source)
    reason = models.TextField()
    body = models.JSONField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["collection", "number"], name="parameter_set_number"),
        ]

    def __str__(self) -> str:
        return f"parameters {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise ImmutableRowError(f"parameter set {self.pk} is immutable")
        super().save(*args, **kwargs)

    @property
    def parameters(self) -> Parameters:
        return Parameters.from_json(self.body)


class DropQuerySet(models.QuerySet["Drop"]):
    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")

    def committed(self) -> Self:
        """Drops that the chain knows; nothing of them changes any more."""
        return self.filter(state__in=Drop.COMMITTED_STATES)

    def rendered(self) -> Self:
        """Drops whose chunks are all done but whose rendering nobody has closed."""
        open_jobs = Job.objects.filter(drop=models.OuterRef("pk"), kind="render").unfinished()
        return self.filter(
            ~models.Exists(open_jobs), state=Drop.State.RENDERING, jobs__kind="render"
        ).distinct()


class Drop(models.Model):
    """One generation of works, from draft to closed."""

    class State(models.TextChoices):
        DRAFT = "draft"
        RENDERING = "rendering"
        CURATING = "curating"
        COMMITTED = "committed"
        MINTING = "minting"
        LISTENING = "listening"
        SCORED = "scored"
        CLOSED = "closed"

    COMMITTED_STATES = (
        State.COMMITTED,
        State.MINTING,
        State.LISTENING,
        State.SCORED,
        State.CLOSED,
    )

    collection = models.ForeignKey(Collection, models.PROTECT, related_name="drops")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    size = models.PositiveIntegerField()
    seed = models.CharField(max_length=64)
    parameter_set = models.ForeignKey(ParameterSet, models.PROTECT, related_name="drops")
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="drops")
    created_at = models.DateTimeField(auto_now_add=True)
    state_changed_at = models.DateTimeField(auto_now_add=True)
    curated_at = models.DateTimeField(null=True)

    objects = DropQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["collection", "number"], name="drop_number"),
            models.UniqueConstraint(fields=["collection", "seed"], name="drop_seed_used_once"),
            models.CheckConstraint(condition=Q(size__gt=0), name="drop_is_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.collection.slug} drop {self.number}"


class ArtworkQuerySet(models.QuerySet["Artwork"]):
    def in_order(self) -> Self:
        return self.order_by("index", "pk")

    def accepted(self) -> Self:
        return self.filter(status=Artwork.Status.ACCEPTED)

    def published(self, collection: Collection) -> Self:
        """Works of committed drops, which have their token ids for good."""
        return self.filter(
            drop__collection=collection,
            drop__state__in=Drop.COMMITTED_STATES,
            token_id__isnull=False,
        )

    def undecided(self) -> Self:
        return self.filter(status=Artwork.Status.PENDING)

    def shown(self) -> Self:
        """Works that visitors may see: never a duplicate, never a rejected one."""
        return self.exclude(status__in=[Artwork.Status.DUPLICATE, Artwork.Status.REJECTED])

    def counts(self) -> dict[str, int]:
        rows = self.order_by().values_list("status").annotate(n=Count("pk"))
        return dict.fromkeys(Artwork.Status.values, 0) | dict(rows)


class Artwork(models.Model):
    """One picture. ``parsed`` is what a parser reads in it; ``requested`` what was asked for."""

    class Status(models.TextChoices):
        PENDING = "pending"
        ACCEPTED = "accepted"
        REJECTED = "rejected"
        DUPLICATE = "duplicate"

    drop = models.ForeignKey(Drop, models.PROTECT, related_name="artworks")
    index = models.PositiveIntegerField()
    item_seed = models.CharField(max_length=64)
    requested = models.JSONField()
    parsed = models.JSONField()
    confidence = models.FloatField()
    image_digest = models.CharField(max_length=64, db_index=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    token_id = models.PositiveBigIntegerField(null=True)
    rarity_score = models.FloatField(null=True)
    rarity_rank = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ArtworkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["drop", "index"], name="artwork_index"),
            models.UniqueConstraint(
                fields=["drop", "image_digest"],
                condition=~Q(status="duplicate") & ~Q(status="pending"),
                name="artwork_decided_once_per_picture",
            ),
        ]

    def __str__(self) -> str:
        return f"artwork {self.drop_id}/{self.index}"

    @property
    def image_path(self) -> Path:
        return (
            Path(settings.MEDIA_ROOT)
            / "images"
            / self.image_digest[:2]
            / f"{self.image_digest}.png"
        )


class ArtworkTrait(models.Model):
    """A parsed trait, one row each, for filters and counts; absent where the value is none."""

    artwork = models.ForeignKey(Artwork, models.CASCADE, related_name="traits")
    trait_type = models.CharField(max_length=50)
    value = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["artwork", "trait_type"], name="artwork_trait_once"),
        ]
        indexes = [
            models.Index(fields=["trait_type", "value", "artwork"], name="artwork_trait_value")
        ]

    def __str__(self) -> str:
        return f"{self.trait_type}: {self.value}"


class FacetIndex(models.Model):
    """The traits of a committed drop's works as bytes; made when first asked for, never changed."""

    drop = models.OneToOneField(Drop, models.PROTECT, related_name="facet_index")
    digest = models.CharField(max_length=64, db_index=True)
    body = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"facets of drop {self.drop_id}"


class CurationDecision(models.Model):
    """What a curator decided, appended, never changed; the last one counts."""

    artwork = models.ForeignKey(Artwork, models.PROTECT, related_name="decisions")
    curator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    status = models.CharField(max_length=10, choices=Artwork.Status)
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.status} {self.artwork_id}"


class JobQuerySet(models.QuerySet["Job"]):
    def due(self, now: datetime) -> Self:
        """Jobs nobody works on: queued, or running with an expired lease."""
        return self.filter(
            Q(state=Job.State.QUEUED) | Q(state=Job.State.RUNNING, lease_until__lt=now)
        ).order_by("created_at", "pk")

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
    drop = models.ForeignKey(Drop, models.PROTECT, null=True, related_name="jobs")
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
