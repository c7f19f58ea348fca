"""Import past sales of another collection from a CSV file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sentiment import services
from sentiment.market.history import HistoryError, PastSale, read_sales, read_traits


class Command(BaseCommand):
    help = "Import a CSV file of sales, all of it or nothing; a second time it adds nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="timestamp, token_id, price_eth, ...")
        parser.add_argument("--source", required=True, help="the name of where the file is from")
        parser.add_argument("--traits", type=Path, help="id and one column per attribute")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sales = _read(options["file"], options["traits"])
            added = services.import_history(
                source=options["source"],
                sales=sales,
                progress=lambda n: self.stderr.write(f"{n} sales stored"),
            )
        except (HistoryError, OSError, ValueError) as error:
            raise CommandError(f"nothing was imported:\n{error}") from error
        self.stdout.write(f"{added} of {len(sales)} sales are new under {options['source']}")


def _read(path: Path, traits_path: Path | None) -> list[PastSale]:
    traits = None
    if traits_path is not None:
        with traits_path.open(encoding="utf-8-sig", newline="") as lines:
            traits = read_traits(lines)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return read_sales(lines, traits)
