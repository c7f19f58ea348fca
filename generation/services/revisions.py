"""Works of a drop under curation that get another picture: drawn again, or retouched by hand.

A curator asks, a worker draws or reads, and the exchange is an entry of the curation log. While it
is on its way the work is undecided, and the curation cannot be closed.
"""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Max

from generation.models import (
    Artwork,
    ArtworkTrait,
    Candidate,
    CurationDecision,
    Drop,
    Job,
)
from generation.services.decisions import (
    REVISIONS,
    check_seen,
    curable_works,
    decision,
    open_for_curation,
)
from generation.services.drops import WrongStateError
from generation.services.jobs import LostLeaseError, create_job, end_job
from generation.services.works import RenderedWork, add_looks, trait_rows
from generation.traits.novelty import Looks

TRIES = 32  # a canonical batch


class RevisionRefusedError(Exception):
    """A new picture does not take a work's place; the message says why."""


@transaction.atomic
def send_back(*, drop: Drop, seen: Mapping[int, int], curator: AbstractBaseUser) -> list[Job]:
    """Ask for other pictures of works, as a curator saw them: of all of them, or of none.

    A work whose new picture is on its way already is not asked for twice.

    Raises
    ------
    ChangedMeanwhileError
        Somebody decided about a work after the curator looked.
    WrongStateError
        The drop is not open for curation, or does not have such a work.
    """
    current = open_for_curation(drop)
    works = curable_works(current, seen)
    waiting = pending(current)
    asked = [work for work in works if work.pk not in waiting]
    check_seen({work.pk: seen[work.pk] for work in asked})
    _reopen(asked, curator, "sent back")
    return [
        _ask(work, "redraw", {"first": _first_try(work)}, curator, total=TRIES) for work in asked
    ]


@transaction.atomic
def ask_retouch(
    *, work: Artwork, digest: str, note: str, seen: int, curator: AbstractBaseUser
) -> Job:
    """Ask that the picture at ``digest``, on disk already, takes a work's place.

    Raises
    ------
    ValueError
        There is no note, or it is the picture that the work has.
    ChangedMeanwhileError, WrongStateError
        As of ``send_back``.
    """
    note = note.strip()
    if not note:
        raise ValueError("what was retouched is to be said in a note")
    drop = open_for_curation(work.drop)
    (current,) = curable_works(drop, [work.pk])
    if current.pk in pending(drop):
        raise WrongStateError(drop, f"one in which #{work.index} is not being revised already")
    check_seen({current.pk: seen})
    if digest == current.image_digest:
        raise ValueError("this is the picture that the work has")
    _reopen([current], curator, "being retouched")
    return _ask(current, "retouch", {"digest": digest, "note": note[:500]}, curator, total=1)


def pending(drop: Drop) -> dict[int, Job]:
    """Works whose other picture is on its way."""
    jobs = drop.jobs.filter(kind__in=REVISIONS).unfinished().order_by("pk")
    return {job.args["artwork"]: job for job in jobs}


def _first_try(work: Artwork) -> int:
    """The first try at a work's place that nobody has drawn yet."""
    tried = [work.attempt if work.source is None else 0]
    drawn = Candidate.objects.filter(drop=work.drop_id, slot=work.index)
    tried.append(drawn.aggregate(last=Max("attempt"))["last"] or 0)
    jobs = Job.objects.filter(drop=work.drop_id, kind="redraw", args__artwork=work.pk)
    tried += [job.args["first"] + TRIES - 1 for job in jobs]
    return max(tried) + 1


def _reopen(works: list[Artwork], curator: AbstractBaseUser, reason: str) -> None:
    pending = Artwork.Status.PENDING
    CurationDecision.objects.bulk_create(decision(work, pending, curator, reason) for work in works)
    Artwork.objects.filter(pk__in=[work.pk for work in works]).update(status=pending)


def _ask(
    work: Artwork, kind: str, args: dict[str, Any], curator: AbstractBaseUser, total: int
) -> Job:
    n = Job.objects.filter(drop=work.drop_id, kind=kind, args__artwork=work.pk).count()
    shared = {"artwork": work.pk, "before": work.image_digest, "curator": curator.pk}
    return create_job(
        kind=kind,
        key=f"{kind}:{work.pk}:{n}",
        total=total,
        args=shared | args,
        drop=work.drop,
    )


@transaction.atomic
def exchange(*, job: Job, drawn: RenderedWork, looks: Looks) -> Artwork:
    """Give a work the picture that its job made, and end the job; both or neither.

    Raises
    ------
    LostLeaseError
        The job went to another worker.
    RevisionRefusedError
        The work has another picture by now, or one of the drop shows the new picture already.
    WrongStateError
        The curation was closed.
    """
    assert job.drop is not None
    drop = open_for_curation(job.drop)
    work = drop.artworks.get(pk=job.args["artwork"])
    if not end_job(job=job, state=Job.State.DONE):
        raise LostLeaseError(job.key)
    if work.image_digest != job.args["before"]:
        raise RevisionRefusedError(f"#{work.index} has another picture by now")
    if drawn.image_digest in shown_digests(drop):
        raise RevisionRefusedError("another work of this collection shows this picture")
    before = {"image_sha256": work.image_digest, "parsed": work.parsed, "attempt": work.attempt}
    is_retouch = job.kind == "retouch"
    _take(work, drawn, is_retouch=is_retouch)
    add_looks(
        digests=[drawn.image_digest], parser_sha256=drop.checkpoint.parser_sha256, looks=looks
    )
    entry = decision(work, Artwork.Status.PENDING, None, job.args.get("note", ""))
    entry.curator_id = job.args["curator"]
    kinds = CurationDecision.Kind
    entry.kind = kinds.RETOUCHED if is_retouch else kinds.REDRAWN
    entry.body = {"before": before, "parsed": work.parsed, "attempt": work.attempt}
    entry.save()
    return work


def _take(work: Artwork, drawn: RenderedWork, *, is_retouch: bool) -> None:
    if is_retouch:
        original = work.drawn_digest or work.image_digest
        work.drawn_digest = "" if original == drawn.image_digest else original
    else:
        work.drawn_digest, work.source, work.attempt = "", None, drawn.attempt
        work.item_seed, work.requested = drawn.item_seed, drawn.requested
        work.explores, work.is_control = drawn.explores, drawn.is_control
    work.image_digest, work.parsed = drawn.image_digest, drawn.parsed
    work.confidence, work.similar_group = drawn.confidence, None
    work.status = Artwork.Status.PENDING
    work.save()
    ArtworkTrait.objects.filter(artwork=work).delete()
    ArtworkTrait.objects.bulk_create(trait_rows(work))


def shown_digests(drop: Drop) -> set[str]:
    """Pictures of the collection that no other work may show again."""
    works = Artwork.objects.filter(drop__collection=drop.collection_id)
    return set(works.values_list("image_digest", flat=True))
