"""Open a Uniswap v3 pool on the local chain, give a wallet a position, and trade."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from minting import services
from minting.chain.client import ChainError
from minting.chain.exchange import open_exchange
from minting.chain.node import LOCAL_CHAIN_ID


class Command(BaseCommand):
    help = (
        "A Uniswap v3 pool on the local chain, for laws that liquidity moves works by: prints what "
        "the law needs, gives --wallet a position, trades past its end and back, --rounds times."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wallet", help="an address that gets a position")
        parser.add_argument("--rounds", type=int, default=0)
        parser.add_argument("--every", type=float, default=5.0, help="seconds between trades")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with services.connect() as node:
                node.check_chain(LOCAL_CHAIN_ID)
                exchange = open_exchange(node, settings.NODE_MODULES)
                self.stdout.write(f"v3 position manager {exchange.venue.manager}")
                self.stdout.write(f"v3 pool {exchange.venue.pool}")
                if options["wallet"]:
                    number = exchange.add_position(options["wallet"])
                    self.stdout.write(f"position {number} is {options['wallet']}'s")
                for n in range(options["rounds"]):
                    got_wei = exchange.leave()
                    self.stdout.write(f"round {n + 1}: no trade meets positions around 1 now")
                    time.sleep(options["every"])
                    exchange.come_back(got_wei)
                    self.stdout.write(f"round {n + 1}: the price is 1 again")
                    time.sleep(options["every"])
        except ChainError as error:
            raise CommandError(f"on chain {LOCAL_CHAIN_ID} only: {error}") from error
