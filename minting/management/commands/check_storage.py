"""Look for the files of drops, all of them, now."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generation.models import Drop
from minting import inspecting, services
from minting.models import StorageRound, StoredWork

MAX_LINES = 50


class Command(BaseCommand):
    help = (
        "Fetch what the tokenURI of each final work names, by the gateways that are set, and hash "
        "it; hash our own files, too. Exit status 1 if anything is missing, wrong or out of reach."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", nargs="?", help="slug of a collection; all without it")
        parser.add_argument("number", nargs="?", type=int, help="number of a drop; all without it")

    def handle(self, *args: Any, **options: Any) -> None:
        drops = Drop.objects.committed().select_related("collection").order_by("pk")
        if options["collection"]:
            drops = drops.filter(collection__slug=options["collection"])
        if options["number"] is not None:
            drops = drops.filter(number=options["number"])
        failed = [one for drop in drops if (one := self._check(drop))]
        if not drops:
            raise CommandError("no such drop is committed")
        if failed:
            raise CommandError("; ".join(failed))

    def _check(self, drop: Drop) -> str:
        """Look at one drop; what is wrong with it in a sentence, nothing if all is well."""
        name = f"{drop.collection.slug} {drop.number}"
        round = inspecting.look_now(drop, self._tell)
        if round is None:
            self.stdout.write(f"{name}: its works are not final yet")
            return ""
        found = services.storage_of(drop)
        asked = f"gateways {found.n_remote}" if found.n_asked else "no gateway is set"
        self.stdout.write(
            f"{name}: {found.n_checked} of {found.n_works} works, our store {found.n_own}, {asked}"
        )
        rows = StoredWork.objects.filter(drop=drop).with_trouble().in_order()
        for row in rows[:MAX_LINES]:
            self.stdout.write(_line(row))
        if found.n_trouble > MAX_LINES:
            self.stdout.write(f"    … and {found.n_trouble - MAX_LINES} more")
        if round.finished_at is None:
            return f"{name}: {round.says or 'the round is not over'}"
        if found.n_trouble:
            return f"{name}: {found.n_trouble} of {found.n_works} works are not as they should be"
        return ""

    def _tell(self, round: StorageRound) -> None:
        self.stderr.write(f"up to {round.next_token_id}")


def _line(row: StoredWork) -> str:
    remote = f"gateway {row.remote}" if row.remote else "gateway not asked"
    why = ", ".join(part for part in (row.file, row.why) if part)
    return f"{row.token_id:>5}  our store {row.own}, {remote}: {why}"
