"""Drops of exact counts: planned in full, drawn in rounds until every place is filled.

A round asks for a picture of each open place. When all are there they are judged in order by the
plan's quota, and what is still open makes the next round. What is judged, and in which order, does
not depend on the workers, so the same drop comes out again.
"""

from collections import Counter
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from generation.gan.latent import SEED_BYTES
from generation.models import Artwork, Candidate, Drop, DropPlan, Job, Look
from generation.services.drops import WrongStateError
from generation.services.works import RenderedWork, add_works
from generation.traits.novelty import BLOCK, Looks, Seen
from generation.traits.planner import Quota, Request, RequestError, Verdict, plan

CHUNK = 64
BATCH = 32  # a canonical batch; a part of one costs as much
MAX_ATTEMPTS = 40  # for each open place, before a lead is asked
MOST_A_ROUND = 8  # tries of an open place in one round
NAMED = 5


@transaction.atomic
def plan_drop(
    *,
    drop: Drop,
    request: Request,
    min_confidence: float = 0.0,
    min_novelty: float = 0.0,
    created_by: AbstractBaseUser | None = None,
) -> DropPlan:
    """Plan a draft; a plan made earlier is replaced.

    Raises
    ------
    ImpossibleError, UndecidedError
        There is no such plan, or none was found in time.
    RequestError
        The request is for another number of works, or nobody reads what the checkpoint draws.
    WrongStateError
        The drop is no draft any more.
    """
    current = Drop.objects.select_for_update().get(pk=drop.pk)
    if current.state != Drop.State.DRAFT:
        raise WrongStateError(current, Drop.State.DRAFT)
    if request.size != current.size:
        raise RequestError("size", request.size, f"the drop's {current.size}")
    if not current.checkpoint.parser_path:
        raise RequestError("checkpoint", current.checkpoint.name, "one whose traits a parser reads")
    seed = bytes.fromhex(current.seed)
    assert len(seed) == SEED_BYTES
    places = plan(request, current.checkpoint.schema, seed)
    quota = Quota(places, min_confidence=min_confidence, min_novelty=min_novelty)
    made, _ = DropPlan.objects.update_or_create(
        drop=current,
        defaults={
            "request_body": request.to_json(),
            "quota_body": quota.to_json(),
            "floors": [_floors(quota, 0, created_by)],
            "max_attempts": MAX_ATTEMPTS,
            "created_by_id": created_by.pk if created_by else None,
        },
    )
    return made


def open_round(*, found: DropPlan) -> list[Job]:
    """Jobs that draw candidates for the open places, the more of each the later the round."""
    quota = found.quota
    n_open = len(quota.open_slots())
    tries = min(MOST_A_ROUND, 2**found.n_rounds)
    n = -(-n_open * tries // BATCH) * BATCH if found.n_rounds else n_open
    wanted = quota.to_render(n)
    return Job.objects.bulk_create(
        Job(
            kind="render",
            key=f"render:{found.drop_id}:{found.n_rounds}:{start}",
            drop_id=found.drop_id,
            args={
                "round": found.n_rounds,
                "place": start,
                "candidates": wanted[start : start + CHUNK],
            },
            total=len(wanted[start : start + CHUNK]),
        )
        for start in range(0, len(wanted), CHUNK)
    )


def add_candidates(*, job: Job, works: list[RenderedWork]) -> None:
    """Rows of what a job of a round drew; the caller holds the job."""
    first, drop_id = job.args["place"], job.drop_id
    assert drop_id is not None
    Candidate.objects.bulk_create(
        Candidate(
            drop_id=drop_id,
            round=job.args["round"],
            place=first + row,
            slot=work.source,
            attempt=work.attempt,
            item_seed=work.item_seed,
            requested=work.requested,
            parsed=work.parsed,
            confidence=work.confidence,
            image_digest=work.image_digest,
            explores=work.explores,
            is_control=work.is_control,
        )
        for row, work in enumerate(works)
    )


def settle_round(*, drop: Drop) -> DropPlan:
    """Judge a complete round; the places that are left open make the next one.

    Of two callers one does it. WrongStateError while pictures of the round are missing.
    """
    found = DropPlan.objects.get(drop=drop)
    new = list(drop.candidates.unjudged().in_order())
    _check_complete(drop, found, len(new))
    if not new:  # judged by another caller
        return found
    quota = found.quota
    return _store_round(found, quota, new, _judge(drop, quota, new))


@transaction.atomic
def extend_plan(
    *,
    drop: Drop,
    min_confidence: float | None = None,
    min_novelty: float | None = None,
    lead: AbstractBaseUser | None = None,
) -> DropPlan:
    """Go on with a plan that is stuck: as many tries again, with other floors where given.

    What was set aside stays so; floors hold for the pictures that come.
    """
    found = DropPlan.objects.select_for_update().filter(drop=drop).first()
    if found is None or not found.stuck:
        raise WrongStateError(drop, "a planned one that is stuck")
    body = dict(found.quota_body)
    for name, floor in (("min_confidence", min_confidence), ("min_novelty", min_novelty)):
        if floor is not None:
            body[name] = floor
    quota = Quota.from_json(body)
    found.quota_body = quota.to_json()
    found.floors = [*found.floors, _floors(quota, found.n_rounds, lead)]
    found.max_attempts += MAX_ATTEMPTS
    found.stuck = ""
    found.save(update_fields=["quota_body", "floors", "max_attempts", "stuck"])
    open_round(found=found)
    return found


def _floors(quota: Quota, from_round: int, lead: AbstractBaseUser | None) -> dict[str, Any]:
    return {
        "from_round": from_round,
        "min_confidence": quota.min_confidence,
        "min_novelty": quota.min_novelty,
        "by": lead.get_username() if lead else "",
    }


def _check_complete(drop: Drop, found: DropPlan, n_new: int) -> None:
    jobs = drop.jobs.filter(kind="render", args__round=found.n_rounds)
    wanted = sum(jobs.values_list("total", flat=True))
    if jobs.unfinished().exists() or n_new != wanted:
        raise WrongStateError(drop, f"completely rendered in round {found.n_rounds + 1}")


def _judge(drop: Drop, quota: Quota, new: list[Candidate]) -> list[Verdict]:
    """Offer candidates to the quota, in order, each with how new it is."""
    parser = drop.checkpoint.parser_sha256
    digests = set(_earlier(drop)) | set(drop.artworks.values_list("image_digest", flat=True))
    known = Look.objects.of(digests, parser)
    seen = Seen(Look.stacked(known.values()))
    looks = Look.objects.of((row.image_digest for row in new), parser)
    stacked = Look.stacked(looks[row.image_digest] for row in new)
    verdicts = []
    for start in range(0, len(new), BLOCK):
        rows = new[start : start + BLOCK]
        verdicts += _judge_block(
            quota, seen, rows, stacked.rows(slice(start, start + BLOCK)), digests
        )
    return verdicts


def _judge_block(
    quota: Quota, seen: Seen, rows: list[Candidate], looks: Looks, digests: set[str]
) -> list[Verdict]:
    block, verdicts = seen.block(looks), []
    for row, candidate in enumerate(rows):
        near = block.near(row)
        repeats = "digest" if candidate.image_digest in digests else near.repeats()
        verdict = quota.offer(
            candidate.slot, candidate.parsed, candidate.confidence, near.novelty, repeats
        )
        assert verdict.attempt == candidate.attempt
        candidate.novelty = near.novelty
        candidate.reason, candidate.detail = verdict.reason, verdict.detail[:500]
        if verdict.slot is not None:
            block.keep(row)
            digests.add(candidate.image_digest)
        verdicts.append(verdict)
    block.close()
    return verdicts


def _earlier(drop: Drop) -> list[str]:
    """Pictures of the works of earlier drops."""
    works = Artwork.objects.filter(
        drop__collection=drop.collection_id, drop__number__lt=drop.number
    )
    return list(works.values_list("image_digest", flat=True))


@transaction.atomic
def _store_round(
    found: DropPlan, quota: Quota, new: list[Candidate], verdicts: list[Verdict]
) -> DropPlan:
    stuck = _why_stuck(quota, found.max_attempts)
    moved = DropPlan.objects.filter(pk=found.pk, n_rounds=found.n_rounds).update(
        n_rounds=found.n_rounds + 1, quota_body=quota.to_json(), stuck=stuck
    )
    found.refresh_from_db()
    if not moved:
        return found
    taken = [(row, v.slot) for row, v in zip(new, verdicts, strict=True) if v.slot is not None]
    works = add_works(drop=found.drop, works=[work_of(row, slot) for row, slot in taken])
    for (row, _), work in zip(taken, works, strict=True):
        row.artwork = work
    Candidate.objects.bulk_create(
        new,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["novelty", "reason", "detail", "artwork"],
    )
    if quota.open_slots() and not stuck:
        open_round(found=found)
    return found


def work_of(row: Candidate, slot: int) -> RenderedWork:
    """The work that a candidate becomes at a place."""
    return RenderedWork(
        index=slot,
        source=row.slot,
        attempt=row.attempt,
        item_seed=row.item_seed,
        requested=row.requested,
        parsed=row.parsed,
        confidence=row.confidence,
        image_digest=row.image_digest,
        explores=row.explores,
        is_control=row.is_control,
    )


def _why_stuck(quota: Quota, max_attempts: int) -> str:
    """Which places stay open although each was tried often enough; empty to go on."""
    left = quota.open_slots()
    if not left or min(quota.attempts[slot] for slot in left) < max_attempts:
        return ""
    rarest = Counter(
        f"{k.replace('_', ' ')} {v}" for slot in left for k, v in quota.plan[slot].items()
    )
    named = ", ".join(f"{value} ({n})" for value, n in rarest.most_common(NAMED))
    return (
        f"{len(left):,} places stay open after {max_attempts} tries each; most of them ask for "
        f"{named}."
    )


def fill_facts(found: DropPlan) -> dict[str, Any]:
    """How far a plan is: places filled, pictures judged, and why some were set aside."""
    body = found.quota_body
    aside = sorted(body["set_aside"].items(), key=lambda reason: -reason[1])
    return {
        "filled": len(body["filled"]),
        "places": len(body["plan"]),
        "judged": sum(body["attempts"]),
        "rounds": found.n_rounds,
        "aside": dict(aside),
        "min_confidence_percent": 100 * body["min_confidence"],
        "min_novelty": body["min_novelty"],
    }
