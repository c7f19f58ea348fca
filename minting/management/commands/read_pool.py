"""Have a Uniswap pool read for a collection."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from eth_utils.address import is_address

from generation.models import Collection
from minting import services
from minting.chain.client import ChainError
from minting.models import Pool


class Command(BaseCommand):
    help = "Name a Uniswap pool that concerns a collection; the indexer reads it from then on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="of the collection")
        parser.add_argument("address", help="of the pool")
        parser.add_argument("--kind", choices=Pool.Kind.values, required=True)
        parser.add_argument(
            "--from", type=int, dest="first", metavar="BLOCK", help="without it, from its creation"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        collection = Collection.objects.filter(slug=options["slug"]).first()
        if collection is None:
            raise CommandError(f"no collection {options['slug']}")
        if not is_address(options["address"]):
            raise CommandError(f"{options['address']} is no address")
        if options["first"] is not None and options["first"] < 1:
            raise CommandError("the first block is 1 or later")
        try:
            with services.connect() as node:
                pool = services.register_pool(
                    node=node,
                    collection=collection,
                    address=options["address"],
                    kind=options["kind"],
                    first_block=options["first"],
                )
        except (
            ValueError,
            services.PoolKnownError,
            services.CreationUnknownError,
            ChainError,
        ) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{pool.name}, {pool.get_kind_display()}, is read from block {pool.first_block} on"
        )
