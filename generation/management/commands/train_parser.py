"""Train the trait parser of a dataset."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generation.models import Dataset


class Command(BaseCommand):
    help = "Train the trait parser on true labels and report its accuracy on a held-out tenth."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dataset", help="digest of a dataset, or its first digits")
        parser.add_argument("--out", type=Path, required=True)
        parser.add_argument("--epochs", type=int, default=16)
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, out: Path, **options: Any) -> None:
        from generation import training
        from generation.gan.header import read_report

        dataset = Dataset.objects.filter(digest__startswith=options["dataset"]).first()
        if dataset is None:
            raise CommandError(f"no dataset {options['dataset']}")
        if not dataset.schema:
            raise CommandError(f"{dataset} is not labelled: there is nothing to read in it")
        epochs = options["epochs"]
        for epoch, loss in training.train_parser(
            dataset=dataset, out=out, epochs=epochs, seed=options["seed"]
        ):
            self.stdout.write(f"epoch {epoch} of {epochs}  loss {loss:.3f} nats")
        self.stdout.write(f"held out: {read_report(out)['held_out_accuracy']}")
