"""The demo is made once; what a later version ships joins an installation that has it."""

import pytest
from django.core.management import call_command

from generation.models import Checkpoint, Collection, Job
from generation.services import create_collection, register_shipped_checkpoint
from generation.shipped import SHIPPED

pytestmark = pytest.mark.django_db


def test_an_older_installation_gets_every_shipped_checkpoint_and_nothing_twice() -> None:
    oldest = register_shipped_checkpoint()
    create_collection(slug="portraits", name="Portraits", story="", checkpoint=oldest)
    Checkpoint.objects.update(measured={})

    call_command("demo")
    call_command("demo")

    cards = {shipped.card["name"]: shipped.card["measured"] for shipped in SHIPPED}
    assert dict(Checkpoint.objects.values_list("name", "measured")) == cards
    assert Collection.objects.get().checkpoint == oldest
    assert not Job.objects.exists()
