"""Find the latent directions of a checkpoint, and say what each does."""

from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from generation import services
from generation.gan.header import CheckpointError
from generation.models import Checkpoint, Direction

if TYPE_CHECKING:
    from generation.refinement import Found, Sample

PROGRESS_EVERY = 512
METHODS = [method.value for method in Direction.Method if method != Direction.Method.COMBINED]


class Command(BaseCommand):
    help = (
        "Directions of a checkpoint by linear classifiers on the parser's readings, SeFa and PCA, "
        "each with the share of its own value and what it does to the other attributes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "checkpoint", nargs="?", help="sha256 or its first digits; else the shipped"
        )
        parser.add_argument("--n", type=int, default=2000, help="works to learn from")
        parser.add_argument("--effect", type=int, default=96, help="works to measure on")
        parser.add_argument("--values", type=int, help="so many values of an attribute; else all")
        parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--save", action="store_true", help="keep them under their names")

    def handle(self, *args: Any, **options: Any) -> None:
        from generation import refinement

        if options["n"] < 50 or options["effect"] < 1 or options["seed"] < 0:
            raise CommandError("needs 50 works or more to learn from, 1 to measure on, a seed >= 0")
        checkpoint = self._checkpoint(options["checkpoint"])
        try:
            works = self._sample(checkpoint, options["n"], options["seed"])
        except (CheckpointError, refinement.UnreadableError) as error:
            raise CommandError(str(error)) from error
        self._print_head()
        for found in refinement.find_directions(
            works,
            methods=options["methods"],
            values_each=options["values"],
            n_effect=options["effect"],
        ):
            self._print(found)
            if options["save"]:
                self._save(checkpoint, found)

    def _checkpoint(self, asked: str | None) -> Checkpoint:
        if asked is None:
            return services.register_shipped_checkpoint()
        rows = list(Checkpoint.objects.filter(sha256__startswith=asked).order_by("pk")[:2])
        if len(rows) != 1:
            raise CommandError(f"{'no' if not rows else 'more than one'} checkpoint {asked}")
        return rows[0]

    def _sample(self, checkpoint: Checkpoint, n: int, seed: int) -> "Sample":
        from generation import refinement

        said = 0
        for works in refinement.sample(checkpoint, n, seed):
            if len(works.latents) - said >= PROGRESS_EVERY:
                said = len(works.latents)
                self.stderr.write(f"{said} of {n} works drawn and read")
        return works

    def _print_head(self) -> None:
        self.stdout.write(
            f"{'direction':26}{'spearman':>9}{'share at -3':>13}{'0':>6}{'3':>6}"
            f"{'leak':>7}  {'in':16}{'flips':>6}"
        )

    def _print(self, found: "Found") -> None:
        axis, effect = found.axis, found.effect
        own = " " * 34
        if found.own is not None:
            shares = effect.shares[axis.attribute][axis.value]
            low, middle, high = shares[0], shares[effect.strengths.index(0)], shares[-1]
            own = f"{found.own:9.3f}{low:13.2f}{middle:6.2f}{high:6.2f}"
        others = effect.leakage(axis.attribute)
        # An imported parser may know no other attribute.
        name, leak = next(iter(others.items()), ("", 0.0))
        flips = max((max(effect.flips[other]) for other in others), default=0.0)
        self.stdout.write(f"{axis.name:26}{own}{leak:7.2f}  {name:16}{flips:6.2f}")

    def _save(self, checkpoint: Checkpoint, found: "Found") -> None:
        try:
            services.save_direction(checkpoint=checkpoint, effect=found.effect, **vars(found.axis))
        except services.DirectionNameTakenError as error:
            self.stderr.write(f"not saved: {error}")
