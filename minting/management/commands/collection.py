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
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generation import services
from generation.imaging import thumbnails
from generation.models import Artwork, Checkpoint, Collection, Drop, Job
from generation.services import HeldError
from generation.traits.planner import ImpossibleError, Request, RequestError, UndecidedError
from minting.management import pool
from minting.services import drop_car, prepare_commitment

SAY_EVERY_S = 5.0
AT_ONCE = 50  # pictures that one call of a process encodes


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
        self.steps: dict[str, float] = {}
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
        report |= {"seconds": self.steps, "peak_mib": _peak_mib(n)}
        if options["json"]:
            options["json"].write_text(json.dumps(report, indent=1) + "\n")
        self.stdout.write(
            f"{report['works']:,} works in {sum(self.steps.values()):.0f} s, "
            f"{report['peak_mib']:,.0f} MiB at most: {report['car']}"
        )

    def _drop(self, options: dict[str, Any]) -> Drop:
        """The newest drop of the collection, or its first one."""
        found = Collection.objects.filter(slug=options["slug"]).first()
        collection = found or services.create_collection(
            slug=options["slug"],
            name=options["slug"].replace("-", " ").capitalize(),
            story="",
            checkpoint=self._checkpoint(options["checkpoint"]),
        )
        drop = collection.drops.order_by("-number").first()
        if drop is None:
            drop = self._open(collection, options)
        if drop.size != options["size"]:
            raise CommandError(f"drop {drop.number} of {collection} has {drop.size:,} works")
        return drop

    def _checkpoint(self, sha256: str | None) -> Checkpoint:
        if not sha256:
            return services.register_shipped_checkpoint()
        found = Checkpoint.objects.filter(sha256__startswith=sha256).first()
        if found is None:
            raise CommandError(f"no checkpoint {sha256}")
        return found

    def _open(self, collection: Collection, options: dict[str, Any]) -> Drop:
        parameters = collection.parameter_sets.order_by("-number")[0]
        try:
            drop = services.open_drop(
                collection=collection,
                parameter_set=parameters,
                size=options["size"],
                seed=options["seed"],
            )
            if options["plan"]:
                with self._step("plan"):
                    services.plan_drop(
                        drop=drop,
                        request=Request.from_json(json.loads(options["plan"].read_text())),
                        min_confidence=options["min_confidence"],
                        min_novelty=options["min_novelty"],
                    )
        except (ImpossibleError, RequestError, UndecidedError, ValueError, OSError) as error:
            raise CommandError(f"{type(error).__name__}: {error}") from error
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
        failed = drop.jobs.filter(kind="render", state=Job.State.FAILED).first()
        if failed is not None:
            raise CommandError(f"{failed.key}: {failed.error}")

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
        works = drop.artworks.accepted().in_order()
        paths = [str(work.image_path) for work in works]
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
        started = time.perf_counter()
        yield
        self._took(name, time.perf_counter() - started)

    def _took(self, name: str, seconds: float) -> None:
        self.steps[name] = self.steps.get(name, 0.0) + seconds
        self.stderr.write(f"{name}: {seconds:.1f} s")

    def _each(
        self,
        name: str,
        processes: Executor,
        call: Callable[[Any], None],
        parts: Iterable[tuple[Any, int]],
    ) -> None:
        """Call for each part in the processes, saying how far it is and how long it still takes."""
        asked = list(parts)
        total, done = sum(size for _, size in asked), 0
        started = said = time.perf_counter()
        calls = processes.map(call, [part for part, _ in asked])
        for (_, size), _ in zip(asked, calls, strict=True):
            done += size
            now = time.perf_counter()
            if now - said >= SAY_EVERY_S:
                said, rate = now, done / (now - started)
                self.stderr.write(
                    f"{name}: {done:,} of {total:,}, {rate:.1f} a second, "
                    f"{(total - done) / rate:.0f} s left"
                )
        self._took(name, time.perf_counter() - started)


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
