"""Put a drop's files where others keep them, from here and now."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from generation.models import Drop, Job
from generation.services import stop_job
from minting import posting, services
from minting.models import Commitment, PackedCar, Publication

REFUSALS = (services.UnknownTargetError, services.NotSealedError, services.CostChangedError)


class Command(BaseCommand):
    help = (
        "Publish the CAR of a drop whose works are final at a target that the settings name. Says "
        "what it costs, asks, and shows how far it is. Ctrl-C keeps what was sent; the same "
        "command, or a lead on the launch page, goes on from there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="slug of a collection")
        parser.add_argument("number", type=int, help="number of a drop")
        parser.add_argument("--target", required=True, help="a name in PUBLISH_TARGETS")
        parser.add_argument("--months", type=int, default=12, help="how long it is to be kept")
        parser.add_argument("--dry-run", action="store_true", help="say what it costs, no more")
        parser.add_argument("--again", action="store_true", help="also where it is already")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        drop = _find(options["collection"], options["number"])
        try:
            told = self._quote(drop, options)
            done = drop.publications.filter(target=told.target.name, job__state=Job.State.DONE)
            if done.exists() and not options["again"]:
                self.stdout.write("it is there already; --again sends it once more")
                return
            if options["dry_run"]:
                return
            if not options["yes"] and input("Publish it? [y/N] ").strip().lower() != "y":
                raise CommandError("not published")
            row = services.request_publication(
                drop=drop, target=told.target, months=told.months, agreed=told.cost
            )
            self._run(row)
        except REFUSALS as error:
            raise CommandError(str(error)) from error

    def _quote(self, drop: Drop, options: dict[str, Any]) -> services.Quote:
        target = services.find_target(options["target"])
        _pack(drop)
        try:
            told = services.quote(drop=drop, target=target, months=options["months"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        price = f"{target.price}: {told.cost}" if target.price else "no price is set for it"
        self.stdout.write(
            f"{PackedCar.objects.get(drop=drop).root_cid}, {told.n_bytes:,} bytes, at "
            f"{target.name} for {told.months} months: {price}"
        )
        return told

    def _run(self, row: Publication) -> None:
        """Go on until it is there or has failed; a worker that is at it is left alone."""
        services.resume_publication(publication=row)
        try:
            while True:
                posting.publish(job_id=row.job_id, tell=self._tell)
                row = Publication.objects.select_related("job").get(pk=row.pk)
                if row.job.state in (Job.State.DONE, Job.State.FAILED, Job.State.STOPPED):
                    break
                self._tell(row)
                self._sleep(row)
        except KeyboardInterrupt as error:
            stop_job(job=row.job)
            why = "stopped: what was sent is kept, the same command goes on from there"
            raise CommandError(why) from error
        if row.job.state != Job.State.DONE:
            raise CommandError(f"{row.job.state}: {row.job.error or 'a lead stopped it'}")
        self.stdout.write(
            f"there; {row.n_checked} blocks read back through {row.checked_through}"
            if row.checked_at
            else "there, says the target; no gateway is set to read it back through"
        )

    def _tell(self, row: Publication) -> None:
        job = Job.objects.get(pk=row.job_id)
        says = f", {row.remote or row.remote_says}" if row.remote or row.remote_says else ""
        self.stderr.write(f"{job.done} of {job.total}{says}{', ' if job.error else ''}{job.error}")

    def _sleep(self, row: Publication) -> None:
        now = timezone.now()
        left = (row.due_at - now).total_seconds() if row.due_at else 1.0
        time.sleep(max(0.2, min(left, 60.0)))


def _find(slug: str, number: int) -> Drop:
    rows = Drop.objects.committed().select_related("collection")
    drop = rows.filter(collection__slug=slug, number=number).first()
    if drop is None or not Commitment.objects.filter(drop=drop).exists():
        raise CommandError(f"drop {number} of {slug} is not committed")
    return drop


def _pack(drop: Drop) -> None:
    """Its CAR file and size, packed here unless that is done."""
    job = services.request_packing(drop=drop)
    posting.pack(job_id=job.pk)
    if not PackedCar.objects.filter(drop=drop).exists():
        job.refresh_from_db()
        raise CommandError(job.error or "somebody else is packing it: try again")
