"""Rows as pages show them: addresses, words and numbers with their units, no rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from django.urls import reverse
from django.utils import timezone
from eth_utils.currency import from_wei

from generation.imaging import thumbnails
from generation.models import Artwork, Drop, DropPlan, Job
from generation.services import NONE, fill_facts
from minting.models import Commitment
from minting.services import public_rpc_url, running_phase

STEPS = [state.value for state in Drop.State]


@dataclass(frozen=True)
class Picture:
    """A picture as pages show it: a small copy, a larger one, the stored file, and words for it."""

    url: str
    small_url: str
    medium_url: str
    alt: str


@dataclass(frozen=True)
class WorkTile:
    """One work in a grid."""

    pk: int
    index: int
    token_id: int | None
    status: str
    image_url: str
    picture: Picture
    alt: str
    traits_shown: list[tuple[str, str]]
    confidence_percent: int
    rarity_score: float | None
    rarity_rank: int | None
    owner: str
    url: str


@dataclass(frozen=True)
class WorkCard:
    """One published work in the gallery."""

    token_id: int
    url: str
    picture: Picture
    drop: int
    rank: int | None
    price_wei: int | None
    price_eth: str


@dataclass(frozen=True)
class RenderProgress:
    """How far a drop's rendering is; rate in pictures/s and time left in s once they are known.

    Of a planned drop ``done`` and ``total`` are the pictures of its present round, ``fill`` says
    what became of the earlier ones, and ``stuck`` why it does not get on.
    """

    done: int
    total: int
    failed: int
    error: str
    rate: float | None
    eta_s: float | None
    fill: dict[str, Any] | None
    stuck: str


@dataclass(frozen=True)
class SaleFacts:
    """What a wallet needs to mint; ``number`` is the drop's on chain."""

    number: int
    phase: int | None
    chain_id: int
    contract: str
    rpc_url: str
    price_wei: int
    price_eth: str
    count: int
    remaining: int


def picture(work: Artwork) -> Picture:
    small, medium, *_ = thumbnails.SIDES_PX
    return Picture(
        url=reverse("artwork-image", args=[work.image_digest]),
        small_url=reverse("artwork-thumbnail", args=[work.image_digest, small]),
        medium_url=reverse("artwork-thumbnail", args=[work.image_digest, medium]),
        alt=alternative(work),
    )


def alternative(work: Artwork) -> str:
    """What a picture shows, for those who do not see it."""
    shown = [f"{name} {value}" for name, value in traits_shown(work)]
    return f"Portrait: {', '.join(shown)}" if shown else "Portrait"


def traits_shown(work: Artwork) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), value) for name, value in work.parsed.items() if value != NONE]


def work_card(work: Artwork, price_wei: int | None = None) -> WorkCard:
    """``work`` is published and comes with its drop and the drop's collection."""
    assert work.token_id is not None
    return WorkCard(
        token_id=work.token_id,
        url=reverse("gallery:work", args=[work.drop.collection.slug, work.token_id]),
        picture=picture(work),
        drop=work.drop.number,
        rank=work.rarity_rank,
        price_wei=price_wei,
        price_eth="" if price_wei is None else about_ether(price_wei),
    )


def ether(wei: int) -> str:
    """An amount in ETH without needless zeros."""
    return f"{Decimal(from_wei(wei, 'ether')).normalize():f}"


def about_ether(wei: int) -> str:
    """An amount in ETH to five significant digits, where nobody pays by it."""
    with localcontext() as rounding:
        rounding.prec = 5
        return f"{(Decimal(wei) / 10**18).normalize():f}"


def work_tile(work: Artwork, owner: str = "", url: str = "") -> WorkTile:
    return WorkTile(
        pk=work.pk,
        index=work.index,
        token_id=work.token_id,
        status=work.status,
        image_url=reverse("artwork-image", args=[work.image_digest]),
        picture=picture(work),
        alt=alternative(work),
        traits_shown=traits_shown(work),
        confidence_percent=round(100 * work.confidence),
        rarity_score=work.rarity_score,
        rarity_rank=work.rarity_rank,
        owner=owner,
        url=url,
    )


def work_tiles(
    works: Iterable[Artwork],
    owners: dict[int, str] | None = None,
    urls: dict[int, str] | None = None,
) -> list[WorkTile]:
    known, pages = owners or {}, urls or {}
    return [work_tile(work, known.get(work.pk, ""), pages.get(work.pk, "")) for work in works]


def render_progress(drop: Drop) -> RenderProgress:
    jobs = list(drop.jobs.filter(kind="render").order_by("pk"))
    plan = DropPlan.objects.filter(drop=drop).first()
    fill = fill_facts(plan) if plan else None
    drawn = sum(job.done for job in jobs)
    present = [job for job in jobs if plan is None or job.args["round"] == plan.n_rounds]
    done = sum(job.done for job in present)
    total = drop.size if plan is None else sum(job.total for job in present)
    failed = [job for job in jobs if job.state == Job.State.FAILED]
    elapsed = (timezone.now() - drop.state_changed_at).total_seconds()
    rate = drawn / elapsed if drawn and elapsed > 0 else None
    return RenderProgress(
        done=done,
        total=total,
        failed=len(failed),
        error=failed[0].error if failed else "",
        rate=rate,
        eta_s=(total - done) / rate if rate else None,
        fill=fill,
        stuck=plan.stuck if plan else "",
    )


def sale_facts(drop: Drop, commitment: Commitment | None, minted: int) -> SaleFacts | None:
    """The open sale of a drop, or None. It goes on while people vote, and afterwards."""
    if commitment is None or STEPS.index(drop.state) < STEPS.index(Drop.State.MINTING):
        return None
    contract = commitment.collection.contract
    now = timezone.now()
    phase = running_phase(commitment, now)
    price_wei = phase.phase.price_at(int(now.timestamp())) if phase else 0
    return SaleFacts(
        number=commitment.number,
        phase=phase.number if phase else None,
        chain_id=contract.chain_id,
        contract=contract.address,
        rpc_url=public_rpc_url(),
        price_wei=price_wei,
        price_eth=ether(price_wei),
        count=commitment.count,
        remaining=commitment.count - minted,
    )


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


# Of what is left out one after the other, to those who read of it.
NAMES_OF = {"teams": "who votes as one", "interaction": "together"}


def proposal_rows(
    rows: list[dict[str, Any]], applied: dict[str, Any] | None
) -> list[dict[str, Any]]:
    """Audit rows of values with the bars and words of the console's table."""
    shown: list[dict[str, Any]] = []
    for row in rows:
        if row.get("kind", "share") != "share":
            continue
        old, proposed = float(row["old"]), float(row["proposed"])
        attribute, value = row["attribute"], row["value"]
        now = None if applied is None else applied["distributions"].get(attribute, {}).get(value)
        shown.append(
            {
                "attribute": attribute,
                "title": attribute.replace("_", " "),
                "is_first": not shown or shown[-1]["attribute"] != attribute,
                "value": value,
                "old_percent": percent(old),
                "proposed_percent": percent(proposed),
                "applied_percent": "" if now is None else percent(now),
                "old_width": round(130 * old, 1),
                "new_width": round(130 * proposed, 1),
                "direction": "up" if proposed > old else "down" if proposed < old else "",
                "effect": f"{row['mean']:+.2f} ± {row['sd']:.2f}",
                "why": row["why"],
                "sources": sources_of(row),
            }
        )
    return shown


def sources_of(row: dict[str, Any]) -> str:
    """What each source of evidence changed, in points of percent; they add up to the change."""
    parts = [(name, round(100 * moved, 1)) for name, moved in row["without"].items()]
    told = [f"{NAMES_OF.get(name, name)} {moved:+.1f}" for name, moved in parts if moved]
    if not told or len(parts) < 2:
        return ""
    return f"{', '.join(told)} points"


def strength_rows(
    rows: list[dict[str, Any]], applied: dict[str, Any] | None
) -> list[dict[str, Any]]:
    """Audit rows of directions, in standard deviations."""
    strengths = {} if applied is None else applied["directions"]
    return [
        {
            "name": row["value"],
            "old": f"{row['old']:.2f}",
            "proposed": f"{row['proposed']:.2f}",
            "applied": f"{strengths.get(row['value'], 0.0):.2f}",
            "target": f"{row['target']:.2f}",
            "effect": f"{row['mean']:+.2f} ± {row['sd']:.2f}",
            "why": row["why"],
        }
        for row in rows
        if row.get("kind") == "strength"
    ]


@dataclass(frozen=True)
class JobLine:
    """A piece of long work in words and numbers."""

    pk: int
    title: str
    state: str
    done: int
    total: int
    error: str
    can_stop: bool
    can_go_on: bool
    dataset: int | None
    refused: list[str]
    n_refused: int


def job_line(job: Job) -> JobLine:
    return JobLine(
        pk=job.pk,
        title=job.args.get("name", ""),
        state=job.state,
        done=job.done,
        total=job.total,
        error=job.error,
        can_stop=job.state in (Job.State.QUEUED, Job.State.RUNNING),
        can_go_on=job.state in (Job.State.STOPPED, Job.State.FAILED),
        dataset=job.checkpoint.get("dataset"),
        refused=job.checkpoint.get("refused", []),
        n_refused=job.checkpoint.get("n_refused", 0),
    )


@dataclass(frozen=True)
class RunLine:
    """A training run in a row: how far it is, how fast, and when it will be done."""

    pk: int
    title: str
    architecture: str
    state: str
    done: int
    total: int
    error: str
    can_stop: bool
    can_go_on: bool
    speed: float | None
    eta_min: int | None
    batch: int
    was_halved: bool


def run_line(job: Job) -> RunLine:
    history = job.checkpoint.get("history", [])
    newest = history[-1] if history else {}
    eta_s = job.checkpoint.get("eta_s")
    asked = job.args["train"]["batch"]
    batch = newest.get("batch", asked)
    is_open = job.state in (Job.State.QUEUED, Job.State.RUNNING)
    return RunLine(
        pk=job.pk,
        title=job.args["name"],
        architecture=job.args["architecture"],
        state=job.state,
        done=job.done,
        total=job.total,
        error=job.error,
        can_stop=is_open,
        can_go_on=job.state in (Job.State.STOPPED, Job.State.FAILED),
        speed=newest.get("images_per_s"),
        eta_min=round(eta_s / 60) if is_open and eta_s is not None else None,
        batch=batch,
        was_halved=batch < asked,
    )


@dataclass(frozen=True)
class ActivityLine:
    """What a community has done so far, in words; ``is_on`` while a lead wants it to act."""

    is_on: bool
    is_acting: bool
    error: str
    counts: list[tuple[str, int]]


NOUNS = {
    "vote": "votes",
    "comment": "comments",
    "mint": "mints",
    "list": "listings",
    "buy": "buys",
    "interact": "interactions",
    "swap": "swaps",
    "provide": "positions named",
    "adjust": "moves of liquidity",
}


def activity_line(job: Job) -> ActivityLine:
    return ActivityLine(
        is_on=job.state in (Job.State.QUEUED, Job.State.RUNNING),
        is_acting=job.state == Job.State.RUNNING,
        error=job.error,
        counts=[(noun, int(job.checkpoint.get(name, 0))) for name, noun in NOUNS.items()],
    )
