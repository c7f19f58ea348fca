"""Compose layered art into a dataset."""

from argparse import ArgumentParser
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generation.imaging import compose
from generation.imaging.codec import ImageRefusedError
from generation.imaging.reader import DatasetError, Source
from generation.models import Dataset
from generation.services import compose_dataset

PROGRESS_EVERY = 1000


class Command(BaseCommand):
    help = (
        "Compose a folder or ZIP of layers (a folder per category of transparent PNGs) into a "
        "labelled dataset. File names carry weights (sky#3.png); layers.json the order, chances "
        "and rules."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--count", type=int, default=10_000, help="pictures, all different")
        parser.add_argument("--image-px", type=int, default=64, help="side of each picture in px")
        parser.add_argument("--seed", default="1")
        parser.add_argument("--name")
        parser.add_argument("--source", help="where the art comes from; layers.json may say it")
        parser.add_argument("--licence", help="SPDX name of its licence; layers.json may say it")

    def handle(self, *args: Any, path: Path, **options: Any) -> None:
        try:
            art = compose.read_layers(Source(path))
            wanted = {
                key: str(options[key] or art.about.get(key) or "") for key in ("source", "licence")
            }
            if missing := [key for key, value in wanted.items() if not value]:
                raise CommandError(f"say --{', --'.join(missing)} (or put it into layers.json)")
            dataset = compose_dataset(
                path=path,
                name=options["name"] or art.about.get("name") or path.stem,
                count=options["count"],
                image_px=options["image_px"],
                seed=options["seed"],
                say=partial(self._say, options["count"]),
                **wanted,
            )
        except (DatasetError, ImageRefusedError, ValueError) as error:
            raise CommandError(str(error)) from error
        self._summary(dataset)

    def _say(self, total: int, done: int) -> None:
        if done % PROGRESS_EVERY == 0 or done == total:
            self.stderr.write(f"{done} of {total} pictures composed")

    def _summary(self, dataset: Dataset) -> None:
        """How often each value came out: what the weights and rules really gave."""
        counts: dict[str, Counter[str]] = {name: Counter() for name in dataset.schema}
        for item in dataset.items():
            for name, value in item["attributes"].items():
                counts[name][value] += 1
        for name, found in counts.items():
            shares = (f"{v} {found[v] / dataset.n_items:.1%}" for v in dataset.schema[name])
            self.stdout.write(f"{name}: {', '.join(shares)}")
        self.stdout.write(f"{dataset.n_items} composed: dataset {dataset.digest}")
