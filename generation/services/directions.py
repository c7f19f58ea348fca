"""Directions of a checkpoint: saved under a name, and found again by those who render."""

import math
import re
from pathlib import Path

import numpy as np
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.core.validators import validate_unicode_slug
from django.db import transaction
from django.db.models import QuerySet
from numpy.typing import NDArray

from generation.gan.header import read_header
from generation.models import Checkpoint, Direction
from generation.traits.effect import Effect
from generation.traits.parameters import Parameters

# Names that every generator's own directions have; a row can hold no other vector under them.
BUILT_IN = re.compile(r"sefa-\d+")
UNIT_TOLERANCE = 1e-4


class DirectionNameTakenError(Exception):
    """Another direction of the checkpoint has the name."""

    def __init__(self, checkpoint: Checkpoint, name: str) -> None:
        super().__init__(f"{checkpoint} has another direction called {name}")
        self.checkpoint, self.name = checkpoint, name


@transaction.atomic
def save_direction(
    *,
    checkpoint: Checkpoint,
    name: str,
    method: str,
    vector: NDArray[np.float32],
    scale: float,
    effect: Effect,
    attribute: str = "",
    value: str = "",
    created_by: AbstractBaseUser | None = None,
) -> Direction:
    """Keep a unit vector [w_dim] under a name; the same again is the same row.

    Raises ValueError for a name, vector, scale or value that cannot be, DirectionNameTakenError
    where the name has another vector or scale.
    """
    check_name(name, method)
    _check_vector(checkpoint, vector, scale)
    if (attribute or value) and value not in effect.shares.get(attribute, {}):
        raise ValueError(f"{attribute}={value} is not among what was measured")
    stored = np.ascontiguousarray(vector, "<f4").tobytes()
    row, _ = Direction.objects.get_or_create(
        checkpoint=checkpoint,
        name=name,
        defaults={
            "method": method,
            "vector": stored,
            "scale": scale,
            "attribute": attribute,
            "value": value,
            "effect_body": effect.to_json(),
            "created_by_id": created_by.pk if created_by else None,
        },
    )
    if (bytes(row.vector), row.scale) != (stored, scale):
        raise DirectionNameTakenError(checkpoint, name)
    return row


def known_directions(checkpoint: Checkpoint) -> QuerySet[Direction]:
    """The saved directions of a checkpoint by name."""
    return checkpoint.directions.order_by("name")


def named_steps(checkpoint: Checkpoint, parameters: Parameters) -> dict[str, NDArray[np.float32]]:
    """What strength 1 of each saved direction that ``parameters`` name adds to w: [w_dim]."""
    rows = known_directions(checkpoint).filter(name__in=list(parameters.directions or {}))
    return {row.name: row.step for row in rows}


def check_name(name: str, method: str) -> None:
    """ValueError for a name that no direction of this method can have."""
    if method not in Direction.Method.values:
        raise ValueError(f"{method!r} is not one of {Direction.Method.values}")
    try:
        validate_unicode_slug(name)
    except ValidationError as error:
        raise ValueError(f"{name!r}: letters, digits, hyphens and underscores only") from error
    longest = Direction._meta.get_field("name").max_length or 0
    if len(name) > longest:
        raise ValueError(f"a name of {len(name)} characters; {longest} at most")
    if BUILT_IN.fullmatch(name) and method != Direction.Method.SEFA:
        raise ValueError(f"{name} is a direction that the generator has of itself")


def _check_vector(checkpoint: Checkpoint, vector: NDArray[np.float32], scale: float) -> None:
    w_dim = read_header(Path(checkpoint.path)).config.w_dim
    if vector.shape != (w_dim,) or not np.isfinite(vector).all():
        raise ValueError(f"vector {vector.shape} is not {w_dim} finite numbers")
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if abs(length - 1) > UNIT_TOLERANCE:
        raise ValueError(f"vector has length {length}, not 1")
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"scale {scale} is not above 0")
