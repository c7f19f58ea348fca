"""Rows as pages show them: addresses, words and numbers with their units, no rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from eth_utils.currency import from_wei

from generation.models import Artwork, Drop, Job
from generation.services import NONE
from minting.models import Commitment

STEPS = [state.value for state in Drop.State]


@dataclass(frozen=True)
class WorkTile:
    """One work in a grid."""

    pk: int
    index: int
    status: str
    image_url: str
    alt: str
    traits_shown: list[tuple[str, str]]
    confidence_percent: int
    rarity_score: float | None
    rarity_rank: int | None
    owner: str


@dataclass(frozen=True)
class RenderProgress:
    """How far a drop's rendering is; rate in works/s and time left in s once they are known."""

    done: int
    failed: int
    error: str
    rate: float | None
    eta_s: float | None


@dataclass(frozen=True)
class SaleFacts:
    """What a wallet needs to mint; ``number`` is the drop's on chain."""

    number: int
    chain_id: int
    contract: str
    rpc_url: str
    price_wei: int
    price_eth: str
    count: int
    remaining: int


def work_tile(work: Artwork, owner: str = "") -> WorkTile:
    shown = [
        (name.replace("_", " "), value) for name, value in work.parsed.items() if value != NONE
    ]
    return WorkTile(
        pk=work.pk,
        index=work.index,
        status=work.status,
        image_url=reverse("artwork-image", args=[work.image_digest]),
        alt="Portrait: " + ", ".join(f"{name} {value}" for name, value in shown),
        traits_shown=shown,
        confidence_percent=round(100 * work.confidence),
        rarity_score=work.rarity_score,
        rarity_rank=work.rarity_rank,
        owner=owner,
    )


def work_tiles(works: Iterable[Artwork], owners: dict[int, str] | None = None) -> list[WorkTile]:
    known = {} if owners is None else owners
    return [work_tile(work, known.get(work.pk, "")) for work in works]


def render_progress(drop: Drop) -> RenderProgress:
    jobs = list(drop.jobs.filter(kind="render").order_by("pk"))
    done = sum(job.done for job in jobs)
    failed = [job for job in jobs if job.state == Job.State.FAILED]
    elapsed = (timezone.now() - drop.state_changed_at).total_seconds()
    rate = done / elapsed if done and elapsed > 0 else None
    return RenderProgress(
        done=done,
        failed=len(failed),
        error=failed[0].error if failed else "",
        rate=rate,
        eta_s=(drop.size - done) / rate if rate else None,
    )


def sale_facts(drop: Drop, commitment: Commitment | None, minted: int) -> SaleFacts | None:
    """The open sale of a drop, or None. It goes on while people vote, and afterwards."""
    if commitment is None or STEPS.index(drop.state) < STEPS.index(Drop.State.MINTING):
        return None
    contract = commitment.collection.contract
    return SaleFacts(
        number=commitment.number,
        chain_id=contract.chain_id,
        contract=contract.address,
        rpc_url=settings.CHAIN_RPC_URL,
        price_wei=commitment.price_wei,
        price_eth=f"{Decimal(from_wei(commitment.price_wei, 'ether')).normalize():f}",
        count=commitment.count,
        remaining=commitment.count - minted,
    )


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def proposal_rows(
    rows: list[dict[str, Any]], applied: dict[str, Any] | None
) -> list[dict[str, Any]]:
    """Audit rows of a proposal with the bars and words of the console's table."""
    shown: list[dict[str, Any]] = []
    for row in rows:
        old, proposed = float(row["old"]), float(row["proposed"])
        attribute, value = row["attribute"], row["value"]
        now = None if applied is None else applied["distributions"].get(attribute, {}).get(value)
        shown.append(
            {
                "attribute": attribute,
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
            }
        )
    return shown
