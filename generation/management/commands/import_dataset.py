"""Read labelled pictures into a dataset."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generation.imaging.codec import ImageRefusedError
from generation.imaging.reader import DatasetError, Source, read_items
from generation.services import import_dataset


class Command(BaseCommand):
    help = (
        "Import a folder or ZIP of pictures as a dataset: labelled by attributes.csv or "
        "attributes.json, or unlabelled without."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--name")
        parser.add_argument("--source", help="where the art comes from; dataset.json may say it")
        parser.add_argument("--licence", help="SPDX name of its licence; dataset.json may say it")
        parser.add_argument("--image-px", type=int, help="side of each picture in px")

    def handle(self, *args: Any, path: Path, **options: Any) -> None:
        try:
            opened = Source(path)
            said = json.loads(opened.read("dataset.json")) if opened.has("dataset.json") else {}
            wanted: dict[str, Any] = {
                key: options[key] or said.get(key)
                for key in ("name", "source", "licence", "image_px")
            }
            if missing := [key.replace("_", "-") for key, value in wanted.items() if not value]:
                raise CommandError(f"say --{', --'.join(missing)} (or put it into dataset.json)")
            shared = {key: wanted[key] for key in ("source", "licence", "image_px")}
            items = read_items(path, **shared)
            dataset, refused = import_dataset(items=items, schema=said.get("attributes"), **wanted)
        except (DatasetError, ImageRefusedError, ValueError) as error:
            raise CommandError(str(error)) from error
        for refusal in refused:
            self.stderr.write(f"refused {refusal.name}: {refusal.reason}")
        taken = f"{dataset.n_items} taken, {len(refused)} refused"
        self.stdout.write(f"{taken}: dataset {dataset.digest}")
