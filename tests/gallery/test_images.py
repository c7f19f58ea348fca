"""Pictures at their digests, as browsers and caches see them."""

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image
from pytest_django import Settings

from generation.imaging import solids, thumbnails
from generation.models import Artwork, Collection, Drop
from tests.fixtures.works import MakeDrop


@pytest.fixture
def digest(make_drop: MakeDrop) -> str:
    return make_drop(1, Drop.State.CURATING).artworks.get().image_digest


def get(browser: Client, digest: str, **headers: Any) -> Any:
    return browser.get(f"/api/images/{digest}.png", **headers)


def test_a_picture_has_the_bytes_of_its_digest(client: Client, digest: str) -> None:
    reply = get(client, digest)

    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "image/png"
    assert hashlib.sha256(reply.getvalue()).hexdigest() == digest


def test_a_picture_is_kept_for_ever(client: Client, digest: str) -> None:
    reply = get(client, digest)

    assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert reply.headers["ETag"] == f'"{digest}"'
    reply.close()


def test_a_picture_is_the_same_for_everybody(console: Client, digest: str) -> None:
    reply = get(console, digest)

    assert "Vary" not in reply.headers
    assert not reply.cookies
    reply.close()


@pytest.mark.parametrize(
    "other",
    [
        "0" * 64,
        "0" * 63,
        "0" * 65,
        "g" * 64,
        "",
        "%00",
        "%00" * 64,
        "..",
        "é" * 64,
        "\N{ARABIC-INDIC DIGIT ZERO}" * 64,
        "0" * 64 + "%0A",
        "a" * 5000,
    ],
)
def test_a_digest_that_names_nothing_is_not_found(client: Client, digest: str, other: str) -> None:
    assert get(client, other).status_code == 404


def test_a_digest_is_written_in_small_letters(client: Client, digest: str) -> None:
    assert digest != digest.upper()

    assert get(client, digest.upper()).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "..%2Fsecret",
        "%2e%2e%2fsecret",
        "..%252Fsecret",
        "..%5Csecret",
        "....//secret",
        "%2Fetc%2Fpasswd",
        "aa/../../secret",
    ],
)
def test_no_path_leads_out_of_the_folder(
    client: Client, digest: str, settings: Settings, path: str
) -> None:
    (Path(settings.MEDIA_ROOT) / "secret.png").write_bytes(b"secret")

    assert get(client, path).status_code == 404


def test_a_picture_whose_file_is_gone_is_not_found(
    client: Client, digest: str, settings: Settings
) -> None:
    (Path(settings.MEDIA_ROOT) / "images" / digest[:2] / f"{digest}.png").unlink()

    assert get(client, digest).status_code == 404


def test_pictures_are_read_only(client: Client, digest: str) -> None:
    address = reverse("artwork-image", args=[digest])

    assert [client.post(address).status_code, client.delete(address).status_code] == [405, 405]


def small(browser: Client, digest: str, side: object = 128, **headers: Any) -> Any:
    return browser.get(f"/api/images/{digest}-{side}.webp", **headers)


@pytest.mark.parametrize("side", thumbnails.SIDES_PX)
def test_a_thumbnail_is_kept_for_ever_too(client: Client, digest: str, side: int) -> None:
    reply = small(client, digest, side)

    assert reply.headers["Content-Type"] == "image/webp"
    assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert reply.headers["ETag"] == f'"{digest}-{side}.webp"'
    with Image.open(io.BytesIO(reply.content)) as image:
        assert (image.format, image.size) == ("WEBP", (side, side))


@pytest.mark.parametrize("name", ["{}.png", "{}-128.webp"])
def test_a_picture_that_a_browser_has_is_not_sent_again(
    client: Client, digest: str, name: str
) -> None:
    address = f"/api/images/{name.format(digest)}"
    first = client.get(address)

    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    other = client.get(address, headers={"If-None-Match": '"another"'})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert (other.status_code, other.content) == (200, first.content)


@pytest.mark.parametrize("side", [0, 1, 64, 127, 500, 99999999999, "x"])
def test_a_size_that_is_not_offered_is_not_found(client: Client, digest: str, side: object) -> None:
    assert small(client, digest, side).status_code == 404


def test_a_thumbnail_of_nothing_is_not_found(client: Client, digest: str) -> None:
    assert small(client, "0" * 64).status_code == 404
    assert small(client, "..").status_code == 404


def test_a_damaged_picture_has_no_thumbnail(
    client: Client, digest: str, settings: Settings
) -> None:
    path = Path(settings.MEDIA_ROOT) / "images" / digest[:2] / f"{digest}.png"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")

    assert small(client, digest).status_code == 404


@pytest.mark.parametrize("address", ["/api/artworks", "/api/drops", "/api/collections"])
def test_lists_that_did_not_change_are_not_sent_again(
    client: Client, digest: str, address: str
) -> None:
    first = client.get(address)

    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    Collection.objects.update(name="Renamed")
    Artwork.objects.update(confidence=0.5)
    Drop.objects.update(size=7)
    changed = client.get(address, headers={"If-None-Match": first.headers["ETag"]})

    assert again.status_code == 304
    assert changed.status_code == 200


def test_a_picture_is_also_had_large_as_a_png(client: Client, digest: str) -> None:
    reply = client.get(f"/api/images/{digest}-512.png")
    again = client.get(f"/api/images/{digest}-512.png", headers={"If-None-Match": reply["ETag"]})

    assert reply.headers["Content-Type"] == "image/png"
    assert reply.headers["ETag"] == f'"{digest}-512.png"'
    assert again.status_code == 304
    with Image.open(io.BytesIO(reply.content)) as image:
        large = np.asarray(image)
    with Image.open(io.BytesIO(client.get(f"/api/images/{digest}.png").content)) as image:
        small = np.asarray(image)
    assert large.shape == (512, 512, 3)
    factor = 512 // small.shape[0]
    assert (large == small.repeat(factor, 0).repeat(factor, 1)).all()


@pytest.mark.parametrize("shape", solids.SHAPES)
def test_a_picture_is_also_had_in_three_dimensions(client: Client, digest: str, shape: str) -> None:
    address = reverse("artwork-solid", args=[digest, shape])

    reply = client.get(address)
    again = client.get(address, headers={"If-None-Match": reply["ETag"]})

    assert reply.headers["Content-Type"] == "model/gltf-binary"
    assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert reply.headers["ETag"] == f'"{digest}-{shape}.glb"'
    assert reply.content[:4] == b"glTF"
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["{}-cube.glb", "{}.glb", "{}-.glb", "x{}-card.glb"])
def test_a_shape_that_is_not_offered_is_not_found(client: Client, digest: str, name: str) -> None:
    assert client.get(f"/api/images/{name.format(digest)}").status_code == 404


def test_how_large_a_file_is_can_be_asked_for_alone(client: Client, digest: str) -> None:
    address = reverse("artwork-solid", args=[digest, "card"])

    reply = client.head(address)

    assert (reply.status_code, reply.content) == (200, b"")
    assert int(reply.headers["Content-Length"]) == len(client.get(address).content)
