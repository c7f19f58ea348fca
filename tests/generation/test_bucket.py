"""Pictures in an object store: a real server of that protocol, asked over HTTP."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from numpy.typing import NDArray
from pytest_django import Settings

from generation import rendering, services
from generation.imaging import bucket, codec
from generation.imaging.bucket import Bucket, BucketError
from generation.imaging.codec import ImageRefusedError
from generation.models import Checkpoint
from generation.models.drops import image_path

pytestmark = pytest.mark.enable_socket
ROOT = Path(__file__).resolve().parents[2]
PICTURE: NDArray[np.uint8] = np.arange(12 * 12 * 3, dtype=np.uint8).reshape(12, 12, 3)
OURS = Bucket("works", "portraits/")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def _wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"no object store on port {port}")


@pytest.fixture(autouse=True)
def store(
    server: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A bucket, and a machine that keeps its pictures there."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
    bucket._client.cache_clear()
    bucket._client().create_bucket(Bucket=OURS.name)
    settings.PICTURES = "s3://works/portraits"
    settings.MEDIA_ROOT = tmp_path / "one"
    yield
    bucket._client().close()
    bucket._client.cache_clear()


@pytest.fixture
def other(settings: Settings, tmp_path: Path) -> Path:
    """Another machine's empty folder; a test goes there by naming it in the settings."""
    return tmp_path / "other"


def test_a_picture_kept_on_one_machine_is_read_on_another(settings: Settings, other: Path) -> None:
    digest = services.keep_picture(picture=PICTURE)
    settings.MEDIA_ROOT = other

    path = image_path(digest)

    assert path.is_relative_to(other)
    assert np.array_equal(codec.read_stored(path), PICTURE)


def test_a_bucket_names_pictures_as_the_folder_does(settings: Settings) -> None:
    digest = services.keep_picture(picture=PICTURE)

    key = f"portraits/{digest[:2]}/{digest}.png"
    stored = bucket._client().get_object(Bucket="works", Key=key)

    with stored["Body"] as body:
        assert body.read() == image_path(digest).read_bytes()
    assert stored["ContentType"] == "image/png"


def test_a_picture_that_is_here_is_not_asked_for(settings: Settings) -> None:
    digest = services.keep_picture(picture=PICTURE)
    settings.PICTURES = "s3://nowhere"

    assert image_path(digest).is_file()


def test_bytes_that_are_not_those_of_their_name_never_reach_the_disk(
    settings: Settings, other: Path, client: Client
) -> None:
    digest = services.keep_picture(picture=PICTURE)
    OURS.put(digest, b"something else")
    settings.MEDIA_ROOT = other

    with pytest.raises(ImageRefusedError):
        image_path(digest)

    assert list(other.rglob("*.png")) == []
    assert client.get(reverse("artwork-image", args=[digest])).status_code == 404


def test_a_page_shows_a_picture_that_its_machine_lacks(
    settings: Settings, other: Path, client: Client
) -> None:
    digest = services.keep_picture(picture=PICTURE)
    settings.MEDIA_ROOT = other

    picture = client.get(reverse("artwork-image", args=[digest]))
    thumbnail = client.get(reverse("artwork-thumbnail", args=[digest, 128]))

    assert codec.digest(picture.content) == digest
    assert thumbnail.status_code == 200


def test_a_picture_that_nobody_has_is_not_found(client: Client) -> None:
    assert client.get(reverse("artwork-image", args=["ab" * 32])).status_code == 404


def test_a_picture_that_the_bucket_does_not_take_is_not_kept(settings: Settings) -> None:
    settings.PICTURES = "s3://nowhere/portraits"

    with pytest.raises(BucketError):
        services.keep_picture(picture=PICTURE)

    assert list(Path(settings.MEDIA_ROOT).rglob("*.png")) == []


def test_a_store_that_is_away_is_said_to_be_away(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket._client().close()
    bucket._client.cache_clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")

    with pytest.raises(BucketError):
        OURS.get("ab" * 32)


def test_a_visitor_is_asked_to_come_again_while_the_store_is_away(
    settings: Settings, client: Client
) -> None:
    settings.PICTURES = "s3://nowhere"

    answer = client.get(reverse("artwork-image", args=["ab" * 32]))

    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"


@pytest.mark.django_db
def test_a_drop_drawn_on_one_machine_is_drawn_again_and_compared_on_another(
    settings: Settings, other: Path, small_checkpoint: Checkpoint
) -> None:
    collection = services.create_collection(
        slug="small", name="Small", story="", checkpoint=small_checkpoint
    )
    parameters = collection.parameter_sets.get()
    drop = services.open_drop(collection=collection, parameter_set=parameters, size=5)
    for job in services.start_rendering(drop=drop):
        rendering.run_chunk(job_id=job.pk)
    settings.MEDIA_ROOT = other

    compared = list(rendering.draw_again(drop, list(drop.artworks.in_order())))

    assert [difference.largest for _, difference in compared] == [0] * 5
    assert len(list(other.rglob("*.png"))) == 5


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("s3://works/portraits", OURS),
        ("s3://works/portraits/", OURS),
        ("s3://works", Bucket("works", "")),
        ("s3://works/a/b", Bucket("works", "a/b/")),
    ],
)
def test_an_address_names_a_bucket_and_what_keys_begin_with(address: str, expected: Bucket) -> None:
    assert bucket.parse(address) == expected


@pytest.mark.parametrize("address", ["works", "https://works/x", "s3:///x", "s3://works?x=1"])
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is not s3://bucket/prefix"):
        bucket.parse(address)


def test_only_a_bucket_needs_the_package_of_the_store() -> None:
    script = "import django; django.setup(); import sys, config.urls, generation.rendering; "
    done = subprocess.run(
        [sys.executable, "-c", script + "sys.exit('boto3' in sys.modules)"],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.test"},
    )

    assert done.returncode == 0
