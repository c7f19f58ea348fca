"""Write a committed drop as the folder a stranger needs to check it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from minting import services
from minting.models import Commitment
from sentiment.services import bundle_before


class Command(BaseCommand):
    help = (
        "Write images, metadata and manifest of a committed drop, and the round that led to its "
        "parameters, complete or not at all."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", help="slug of a collection")
        parser.add_argument("number", type=int, help="number of a drop")
        parser.add_argument("--out", type=Path, required=True, help="a new or empty folder")

    def handle(self, *args: Any, **options: Any) -> None:
        slug, number = options["collection"], options["number"]
        commitment = (
            Commitment.objects.select_related("drop")
            .filter(collection__slug=slug, drop__number=number)
            .first()
        )
        if commitment is None:
            raise CommandError(f"drop {number} of {slug} is not committed")
        try:
            out = services.export_drop(
                commitment=commitment, out=options["out"], rounds=bundle_before(commitment.drop)
            )
            final = services.published(commitment)
        except (
            services.FolderNotEmptyError,
            services.ExportMismatchError,
            services.NotSealedError,
            OSError,
        ) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{final.count} works in {out}, root {final.root_cid}")
