"""Have what token-bound accounts need created on the chain."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from minting import services
from minting.chain.client import ChainError
from minting.models import Contract


class Command(BaseCommand):
    help = "Create ERC-6551's registry and the account that works get, where the chain lacks them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="of a collection, whose transactions they are listed with")

    def handle(self, *args: Any, **options: Any) -> None:
        contract = Contract.objects.filter(collection__slug=options["slug"]).first()
        if contract is None:
            raise CommandError(f"no contract of a collection {options['slug']}")
        try:
            with services.connect() as node:
                requested = services.request_accounts(contract=contract, node=node)
        except ChainError as error:
            raise CommandError(str(error)) from error
        for address in requested:
            self.stdout.write(f"{address} is on its way")
        if not requested:
            self.stdout.write("the chain has both already")
