"""What curators decide about a drop's works, as entries of its log, and the end of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from generation.models import (
    Artwork,
    CurationDecision,
    CurationDecisionQuerySet,
    Drop,
    Job,
)
from generation.services.drops import WrongStateError
from generation.services.guard import HeldError, measure_drop
from generation.services.works import rank_works
from generation.traits.guard import Floors, shortfalls

REVISIONS = ("redraw", "retouch")  # jobs that exchange the picture of a work under curation


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
def decide(
    *,
    drop: Drop,
    artwork_ids: Iterable[int],
    status: Artwork.Status,
    curator: AbstractBaseUser | None,
    reason: str = "",
) -> int:
    """Accept, reject or reopen works of a drop that is being curated; returns how many changed."""
    current = open_for_curation(drop)
    if status == Artwork.Status.DUPLICATE:
        raise ValueError("duplicates are found, not decided")
    works = current.artworks.filter(pk__in=list(artwork_ids)).exclude(
        Q(status=status) | Q(status=Artwork.Status.DUPLICATE)
    )
    rows = list(works.order_by("pk"))
    CurationDecision.objects.bulk_create(decision(row, status, curator, reason) for row in rows)
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
    current = open_for_curation(drop)
    wanted = {wish.artwork_id: wish for wish in wishes}
    rows = curable_works(current, wanted)
    settled = [row for row in rows if row.status == wanted[row.pk].status]
    open_rows = [row for row in rows if row.status != wanted[row.pk].status]
    newest = check_seen(
        {row.pk: wanted[row.pk].seen for row in open_rows}, also=[row.pk for row in settled]
    )
    made = CurationDecision.objects.bulk_create(
        decision(row, wanted[row.pk].status, curator) for row in open_rows
    )
    for status in Artwork.Status:
        changed = [row.pk for row in open_rows if wanted[row.pk].status == status]
        Artwork.objects.filter(pk__in=changed).update(status=status)
    again = [newest[row.pk] for row in settled if newest[row.pk] != wanted[row.pk].seen]
    return [*made, *_decisions(again).filter(curator_id=curator.pk)]


def curable_works(drop: Drop, ids: Iterable[int]) -> list[Artwork]:
    """The works with these ids; WrongStateError unless curators may decide about each."""
    wanted = set(ids)
    rows = list(drop.artworks.curable().filter(pk__in=list(wanted)).order_by("pk"))
    if len(rows) != len(wanted):
        raise WrongStateError(drop, "one that has all these works to decide about")
    return rows


def check_seen(seen: dict[int, int], also: Iterable[int] = ()) -> dict[int, int]:
    """Newest decisions by work, 0 for none; ChangedMeanwhileError if one is not as was seen."""
    asked = [*seen, *also]
    newest = (
        dict.fromkeys(asked, 0) | CurationDecision.objects.filter(artwork__in=asked).newest_ids()
    )
    moved = [newest[pk] for pk, known in seen.items() if newest[pk] != known]
    if moved:
        raise ChangedMeanwhileError(list(_decisions(moved)))
    return newest


def decision(
    work: Artwork, status: str, curator: AbstractBaseUser | None, reason: str = ""
) -> CurationDecision:
    """An entry about a work as it is, not yet saved."""
    return CurationDecision(
        drop_id=work.drop_id,
        artwork=work,
        curator_id=curator.pk if curator else None,
        status=status,
        image_digest=work.image_digest,
        reason=reason,
    )


def _decisions(ids: list[int]) -> CurationDecisionQuerySet:
    found = CurationDecision.objects.filter(pk__in=ids).select_related("artwork", "curator")
    return found.order_by("pk")


def open_for_curation(drop: Drop) -> Drop:
    """The drop, locked; WrongStateError once its curation is closed."""
    current = Drop.objects.select_for_update().get(pk=drop.pk)
    if current.state != Drop.State.CURATING or current.curated_at is not None:
        raise WrongStateError(current, "open for curation")
    return current


@transaction.atomic
def close_curation(
    *, drop: Drop, lead: AbstractBaseUser | None = None, overruling: str = ""
) -> Drop:
    """Take the curators' board down for good; every work must be decided and one accepted.

    What was measured of the accepted works goes into the log. ``overruling`` is a lead's reason to
    commit a drop although the guard holds it; it is recorded with what was short.

    Raises
    ------
    HeldError
        The accepted works are too much alike and nobody overruled that. Nothing is written; what
        was measured is in the error, for ``remember_diversity``.
    WrongStateError
        The drop is not being curated, or not completely.
    """
    overruling = overruling.strip()
    current = Drop.objects.select_for_update().get(pk=drop.pk)
    if current.curated_at is not None:
        return current
    _check_curated(current)
    found, floors = measure_drop(current, current.artworks.accepted()), Floors()
    missed = shortfalls(found, floors)
    if missed and not overruling:
        raise HeldError(current, found, missed)
    if missed:
        short = {"shortfalls": [vars(one) for one in missed]}
        _add(current, CurationDecision.Kind.OVERRULED, lead, overruling, short)
    measured = {"diversity": found.to_json(), "floors": floors.to_json()}
    _add(current, CurationDecision.Kind.CLOSED, lead, "", measured)
    current.curated_at = timezone.now()
    current.diversity = found.to_json()
    current.save(update_fields=["curated_at", "diversity"])
    rank_works(drop=current)
    return current


def _check_curated(drop: Drop) -> None:
    if drop.state != Drop.State.CURATING:
        raise WrongStateError(drop, Drop.State.CURATING)
    if Job.objects.filter(drop=drop, kind__in=REVISIONS).unfinished().exists():
        raise WrongStateError(drop, "completely curated: works are being drawn or read again")
    if drop.artworks.undecided().exists() or not drop.artworks.accepted().exists():
        raise WrongStateError(drop, "completely curated")


def _add(
    drop: Drop,
    kind: CurationDecision.Kind,
    lead: AbstractBaseUser | None,
    reason: str,
    body: dict[str, Any],
) -> None:
    CurationDecision.objects.create(
        drop=drop, kind=kind, curator_id=lead.pk if lead else None, reason=reason, body=body
    )
