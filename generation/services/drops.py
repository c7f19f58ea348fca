"""Collections, parameters, drops and what curators decide."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from generation.models import (
    Artwork,
    Checkpoint,
    Collection,
    CurationDecision,
    CurationDecisionQuerySet,
    Drop,
    ParameterSet,
)
from generation.services.works import rank_works
from generation.traits.parameters import Parameters, ParametersError, uniform

MAX_DROP_SIZE = 10_000


class WrongStateError(Exception):
    """A drop is not in the state that a step needs."""

    def __init__(self, drop: Drop, expected: str) -> None:
        super().__init__(f"drop {drop.number} is {drop.state}, not {expected}")
        self.drop = drop
        self.expected = expected


class ChangedMeanwhileError(Exception):
    """Others decided about works after a curator looked at them."""

    def __init__(self, decisions: Sequence[CurationDecision]) -> None:
        super().__init__(f"{len(decisions)} works were decided meanwhile")
        self.decisions = decisions


@dataclass(frozen=True)
class Wish:
    """What a curator wants of a work; ``seen`` is the last decision they know of it, 0 none."""

    artwork_id: int
    status: Artwork.Status
    seen: int


@transaction.atomic
def create_collection(
    *, slug: str, name: str, story: str, checkpoint: Checkpoint, truncation_psi: float = 0.8
) -> Collection:
    collection = Collection.objects.create(slug=slug, name=name, story=story, checkpoint=checkpoint)
    ParameterSet.objects.create(
        collection=collection,
        number=1,
        source=ParameterSet.Source.INITIAL,
        reason="Equal shares of every value",
        body=uniform(checkpoint.schema, truncation_psi).to_json(),
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
) -> ParameterSet:
    """Append to the chain; the schema of the parent is kept value by value."""
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
        body=parameters.to_json(),
        created_by_id=created_by.pk if created_by else None,
    )


@transaction.atomic
def open_drop(
    *, collection: Collection, parameter_set: ParameterSet, size: int, seed: str | None = None
) -> Drop:
    """A new draft; ``seed`` is 64 hex digits, drawn from the system where it is not given."""
    if not 1 <= size <= MAX_DROP_SIZE:
        raise ValueError(f"size {size} is not in 1..{MAX_DROP_SIZE}")
    seed = secrets.token_hex(32) if seed is None else seed
    if len(bytes.fromhex(seed)) != 32:
        raise ValueError("a drop's seed has 32 bytes")
    locked = Collection.objects.select_for_update().get(pk=collection.pk)
    last = locked.drops.aggregate(last=Max("number"))["last"] or 0
    return Drop.objects.create(
        collection=locked,
        number=last + 1,
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


@transaction.atomic
def decide(
    *,
    drop: Drop,
    artwork_ids: Iterable[int],
    status: Artwork.Status,
    curator: AbstractBaseUser | None,
    reason: str = "",
) -> int:
    """Accept, reject or reopen works of a drop that is being curated; returns how many changed."""
    current = _open_for_curation(drop)
    if status == Artwork.Status.DUPLICATE:
        raise ValueError("duplicates are found, not decided")
    works = current.artworks.filter(pk__in=list(artwork_ids)).exclude(
        Q(status=status) | Q(status=Artwork.Status.DUPLICATE)
    )
    rows = list(works.order_by("pk"))
    CurationDecision.objects.bulk_create(
        CurationDecision(
            artwork=row, curator_id=curator.pk if curator else None, status=status, reason=reason
        )
        for row in rows
    )
    Artwork.objects.filter(pk__in=[row.pk for row in rows]).update(status=status)
    return len(rows)


@transaction.atomic
def decide_works(
    *, drop: Drop, wishes: Iterable[Wish], curator: AbstractBaseUser
) -> list[CurationDecision]:
    """Decide about works as a curator saw them: all of them, or none.

    A work that already is as wished for is left alone, so that a batch may be sent twice; where the
    curator's own decision made it so, that one is among the answers.

    Raises
    ------
    ChangedMeanwhileError
        Somebody decided otherwise about a work after the curator looked; nothing is written.
    WrongStateError
        The drop is not open for curation, or does not have such a work.
    """
    current = _open_for_curation(drop)
    wanted = {wish.artwork_id: wish for wish in wishes}
    rows = list(current.artworks.curable().filter(pk__in=list(wanted)).order_by("pk"))
    if len(rows) != len(wanted):
        raise WrongStateError(current, "one that has all these works to decide about")
    settled = [row for row in rows if row.status == wanted[row.pk].status]
    open_rows = [row for row in rows if row.status != wanted[row.pk].status]
    newest = (
        dict.fromkeys(wanted, 0)
        | CurationDecision.objects.filter(artwork__in=list(wanted)).newest_ids()
    )
    moved = [newest[row.pk] for row in open_rows if newest[row.pk] != wanted[row.pk].seen]
    if moved:
        raise ChangedMeanwhileError(list(_decisions(moved)))
    made = CurationDecision.objects.bulk_create(
        CurationDecision(artwork=row, curator_id=curator.pk, status=wanted[row.pk].status)
        for row in open_rows
    )
    for status in Artwork.Status:
        changed = [row.pk for row in open_rows if wanted[row.pk].status == status]
        Artwork.objects.filter(pk__in=changed).update(status=status)
    again = [newest[row.pk] for row in settled if newest[row.pk] != wanted[row.pk].seen]
    return [*made, *_decisions(again).filter(curator_id=curator.pk)]


def _decisions(ids: list[int]) -> CurationDecisionQuerySet:
    found = CurationDecision.objects.filter(pk__in=ids).select_related("artwork", "curator")
    return found.order_by("pk")


def _open_for_curation(drop: Drop) -> Drop:
    """The drop, locked; WrongStateError once its curation is closed."""
    current = Drop.objects.select_for_update().get(pk=drop.pk)
    if current.state != Drop.State.CURATING or current.curated_at is not None:
        raise WrongStateError(current, "open for curation")
    return current


@transaction.atomic
def close_curation(*, drop: Drop) -> Drop:
    """Take the curators' board down for good; every work must be decided and one accepted."""
    current = Drop.objects.select_for_update().get(pk=drop.pk)
    if current.curated_at is not None:
        return current
    if current.state != Drop.State.CURATING:
        raise WrongStateError(current, Drop.State.CURATING)
    if current.artworks.undecided().exists() or not current.artworks.accepted().exists():
        raise WrongStateError(current, "completely curated")
    current.curated_at = timezone.now()
    current.save(update_fields=["curated_at"])
    rank_works(drop=current)
    return current
