"""Teach the network that a contract can hold."""

from argparse import ArgumentParser
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = (
        "Teach a network of 32 px that a contract can hold to draw as a generator does, and write "
        "its integers. Stopped or killed, the same call goes on where it was."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, required=True)
        parser.add_argument("--folder", type=Path, required=True, help="lessons and state")
        parser.add_argument("--teacher", type=Path, help="a generator; else the shipped one")
        parser.add_argument("--parser", type=Path, help="a parser of 32 px; else the shipped one")
        parser.add_argument("--colours", help="attributes that are colours, separated by commas")
        for name in ("lessons", "steps", "batch", "pictures", "seed"):
            parser.add_argument(f"--{name}", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        from generation.gan import teaching
        from generation.gan.checkpoint import load_generator
        from generation.gan.header import read_header, sha256_file
        from generation.shipped import ALIAS_FREE, PORTRAITS
        from generation.traits.parser import load_parser

        asked = {
            f.name: options[f.name] for f in fields(teaching.TeachingConfig) if options.get(f.name)
        }
        if options["colours"]:
            asked["colours"] = tuple(options["colours"].split(","))
        path = options["teacher"] or PORTRAITS.generator
        reader = options["parser"] or ALIAS_FREE.parser
        recipe = {
            "teacher": sha256_file(path),
            "parser": sha256_file(reader),
            "licence": read_header(path).recipe.get("licence", ""),
        }
        try:
            config = teaching.TeachingConfig(**asked)
            run = teaching.teach_student(
                load_generator(path), load_parser(reader), config, options["folder"]
            )
            for now in run:
                loss = "" if now.loss is None else f"  loss {now.loss:.4f}"
                self.stdout.write(f"{now.what} {now.done:,} of {now.total:,}{loss}")
        except ValueError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("stopped; the same call goes on", returncode=130) from None
        teaching.save_student(options["folder"], options["out"], recipe)
