"""What a work offers beside its page: proof, metadata, cards and shapes."""

import hashlib
import io
import json
import re
from pathlib import Path

import pytest
from django.test import Client
from PIL import Image
from pytest_django import Settings

from generation.models import Collection, Drop
from minting.models import Commitment
from minting.provenance import merkle
from minting.provenance.canonical import canonicalize
from minting.provenance.keccak import keccak256
from tests.gallery.conftest import InState, read

ADDRESS = "/collections/portraits/works"
API = f"/api{ADDRESS}"
State = Drop.State


@pytest.fixture
def drop(in_state: InState) -> Drop:
    """12 works on sale, the first one minted."""
    return in_state(State.MINTING, 12)


def test_the_proof_leads_from_the_files_to_the_root_on_chain(client: Client, drop: Drop) -> None:
    commitment = Commitment.objects.get(drop=drop)

    for token_id in (1, 5, 12):
        found = client.get(f"{API}/{token_id}/proof").json()
        about = client.get(f"{API}/{token_id}/metadata").content
        picture = client.get(f"/api/images/{found['image_sha256'][2:]}.png").content
        leaf = (token_id, keccak256(about), hashlib.sha256(picture).digest())
        proof = [bytes.fromhex(node[2:]) for node in found["proof"]]

        assert merkle.verify(bytes.fromhex(commitment.metadata_root), leaf, proof)
        assert found["leaf"] == f"0x{merkle.leaf_hash(leaf).hex()}"
        assert (found["drop_number"], found["chain_id"]) == (commitment.number, 31337)


def test_the_metadata_are_the_canonical_bytes_that_were_committed(
    client: Client, drop: Drop
) -> None:
    Collection.objects.update(name="Renamed", story="Another story")

    raw = client.get(f"{API}/3/metadata").content

    row = Commitment.objects.get(drop=drop).manifest["works"][2]
    assert raw == canonicalize(row["metadata"])
    assert json.loads(raw)["name"] == "Portraits #3"


@pytest.mark.parametrize("page", ["metadata", "proof"])
def test_what_is_known_is_not_sent_again(client: Client, drop: Drop, page: str) -> None:
    first = client.get(f"{API}/3/{page}")

    again = client.get(f"{API}/3/{page}", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "address", [f"{ADDRESS}/3/card.png", "/collections/portraits/drops/1/card.png"]
)
def test_a_card_has_the_size_that_links_want_and_is_drawn_once(
    client: Client, drop: Drop, settings: Settings, address: str
) -> None:
    first = client.get(address)
    files = list((Path(settings.MEDIA_ROOT) / "cards").rglob("*"))
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})

    with Image.open(io.BytesIO(first.content)) as image:
        assert (image.format, image.size) == ("PNG", (1200, 630))
    assert [f.suffix for f in files if f.is_file()] == [".png"]
    assert again.status_code == 304


def test_a_card_changes_with_what_it_says(client: Client, drop: Drop) -> None:
    first = client.get(f"{ADDRESS}/3/card.png")
    Collection.objects.update(name="A name that is far too long for its card, " * 2)

    second = client.get(f"{ADDRESS}/3/card.png", headers={"If-None-Match": first.headers["ETag"]})

    assert second.status_code == 200
    assert second.content != first.content


def test_a_damaged_picture_makes_no_card(client: Client, drop: Drop) -> None:
    path = drop.artworks.get(token_id=3).image_path
    path.write_bytes(path.read_bytes()[:-1] + b"\0")

    assert client.get(f"{ADDRESS}/3/card.png").status_code == 404


@pytest.mark.parametrize("shape", ["card", "relief"])
def test_the_files_in_three_dimensions_are_linked(client: Client, drop: Drop, shape: str) -> None:
    html = read(client, f"{ADDRESS}/2")

    [address] = re.findall(rf'<a href="([^"]+-{shape}\.glb)" download', html)
    assert client.get(address).status_code == 200
