"""Packing a drop's files and putting them where others keep them. Stops and goes on anywhere."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from generation.models import Job
from generation.services import LostLeaseError, end_job, lease_job, release_job
from minting import services
from minting.models import PackedCar, Publication, PublicationPart
from minting.provenance.car import CarError
from minting.publishing import parts
from minting.publishing.gateway import Found, Gateways, NoGatewayError, Sight
from minting.publishing.parts import Part, PartChangedError
from minting.publishing.pinning import Pin, PinningService, PinState
from minting.publishing.targets import TargetKind
from minting.publishing.transport import (
    BusyError,
    PublishingError,
    RefusedError,
    Session,
)
from minting.publishing.uploading import Node, Place, Told

PACKING = timedelta(minutes=10)  # 10,000 works take half a minute
SLICE_S = 45.0  # between two looks at what else waits in the queue
HOLD_EVERY_S = 1.0
ASK_AGAIN = timedelta(seconds=10)  # a pin that is not there yet
MAX_AWAY_S = 86_400.0  # that a server may ask for
CHECKED_PARTS = 16  # whose last blocks are read back, beside the root
FINAL = (
    RefusedError,
    services.UnknownTargetError,
    services.ExportMismatchError,
    PartChangedError,
    CarError,
)
GONE = 404  # of a pin that somebody removed there
META = {"app": "morphora"}

Tell = Callable[[Publication], None]  # hears of progress, about once a second


def pack(*, job_id: int) -> Job | None:
    """Pack a drop's CAR file and keep its size; None if somebody else does, or it is done."""
    job = lease_job(pk=job_id, now=timezone.now(), lease=PACKING)
    if job is None or job.drop is None:
        return None
    try:
        _car(services.drop_car(commitment=job.drop.commitment), job)
    except Exception as error:
        release_job(job=job, error=_said(error))
        if not isinstance(error, services.ExportMismatchError | OSError):
            raise
    else:
        end_job(job=job, state=Job.State.DONE)
    return job


def publish(*, job_id: int, tell: Tell) -> Publication | None:
    """Go on with a publication for a while; None if somebody else does, or it is not its time.

    What the target refuses for good ends the job; what may pass is tried again later, an end to
    it after some attempts.
    """
    job = lease_job(pk=job_id, now=timezone.now(), lease=services.LEASE)
    if job is None:
        return None
    publication = Publication.objects.select_related("drop__commitment").get(job=job)
    publication.job = job
    try:
        _Posting(publication, tell).run()
    except LostLeaseError:
        return None
    except FINAL as error:
        end_job(job=job, state=Job.State.FAILED, error=_said(error))
    except BusyError as error:
        _come_back(publication, error)
    except (PublishingError, OSError) as error:
        services.try_later(publication=publication, error=_said(error), now=timezone.now())
    except Exception as error:
        release_job(job=job, error=_said(error))
        raise
    return Publication.objects.select_related("job").get(pk=publication.pk)


def _said(error: Exception) -> str:
    """Our own errors say what they have to; of others the kind is enough."""
    own = isinstance(error, (*FINAL, PublishingError, services.NotSealedError))
    return str(error) if own else type(error).__name__


def _come_back(publication: Publication, error: BusyError) -> None:
    """A server that says when to come back is believed; one that does not is tried again."""
    now = timezone.now()
    if error.after_s:
        until = now + timedelta(seconds=min(error.after_s, MAX_AWAY_S))
        with suppress(LostLeaseError):  # a lead stopped it meanwhile
            services.put_off(publication=publication, until=until, says=str(error))
    else:
        services.try_later(publication=publication, error=_said(error), now=now)


def _car(path: Path, job: Job) -> PackedCar:
    assert job.drop is not None
    size = settings.PUBLISH_PART_BYTES
    found = PackedCar.objects.filter(drop=job.drop, part_bytes=size).first()
    if found is not None:
        return found
    cut = parts.cut(path, size)
    return services.record_car(drop=job.drop, cut=cut, part_bytes=size, now=timezone.now())


@dataclass
class _Posting:
    """One while of one publication, whose lease is kept as long as anything moves."""

    publication: Publication
    tell: Tell

    def __post_init__(self) -> None:
        self.job = self.publication.job
        self.target = services.find_target(self.publication.target)
        self.ends = time.monotonic() + SLICE_S
        self.held = time.monotonic()

    def run(self) -> None:
        with Session(token=self.target.token, wait=self.wait) as session:
            if self.target.kind == TargetKind.PINNING:
                is_there = self.pin(PinningService(self.target.url, session))
            else:
                is_there = self.upload(session)
        if not is_there:
            return
        self.check()
        end_job(job=self.job, state=Job.State.DONE)

    def pin(self, service: PinningService) -> bool:
        """Ask for the pin, or how it is; whether it is there."""
        pin = self.asked(service)
        services.note_pin(publication=self.publication, pin=pin, now=timezone.now())
        if pin.state == PinState.PINNED:
            return True
        if pin.state == PinState.FAILED:
            why = pin.details or "it gives no reason"
            end_job(job=self.job, state=Job.State.FAILED, error=f"it could not be pinned: {why}")
        else:
            services.put_off(publication=self.publication, until=timezone.now() + ASK_AGAIN)
        return False

    def asked(self, service: PinningService) -> Pin:
        """The pin, asked for once: one whose answer was lost is found again."""
        row = self.publication
        if row.request_id:
            try:
                return service.get(row.request_id)
            except RefusedError as error:
                if error.status != GONE:
                    raise
        found = service.find(row.root_cid)
        if found is not None and found.state != PinState.FAILED:
            return found
        name = f"{row.drop.collection.slug} drop {row.drop.number}"
        return service.add(row.root_cid, name=name, origins=self.target.origins, meta=META)

    def upload(self, session: Session) -> bool:
        """Send what is not there; whether all of it is, as far as this while went."""
        path = services.drop_car(commitment=self.publication.drop.commitment)
        car = _car(path, self.job)
        rows = services.lay_out(publication=self.publication, car=car)
        cut = {part.number: part for part in services.parts_of(car)}
        for row in [row for row in rows if row.sent_at is None]:
            if time.monotonic() > self.ends:
                services.put_off(publication=self.publication, until=None)
                return False
            self.hold({"part": row.number, "sent_bytes": 0})
            self.send(session, path, cut[row.number], row)
        if self.target.kind == TargetKind.CAR:
            self.hold({})
            Node(self.target.url, session).pin(car.root_cid)
        return True

    def send(self, session: Session, path: Path, part: Part, row: PublicationPart) -> None:
        raw = parts.read(path, part)
        told = self.on_the_way(part)
        if self.target.kind == TargetKind.CAR:
            Node(self.target.url, session).send(part, raw, told)
        else:
            Place(self.target.url, session).send(self.publication.root_cid, part, raw, told)
        services.note_part(publication=self.publication, number=row.number, now=timezone.now())
        self.tell(self.publication)

    def check(self) -> None:
        """Read the root back, and the last block of some parts, where they can be asked for."""
        row = self.publication
        car = PackedCar.objects.get(drop=row.drop)
        blocks = [part.block for part in services.parts_of(car)]
        names = [row.root_cid, *blocks[:CHECKED_PARTS]]
        sights: list[Sight] = []
        with Gateways(services.gateways_of(self.target)) as gateways:
            for name in dict.fromkeys(names):
                self.hold({})
                try:
                    sights.append(gateways.has_block(name))
                except NoGatewayError:
                    break
        lost = next((sight for sight in sights if sight.found != Found.FOUND), None)
        if lost is not None:
            if lost.found in (Found.MISSING, Found.WRONG):
                services.doubt_part(publication=row, number=blocks.index(lost.file) + 1)
            raise NotThereError(lost)
        if sights:
            services.note_checked(
                publication=row,
                n_blocks=len(sights),
                through=sights[0].through,
                now=timezone.now(),
            )

    def on_the_way(self, part: Part) -> Told:
        """Keeps the lease while a part is being sent, and says how much of it is."""

        def told(n_bytes: int) -> None:
            if time.monotonic() - self.held >= HOLD_EVERY_S:
                self.hold({"part": part.number, "sent_bytes": min(n_bytes, part.n_bytes)})
                self.tell(self.publication)

        return told

    def hold(self, progress: dict[str, int]) -> None:
        services.hold(job=self.job, done=self.job.done, now=timezone.now(), progress=progress)
        self.held = time.monotonic()

    def wait(self, seconds: float) -> None:
        """Between two tries; a stop is noticed."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self.hold({})
            time.sleep(min(left, HOLD_EVERY_S))


class NotThereError(PublishingError):
    """A target says that it has everything, and its gateway does not give it."""

    def __init__(self, sight: Sight) -> None:
        super().__init__(
            f"{sight.through} does not give block {sight.file[:20]}… back: {sight.found}"
            + (f", {sight.why}" if sight.why else "")
        )
        self.sight = sight
