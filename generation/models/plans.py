"""Drops of exact counts: what was planned, and every candidate that was drawn for it."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from django.conf import settings
from django.db import models
from django.db.models import Q

from generation.models.drops import Artwork, Drop
from generation.traits.novelty import Looks
from generation.traits.planner import Quota, Request

_ASKED_AT_ONCE = 500


class LookQuerySet(models.QuerySet["Look"]):
    def of(self, digests: Iterable[str], parser_sha256: str) -> dict[str, "Look"]:
        """Looks by picture, under one parser; a picture nobody looked at is missing."""
        wanted = sorted(set(digests))
        rows = self.filter(parser_sha256=parser_sha256)
        return {
            look.image_digest: look
            for start in range(0, len(wanted), _ASKED_AT_ONCE)
            for look in rows.filter(image_digest__in=wanted[start : start + _ASKED_AT_ONCE])
        }


class Look(models.Model):
    """How a picture looks to a parser: a thumbnail and features, as little-endian float16.

    Measured once where the picture is drawn, so that whoever compares pictures opens none.
    """

    image_digest = models.CharField(max_length=64)
    parser_sha256 = models.CharField(max_length=64, blank=True)
    thumbnail = models.BinaryField()
    features = models.BinaryField()

    objects = LookQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["image_digest", "parser_sha256"], name="looked_at_once"
            ),
        ]

    def __str__(self) -> str:
        return f"look of {self.image_digest[:8]}"

    @staticmethod
    def stacked(rows: Iterable["Look"]) -> Looks:
        """Looks of many pictures, in their order; all under one parser."""
        thumbnails, features = [], []
        for row in rows:
            thumbnails.append(np.frombuffer(bytes(row.thumbnail), "<f2"))
            features.append(np.frombuffer(bytes(row.features), "<f2"))
        if not thumbnails:
            return Looks(np.empty((0, 0), np.float32), np.empty((0, 0), np.float32))
        return Looks(np.stack(thumbnails).astype(np.float32), np.stack(features).astype(np.float32))


class DropPlan(models.Model):
    """The exact counts that a drop fills, and how far it has come.

    ``quota`` holds the traits of every place, the floors, and which places are filled. ``stuck``
    says why no more is drawn although places are open; a lead decides how to go on. ``floors`` are
    what was asked of a picture from which round on, and by whom; the last ones hold.
    """

    drop = models.OneToOneField(Drop, models.PROTECT, related_name="plan")
    request_body = models.JSONField()
    quota_body = models.JSONField()
    floors = models.JSONField()
    n_rounds = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField()
    stuck = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"plan of drop {self.drop_id}"

    @property
    def request(self) -> Request:
        return Request.from_json(self.request_body)

    @property
    def quota(self) -> Quota:
        return Quota.from_json(self.quota_body)

    def to_json(self) -> dict[str, Any]:
        """What a stranger needs to fill the plan again."""
        return {
            "request": self.request_body,
            "places": self.quota_body["plan"],
            "floors": self.floors,
        }


class CandidateQuerySet(models.QuerySet["Candidate"]):
    def in_order(self) -> Self:
        """The order in which a quota asked for them: round by round, least tried places first."""
        return self.order_by("round", "place")

    def unjudged(self) -> Self:
        return self.filter(reason="")


class Candidate(models.Model):
    """One of several pictures drawn for a place: it became a work, or was set aside with why."""

    drop = models.ForeignKey(Drop, models.PROTECT, related_name="candidates")
    round = models.PositiveIntegerField()
    place = models.PositiveIntegerField(help_text="in its round")
    slot = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField()
    item_seed = models.CharField(max_length=64)
    requested = models.JSONField()
    parsed = models.JSONField()
    confidence = models.FloatField()
    image_digest = models.CharField(max_length=64)
    explores = models.BooleanField(default=False)
    is_control = models.BooleanField(default=False)
    novelty = models.FloatField(null=True)
    reason = models.CharField(max_length=30, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    artwork = models.OneToOneField(Artwork, models.PROTECT, null=True, related_name="candidate")

    objects = CandidateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["drop", "slot", "attempt"], name="attempt_drawn_once"),
            models.UniqueConstraint(fields=["drop", "round", "place"], name="candidate_place"),
            models.CheckConstraint(
                condition=Q(artwork=None) | ~Q(reason=""), name="candidate_judged"
            ),
        ]

    def __str__(self) -> str:
        return f"candidate {self.drop_id}/{self.slot}/{self.attempt}"
