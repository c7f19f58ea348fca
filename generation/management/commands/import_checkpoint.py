"""Bring in a generator that was trained elsewhere."""

import json
import shutil
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generation import services

STYLEGAN3, BIGGAN, OURS = (".pkl", ".pickle"), (".pth", ".pt", ".bin"), ".safetensors"


class Command(BaseCommand):
    help = (
        "Import a generator: safetensors, official StyleGAN3 pickles, BigGAN-deep state dicts. The "
        "file is read in a process with limits, converted once, and nothing in it is run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--name", required=True)
        parser.add_argument("--source", required=True, help="where it comes from, who trained it")
        parser.add_argument("--licence", required=True, help="SPDX identifier, or the terms")
        parser.add_argument("--config", type=Path, help="JSON that lies beside a BigGAN file")
        parser.add_argument("--parser", type=Path, help="a trait parser for its pictures")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        from generation.gan.checkpoint import load_generator
        from generation.gan.foreign.child import convert
        from generation.gan.foreign.placing import ForeignCheckpointError
        from generation.gan.header import CheckpointError

        source, licence = options["source"].strip(), options["licence"].strip()
        if not source or not licence:
            raise CommandError("--source and --licence say something, or there is no import")
        with tempfile.TemporaryDirectory(prefix="morphora-import-") as folder:
            ours = Path(folder) / "generator.safetensors"
            try:
                kind = self._kind(file)
                if kind == "ours":
                    shutil.copyfile(file, ours)
                else:
                    convert(kind, file, ours, self._config(options["config"]))
                generator = load_generator(ours)
                self._check_parser(options["parser"], generator.img_resolution)
                kept = services.keep_checkpoint(ours)
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(ours, kept)
                checkpoint = services.register_checkpoint(
                    name=options["name"],
                    path=kept,
                    parser_path=options["parser"],
                    source=source,
                    licence=licence,
                )
            except (CheckpointError, ForeignCheckpointError, OSError) as error:
                raise CommandError(str(error)) from error
        self.stdout.write(f"{checkpoint}: {generator.img_resolution} px, {checkpoint.architecture}")
        if not services.is_saleable(checkpoint):
            self.stdout.write(
                f"{licence!r} is not known to allow sales: away from the local chain its drops are "
                "free until a lead records a permission"
            )
        if options["parser"] is None:
            self.stdout.write(
                "without --parser nobody reads its pictures: its works have no traits"
            )

    def _kind(self, file: Path) -> str:
        from generation.gan.header import ARCHITECTURES, CheckpointError, read_metadata

        if file.suffix in STYLEGAN3:
            return "stylegan3"
        if file.suffix in BIGGAN:
            return "biggan"
        if file.suffix != OURS:
            raise CommandError(f"{file.name}: not a .safetensors, .pkl, .pth or .bin file")
        try:
            read_metadata(file, *ARCHITECTURES)
        except CheckpointError as error:
            if "architecture None" in error.reason:
                return "biggan"
            raise
        return "ours"

    def _config(self, path: Path | None) -> dict[str, Any] | None:
        if path is None:
            return None
        try:
            found: dict[str, Any] = json.loads(path.read_text())
        except json.JSONDecodeError as error:
            raise CommandError(f"{path.name} is not JSON: {error}") from error
        return found

    def _check_parser(self, path: Path | None, img_resolution: int) -> None:
        if path is None:
            return
        from generation.traits.parser import load_parser

        read = load_parser(path).img_resolution
        if read != img_resolution:
            raise CommandError(f"the parser reads {read} px, the generator draws {img_resolution}")
