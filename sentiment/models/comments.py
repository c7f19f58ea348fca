"""What voters say about single works: thumbs and comments."""

from typing import Self

from django.db import models
from django.db.models import Q

from generation.models import Artwork
from sentiment.models.voting import Round, Voter


class OpinionQuerySet(models.QuerySet["Opinion"]):
    def bearing_on(self, current: Round) -> Self:
        """On works of the round's drop and of those whose rounds led to it, in order."""
        rounds = Round.objects.leading_to(current).order_by()
        found = self.filter(artwork__drop__round__in=rounds, artwork__status="accepted")
        return found.select_related("artwork__drop", "voter").order_by("artwork", "voter", "pk")


class Opinion(models.Model):
    """Thumbs up or down on a work; one a voter, the last one holds."""

    artwork = models.ForeignKey(Artwork, models.PROTECT, related_name="opinions")
    voter = models.ForeignKey(Voter, models.PROTECT, related_name="opinions")
    liked = models.BooleanField()
    said_at = models.DateTimeField()

    objects = OpinionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["artwork", "voter"], name="opinion_once_a_work"),
        ]

    def __str__(self) -> str:
        return f"{self.voter_id} {'likes' if self.liked else 'dislikes'} {self.artwork_id}"


class CommentQuerySet(models.QuerySet["Comment"]):
    def visible(self) -> Self:
        """What readers see, newest first."""
        return self.filter(is_hidden=False).order_by("-created_at", "-pk")

    def bearing_on(self, current: Round) -> Self:
        """Those that readers see on works of the round's drop and of those whose rounds led to it.

        The newest of each voter on each work comes first.
        """
        rounds = Round.objects.leading_to(current).order_by()
        found = self.filter(
            artwork__drop__round__in=rounds, artwork__status="accepted", is_hidden=False
        )
        return found.select_related("artwork__drop", "voter").order_by(
            "artwork", "voter", "-created_at", "-pk"
        )

    def waiting(self) -> Self:
        """What no lead has looked at."""
        return self.filter(moderated_at=None, is_hidden=False)

    def hidden(self) -> Self:
        return self.filter(is_hidden=True)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class Comment(models.Model):
    """What a voter says about a work."""

    artwork = models.ForeignKey(Artwork, models.PROTECT, related_name="comments")
    voter = models.ForeignKey(Voter, models.PROTECT, related_name="comments")
    text = models.CharField(max_length=500)
    is_hidden = models.BooleanField(default=False)
    moderated_at = models.DateTimeField(null=True, help_text="null: no lead has looked at it")
    score = models.FloatField(null=True, help_text="sentiment in [-1, 1]; null: never scored")
    scored_by = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CommentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(score=None, scored_by="")
                | (Q(score__gte=-1, score__lte=1) & ~Q(scored_by="")),
                name="comment_scored_by_something",
            ),
        ]
        indexes = [
            models.Index(fields=["artwork", "is_hidden", "created_at"], name="comment_list"),
            models.Index(fields=["created_at"], name="comment_queue"),
        ]

    def __str__(self) -> str:
        return f"{self.voter_id} on {self.artwork_id}"
