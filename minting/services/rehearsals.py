"""What of a drop is rehearsed, and what came of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from generation.models import Artwork, Drop
from minting.chain.rehearsal import Plan
from minting.models import Commitment, Contract, Rehearsal
from minting.provenance.canonical import canonicalize
from minting.services.contracts import ROYALTY_BPS, deployment
from minting.services.painting import painter_of
from minting.services.sales import asked_for
from minting.services.works import describe

# Where money goes on a chain that is thrown away, if no contract says it yet.
NOBODY = "0x000000000000000000000000000000000000dEaD"
MAX_SAMPLE = 200
MB = 10**6


class NotPlannedError(Exception):
    """A drop has nothing yet that could be sold, or no phases to sell it in."""

    def __init__(self, drop: Drop, missing: str) -> None:
        super().__init__(f"drop {drop.number} cannot be rehearsed: {missing}")
        self.drop = drop
        self.missing = missing


@dataclass(frozen=True)
class Rehearsed:
    """The newest rehearsal of a drop; stale if the drop or its phases changed since."""

    row: Rehearsal | None
    is_stale: bool = False

    @property
    def state(self) -> str:
        if self.row is None:
            return "none"
        if self.is_stale:
            return "stale"
        return "passed" if self.row.has_passed else "failed"


def plan_rehearsal(drop: Drop) -> Plan:
    """The drop as it is committed, after those before it, with its planned or real phases."""
    commitment = Commitment.objects.light().filter(drop=drop).first()
    if commitment is None:
        raise NotPlannedError(drop, "commit it first")
    terms = asked_for(commitment)
    if not terms:
        raise NotPlannedError(drop, "plan the phases of its sale first")
    before = Commitment.objects.light().filter(
        collection=drop.collection_id, number__lt=commitment.number
    )
    contract = _contract(drop)
    placed: tuple[bytes, ...] = ()
    if contract.is_painted:  # with its story of today, which may be another than on the chain
        painter = painter_of(drop.collection)
        contract.painter_address = painter.address
        placed = tuple(painter.calls.values())
    return Plan(
        deployment=deployment(contract),
        earlier=tuple(row.body for row in before.order_by("number")),
        body=commitment.body,
        secret=bytes.fromhex(commitment.secret),
        phases=tuple(one.phase for one in terms),
        lists=tuple(one.entries for one in terms),
        final_by=commitment.final_by,
        placed=placed,
        law=contract.law,
    )


def _contract(drop: Drop) -> Contract:
    """The collection's contract, or what it would be."""
    known = Contract.objects.select_related("collection").filter(collection=drop.collection_id)
    nowhere = Contract(collection=drop.collection, treasury=NOBODY, royalty_bps=ROYALTY_BPS)
    return known.first() or nowhere


def terms_digest(drop: Drop) -> str:
    """sha256 of what a rehearsal is about: the drop's place in the chain of drops, its phases."""
    commitment = Commitment.objects.light().filter(drop=drop).first()
    if commitment is None:
        return ""
    rows = [
        [str(getattr(row, name)) for name in ("kind", "price_wei", "start", "end", "terms")]
        + [row.max_per_transaction, row.max_per_wallet]
        for row in commitment.phases.in_order()
    ]
    about = {"head": commitment.head, "phases": rows}
    return hashlib.sha256(canonicalize(about)).hexdigest()


def record_rehearsal(*, drop: Drop, report: dict[str, Any], digest: str) -> Rehearsal:
    """Keep what came of a rehearsal of the terms that had this digest."""
    return Rehearsal.objects.create(
        drop=drop, has_passed=not report["violations"], report=report, terms_digest=digest
    )


def recent_rehearsal(drop: Drop) -> Rehearsed:
    """The newest rehearsal of a drop, if there is one, and whether it is about today's terms."""
    row = Rehearsal.objects.filter(drop=drop).newest_first().first()
    return Rehearsed(row, row is not None and row.terms_digest != terms_digest(drop))


def measure_storage(drop: Drop) -> dict[str, Any]:
    """MB of pictures and metadata: of the drop's files, else by the mean of the collection's."""
    commitment = Commitment.objects.get(drop=drop)
    own = list(drop.artworks.accepted().order_by("pk"))
    rows = commitment.manifest.get("works", [])
    if rows and len(own) == len(rows) and all(work.image_path.exists() for work in own):
        pictures = sum(work.image_path.stat().st_size for work in own)
        texts = sum(len(canonicalize(row["metadata"])) for row in rows)
        return _storage("measured", pictures, texts)
    others = Artwork.objects.filter(drop__collection=drop.collection_id).exclude(image_digest="")
    sample = [
        work
        for work in others.select_related("drop").order_by("-pk")[:MAX_SAMPLE]
        if work.image_path.exists()
    ]
    if not sample:
        return _storage("unknown", 0, 0)
    picture, text = _mean(drop, sample)
    source = f"by the mean of {len(sample)} works of the collection"
    return _storage(source, picture * commitment.count, text * commitment.count)


def _mean(drop: Drop, works: Sequence[Artwork]) -> tuple[float, float]:
    pictures = sum(work.image_path.stat().st_size for work in works)
    texts = sum(
        len(canonicalize(describe(drop.collection, work, work.pk, f"ipfs://{'b' * 59}/1.png")))
        for work in works
    )
    return pictures / len(works), texts / len(works)


def _storage(source: str, pictures: float, texts: float) -> dict[str, Any]:
    is_known = source != "unknown"
    return {
        "source": source,
        "pictures_mb": round(pictures / MB, 3) if is_known else None,
        "metadata_mb": round(texts / MB, 3) if is_known else None,
    }
