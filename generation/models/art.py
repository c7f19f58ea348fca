"""What is learned from and what was learned: datasets, their labels, checkpoints."""

import json
from pathlib import Path
from typing import Any, Self

import numpy as np
from django.conf import settings
from django.db import models
from django.db.models import Q
from numpy.typing import NDArray

from generation.gan.config import AttributeSchema
from generation.traits.effect import Effect


class DatasetQuerySet(models.QuerySet["Dataset"]):
    def versions_of(self, dataset: "Dataset") -> Self:
        """All versions of what a dataset is a version of, the newest first."""
        first = dataset.first_id or dataset.pk
        return self.filter(Q(pk=first) | Q(first=first)).order_by("-version", "pk")


class Dataset(models.Model):
    """Labelled pictures; ``digest`` is the manifest's, with each item's digest and licence.

    A version is a row and a manifest of its own: ``parent`` is what it was made from by edits,
    ``first`` version 1, where that is not the row itself.
    """

    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    image_px = models.PositiveIntegerField()
    n_items = models.PositiveIntegerField()
    n_refused = models.PositiveIntegerField(default=0)
    schema = models.JSONField()
    source = models.CharField(max_length=300)
    licence = models.CharField(max_length=100)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    first = models.ForeignKey("self", models.PROTECT, null=True, related_name="later")
    version = models.PositiveIntegerField(default=1)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DatasetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "version"], name="dataset_version_once"),
            models.CheckConstraint(
                condition=Q(version=1, first=None, parent=None)
                | Q(version__gt=1, first__isnull=False, parent__isnull=False),
                name="dataset_version_of",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.n_items})"

    @property
    def title(self) -> str:
        """The name with the version."""
        return f"{self.name} v{self.version}"

    @property
    def manifest_path(self) -> Path:
        return Path(settings.DATASET_ROOT) / "manifests" / self.digest[:2] / f"{self.digest}.json"

    def manifest(self) -> dict[str, Any]:
        """All that the digest names; its schema keeps its order, which not every database does."""
        found: dict[str, Any] = json.loads(self.manifest_path.read_text())
        return found

    def attributes(self) -> AttributeSchema:
        """Attributes and values as the manifest orders them."""
        return AttributeSchema.from_mapping(self.manifest()["schema"])

    def items(self) -> list[dict[str, Any]]:
        """The manifest's rows: file, digest, attributes, source and licence of each picture."""
        rows: list[dict[str, Any]] = self.manifest()["items"]
        return rows

    @property
    def embedding_path(self) -> Path:
        folder = Path(settings.DATASET_ROOT) / "embeddings" / self.digest[:2]
        return folder / f"{self.digest}.npy"

    @property
    def comparison_path(self) -> Path:
        return self.embedding_path.with_suffix(".compared.npz")

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
    """A trained generator and the parser that reads its pictures, both named by sha256.

    An imported generator may come without a parser; its works then have no traits.
    """

    name = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, unique=True)
    architecture = models.CharField(max_length=50)
    config = models.JSONField()
    recipe = models.JSONField()
    path = models.CharField(max_length=500)
    parser_sha256 = models.CharField(max_length=64, blank=True)
    parser_path = models.CharField(max_length=500, blank=True)
    source = models.CharField(max_length=300)
    licence = models.CharField(max_length=100)
    measured = models.JSONField(default=dict, blank=True)  # by ``manage.py evaluate``, newest
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.sha256[:8]})"

    @property
    def schema(self) -> dict[str, list[str]]:
        schema: dict[str, list[str]] = self.config["schema"]
        return schema


class Permission(models.Model):
    """A lead's word that works of a checkpoint may be sold, for a licence that does not say so."""

    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="permissions")
    reason = models.CharField(max_length=500)
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"permission {self.pk} for {self.checkpoint_id}"


class Direction(models.Model):
    """A named direction in w of a checkpoint, with what it was measured to do.

    ``vector`` holds a unit vector as little-endian float32; strength 1 adds ``scale`` times it.
    Parameter sets name it, so a row is never changed.
    """

    class Method(models.TextChoices):
        SEFA = "sefa", "SeFa"
        PCA = "pca", "PCA"
        LINEAR = "linear"
        COMBINED = "combined"

    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="directions")
    name = models.SlugField(max_length=160, allow_unicode=True)
    method = models.CharField(max_length=10, choices=Method)
    vector = models.BinaryField()
    scale = models.FloatField()
    attribute = models.CharField(max_length=50, blank=True)
    value = models.CharField(max_length=100, blank=True)
    effect_body = models.JSONField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["checkpoint", "name"], name="direction_named_once"),
            models.CheckConstraint(condition=Q(scale__gt=0), name="direction_scale"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def step(self) -> NDArray[np.float32]:
        """What strength 1 adds to w: [w_dim]."""
        unit = np.frombuffer(bytes(self.vector), "<f4").astype(np.float32)
        return np.float32(self.scale) * unit

    @property
    def effect(self) -> Effect:
        return Effect.from_json(self.effect_body)
