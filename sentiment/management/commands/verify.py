"""Check a collection, a drop or a token from public data alone: a node, and the drop's files."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from eth_utils.address import is_address

from generation.shipped import ONCHAIN
from minting.chain.client import Client

FAILED, UNUSABLE = 1, 2


class Command(BaseCommand):
    help = (
        "Check what a contract and a drop's files say about each other: pass, fail, or not "
        "checkable and why, one line a check. No database, no media folder and no settings of an "
        "installation are used. Exit status: 0 nothing failed, 1 something did, 2 the question "
        "or the node is unusable."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rpc", required=True, help="URL of a node of the chain")
        parser.add_argument("--contract", required=True, help="address of the collection")
        parser.add_argument("--token", type=int, help="only this work, and the drop it is in")
        parser.add_argument("--drop", type=int, help="only this drop, by its number on chain")
        parser.add_argument(
            "--car", type=Path, action="append", default=[], help="a drop's CAR file; repeatable"
        )
        parser.add_argument(
            "--round",
            type=Path,
            action="append",
            default=[],
            help="bundle of a round that led to a drop; repeatable. Those in `rounds` beside a CAR "
            "are found",
        )
        parser.add_argument(
            "--snapshot",
            type=Path,
            action="append",
            default=[],
            help="what an epoch of levels was computed from; repeatable",
        )
        parser.add_argument(
            "--moved",
            type=Path,
            action="append",
            default=[],
            help="what is told of a work's large pictures after epochs, or a folder of such files; "
            "repeatable. Pictures beside them, named by their sha256, are compared by sample",
        )
        parser.add_argument(
            "--student",
            type=Path,
            default=ONCHAIN,
            help="the small generator that the contract paints with (the shipped one)",
        )
        parser.add_argument("--checkpoint", type=Path, help="the generator, to draw works again")
        parser.add_argument("--parser", type=Path, help="the parser, to read traits again")
        parser.add_argument(
            "--sample", type=int, help="how many works to draw again (32); the newest block chooses"
        )
        parser.add_argument(
            "--from-block", type=int, default=0, help="where the contract's events begin"
        )
        parser.add_argument(
            "--block", type=int, help="as of this block; the node has to know its state"
        )
        parser.add_argument("--json", action="store_true", help="findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        from minting.verification import findings, run
        from minting.verification.node import UnreadableError
        from sentiment.derivation.committed import Rounds

        request = self._request(options)
        rounds = Rounds(self._rounds(options))
        with Client(options["rpc"]) as client:
            try:
                found = run.verify(client, request, self._tell, rounds.check) + rounds.unused()
            except (UnreadableError, ValueError) as error:
                raise CommandError(str(error), returncode=UNUSABLE) from error
        if options["json"]:
            self.stdout.write(json.dumps([one.to_json() for one in found], indent=1))
        else:
            self.stdout.write(findings.table(found))
        counts = {state: sum(one.state == state for one in found) for state in findings.State}
        self.stderr.write(", ".join(f"{n} {state}" for state, n in counts.items()))
        if counts[findings.State.FAIL]:
            raise CommandError("not everything is as it should be", returncode=FAILED)

    def _rounds(self, options: dict[str, Any]) -> dict[str, Any]:
        """Bundles by file: those that were named, and those in exported folders."""
        from sentiment.derivation import bundle

        beside = [sorted((car.parent / "rounds").glob("*.json")) for car in options["car"]]
        paths = [*options["round"], *(path for paths in beside for path in paths)]
        found = {}
        for path in paths:
            try:
                found[str(path)] = bundle.read(path.read_bytes())
            except (OSError, ValueError) as error:
                why = f"{path} is no bundle of a round: {error}"
                raise CommandError(why, returncode=UNUSABLE) from error
        return found

    def _request(self, options: dict[str, Any]) -> Any:
        from minting.verification.run import Request

        if not is_address(options["contract"]):
            raise CommandError(f"{options['contract']!r} is no address", returncode=UNUSABLE)
        files = [*options["car"], *options["snapshot"], options["student"]]
        files += [options["checkpoint"], options["parser"]]
        files += [path for path in options["moved"] if not path.is_dir()]
        for path in files:
            if path is not None and not path.is_file():
                raise CommandError(f"{path} is no file", returncode=UNUSABLE)
        for name in ("token", "drop", "sample", "from_block", "block"):
            if options[name] is not None and options[name] < 0:
                raise CommandError(f"{name} is negative", returncode=UNUSABLE)
        return Request(
            contract=options["contract"].lower(),
            cars=options["car"],
            checkpoint=options["checkpoint"],
            parser=options["parser"],
            token=options["token"],
            drop=options["drop"],
            sample=options["sample"],
            snapshots=options["snapshot"],
            moved=options["moved"],
            student=options["student"],
            first_block=options["from_block"],
            block=options["block"],
        )

    def _tell(self, text: str) -> None:
        self.stderr.write(text)
