"""A whole drop from its seed to its CAR file, on every core, resumable."""

import json
import os
import resource
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from generation import services
from generation.imaging import thumbnails
from generation.models import Artwork, Checkpoint, Collection, Drop, Job
from generation.services import HeldError, WrongStateError
from generation.traits.planner import ImpossibleError, Request, RequestError, UndecidedError
from minting.management import pool
from minting.services import drop_car, prepare_commitment

SAY_EVERY_S = 5.0
AT_ONCE = 50  # pictures that one call of a process encodes


@dataclass
class Pace:
    """How fast one step goes on, from what this call does of it.

    The first part waits for the processes to start, and counts for nothing.
    """

    total: int
    done: int = 0
    first: tuple[int, float] | None = None

    def add(self, n: int, now: float) -> None:
        self.done += n
        self.first = self.first or (self.done, now)

    def told(self, now: float) -> str:
        """So many of all, a second, seconds left; without the last two before there is a rate."""
        said = f"{self.done:,} of {self.total:,}"
        done, since = self.first or (self.done, now)
        if self.done == done or now <= since:
            return said
        rate = (self.done - done) / (now - since)
        return f"{said}, {rate:.1f} a second, {(self.total - self.done) / rate:.0f} s left"


@dataclass
class Spent:
    """Seconds of each step: by the clock, and of the processor in all processes."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, seconds: float, cpu_seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        self.cpu_seconds[name] = self.cpu_seconds.get(name, 0.0) + cpu_seconds


class Command(BaseCommand):
    help = (
        "Render a drop, take repeats out, read traits, accept all works, encode them at 512 px as "
        "PNG and WebP, fix metadata, rarity and hashes, and pack the CAR file. Stopped or killed, "
        "the same call goes on where it was."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="of a collection, made if there is none")
        parser.add_argument("--size", type=int, default=10_000)
        parser.add_argument("--seed", help="64 hex digits; else from the system")
        parser.add_argument("--checkpoint", help="sha256 or its first digits; else the shipped one")
        parser.add_argument("--plan", type=Path, help="JSON request of exact counts, see plan_drop")
        parser.add_argument("--min-confidence", type=float, default=0.0, help="with --plan, 0 to 1")
        parser.add_argument("--min-novelty", type=float, default=0.0, help="with --plan, 0 to 2")
        parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
        parser.add_argument("--overruling", default="", help="reason to commit a drop that is held")
        parser.add_argument("--json", type=Path, help="write the seconds of each step here")

    def handle(self, *args: Any, **options: Any) -> None:
        self.spent = Spent()
        drop = self._drop(options)
        n = max(1, options["processes"])
        try:
            with ProcessPoolExecutor(n, get_context("spawn"), pool.start) as processes:
                drop = self._render(drop, processes)
                self._accept(drop)
                self._present(drop, processes)
                report = self._commit(drop, options["overruling"])
        except BrokenProcessPool as error:
            raise CommandError("a process was killed; the same call goes on") from error
        except WrongStateError as error:
            raise CommandError(str(error)) from error
        report |= vars(self.spent) | {"peak_mib": _peak_mib(n)}
        if options["json"]:
            options["json"].write_text(json.dumps(report, indent=1) + "\n")
        self.stdout.write(
            f"{report['works']:,} works in {sum(self.spent.seconds.values()):.0f} s, "
            f"{report['peak_mib']:,.0f} MiB at most: {report['car']}"
        )

    def _drop(self, options: dict[str, Any]) -> Drop:
        """The newest drop of the collection, or its first one."""
        found = Collection.objects.filter(slug=options["slug"]).first()
        drop = found.drops.order_by("-number").first() if found else None
        try:
            request = _request(options["plan"])
            if drop is None:
                return self._open(found, request, options)
        except (ImpossibleError, RequestError, UndecidedError, ValueError, OSError) as error:
            raise CommandError(f"{type(error).__name__}: {error}") from error
        if other := _other(drop, request, options):
            raise CommandError(f"drop {drop.number} of {options['slug']} has {other}")
        return drop

    def _checkpoint(self, sha256: str | None) -> Checkpoint:
        if not sha256:
            return services.register_shipped_checkpoint()
        found = Checkpoint.objects.filter(sha256__startswith=sha256).first()
        if found is None:
            raise CommandError(f"no checkpoint {sha256}")
        return found

    def _open(
        self, found: Collection | None, request: Request | None, options: dict[str, Any]
    ) -> Drop:
        """Collection, drop and plan, all or nothing: a call that goes on asks for none of them."""
        checkpoint = found.checkpoint if found else self._checkpoint(options["checkpoint"])
        with transaction.atomic(), self._step("open, plan"):
            collection = found or services.create_collection(
                slug=options["slug"],
                name=options["slug"].replace("-", " ").capitalize(),
                story="",
                checkpoint=checkpoint,
            )
            drop = services.open_drop(
                collection=collection,
                parameter_set=collection.parameter_sets.order_by("-number")[0],
                size=options["size"],
                seed=options["seed"],
            )
            if request is not None:
                services.plan_drop(
                    drop=drop,
                    request=request,
                    min_confidence=options["min_confidence"],
                    min_novelty=options["min_novelty"],
                )
        return drop

    def _render(self, drop: Drop, processes: Executor) -> Drop:
        """Draw what is left, round after round where there is a plan."""
        from generation import rendering

        if drop.state == Drop.State.DRAFT:
            services.start_rendering(drop=drop)
        while drop.state in (Drop.State.DRAFT, Drop.State.RENDERING):
            jobs = drop.jobs.filter(kind="render").unfinished().order_by("pk")
            for job in jobs:  # whoever held one is gone: this call was started by hand
                services.reclaim_job(job=job)
            self._each("render, parse, store", processes, pool.draw, _sizes(jobs))
            self._check(drop)
            with self._step("deduplicate, rank, measure"):
                drop = rendering.finish_drop(drop=Drop.objects.get(pk=drop.pk))
            drop = Drop.objects.get(pk=drop.pk)
            if hasattr(drop, "plan") and drop.plan.stuck:
                raise CommandError(f"{drop.plan.stuck} Go on from the console.")
        return drop

    def _check(self, drop: Drop) -> None:
        """Every job is done; one that a lead stopped or that failed too often is theirs."""
        jobs = drop.jobs.filter(kind="render").exclude(state=Job.State.DONE)
        ended = jobs.order_by("pk").first()
        if ended is not None:
            raise CommandError(f"{ended.key}: {ended.error or ended.state}; see the console")

    def _accept(self, drop: Drop) -> None:
        if drop.state != Drop.State.CURATING or drop.curated_at is not None:
            return
        with self._step("accept"):
            ids = drop.artworks.undecided().values_list("pk", flat=True)
            accepted = Artwork.Status.ACCEPTED
            reason = "manage.py collection"
            services.decide(
                drop=drop, artwork_ids=ids, status=accepted, curator=None, reason=reason
            )

    def _present(self, drop: Drop, processes: Executor) -> None:
        stored = [str(work.image_path) for work in drop.artworks.accepted().in_order()]
        paths = [path for path in dict.fromkeys(stored) if pool.missing(path)]
        groups = [paths[start : start + AT_ONCE] for start in range(0, len(paths), AT_ONCE)]
        name = f"PNG and WebP at {thumbnails.PRESENTATION_PX} px"
        self._each(name, processes, pool.encode, [(group, len(group)) for group in groups])

    def _commit(self, drop: Drop, overruling: str) -> dict[str, Any]:
        try:
            with self._step("metadata, rarity, hashes, roots"):
                services.close_curation(drop=drop, overruling=overruling)
                commitment = prepare_commitment(drop=drop)
        except HeldError as error:
            services.remember_diversity(drop=drop, found=error.found)
            raise CommandError(f'{error}; --overruling "why" commits it all the same') from error
        with self._step("pack the CAR"):
            car = drop_car(commitment=commitment)
        return {
            "works": commitment.count,
            "set_aside": drop.size - commitment.count,
            "root_cid": commitment.root_cid,
            "metadata_root": commitment.metadata_root,
            "image_root": commitment.image_root,
            "car": str(car),
            "car_bytes": car.stat().st_size,
        }

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        started, cpu = time.perf_counter(), time.process_time()
        yield
        self._took(name, time.perf_counter() - started, time.process_time() - cpu)

    def _took(self, name: str, seconds: float, cpu_seconds: float) -> None:
        self.spent.add(name, seconds, cpu_seconds)
        self.stderr.write(f"{name}: {seconds:.1f} s")

    def _each(
        self,
        name: str,
        processes: Executor,
        call: Callable[[Any], float],
        parts: Iterable[tuple[Any, int]],
    ) -> None:
        """Call for each part in the processes, saying how far it is and how long it still takes."""
        asked = list(parts)
        pace = Pace(sum(size for _, size in asked))
        started = said = time.perf_counter()
        cpu_seconds, own = 0.0, time.process_time()
        calls = processes.map(call, [part for part, _ in asked])
        for (_, size), cpu_s in zip(asked, calls, strict=True):
            now = time.perf_counter()
            cpu_seconds += cpu_s
            pace.add(size, now)
            if now - said >= SAY_EVERY_S:
                said = now
                self.stderr.write(f"{name}: {pace.told(now)}")
        cpu_seconds += time.process_time() - own
        self._took(name, time.perf_counter() - started, cpu_seconds)


def _request(path: Path | None) -> Request | None:
    return None if path is None else Request.from_json(json.loads(path.read_text()))


def _other(drop: Drop, request: Request | None, options: dict[str, Any]) -> str:
    """What a drop is that a call did not ask for; empty where it goes on with the same one."""
    planned = drop.plan.request_body if hasattr(drop, "plan") else None
    if drop.size != options["size"]:
        return f"{drop.size:,} works"
    if options["seed"] and drop.seed.lower() != options["seed"].lower():
        return "another seed"
    if options["checkpoint"] and not drop.checkpoint.sha256.startswith(options["checkpoint"]):
        return "another checkpoint"
    if request is not None and planned != request.to_json():
        return "another plan" if planned else "no plan"
    return ""


def _sizes(jobs: Iterable[Job]) -> list[tuple[int, int]]:
    return [(job.pk, job.total) for job in jobs]


def _peak_mib(n_processes: int) -> float:
    """The most memory that this process and as many as ``n_processes`` others had at one time.

    An upper bound: the largest of the others counts for each.
    """
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return (own + n_processes * others) / unit
