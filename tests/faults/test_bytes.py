"""F18: bytes that changed on disk, and kills between saving a file and switching to it."""

import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser

from generation.gan.checkpoint import load_generator
from generation.gan.header import CheckpointError
from generation.imaging import codec
from generation.imaging.codec import ImageRefusedError
from generation.models import Checkpoint, Drop
from generation.traits.parser import load_parser
from minting import services
from minting.models import Commitment
from tests.faults import crew
from tests.faults.conftest import times
from tests.fixtures.works import MakeDrop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def commitment(make_drop: MakeDrop) -> Commitment:
    """A committed drop of five works."""
    drop = make_drop(5, Drop.State.CURATING)
    made = services.prepare_commitment(drop=drop)
    Drop.objects.filter(pk=drop.pk).update(state=Drop.State.COMMITTED)
    return made


def flip(path: Path, chance: random.Random) -> bytes:
    """Change one bit of a file; returns what it was."""
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
    path.write_bytes(changed)
    return whole


@times(light=2, full=20)
def test_a_changed_checkpoint_is_refused_and_the_whole_one_loads(
    small_checkpoint: Checkpoint, n: int
) -> None:
    chance = random.Random(n)
    row = small_checkpoint

    for _ in range(n):
        path, parser = Path(row.path), Path(row.parser_path)
        wholes = flip(path, chance), flip(parser, chance)
        with pytest.raises(CheckpointError, match="expected"):
            load_generator(path, row.sha256)
        with pytest.raises(CheckpointError, match="expected"):
            load_parser(parser, row.parser_sha256)
        path.write_bytes(wholes[0])
        parser.write_bytes(wholes[1])

    load_generator(Path(row.path), row.sha256)
    load_parser(Path(row.parser_path), row.parser_sha256)


@times(light=2, full=20)
def test_a_changed_picture_is_refused_and_not_given_away(
    commitment: Commitment, client: Browser, n: int
) -> None:
    chance = random.Random(n)
    works = list(commitment.drop.artworks.order_by("pk"))
    path = car_path(commitment)

    for _ in range(n):
        picture = chance.choice(works).image_path
        whole = flip(picture, chance)
        with pytest.raises(ImageRefusedError, match="digest"):
            codec.read_stored(picture)
        reply = client.get(path)
        assert (reply.status_code, reply.json()["code"]) == (503, "damaged")
        assert str(picture.parent) not in reply.content.decode()
        picture.write_bytes(whole)

    assert download(client, path)


@times(light=2, full=20)
def test_a_changed_car_is_never_given_away(commitment: Commitment, client: Browser, n: int) -> None:
    chance = random.Random(n)
    car = services.drop_car(commitment=commitment)

    for _ in range(n):
        whole = flip(car, chance)
        assert download(client, car_path(commitment)) == whole

    assert not [path for path in car.parent.iterdir() if path.name.startswith(".")]


@times(light=2, full=20)
def test_changed_metadata_is_refused(commitment: Commitment, client: Browser, n: int) -> None:
    chance = random.Random(n)
    whole = commitment.manifest

    for _ in range(n):
        rows = [dict(row) for row in whole["works"]]
        row = chance.choice(rows)
        row["metadata"] = row["metadata"] | {"name": row["metadata"]["name"] + "!"}
        Commitment.objects.filter(pk=commitment.pk).update(manifest=whole | {"works": rows})
        reply = client.get(car_path(commitment))
        assert (reply.status_code, reply.json()["code"]) == (503, "damaged")

    Commitment.objects.filter(pk=commitment.pk).update(manifest=whole)
    assert download(client, car_path(commitment))


@times(light=2, full=20)
def test_a_kill_between_saving_and_switching_leaves_the_old_file_live(
    commitment: Commitment, client: Browser, n: int
) -> None:
    """A CAR that is packed again, and a picture that is stored: each at its last step."""
    car = services.drop_car(commitment=commitment)
    whole = car.read_bytes()
    folder = car.parents[1] / "images"
    before = set(folder.rglob("*.png"))

    for i in range(n):
        car.with_suffix(".sha256").unlink(missing_ok=True)  # what makes it be packed again
        killed = [
            crew.start(crew.pack_and_die, commitment.pk, (".sha256", ".car")[i % 2]),
            crew.start(crew.store_and_die, b"%d" % i),
        ]
        for process in killed:
            process.join(60)
            assert process.exitcode == -signal.SIGKILL
        assert car.read_bytes() == whole
        assert set(folder.rglob("*.png")) == before
        for left in car.parent.glob(".pack.*"):
            os.utime(left, (0, 0))
        car.with_suffix(".sha256").unlink(missing_ok=True)
        assert download(client, car_path(commitment)) == whole
        assert not list(car.parent.glob(".pack.*"))


def download(browser: Browser, path: str) -> bytes:
    reply: Any = browser.get(path)
    assert reply.status_code == 200
    raw: bytes = b"".join(reply.streaming_content)
    reply.close()
    return raw


def car_path(commitment: Commitment) -> str:
    return f"/api/collections/{commitment.collection.slug}/drops/{commitment.drop.number}/car"
