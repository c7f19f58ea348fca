"""Read the chain's logs again, from a block on."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from minting import indexer, services
from minting.chain.client import ChainError
from minting.models import Contract, Governance, Pool, Source

# A line of progress is written this often at most.
EVERY_S = 1.0


class Command(BaseCommand):
    help = (
        "Drop what was read of the chain from a block on and read it again; ends an alarm. Stopped "
        "at any time, rows and cursors agree, and the indexer reads on from there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--contract", help="its address, a pool's or a governor's; without it, all are read"
        )
        parser.add_argument(
            "--resume", action="store_true", help="drop nothing, read on from where it stands"
        )
        parser.add_argument(
            "--from", type=int, dest="first", metavar="BLOCK", help="without it, from the creation"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        source = _find(options["contract"]) if options["contract"] else None
        chain_id = settings.CHAIN_ID
        first = options["first"]
        if first is None:
            first = services.first_block(chain_id=chain_id, source=source)
        if first < 1:
            raise CommandError("there is no block of ours to read from")
        self._said_at = 0.0
        try:
            if not options["resume"]:
                self._drop(chain_id, first, source)
            services.clear_alarms(chain_id=chain_id, now=timezone.now())
            indexer.poll(self._report)
        except KeyboardInterrupt:
            raise CommandError("stopped; the indexer reads on from the cursor") from None
        except (ChainError, services.ForkError, services.UnknownTokenError) as error:
            raise CommandError(str(error)) from error
        for row in services.index_progress():
            self.stderr.write(f"{row.address}: block {row.number} of {row.head}")

    def _drop(self, chain_id: int, first: int, source: Source | None) -> None:
        at = None
        try:
            for at in services.drop_rows(chain_id=chain_id, first=first, source=source):
                self._say(f"dropped down to block {at}", is_last=at == first)
        except KeyboardInterrupt:
            reached = "nothing was dropped" if at is None else f"dropped down to block {at}"
            raise CommandError(f"stopped; {reached}; the same call goes on") from None

    def _report(self, source: Source, number: int, head: int) -> None:
        self._say(f"{source}: block {number} of {head}", is_last=number == head)

    def _say(self, line: str, *, is_last: bool) -> None:
        if is_last or time.monotonic() - self._said_at > EVERY_S:
            self._said_at = time.monotonic()
            self.stderr.write(line)


def _find(address: str) -> Source:
    contracts = Contract.objects.deployed().filter(chain_id=settings.CHAIN_ID)
    pools = Pool.objects.filter(chain_id=settings.CHAIN_ID)
    for rows in (contracts, pools):
        for source in rows.filter(address__iexact=address):
            return source
    governments = Governance.objects.select_related("contract")
    for government in governments.filter(
        contract__chain_id=settings.CHAIN_ID, governor__iexact=address
    ):
        return government
    raise CommandError(f"no contract or pool of ours, and no governor, is at {address}")
