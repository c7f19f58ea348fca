"""Measure a checkpoint against its parser and its art."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from generation import services
from generation.gan.header import CheckpointError, read_header, sha256_file
from generation.models import Checkpoint, Dataset
from generation.shipped import PORTRAITS

if TYPE_CHECKING:
    from generation.evaluation import Evaluation

PROGRESS_EVERY = 500


class Command(BaseCommand):
    help = (
        "Agreement of requested and parsed traits, and KID, precision, recall, density and "
        "coverage on the trait parser's features, where the dataset is imported. The figures of a "
        "known checkpoint stand on its page from then on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "checkpoint", nargs="?", help="sha256, its first digits, or a file; else the shipped"
        )
        parser.add_argument("--parser", type=Path, help="the parser, where a file is given")
        parser.add_argument("--dataset", help="digest; else the one the checkpoint was trained on")
        parser.add_argument("--samples", type=int, default=5000)
        parser.add_argument("--psi", type=float, default=1.0, help="truncation, 0 to 1")
        parser.add_argument(
            "--inception",
            type=Path,
            help="weights of the 2015-12-05 Inception network (state dict): adds FID",
        )
        parser.add_argument("--json", type=Path, help="also write the figures here")

    def handle(self, *args: Any, **options: Any) -> None:
        from generation import evaluation

        if options["samples"] < 50 or not 0 <= options["psi"] <= 1:
            raise CommandError("needs 50 samples or more, and psi from 0 to 1")
        path, parser_path = self._files(options)
        inception: Path | None = options["inception"]
        try:
            dataset = self._dataset(options["dataset"], read_header(path).recipe.get("dataset"))
            if inception is not None:
                self._check_inception(inception, dataset)
            pairs = []
            for pair in evaluation.draw(path, options["samples"], options["psi"]):
                pairs.append(pair)
                if len(pairs) % PROGRESS_EVERY == 0:
                    self.stderr.write(f"{len(pairs)} of {options['samples']} pictures drawn")
        except CheckpointError as error:
            raise CommandError(str(error)) from error
        import numpy as np

        pictures = np.stack([picture for _, picture in pairs])
        found = evaluation.evaluate(
            requested=[asked for asked, _ in pairs],
            pictures=pictures,
            parser_path=parser_path,
            dataset=dataset,
        )
        self._print(found, dataset)
        figures = asdict(found) | {"psi": options["psi"], "parser_sha256": sha256_file(parser_path)}
        figures["dataset"] = dataset.digest if dataset is not None else None
        if inception is not None and dataset is not None:
            figures["fid"] = evaluation.fid(pictures, dataset, inception)
            self.stdout.write(
                f"FID {figures['fid']:.2f}, {len(pictures)} pictures against {dataset.n_items} of "
                f"the art, by {inception.name} (sha256 {sha256_file(inception)[:16]})"
            )
        row = Checkpoint.objects.filter(sha256=sha256_file(path)).first()
        if row is not None:
            services.record_measurement(checkpoint=row, figures=figures)
        if options["json"]:
            options["json"].write_text(json.dumps(figures, indent=2) + "\n")

    def _check_inception(self, path: Path, dataset: Dataset | None) -> None:
        """Before an hour of drawing: refuse what could not be measured with afterwards."""
        from generation.gan.inception import load_inception

        if dataset is None:
            raise CommandError("--inception needs the dataset: import_dataset, then --dataset")
        load_inception(path)

    def _files(self, options: dict[str, Any]) -> tuple[Path, Path]:
        asked, parser_path = options["checkpoint"], options["parser"]
        if asked is None:
            return PORTRAITS.generator, parser_path or PORTRAITS.parser
        if Path(asked).is_file():
            if parser_path is None:
                raise CommandError("a file needs --parser beside it")
            return Path(asked), parser_path
        rows = list(Checkpoint.objects.filter(sha256__startswith=asked).order_by("pk")[:2])
        if len(rows) != 1:
            raise CommandError(f"{'no' if not rows else 'more than one'} checkpoint {asked}")
        return Path(rows[0].path), parser_path or Path(rows[0].parser_path)

    def _dataset(self, asked: str | None, trained_on: str | None) -> Dataset | None:
        if asked is not None:
            found = Dataset.objects.filter(digest__startswith=asked).order_by("pk").first()
            if found is None:
                raise CommandError(f"no dataset {asked}")
            return found
        return Dataset.objects.filter(digest=trained_on or "").first()

    def _print(self, found: "Evaluation", dataset: Dataset | None) -> None:
        write = self.stdout.write
        write(f"{'attribute':16}{'agreement':>10}{'parser, held out':>18}")
        for name, share in found.agreement.items():
            write(f"{name:16}{share:10.3f}{found.held_out.get(name, float('nan')):18.3f}")
        write(
            f"{found.n_different} of {found.n} pictures differ, "
            f"{found.n_near_duplicates} look like an earlier one"
        )
        for name, values in found.absent.items():
            write(f"{name}: no picture shows {', '.join(values)}")
        if dataset is None or found.fidelity is None:
            write("KID and its kin need the dataset: import_dataset, then --dataset DIGEST")
            return
        scores = found.fidelity
        write(f"on the parser's features, against {min(found.n, dataset.n_items)} of {dataset}:")
        write(f"  KID-traits {scores.kid:.4f}")
        write(f"  precision {scores.precision:.3f}  recall {scores.recall:.3f}")
        write(f"  density {scores.density:.3f}  coverage {scores.coverage:.3f}")
        if found.nearest is not None:
            write(f"  nearest art, over art to art: {found.nearest:.2f} (1: as art)")
