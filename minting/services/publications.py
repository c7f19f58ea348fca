"""A drop's files at a target: agreed to once, sent part by part, and what the target says."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from generation.models import Drop, Job
from generation.services import (
    LostLeaseError,
    create_job,
    pause_job,
    release_job,
    renew_job,
    resize_job,
    restart_job,
    resume_job,
)
from minting.models import Commitment, PackedCar, Publication, PublicationPart
from minting.publishing.cost import shown
from minting.publishing.parts import Cut, Part
from minting.publishing.pinning import Pin
from minting.publishing.targets import Target, TargetKind
from minting.services.exports import published

MAX_MONTHS = 1200
# One request may wait so long for its answer; nothing is lost where it takes longer.
LEASE = timedelta(minutes=2)
FIRST_PAUSE = timedelta(seconds=10)


class NotPackedError(Exception):
    """Nothing can be agreed to before it is known how large the CAR file is."""

    def __init__(self, drop: Drop) -> None:
        super().__init__(f"the CAR of drop {drop.number} is not packed yet")
        self.drop = drop


class UnknownTargetError(Exception):
    """The settings name no such target, or none any more."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no target {name} is set: see PUBLISH_TARGETS")
        self.name = name


class CostChangedError(Exception):
    """Another cost was agreed to than it is now."""

    def __init__(self, agreed: str, now: str) -> None:
        super().__init__(f"the cost is {now} now, not {agreed}: look at it again")
        self.agreed = agreed
        self.now = now


@dataclass(frozen=True)
class Quote:
    """What it costs to have a drop's files kept for a while, as it is shown; empty if unknown."""

    target: Target
    n_bytes: int
    months: int

    @property
    def amount(self) -> Decimal | None:
        price = self.target.price
        return None if price is None else price.cost(self.n_bytes, self.months)

    @property
    def cost(self) -> str:
        amount, price = self.amount, self.target.price
        return "" if amount is None or price is None else f"{shown(amount)} {price.currency}"


def find_target(name: str) -> Target:
    targets: dict[str, Target] = settings.PUBLISH_TARGETS
    if name not in targets:
        raise UnknownTargetError(name)
    return targets[name]


def gateways_of(target: Target) -> list[str]:
    """Where a target's files are asked for."""
    return [target.gateway] if target.gateway else list(settings.IPFS_GATEWAYS)


def request_packing(*, drop: Drop) -> Job:
    """The job that packs a drop's CAR file; one that failed begins again.

    NotSealedError before the works are final.
    """
    root = published(Commitment.objects.get(drop=drop)).root_cid
    job = create_job(kind="pack", key=f"pack:{root}", total=1, args={}, drop=drop)
    resume_job(job=job)
    job.refresh_from_db()
    return job


def record_car(*, drop: Drop, cut: Cut, part_bytes: int, now: datetime) -> PackedCar:
    """Keep the size of a drop's CAR file and where it is cut."""
    car, _ = PackedCar.objects.update_or_create(
        drop=drop,
        defaults={
            "root_cid": cut.root,
            "n_bytes": cut.n_bytes,
            "n_blocks": cut.n_blocks,
            "parts": [asdict(part) for part in cut.parts],
            "part_bytes": part_bytes,
            "packed_at": now,
        },
    )
    return car


def parts_of(car: PackedCar) -> list[Part]:
    return [Part(**one) for one in car.parts]


def quote(*, drop: Drop, target: Target, months: int) -> Quote:
    """What it would cost; NotPackedError before the CAR's size is known."""
    if not 1 <= months <= MAX_MONTHS:
        raise ValueError(f"months from 1 to {MAX_MONTHS}")
    car = PackedCar.objects.filter(drop=drop).first()
    if car is None:
        raise NotPackedError(drop)
    return Quote(target, car.n_bytes, months)


@transaction.atomic
def request_publication(*, drop: Drop, target: Target, months: int, agreed: str) -> Publication:
    """The publication of a drop at a target, made once; one that is done begins again.

    Parameters
    ----------
    agreed
        the cost as it was shown to who asks for this.

    Raises
    ------
    NotSealedError, NotPackedError
        Before the works are final, and before the size of their CAR file is known.
    CostChangedError
        Another cost was shown.
    """
    published(Commitment.objects.get(drop=drop))
    told = quote(drop=drop, target=target, months=months)
    if told.cost != agreed:
        raise CostChangedError(agreed, told.cost)
    car = PackedCar.objects.get(drop=drop)
    job = create_job(
        kind="publish",
        key=f"publish:{drop.pk}:{target.name}",
        total=1 if target.kind == TargetKind.PINNING else len(car.parts) + 1,
        args={"target": target.name},
        drop=drop,
    )
    terms = {
        "kind": target.kind,
        "root_cid": car.root_cid,
        "n_bytes": car.n_bytes,
        "months": months,
        "cost": told.cost,
        "agreed_at": timezone.now(),
    }
    publication, is_new = Publication.objects.get_or_create(
        drop=drop, target=target.name, defaults={"job": job, **terms}
    )
    if not is_new and restart_job(job=publication.job):
        publication.parts.all().delete()
        forgotten = {"request_id": "", "remote": "", "remote_says": "", "checked_at": None}
        Publication.objects.filter(pk=publication.pk).update(
            due_at=None, checked_through="", n_checked=0, **forgotten, **terms
        )
    return Publication.objects.select_related("job").get(pk=publication.pk)


@transaction.atomic
def resume_publication(*, publication: Publication) -> bool:
    """Go on after a stop or a failure; a pin that failed is asked for anew."""
    if not resume_job(job=publication.job):
        return False
    rows = Publication.objects.filter(pk=publication.pk)
    rows.update(due_at=None)
    rows.filter(remote=Publication.Remote.FAILED).update(request_id="", remote="", remote_says="")
    return True


@transaction.atomic
def lay_out(*, publication: Publication, car: PackedCar) -> list[PublicationPart]:
    """The parts that have to be sent. Cut differently than before, all of them are sent again."""
    rows = list(publication.parts.order_by("number"))
    wanted = parts_of(car)
    if [row.sha256 for row in rows] == [part.sha256 for part in wanted]:
        return rows
    publication.parts.all().delete()
    resize_job(job=publication.job, total=len(wanted) + 1)
    return PublicationPart.objects.bulk_create(
        PublicationPart(
            publication=publication, number=part.number, n_bytes=part.n_bytes, sha256=part.sha256
        )
        for part in wanted
    )


@transaction.atomic
def note_part(*, publication: Publication, number: int, now: datetime) -> None:
    """A part is there, says the target; LostLeaseError if the job is no longer ours."""
    job = publication.job
    sent = publication.parts.exclude(number=number).exclude(sent_at=None).count() + 1
    hold(job=job, done=sent, now=now, progress={})
    publication.parts.filter(number=number, sent_at=None).update(sent_at=now)


@transaction.atomic
def note_pin(*, publication: Publication, pin: Pin, now: datetime) -> None:
    """What the target says of a pin."""
    hold(job=publication.job, done=publication.job.done, now=now, progress={})
    Publication.objects.filter(pk=publication.pk).update(
        request_id=pin.request_id, remote=pin.state.value, remote_says=pin.details[:250]
    )
    publication.refresh_from_db(fields=["request_id", "remote", "remote_says"])


@transaction.atomic
def note_checked(*, publication: Publication, n_blocks: int, through: str, now: datetime) -> None:
    """Blocks of it were read back and hash to their CIDs."""
    hold(job=publication.job, done=publication.job.done, now=now, progress={})
    Publication.objects.filter(pk=publication.pk).update(
        checked_at=now, n_checked=n_blocks, checked_through=through
    )


@transaction.atomic
def put_off(*, publication: Publication, until: datetime | None, says: str = "") -> None:
    """Give the job back until it is time to go on; at once if ``until`` is None."""
    if not pause_job(job=publication.job):
        raise LostLeaseError(publication.job.key)
    changed = {"due_at": until} | ({"remote_says": says[:250]} if says else {})
    Publication.objects.filter(pk=publication.pk).update(**changed)


@transaction.atomic
def try_later(*, publication: Publication, error: str, now: datetime) -> None:
    """A failed attempt: 10 s, 20 s, 40 s and 80 s until the next ones, none after the fifth."""
    release_job(job=publication.job, error=error)
    pause = FIRST_PAUSE * 2 ** (publication.job.attempts - 1)
    Publication.objects.filter(pk=publication.pk).update(due_at=now + pause)


@transaction.atomic
def doubt_part(*, publication: Publication, number: int) -> None:
    """A block of a part is not where it was sent: the part is sent again."""
    hold(job=publication.job, done=publication.job.done, now=timezone.now(), progress={})
    publication.parts.filter(number=number).update(sent_at=None)


def hold(*, job: Job, done: int, now: datetime, progress: dict[str, int]) -> None:
    """Keep a job's lease; LostLeaseError if a lead stopped it or another worker has it."""
    renew_job(job=job, now=now, lease=LEASE, done=done, checkpoint=progress)
    job.done = done
