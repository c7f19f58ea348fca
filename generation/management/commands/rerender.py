"""Draw works of a drop again and say whether they come out as they are stored."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generation.imaging import difference as tolerance
from generation.imaging.codec import ImageRefusedError
from generation.models import Drop

PROGRESS_EVERY = 320


class Command(BaseCommand):
    help = (
        "Draw works again from seed, parameters and checkpoint, and compare samples with the "
        "stored files. The same machine and versions give the same bytes; elsewhere rounding may "
        "differ, and what counts is the tolerance. Fails if a picture is outside it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="slug of a collection")
        parser.add_argument("number", type=int, help="number of a drop")
        parser.add_argument("--every", type=int, default=1, help="only every Nth work")
        parser.add_argument(
            "--levels", type=int, default=tolerance.MAX_LEVELS, help="of 255 a sample may be off"
        )
        parser.add_argument(
            "--mean-levels", type=float, default=tolerance.MAX_MEAN_LEVELS, help="of 255 on average"
        )
        parser.add_argument("--json", type=Path, help="also write the differences here")

    def handle(self, *args: Any, **options: Any) -> None:
        from generation import rendering

        drops = Drop.objects.select_related("checkpoint", "parameter_set")
        slug, number = options["collection"], options["number"]
        drop = drops.filter(collection__slug=slug, number=number).first()
        if drop is None:
            raise CommandError(f"no drop {number} of {slug}")
        if options["every"] < 1:
            raise CommandError(f"--every {options['every']}: 1 or more is asked for")
        works = list(drop.artworks.in_order())[:: options["every"]]
        rows = []
        try:
            for work, found in rendering.draw_again(drop, works):
                is_same = found.is_within(options["levels"], options["mean_levels"])
                rows.append({"index": work.index, "is_within": is_same, **vars(found)})
                if len(rows) % PROGRESS_EVERY == 0:
                    self.stderr.write(f"{len(rows)} of {len(works)} works drawn")
        except (ImageRefusedError, FileNotFoundError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            options["json"].write_text(json.dumps(rows, indent=1) + "\n")
        self._report(rows, options)

    def _report(self, rows: list[dict[str, Any]], options: dict[str, Any]) -> None:
        exact = sum(row["largest"] == 0 for row in rows)
        outside = [row["index"] for row in rows if not row["is_within"]]
        self.stdout.write(
            f"{len(rows):,} works: {exact:,} sample for sample the same, "
            f"{len(rows) - exact - len(outside):,} within {options['levels']} levels of 255 a "
            f"sample and {options['mean_levels']} on average, {len(outside):,} outside"
        )
        if outside:
            raise CommandError(f"not as stored: {', '.join(map(str, outside[:20]))}")
