"""Run the loop without a person."""

import json
import logging
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from generation.models import Collection
from generation.services import HeldError, create_collection, register_shipped_checkpoint
from minting.chain import node
from minting.chain.client import Client
from minting.services import furnish_chain, request_deploy
from sentiment.management.loop import Loop
from sentiment.management.wallets import fund, wallets
from sentiment.preference.features import options
from sentiment.simulation import community

MAX_VOTERS = 50  # an address may sign in 60 times a minute


class Command(BaseCommand):
    help = "Run drops end to end on the local chain with simulated voters; writes one JSON report."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--drops", type=int, default=2)
        parser.add_argument("--size", type=int, default=60, help="works a drop")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--voters", type=int, default=24)
        parser.add_argument("--votes", type=int, default=12, help="votes a voter and drop")
        parser.add_argument("--sales", type=int, default=24, help="works offered on a drop")
        parser.add_argument("--json", type=Path, help="where the report goes; else to the output")
        parser.add_argument("--no-steering", action="store_true", help="keep the first parameters")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.CHAIN_ID != node.LOCAL_CHAIN_ID:
            raise CommandError(f"the loop runs on chain {node.LOCAL_CHAIN_ID} only")
        if options["drops"] < 1 or options["size"] < 2 or not 1 <= options["voters"] <= MAX_VOTERS:
            raise CommandError(f"needs a drop, two works and 1 to {MAX_VOTERS} voters")
        if options["sales"] < 0:
            raise CommandError("there cannot be fewer than no sales")
        logging.getLogger("generation.progress").setLevel(logging.ERROR)  # no page is open
        call_command("migrate", verbosity=0)
        with ExitStack() as stack:
            if not node.answers(settings.CHAIN_RPC_URL):
                stack.enter_context(self._own_node())
            try:
                report = self._run(options)
            except HeldError as error:  # a person would exchange works, or say why not
                raise CommandError(str(error)) from error
        text = json.dumps(report, indent=2) + "\n"
        if options["json"]:
            options["json"].write_text(text)
        else:
            self.stdout.write(text)

    def _own_node(self) -> Any:
        port = urlsplit(settings.CHAIN_RPC_URL).port
        state = Path(settings.VAR_DIR) / "chain" / "state.json"
        return node.running(node.anvil(settings.NODE_MODULES), port or 8545, state)

    def _run(self, asked: dict[str, Any]) -> dict[str, Any]:
        seed = asked["seed"]
        collection = self._collection(seed)
        furnish_chain(contract=request_deploy(collection=collection))
        made = wallets(seed, asked["voters"])
        with Client(settings.CHAIN_RPC_URL) as client:
            fund(client, made)
        n_features = len(options(collection.checkpoint.schema))
        loop = Loop(
            collection=collection,
            community=community.draw(n_features, len(made), np.random.default_rng(seed)),
            wallets=made,
            policy=self._policy(),
            seed=seed,
            size=asked["size"],
            votes_per_wallet=asked["votes"],
            n_sales=asked["sales"],
            steer=not asked["no_steering"],
            say=self.stderr.write,
        )
        turns = [loop.turn(number) for number in range(1, asked["drops"] + 1)]
        return {"collection": collection.slug, "drops": turns}

    def _collection(self, seed: int) -> Collection:
        base = f"loop-{seed}"
        taken = set(Collection.objects.filter(slug__startswith=base).values_list("slug", flat=True))
        names = [base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))]
        return create_collection(
            slug=next(name for name in names if name not in taken),
            name=f"Loop {seed}",
            story="Made by the loop command, with simulated voters.",
            checkpoint=register_shipped_checkpoint(),
        )

    def _policy(self) -> User:
        policy, made = User.objects.get_or_create(username="policy", defaults={"is_staff": True})
        if made:
            policy.set_unusable_password()
            policy.save(update_fields=["password"])
        return policy
