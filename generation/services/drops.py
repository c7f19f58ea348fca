"""Collections, their parameters, and drops."""

import secrets
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from generation.models import Checkpoint, Collection, Drop, ParameterSet
from generation.traits.parameters import Parameters, ParametersError, uniform

MAX_DROP_SIZE = 10_000
EXPLORATION = 0.05  # of a collection's works are drawn to be unusual, until a lead says otherwise
CONTROL = 0.05  # are drawn as if nobody steered, so that what steering brings can be measured


class WrongStateError(Exception):
    """A drop is not in the state that a step needs."""

    def __init__(self, drop: Drop, expected: str) -> None:
        super().__init__(f"drop {drop.number} is {drop.state}, not {expected}")
        self.drop = drop
        self.expected = expected


@transaction.atomic
def create_collection(
    *,
    slug: str,
    name: str,
    story: str,
    checkpoint: Checkpoint,
    truncation_psi: float = 0.8,
    exploration: float = EXPLORATION,
    control: float = CONTROL,
) -> Collection:
    collection = Collection.objects.create(slug=slug, name=name, story=story, checkpoint=checkpoint)
    ParameterSet.objects.create(
        collection=collection,
        number=1,
        source=ParameterSet.Source.INITIAL,
        reason="Equal shares of every value",
        body=uniform(checkpoint.schema, truncation_psi, exploration, control).to_json(),
    )
    return collection


@transaction.atomic
def create_parameter_set(
    *,
    parent: ParameterSet,
    parameters: Parameters,
    source: ParameterSet.Source,
    reason: str,
    created_by: AbstractBaseUser | None = None,
    body: dict[str, Any] | None = None,
) -> ParameterSet:
    """Append to the chain; the schema of the parent is kept value by value.

    ``body`` is how the parameters were written once before, to be written alike.
    """
    wanted = {name: set(shares) for name, shares in parent.parameters.distributions.items()}
    given = {name: set(shares) for name, shares in parameters.distributions.items()}
    if wanted != given:
        raise ParametersError("attributes or values differ from the parent's")
    return ParameterSet.objects.create(
        collection=parent.collection,
        number=parent.number + 1,
        parent=parent,
        source=source,
        reason=reason,
        body=parameters.to_json() if body is None else body,
        created_by_id=created_by.pk if created_by else None,
    )


def draw_seed() -> str:
    """32 bytes that nobody could foresee, in hex."""
    return secrets.token_hex(32)


@transaction.atomic
def open_drop(
    *,
    collection: Collection,
    parameter_set: ParameterSet,
    size: int,
    seed: str | None = None,
    kind: Drop.Kind = Drop.Kind.FIXED,
) -> Drop:
    """A new draft; ``seed`` is 64 hex digits, drawn from the system where it is not given."""
    if not 1 <= size <= MAX_DROP_SIZE:
        raise ValueError(f"size {size} is not in 1..{MAX_DROP_SIZE}")
    seed = draw_seed() if seed is None else seed
    if len(bytes.fromhex(seed)) != 32:
        raise ValueError("a drop's seed has 32 bytes")
    locked = Collection.objects.select_for_update().get(pk=collection.pk)
    last = locked.drops.aggregate(last=Max("number"))["last"] or 0
    return Drop.objects.create(
        collection=locked,
        number=last + 1,
        kind=kind,
        size=size,
        seed=seed,
        parameter_set=parameter_set,
        checkpoint=locked.checkpoint,
    )


def move_drop(*, drop: Drop, expected: Drop.State, to: Drop.State) -> Drop:
    """Move a drop on if it is where the caller thinks; of two callers one gets WrongStateError."""
    moved = Drop.objects.filter(pk=drop.pk, state=expected).update(
        state=to, state_changed_at=timezone.now()
    )
    drop.refresh_from_db()
    if not moved:
        raise WrongStateError(drop, expected)
    return drop
