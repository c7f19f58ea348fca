"""Works as they looked after an epoch of their life."""

from typing import Self

from django.db import models

from generation.models.drops import Artwork
from generation.models.evidence import ImmutableRow


class MovedPictureQuerySet(models.QuerySet["MovedPicture"]):
    def in_order(self) -> Self:
        return self.order_by("artwork", "epoch", "pk")


class MovedPicture(ImmutableRow):
    """A work drawn again from where its life has moved it; those before it stay.

    ``latents`` are the 32 bytes in hex that its contract draws from after that epoch;
    ``student_digest`` is the sha256 of the file whose basis says what these do to the large latent.
    """

    artwork = models.ForeignKey(Artwork, models.PROTECT, related_name="moved_pictures")
    epoch = models.PositiveIntegerField()
    latents = models.CharField(max_length=64)
    student_digest = models.CharField(max_length=64)
    image_digest = models.CharField(max_length=64, db_index=True)
    drawn_at = models.DateTimeField(auto_now_add=True)

    objects = MovedPictureQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["artwork", "epoch"], name="moved_picture_once"),
        ]

    def __str__(self) -> str:
        return f"{self.artwork_id} after epoch {self.epoch}"
