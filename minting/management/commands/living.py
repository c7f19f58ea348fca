"""A collection that lives, on the local chain, as far as its first sale."""

import time
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from eth_utils.currency import to_wei

from generation.models import Checkpoint, Drop
from generation.services import create_collection, open_drop
from minting import revealing, services
from minting.chain.client import ChainError, Client
from minting.chain.exchange import Exchange, open_exchange
from minting.chain.node import LOCAL_CHAIN_ID
from minting.evolution import laws
from minting.evolution.laws import Choice
from minting.evolution.rules import Source
from minting.models import Pool
from minting.services import PoolKnownError

SLUG, NAME = "living-portraits", "Living portraits"
STORY = (
    "Drawn by the contract, 32 pixels wide. Sales, votes, stakes, whoever holds them, and their "
    "liquidity in a pool move them, by a law that nobody can change."
)
PERIOD_S = 60  # a day where works are worth something; a minute, to see it
LOOK_S = 0.5
SALE = timedelta(days=7)


class Command(BaseCommand):
    help = (
        "On the local chain, beside `make up`: a collection whose contract draws its works, which "
        "trades in a Uniswap v3 pool move, too; opens its first sale. The same call again goes on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--size", type=int, default=24, help="works in the first drop")
        parser.add_argument("--price-eth", type=Decimal, default=Decimal("0.01"))
        parser.add_argument("--patience", type=float, default=180, help="seconds for each step")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with services.connect() as node:
                node.check_chain(LOCAL_CHAIN_ID)
                drop = self._drop(node, options["size"])
                self._commit(drop, options["patience"])
                self._open(drop, to_wei(options["price_eth"], "ether"), options["patience"])
                self._show_pool(node, drop)
        except ChainError as error:
            raise CommandError(f"needs the local chain of `make up`: {error}") from error
        self.stdout.write(
            f"{drop.size} works are on sale at {settings.PUBLIC_URL}/collections/{SLUG}. Mint them "
            "with a trial wallet, or have `manage.py community` do it; once they are sold out, "
            "their secret is told, and they begin to move."
        )

    def _drop(self, node: Client, size: int) -> Drop:
        found = Drop.objects.filter(collection__slug=SLUG).order_by("number").first()
        if found is not None:
            return found
        self.stdout.write("opening a Uniswap v3 pool")
        exchange = open_exchange(node, settings.NODE_MODULES)
        with transaction.atomic():
            collection = create_collection(slug=SLUG, name=NAME, story=STORY, checkpoint=_teacher())
            services.plan_contract(collection=collection, law=_law(exchange))
            return open_drop(
                collection=collection,
                parameter_set=collection.parameter_sets.get(),
                size=size,
                kind=Drop.Kind.ON_THE_FLY,
            )

    def _commit(self, drop: Drop, patience_s: float) -> None:
        if drop.state == Drop.State.DRAFT:
            block = revealing.choose_block()
            services.request_living_commit(drop=drop, reveal_block=block)
            services.furnish_chain(contract=services.request_deploy(collection=drop.collection))
        self._wait(
            lambda: _state(drop) != Drop.State.DRAFT, "its contracts and its commitment", patience_s
        )

    def _open(self, drop: Drop, price_wei: int, patience_s: float) -> None:
        drop.refresh_from_db()
        if drop.state == Drop.State.COMMITTED:
            now = timezone.now()
            phases = services.public_sale(
                price_wei=price_wei, max_per_transaction=5, start=now, end=now + SALE
            )
            final_by = int((now + 2 * SALE).timestamp())
            services.request_open_sale(drop=drop, phases=phases, final_by=final_by)
        self._wait(
            lambda: _state(drop) not in (Drop.State.DRAFT, Drop.State.COMMITTED),
            "its sale",
            patience_s,
        )

    def _show_pool(self, node: Client, drop: Drop) -> None:
        """Have the pool of the law read, so that the market's page shows it."""
        collection = drop.collection
        rules = services.law_of(collection.contract).rules
        for rule in rules:
            if rule.source == Source.POSITION:
                with suppress(PoolKnownError):
                    services.register_pool(
                        node=node, collection=collection, address=rule.pool, kind=Pool.Kind.V3
                    )

    def _wait(self, is_there: Callable[[], bool], what: str, patience_s: float) -> None:
        self.stdout.write(f"waiting for {what}")
        until = time.monotonic() + patience_s
        while not is_there():
            if time.monotonic() > until:
                raise CommandError(f"{what} did not come in {patience_s:.0f} s: is `make up` on?")
            wait(LOOK_S)


def wait(seconds: float) -> None:
    time.sleep(seconds)


def _state(drop: Drop) -> str:
    return Drop.objects.values_list("state", flat=True).get(pk=drop.pk)


def _teacher() -> Checkpoint:
    """The generator that taught the network of the contract."""
    for checkpoint in services.teachers():
        return checkpoint
    raise CommandError("no checkpoint here taught a network that fits a contract")


def _law(exchange: Exchange) -> dict[str, Any]:
    """Every source but a v2 pool's shares; what changes most often goes along what shows most."""
    peers = exchange.venue.manager, exchange.venue.pool
    return laws.plan(
        [
            Choice(Source.POSITION, "fuller hair", 10, *peers),
            Choice(Source.VOLUME, "another posture"),
            Choice(Source.INTERACTIONS, "a tilted head"),
            Choice(Source.VOTES, "wider shoulders"),
            Choice(Source.STAKE, "other features"),
        ],
        PERIOD_S,
    )
