"""What is drawn: collections, their parameters, drops and works."""

from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Count, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce

from generation.imaging import bucket
from generation.models.art import Checkpoint
from generation.models.evidence import ImmutableRow
from generation.models.jobs import Job
from generation.traits.parameters import Parameters


class Collection(models.Model):
    """A living collection: one contract, one checkpoint at a time, a chain of parameter sets."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    story = models.TextField(blank=True)
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="collections")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class ParameterSet(ImmutableRow):
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
        """Drops whose chunks are all done but whose rendering, or round, nobody has closed."""
        open_jobs = Job.objects.filter(drop=models.OuterRef("pk"), kind="render").unfinished()
        return self.filter(
            Q(plan=None) | Q(plan__stuck=""),
            ~models.Exists(open_jobs),
            state=Drop.State.RENDERING,
            jobs__kind="render",
        ).distinct()

    def listening_unmeasured(self) -> list["Drop"]:
        """Drops that people vote on, steered by directions along which works are not measured."""
        unmeasured = Artwork.objects.filter(drop=models.OuterRef("pk")).unmeasured()
        listening = self.filter(models.Exists(unmeasured), state=Drop.State.LISTENING)
        found = listening.select_related("parameter_set").order_by("pk")
        return [drop for drop in found if drop.parameter_set.parameters.directions]


class Drop(models.Model):
    """One generation of works, from draft to closed."""

    class Kind(models.TextChoices):
        FIXED = "fixed", "each id has its work from the start"
        ON_THE_FLY = "on_the_fly", "a work is drawn after its id was minted"

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
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.FIXED)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    size = models.PositiveIntegerField()
    seed = models.CharField(max_length=64)
    parameter_set = models.ForeignKey(ParameterSet, models.PROTECT, related_name="drops")
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="drops")
    created_at = models.DateTimeField(auto_now_add=True)
    state_changed_at = models.DateTimeField(auto_now_add=True)
    curated_at = models.DateTimeField(null=True)
    diversity = models.JSONField(null=True, help_text="as measured last; see traits.guard")

    objects = DropQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["collection", "number"], name="drop_number"),
            models.UniqueConstraint(fields=["collection", "seed"], name="drop_seed_used_once"),
            models.CheckConstraint(condition=Q(size__gt=0), name="drop_is_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.collection.slug} drop {self.number}"


def image_path(digest: str) -> Path:
    """Where a picture lies; what this machine lacks is brought from the bucket, if one is set."""
    folder = Path(settings.MEDIA_ROOT) / "images"
    path = folder / digest[:2] / f"{digest}.png"
    if settings.PICTURES and not path.exists():
        bucket.fetch(bucket.parse(settings.PICTURES), digest, folder)
    return path


class ArtworkQuerySet(models.QuerySet["Artwork"]):
    PLACES: dict[str, Any] = {
        "index": F("index"),
        "confidence": F("confidence"),
        "group": Coalesce("similar_group", Value(2**31 - 1)),
    }

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

    def unmeasured(self) -> Self:
        """Accepted works of which nobody knows yet how far they lie along directions."""
        return self.accepted().filter(latents={})

    def undecided(self) -> Self:
        return self.filter(status=Artwork.Status.PENDING)

    def shown(self) -> Self:
        """Works that visitors may see: never a duplicate, never a rejected one."""
        return self.exclude(status__in=[Artwork.Status.DUPLICATE, Artwork.Status.REJECTED])

    def curable(self) -> Self:
        """Works that curators decide about; duplicates were set aside when they were found."""
        return self.exclude(status=Artwork.Status.DUPLICATE)

    def with_trait(self, trait_type: str, value: str) -> Self:
        """Works in which the parser reads that value; an absent trait has no row."""
        return self.filter(traits__trait_type=trait_type, traits__value=value)

    def without_trait(self, trait_type: str) -> Self:
        traits = ArtworkTrait.objects.filter(artwork=OuterRef("pk"), trait_type=trait_type)
        return self.filter(~models.Exists(traits))

    def alike(self) -> Self:
        """Works that look much like another one of their drop."""
        return self.filter(similar_group__isnull=False)

    def special(self, kind: str) -> Self:
        """Works that were drawn to be unusual, drawn again, or retouched."""
        redrawn = Artwork.objects.filter(decisions__kind="redrawn").values("pk")
        kinds = {
            "explores": Q(explores=True),
            "control": Q(is_control=True),
            "redrawn": Q(pk__in=redrawn),
            "retouched": ~Q(drawn_digest=""),
        }
        return self.filter(kinds[kind])

    def placed(self, sort: str) -> Self:
        """``place`` is where a work stands in an order, then its index; neither ever changes."""
        return self.annotate(place=self.PLACES[sort]).order_by("place", "index", "pk")

    def after(self, work: "Artwork", sort: str) -> Self:
        return self._beyond(work, sort, "gt").placed(sort)

    def before(self, work: "Artwork", sort: str) -> Self:
        """What comes before ``work``, the nearest first."""
        return self._beyond(work, sort, "lt").placed(sort).reverse()

    def _beyond(self, work: "Artwork", sort: str, side: str) -> Self:
        own = Artwork.objects.filter(pk=work.pk).placed(sort)
        place = own.values_list("place", flat=True)[0]  # type: ignore[misc]  # an annotation
        further = Q(**{f"place__{side}": place}) | Q(
            **{"place": place, f"index__{side}": work.index}
        )
        return self.placed(sort).filter(further)

    def counts(self) -> dict[str, int]:
        rows = self.order_by().values_list("status").annotate(n=Count("pk"))
        return dict.fromkeys(Artwork.Status.values, 0) | dict(rows)


class Artwork(models.Model):
    """One picture. ``parsed`` is what a parser reads in it; ``requested`` what was asked for.

    ``source`` is the place of its drop that it was drawn for, if that is another one than its own;
    ``attempt`` is which try that was. The seed follows from both. ``drawn_digest`` is the picture
    as it was drawn, where a retouched one took its place; ``explores`` marks a deliberately unusual
    one, ``is_control`` one that nothing steers. ``latents`` says how far it lies along each
    direction that its drop is steered by, in standard deviations; empty until that is measured.
    ``start`` is the latent that it began from; none where that follows from its seed.
    ``exposure`` is what a vote on it counts, where it was chosen among several; see
    ``traits.selection``.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        ACCEPTED = "accepted"
        REJECTED = "rejected"
        DUPLICATE = "duplicate"

    drop = models.ForeignKey(Drop, models.PROTECT, related_name="artworks")
    index = models.PositiveIntegerField()
    source = models.PositiveIntegerField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    item_seed = models.CharField(max_length=64)
    requested = models.JSONField()
    parsed = models.JSONField()
    latents: models.JSONField[dict[str, float], dict[str, float]] = models.JSONField(default=dict)
    confidence = models.FloatField()
    image_digest = models.CharField(max_length=64, db_index=True)
    drawn_digest = models.CharField(max_length=64, blank=True)
    explores = models.BooleanField(default=False)
    is_control = models.BooleanField(default=False)
    start: models.JSONField[list[float] | None, list[float] | None] = models.JSONField(null=True)
    exposure = models.FloatField(default=1.0)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    token_id = models.PositiveBigIntegerField(null=True)
    rarity_score = models.FloatField(null=True)
    rarity_rank = models.PositiveIntegerField(null=True)
    similar_group = models.PositiveIntegerField(
        null=True, help_text="index of the first work of its drop that this one looks much like"
    )
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
    def drawn_for(self) -> int:
        """The place that it was drawn for."""
        return self.index if self.source is None else self.source

    @property
    def image_path(self) -> Path:
        return image_path(self.image_digest)

    @property
    def drawn_path(self) -> Path:
        """The picture as the generator drew it, before any retouch."""
        return image_path(self.drawn_digest or self.image_digest)


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
