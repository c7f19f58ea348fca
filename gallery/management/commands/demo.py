"""The demo collection, made once: checkpoint, collection, contract, and a first drop to render."""

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.db import transaction

from generation.models import Collection
from generation.services import (
    create_collection,
    open_drop,
    register_shipped_checkpoint,
    start_rendering,
)
from generation.shipped import SHIPPED
from minting.services import furnish_chain, request_deploy

SLUG = "portraits"
STORY = (
    "Portraits that nobody drew: a small network learned them from hand-drawn layers, and draws "
    "each drop anew. You vote on pairs; what you like becomes more likely in the next drop."
)


class Command(BaseCommand):
    help = "Create the lead's account, the checkpoints and the demo collection, where missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        size = int(os.environ.get("MORPHORA_DEMO_SIZE", "256"))
        parser.add_argument("--size", type=int, default=size, help="works in the first drop")

    @transaction.atomic
    def handle(self, *args: Any, size: int, **options: Any) -> None:
        if settings.LEAD_PASSWORD and not User.objects.filter(username="lead").exists():
            User.objects.create_superuser("lead", password=settings.LEAD_PASSWORD)
        checkpoint, *_ = [register_shipped_checkpoint(shipped) for shipped in SHIPPED]
        if Collection.objects.filter(slug=SLUG).exists():
            return
        collection = create_collection(
            slug=SLUG, name="Portraits", story=STORY, checkpoint=checkpoint
        )
        furnish_chain(contract=request_deploy(collection=collection))
        parameters = collection.parameter_sets.get()
        start_rendering(drop=open_drop(collection=collection, parameter_set=parameters, size=size))
