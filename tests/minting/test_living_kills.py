"""A process that draws minted works is killed at every step; nothing is lost, nothing doubled."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from generation.models import Artwork, Drop, Job
from minting import indexer
from minting.models import DropEvent, Token
from tests.fixtures.chain import Chain
from tests.fixtures.living import draw, mint, until
from tests.fixtures.stack import ROOT

DRAW = """
import os, signal, sys
import django
from django.conf import settings
database, media, drop, step = sys.argv[1:]
settings.DATABASES["default"]["NAME"] = database
settings.MEDIA_ROOT = media
django.setup()
from generation import drawing as generation_drawing, services as generation_services
from minting import drawing, services
def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
def after(call):
    def run(*positional, **named):
        call(*positional, **named)
        kill()
    return run
if step == "leased":
    generation_drawing.draw = kill
if step == "pictures are kept":
    generation_services.record_drawn = kill
if step == "rows are written":
    generation_services.record_drawn = after(generation_services.record_drawn)
if step == "hung":
    hang, calls = services.hang, []
    def count(*, works):
        found = hang(works=works)
        calls.append(found)
        return found if len(calls) < 2 else kill()
    services.hang = count
for _ in drawing.draw_minted(drop_id=int(drop)):
    pass
"""

pytestmark = [
    pytest.mark.usefixtures("chain_settings"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def chain(fresh_chain: Chain) -> Chain:
    return fresh_chain


@pytest.fixture
def drop(living_drop: Drop) -> Drop:
    return living_drop


@pytest.mark.parametrize(
    ("step", "kept"),
    [("leased", 0), ("pictures are kept", 0), ("rows are written", 3), ("hung", 3)],
)
def test_a_kill_at_any_step_loses_and_doubles_nothing(
    drop: Drop,
    chain: Chain,
    settings: Settings,
    step: str,
    kept: int,
) -> None:
    mint(chain, 3)
    until(DropEvent.Kind.CAPTURED, drop)
    database = str(connection.settings_dict["NAME"])
    media = str(settings.MEDIA_ROOT)

    done = subprocess.run(
        [sys.executable, "-c", DRAW, database, media, str(drop.pk), step],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.test"},
        timeout=120,
    )
    after_kill = Artwork.objects.count()
    held = draw(drop)
    Job.objects.filter(kind="draw").update(lease_until=timezone.now() - timedelta(seconds=1))
    mint(chain, 1)
    indexer.poll()
    draw(drop)

    works = Artwork.objects.order_by("token_id")
    assert (done.returncode, after_kill) == (-9, kept)
    assert kept or held == []
    assert [work.token_id for work in works] == [1, 2, 3, 4]
    assert len({work.image_digest for work in works}) == 4
    assert not Token.objects.filter(artwork=None).exists()
    assert {work.token.token_id for work in works} == {1, 2, 3, 4}
