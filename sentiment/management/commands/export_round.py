"""Write a closed round as the one file that a stranger needs to compute it again."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sentiment import services
from sentiment.models import Round


class Command(BaseCommand):
    help = "Write a closed round's bundle: inputs, tally, what followed and what was decided."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="slug of a collection")
        parser.add_argument("number", type=int, help="number of the drop that was voted on")
        parser.add_argument("--out", type=Path, help="a file; without it, the output")

    def handle(self, *args: Any, **options: Any) -> None:
        slug, number, out = options["collection"], options["number"], options["out"]
        found = Round.objects.filter(drop__collection__slug=slug, drop__number=number).first()
        if found is None:
            raise CommandError(f"drop {number} of {slug} has no round")
        try:
            raw = services.round_bundle(round=found)
            if out is None:
                self.stdout.write(raw.decode())
                return
            temporary = out.with_name(f".{out.name}.part")
            temporary.write_bytes(raw)
            temporary.replace(out)
        except (services.NoBundleError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{len(raw):,} bytes in {out}")
