"""Pictures at their digests, as browsers and caches see them."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from generation.models import Drop
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
