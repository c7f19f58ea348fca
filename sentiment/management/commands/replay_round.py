"""Compute a round again from its bundle, which is all that is read."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

FAILED, UNREADABLE = 1, 2


class Command(BaseCommand):
    help = (
        "Compute what a round proposes from the inputs in its bundle, and compare it with what the "
        "bundle says: pass, fail, or not checkable and why, one line a check. No database, no "
        "network and no settings of an installation are used. Exit status: 0 nothing differs, 1 "
        "something does, 2 the file is no bundle."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="from `export_round` or /api/rounds/ID/bundle")

    def handle(self, *args: Any, **options: Any) -> None:
        from minting.verification import findings
        from sentiment.control import explain
        from sentiment.derivation import bundle
        from sentiment.derivation.replay import replay

        path = options["file"]
        try:
            told = bundle.read(path.read_bytes())
        except (OSError, ValueError) as error:
            raise CommandError(f"{path} is no bundle: {error}", returncode=UNREADABLE) from error
        if told["code_version"] != explain.code_version():
            self.stderr.write("warning: the bundle was made by another version of the code")
        found = replay(told)
        self.stdout.write(findings.table(found))
        if any(one.state == findings.State.FAIL for one in found):
            raise CommandError("the round does not replay", returncode=FAILED)
