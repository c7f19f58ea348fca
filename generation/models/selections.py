"""Drops of which more is drawn than becomes a work."""

from typing import Any

from django.db import models
from django.db.models import Q

from generation.models.drops import Drop
from generation.traits.selection import MAX_CANDIDATES, Taste


class Selection(models.Model):
    """How many candidates each place of a drop has, and by whose taste one becomes its work.

    ``worths`` has of each place what its candidates are worth, in their order; null until all are
    drawn.
    """

    drop = models.OneToOneField(Drop, models.PROTECT, related_name="selection")
    n_candidates = models.PositiveIntegerField()
    chance = models.FloatField(help_text="share of the places that are decided by lot")
    taste_body = models.JSONField()
    source = models.CharField(max_length=200, help_text="where the taste comes from")
    worths: models.JSONField[Any, Any] = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(n_candidates__gte=2, n_candidates__lte=MAX_CANDIDATES),
                name="selection_of_several",
            ),
            models.CheckConstraint(
                condition=Q(chance__gt=0, chance__lte=1), name="selection_leaves_a_chance"
            ),
        ]

    def __str__(self) -> str:
        return f"one of {self.n_candidates} for drop {self.drop_id}"

    @property
    def taste(self) -> Taste:
        return Taste.from_json(self.taste_body)

    def to_json(self) -> dict[str, Any]:
        """What a stranger needs to choose again."""
        return {
            "candidates": self.n_candidates,
            "chance": self.chance,
            "taste": self.taste_body,
            "source": self.source,
            "worths": self.worths,
        }
