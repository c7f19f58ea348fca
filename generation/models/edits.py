"""What curators say of a dataset's pictures, row after row."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from generation.models.art import Dataset
from generation.models.evidence import AppendOnlyQuerySet, ImmutableRow
from generation.traits.edits import Edit, Kind


class DatasetEditQuerySet(AppendOnlyQuerySet["DatasetEdit"]):
    def in_order(self) -> Self:
        return self.order_by("number", "pk")

    def since(self, number: int) -> Self:
        return self.filter(number__gt=number).in_order()


class DatasetEdit(ImmutableRow):
    """What a curator said of pictures of a dataset, by their places; a row is never changed.

    ``undoes`` is the edit that an undo takes back. ``value`` is a label or a licence.
    """

    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="edits")
    number = models.PositiveIntegerField(help_text="in its dataset, from 1")
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in Kind])
    places = models.JSONField(default=list)
    attribute = models.CharField(max_length=200, blank=True)
    value = models.CharField(max_length=200, blank=True)
    undoes = models.OneToOneField("self", models.PROTECT, null=True, related_name="undone_by")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DatasetEditQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "number"], name="dataset_edit_number"),
            models.CheckConstraint(
                condition=Q(kind="undo", undoes__isnull=False) | (~Q(kind="undo") & Q(undoes=None)),
                name="dataset_edit_undoes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"

    @property
    def edit(self) -> Edit:
        """What it says, for a replay; comes with ``undoes`` where it is an undo."""
        undone = self.undoes.number if self.undoes else None
        places = tuple(self.places)
        return Edit(self.number, Kind(self.kind), places, self.attribute, self.value, undone)
