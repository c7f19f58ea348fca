"""Drops that are drawn several times over, of which the works that are liked best are kept."""

from collections.abc import Mapping, Sequence

from django.db import transaction

from generation.gan import latent
from generation.models import Artwork, Candidate, Drop, DropPlan, Job, Selection
from generation.services.drops import WrongStateError
from generation.services.plans import CHUNK, work_of
from generation.services.works import add_works
from generation.traits import selection
from generation.traits.selection import CHANCE, MAX_CANDIDATES, Taste

TAKEN, LEFT = "taken", "less liked"


@transaction.atomic
def overproduce(
    *, drop: Drop, n_candidates: int, taste: Taste, source: str, chance: float = CHANCE
) -> Selection:
    """Let a draft have several candidates for each place; a second call changes how many.

    Raises
    ------
    WrongStateError
        The drop is no draft, is planned, or is drawn on the fly.
    ValueError
        The number is not in 2..8.
    """
    current = Drop.objects.select_for_update().get(pk=drop.pk)
    if current.state != Drop.State.DRAFT or current.kind != Drop.Kind.FIXED:
        raise WrongStateError(current, "a draft of works that are drawn before they are minted")
    if DropPlan.objects.filter(drop=current).exists():
        raise WrongStateError(current, "without a plan of exact counts")
    if not 2 <= n_candidates <= MAX_CANDIDATES:
        raise ValueError(f"{n_candidates} candidates are not 2 to {MAX_CANDIDATES}")
    made, _ = Selection.objects.update_or_create(
        drop=current,
        defaults={
            "n_candidates": n_candidates,
            "chance": chance,
            "taste_body": taste.to_json(),
            "source": source,
        },
    )
    return made


def open_candidates(*, found: Selection) -> list[Job]:
    """Jobs that draw all candidates; of works that nobody steers, or unusual ones, there is one."""
    drop = found.drop
    single = fixed_places(drop)
    wanted = [
        (place, attempt)
        for place in range(drop.size)
        for attempt in range(1 if place in single else found.n_candidates)
    ]
    return Job.objects.bulk_create(
        Job(
            kind="render",
            key=f"render:{drop.pk}:{start}",
            drop=drop,
            args={
                "round": 0,
                "place": start,
                "candidates": wanted[start : start + CHUNK],
            },
            total=len(wanted[start : start + CHUNK]),
        )
        for start in range(0, len(wanted), CHUNK)
    )


def fixed_places(drop: Drop) -> frozenset[int]:
    """Places that no taste decides about: works to be unusual, and those that nobody steers."""
    seed, parameters = bytes.fromhex(drop.seed), drop.parameter_set.parameters
    unusual = latent.explorers(seed, drop.size, parameters.exploration)
    return unusual | latent.controls(seed, drop.size, parameters)


@transaction.atomic
def settle_candidates(
    *, drop: Drop, latents: Mapping[tuple[int, int], Mapping[str, float]]
) -> list[Artwork]:
    """Make works of the candidates that are taken, once; of two callers one does it.

    ``latents``: (place, attempt) -> how far the candidate lies along each direction. Raises
    WrongStateError while candidates are missing.
    """
    found = Selection.objects.select_for_update().get(drop=drop)
    if found.worths is not None:
        return list(drop.artworks.in_order())
    rows = list(drop.candidates.in_order())
    jobs = drop.jobs.filter(kind="render")
    if jobs.unfinished().exists() or len(rows) != sum(jobs.values_list("total", flat=True)):
        raise WrongStateError(drop, "completely rendered")
    taste, by_place = found.taste, _by_place(rows)
    worths = [
        [taste.worth(row.parsed, latents.get((row.slot, row.attempt), {})) for row in candidates]
        for candidates in by_place
    ]
    lots = latent.lots(bytes.fromhex(drop.seed), drop.size, found.chance)
    picks, exposures = selection.settle(worths, lots, found.chance)
    taken = [candidates[one] for candidates, one in zip(by_place, picks, strict=True)]
    works = add_works(drop=drop, works=[work_of(row, row.slot) for row in taken])
    for work, exposure in zip(works, exposures.tolist(), strict=True):
        work.exposure = exposure
    Artwork.objects.bulk_update(works, ["exposure"], batch_size=500)
    for row in rows:
        row.reason = LEFT
    for row, work in zip(taken, works, strict=True):
        row.reason, row.artwork = TAKEN, work
    Candidate.objects.bulk_update(rows, ["reason", "artwork"], batch_size=500)
    found.worths = worths
    found.save(update_fields=["worths"])
    return works


def _by_place(rows: Sequence[Candidate]) -> list[list[Candidate]]:
    found: dict[int, list[Candidate]] = {}
    for row in rows:
        found.setdefault(row.slot, []).append(row)
    return [sorted(found[place], key=lambda row: row.attempt) for place in sorted(found)]
