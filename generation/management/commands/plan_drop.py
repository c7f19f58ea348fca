"""What a drop of exact counts would hold, or why it cannot be."""

import json
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generation import services
from generation.models import Checkpoint, Drop
from generation.traits import planner


class Command(BaseCommand):
    help = (
        "Plan a drop: exact counts, shares or curves for each attribute, rules, one-of-ones. Says "
        "what cannot be met and why, before anything is drawn."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("request", type=Path, help="JSON: size, attributes, rules, one_of_ones")
        parser.add_argument(
            "--checkpoint", default="", help="sha256 or its first digits; the newest"
        )
        parser.add_argument("--seed", default="00" * 32, help="32 bytes in hex")
        parser.add_argument(
            "--drop",
            help="SLUG/NUMBER of a draft to be drawn like this, with its own checkpoint and seed",
        )
        parser.add_argument("--min-confidence", type=float, default=0.0, help="0 to 1")
        parser.add_argument(
            "--min-novelty",
            type=float,
            default=0.0,
            help="cosine distance to any other work, 0 to 2",
        )
        parser.add_argument("--out", type=Path, help="write the traits of each work as JSON")

    def handle(self, *args: Any, request: Path, **options: Any) -> None:
        try:
            asked = planner.Request.from_json(json.loads(request.read_text()))
            works = (
                self._attached(asked, options) if options["drop"] else self._free(asked, options)
            )
        except planner.ImpossibleError as error:
            raise CommandError("\n".join(p.sentence for p in error.problems)) from error
        except (planner.UndecidedError, services.WrongStateError, ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        self._report(works)
        if options["out"]:
            options["out"].write_text(json.dumps(works, indent=1))

    def _free(self, asked: planner.Request, options: dict[str, Any]) -> list[dict[str, str]]:
        rows = Checkpoint.objects.filter(sha256__startswith=options["checkpoint"])
        checkpoint = rows.order_by("-created_at", "-pk").first()
        if checkpoint is None:
            raise CommandError(f"no checkpoint {options['checkpoint']}".rstrip())
        return planner.plan(asked, checkpoint.schema, bytes.fromhex(options["seed"]))

    def _attached(self, asked: planner.Request, options: dict[str, Any]) -> list[dict[str, str]]:
        slug, _, number = options["drop"].rpartition("/")
        if not number.isdecimal():
            raise CommandError(f"--drop {options['drop']}: SLUG/NUMBER is asked for")
        drop = Drop.objects.filter(collection__slug=slug, number=int(number)).first()
        if drop is None:
            raise CommandError(f"no drop {options['drop']}")
        found = services.plan_drop(
            drop=drop,
            request=asked,
            min_confidence=options["min_confidence"],
            min_novelty=options["min_novelty"],
        )
        return found.quota.plan

    def _report(self, works: list[dict[str, str]]) -> None:
        different = len({tuple(sorted(work.items())) for work in works})
        self.stdout.write(f"{len(works):,} works, {different:,} combinations of traits")
        for name in works[0]:
            counts = Counter(work[name] for work in works).most_common()
            told = ", ".join(f"{value} {n:,}" for value, n in counts)
            self.stdout.write(f"{name}: {told}")
