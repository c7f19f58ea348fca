"""Let a simulated community vote, comment, mint and trade through the public doors."""

import signal
import time
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone

from generation.models import Job
from generation.services import LostLeaseError, lease_job, pause_job, release_job, renew_job
from minting.chain.client import ChainError, Client, WrongChainError
from minting.chain.node import LOCAL_CHAIN_ID
from sentiment.management.crowd import Crowd, WrongPlaceError
from sentiment.management.doors import SiteAwayError
from sentiment.management.wallets import LoopStalledError

LEASE = timedelta(seconds=30)
REPORT_S = 5.0
IDLE_S = 2.0
MAX_PAUSE_S = 30.0
MAX_WALLETS = 50  # an address may sign in 60 times a minute


class Command(BaseCommand):
    help = (
        "Simulated wallets sign in, vote, comment, mint, trade and move liquidity on the local "
        "chain, through HTTP and the node alone. Their data are labelled. Ctrl-C stops; starting "
        "again goes on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wallets", type=int, default=24)
        parser.add_argument("--pace", type=float, default=120.0, help="actions a minute")
        parser.add_argument("--seed", type=int, default=1, help="keys and taste follow from it")
        parser.add_argument("--actions", type=int, help="stop after so many")
        parser.add_argument("--minutes", type=float, help="stop after so long")
        parser.add_argument("--base-url", default=settings.PUBLIC_URL)
        parser.add_argument("--rpc-url", default=settings.CHAIN_RPC_URL)
        parser.add_argument(
            "--follow", action="store_true", help="wait for a lead to start and stop it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["wallets"] <= MAX_WALLETS or not 0 < options["pace"] <= 6000:
            raise CommandError(
                f"needs 1 to {MAX_WALLETS} wallets and a pace of up to 6000 a minute"
            )
        self.is_over = False
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self._stop)
        if options["follow"]:
            self._follow(options)
            return
        with Client(options["rpc_url"]) as node:
            crowd = self._gather(node, options)
            self._live(crowd, options, self._say)
        self._say(crowd)

    def _stop(self, *_: Any) -> None:
        self.is_over = True

    def _gather(self, node: Client, options: dict[str, Any]) -> Crowd:
        crowd = Crowd(options["base_url"].rstrip("/"), node, options["seed"], options["wallets"])
        try:
            crowd.check_place()
            crowd.fund()
        except (WrongPlaceError, WrongChainError) as error:
            raise CommandError(f"on chain {LOCAL_CHAIN_ID} only: {error}") from error
        except (SiteAwayError, ChainError) as error:
            raise CommandError(f"nobody answers: {error}") from error
        return crowd

    def _live(self, crowd: Crowd, options: dict[str, Any], say: Callable[[Crowd], None]) -> None:
        """Act at the asked pace until told to stop; a site that is away is waited for."""
        ends = time.monotonic() + 60 * options["minutes"] if options["minutes"] else None
        pause, reported = 1.0, time.monotonic()
        while not self.is_over:
            started = time.monotonic()
            if (ends and started >= ends) or 0 < (options["actions"] or 0) <= crowd.done.total():
                break
            try:
                did, pause = crowd.step(), 1.0
            except (SiteAwayError, ChainError, LoopStalledError) as error:
                self.stderr.write(f"waiting {pause:.0f} s: {error}")
                did, pause = "", min(2 * pause, MAX_PAUSE_S)
                self._sleep(pause)
            if started - reported >= REPORT_S:
                reported = started
                say(crowd)
            beat = 60 / options["pace"]
            self._sleep((beat if did else max(beat, IDLE_S)) - (time.monotonic() - started))

    def _sleep(self, seconds: float) -> None:
        """Sleep in short parts, so that a stop is not kept waiting."""
        until = time.monotonic() + seconds
        while not self.is_over and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))

    def _say(self, crowd: Crowd) -> None:
        told = ", ".join(f"{n} {name}" for name, n in sorted(crowd.done.items()))
        self.stdout.write(f"{crowd.done.total()} actions: {told or 'nothing to do yet'}")
        self.stdout.flush()

    def _follow(self, options: dict[str, Any]) -> None:
        """Run while a lead wants it. The job's row is the switch; a dead process is replaced."""
        while not self.is_over:
            try:
                job = self._next_job()
            except OperationalError as error:
                self.stderr.write(f"the database is away: {error}")
                job = None
            if job is not None:
                self._run_job(job, options)
            self._sleep(IDLE_S)

    def _next_job(self) -> Job | None:
        now = timezone.now()
        due = Job.objects.filter(kind="community").due(now).first()
        return None if due is None else lease_job(pk=due.pk, now=now, lease=LEASE)

    def _run_job(self, job: Job, options: dict[str, Any]) -> None:
        earlier = dict(job.checkpoint)

        def report(crowd: Crowd) -> None:
            counts = {
                name: int(earlier.get(name, 0)) + crowd.done[name]
                for name in {*earlier, *crowd.done}
            }
            done = min(job.total, sum(counts.values()))
            renew_job(job=job, now=timezone.now(), lease=LEASE, done=done, checkpoint=counts)

        asked = options | {key: job.args[key] for key in ("wallets", "pace", "seed")}
        try:
            with Client(options["rpc_url"]) as node:
                crowd = self._gather(node, asked)
                self._live(crowd, asked, report)
                report(crowd)
        except LostLeaseError:
            return  # a lead stopped it
        except CommandError as error:
            release_job(job=job, error=str(error))
            return
        pause_job(job=job)  # this process ends; the next one goes on
