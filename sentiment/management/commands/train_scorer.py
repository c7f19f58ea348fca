"""Train a scorer of comments."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from sentiment.text import classifier, minilm

COLUMNS = {"comment", "sentiment", "thread"}
SIDES = {"positive": True, "negative": False}


class Command(BaseCommand):
    help = (
        "Train a scorer of comments on a CSV with columns comment, sentiment (Positive or "
        "Negative) and thread, and measure it on threads that it has not seen. COMMENT_SCORER "
        "names the file that new comments are read with."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--out", type=Path, required=True)
        parser.add_argument(
            "--minilm",
            action="store_true",
            help="learn from what sentences mean, not from words; needs the extra minilm",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            said = self._sentences(**options) if options["minilm"] else self._words(**options)
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(said)

    def _words(self, *, file: Path, out: Path, **options: Any) -> str:
        scorer = classifier.train(*read(file))
        classifier.save(scorer, out)
        return f"{scorer.name}: {scorer.measured}, {len(scorer.terms):,} terms"

    def _sentences(self, *, file: Path, out: Path, **options: Any) -> str:
        scorer = minilm.train(*read(file))
        minilm.save(scorer, out)
        return f"{scorer.name}: {scorer.measured}"


def read(file: Path) -> tuple[list[str], np.ndarray[Any, np.dtype[np.bool_]], list[str]]:
    """Texts, whether they like what they are about, and their threads."""
    with file.open(newline="", encoding="utf-8") as lines:
        rows = csv.DictReader(lines)
        missing = COLUMNS - set(rows.fieldnames or [])
        if missing:
            raise ValueError(f"{file.name} has no column {', '.join(sorted(missing))}")
        found = list(rows)
    sides = [SIDES.get(str(row["sentiment"]).strip().lower()) for row in found]
    if None in sides:
        raise ValueError(f"row {sides.index(None) + 1} is neither Positive nor Negative")
    texts, threads = ([row[name] for row in found] for name in ("comment", "thread"))
    return texts, np.array(sides, np.bool_), threads
